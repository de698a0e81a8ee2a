//! What can go wrong, and the exit code that says so.

use core::fmt;
use std::io;

use lychgate_core::json::JsonError;

use crate::input::Place;

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) enum CliError {
    /// A file can't be read.
    Read { path: String, error: io::Error },
    /// A file can't be written.
    Write { path: String, error: io::Error },
    /// An address that can't be listened on.
    Listen { address: String, error: io::Error },
    /// A private key is already there.
    Exists { path: String },
    /// A file is longer than the bound.
    FileTooLarge { path: String, limit: usize },
    /// More files than the bound.
    TooManyFiles { found: usize, limit: usize },
    /// Folders inside one another beyond the bound.
    TooDeep { path: String, limit: usize },
    /// Something in a folder that has a policy's name and is a pipe or a device.
    NotAFile { path: String },
    /// A file is not UTF-8.
    NotText { path: String, at: usize },
    /// A folder without policies.
    NoFiles { path: String },
    /// A folder without tests.
    NoTests { path: String },
    /// Tests that did not pass.
    TestsFailed { failed: usize, all: usize },
    /// Policies that say different things.
    Differ { requests: usize },
    /// Findings that were reported.
    Found { errors: usize, warnings: usize },
    /// A file that is not what we accept.
    Input { place: Box<Place>, problem: Box<Problem> },
    /// Core refuses the bundle.
    Refused { message: String },
    /// The file that `--check` looked at is not what would be written.
    Stale { path: String },
    /// A key file that can't be used.
    Key { path: String, message: String },
    /// A token that can't be made or read.
    Token { message: String },
    /// A certificate that can't be made.
    Certificate { message: String },
    /// Arguments that do not fit together.
    Usage { message: String },
}

impl CliError {
    /// What is wrong at a place.
    pub(crate) fn input(place: Place, problem: Problem) -> Self {
        Self::Input { place: Box::new(place), problem: Box::new(problem) }
    }

    /// 2 for wrong usage, 1 for everything else.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Listen { .. }
            | Self::Exists { .. }
            | Self::FileTooLarge { .. }
            | Self::TooManyFiles { .. }
            | Self::TooDeep { .. }
            | Self::NotAFile { .. }
            | Self::NotText { .. }
            | Self::NoFiles { .. }
            | Self::NoTests { .. }
            | Self::TestsFailed { .. }
            | Self::Differ { .. }
            | Self::Found { .. }
            | Self::Input { .. }
            | Self::Refused { .. }
            | Self::Stale { .. }
            | Self::Key { .. }
            | Self::Token { .. }
            | Self::Certificate { .. } => 1,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, error } => write!(f, "{path}: can't be read: {error}"),
            Self::Write { path, error } => write!(f, "{path}: can't be written: {error}"),
            Self::Listen { address, error } => {
                write!(f, "{address}: can't be listened on: {error}")
            }
            Self::Exists { path } => write!(f, "{path}: is already there; --force replaces it"),
            Self::FileTooLarge { path, limit } => {
                write!(f, "{path}: more than {limit} bytes")
            }
            Self::TooManyFiles { found, limit } => {
                write!(f, "{found} files, at most {limit} are read")
            }
            Self::TooDeep { path, limit } => write!(f, "{path}: more than {limit} folders deep"),
            Self::NotAFile { path } => write!(f, "{path}: no file but a pipe or a device"),
            Self::NotText { path, at } => write!(f, "{path}: invalid UTF-8 at byte {at}"),
            Self::NoFiles { path } => {
                write!(f, "{path}: no .yaml, .yml or .json file in this folder")
            }
            Self::NoTests { path } => {
                write!(f, "{path}: no file that ends with .test.yaml in this folder")
            }
            Self::Differ { requests } => write!(f, "the policies differ on {requests} requests"),
            Self::Found { errors, warnings } => write!(f, "{errors} errors, {warnings} warnings"),
            Self::TestsFailed { failed, all } => write!(f, "{failed} of {all} tests failed"),
            Self::Input { place, problem } => write!(f, "{place}: {problem}"),
            Self::Stale { path } => {
                write!(f, "{path}: differs from what its sources compile to; compile again")
            }
            Self::Key { path, message } => write!(f, "{path}: {message}"),
            Self::Refused { message }
            | Self::Token { message }
            | Self::Certificate { message }
            | Self::Usage { message } => f.write_str(message),
        }
    }
}

impl core::error::Error for CliError {}

/// What is wrong at a place in a file.
#[derive(Debug)]
pub(crate) enum Problem {
    Json(JsonError),
    Yaml(String),
    /// A word that YAML 1.1 and 1.2 read differently.
    Ambiguous {
        text: String,
        why: &'static str,
    },
    Anchor,
    Alias,
    MergeKey,
    Tag,
    Duplicate {
        name: String,
    },
    KeyNotString,
    Character {
        code: u32,
    },
    TooDeep(usize),
    TooManyValues(usize),
    TooManyDocuments(usize),
    NotAValue,
    NotAnObject,
    /// No string `apiVersion` and `kind`.
    NoKind,
    /// An Istio resource under a group or a version that is not Istio's.
    WrongGroup {
        kind: String,
        group: String,
    },
    /// A resource of Istio's security group that Lychgate does not know.
    UnknownKind {
        kind: String,
    },
    /// The same resource twice.
    Twice {
        kind: String,
        name: String,
        first: Place,
    },
    /// A list without items.
    NoItems,
    /// A list inside a list.
    NestedList,
    /// A bundle among policies.
    UnexpectedBundle,
    /// A document of another shape than its kind has.
    Shape(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Shape(message) => f.write_str(message),
            Self::Yaml(message) => write!(f, "invalid YAML: {message}"),
            Self::Ambiguous { text, why } => {
                write!(f, "`{text}` is ambiguous: {why}; quote it")
            }
            Self::Anchor => f.write_str("a YAML anchor (`&name`); write the value out instead"),
            Self::Alias => f.write_str("a YAML alias (`*name`); if a pattern was meant, quote it"),
            Self::MergeKey => f.write_str("a YAML merge key (`<<`); write the members out instead"),
            Self::Tag => f.write_str("a YAML tag (`!name`); quote the value instead"),
            Self::Duplicate { name } => write!(f, "duplicate key `{name}`"),
            Self::KeyNotString => f.write_str("a key that is no string"),
            Self::Character { code } => {
                write!(f, "character U+{code:04X} has no place in a policy")
            }
            Self::TooDeep(limit) => write!(f, "nested more than {limit} levels deep"),
            Self::TooManyValues(limit) => write!(f, "more than {limit} values in one file"),
            Self::TooManyDocuments(limit) => write!(f, "more than {limit} documents in one file"),
            Self::NotAValue => f.write_str("a value is missing"),
            Self::NotAnObject => f.write_str("not an object"),
            Self::NoKind => f.write_str("`apiVersion` and `kind` are needed, as strings"),
            Self::WrongGroup { kind, group } => write!(
                f,
                "{kind} of `{group}`: only security.istio.io/v1 and security.istio.io/v1beta1 are known"
            ),
            Self::UnknownKind { kind } => write!(f, "unknown kind `{kind}` in security.istio.io"),
            Self::Twice { kind, name, first } => {
                write!(f, "{kind} {name} a second time; the first is at {first}")
            }
            Self::NoItems => f.write_str("a list without `items`"),
            Self::NestedList => f.write_str("a list inside a list"),
            Self::UnexpectedBundle => {
                f.write_str("a compiled bundle can't be compiled again together with policies")
            }
        }
    }
}
