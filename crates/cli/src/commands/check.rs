//! `lychgate check`: what is wrong with policies or with a bundle.

use std::path::PathBuf;

use clap::Args;
use lychgate_core::LoadError;
use lychgate_core::engine::Engine;
use lychgate_crypto::Portable;

use crate::arguments::WorkloadOptions;
use crate::bundle::{self, Bundle};
use crate::error::CliError;
use crate::input;
use crate::output;

/// Options of `check`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One compiled bundle; or policy files, folders of them, or - for standard input
    #[arg(required = true, value_name = "BUNDLE|PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
}

/// Loads and says what was found.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let files = input::read_all(&options.paths)?;
    let mut documents = Vec::new();
    for file in &files {
        documents.extend(input::documents(file)?);
    }
    let compiled = documents.len() == 1
        && documents.first().is_some_and(|document| bundle::is_bundle(&document.root));
    let bundle = match documents.pop() {
        Some(document) if compiled => Bundle::compiled(document)?,
        last => {
            documents.extend(last);
            Bundle::assemble(&options.workload, documents)?
        }
    };
    let loaded = load(&bundle)?;
    let count = loaded.warnings;
    output::answer(&format!("ok: {count} warnings, revision {}\n", loaded.revision))
}

/// A bundle that hosts will accept.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The canonical text with only what applies to the workload.
    pub(crate) text: String,
    /// What decisions under this text will carry.
    pub(crate) revision: String,
    /// How many warnings were printed.
    pub(crate) warnings: usize,
}

/// Loads a bundle as a host would, and prints warnings.
///
/// The whole is loaded first: only its pointers lead back to what was written.
pub(crate) fn load(bundle: &Bundle) -> Result<Loaded, CliError> {
    let refused = |error: &LoadError| refuse(bundle, error);
    let whole = Engine::load(bundle.text.as_bytes(), &Portable).map_err(|error| refused(&error))?;
    for warning in whole.warnings() {
        let (detail, risk, fix) = (&warning.detail, warning.risk(), warning.fix());
        let colon = if detail.is_empty() { "" } else { ": " };
        let message = format!("{detail}{colon}{risk}; {fix}");
        output::warn(&locate(bundle, &warning.pointer, &message, warning.code.name()));
    }
    let text = lychgate_core::select(bundle.text.as_bytes()).map_err(|error| refused(&error))?;
    let selected = Engine::load(text.as_bytes(), &Portable).map_err(|error| refused(&error))?;
    let warnings = whole.warnings().len();
    Ok(Loaded { revision: selected.revision().to_owned(), text, warnings })
}

fn refuse(bundle: &Bundle, error: &LoadError) -> CliError {
    let message = error.problem().to_string();
    CliError::Refused { message: locate(bundle, error.pointer(), &message, error.code()) }
}

/// A message with the place it is about, as far as that is known.
fn locate(bundle: &Bundle, pointer: &str, message: &str, code: &str) -> String {
    let (place, pointer) = match bundle.origin(pointer) {
        Some((place, rest)) => (format!("{place}: "), rest),
        None => (String::new(), pointer),
    };
    let at = if pointer.is_empty() { String::new() } else { format!(", at {pointer}") };
    format!("{place}{message} [{code}]{at}")
}
