//! Why a target has no path.

use core::fmt;

use crate::decision::Reason;
use crate::request::path::PathForm;

/// Why a target has no path to match against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// The path has two readings.
    Ambiguous(PathForm),
    /// The target is no path.
    Malformed(Malformation),
}

/// Why a target is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformation {
    /// Longer than a target may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest length that is accepted.
        limit: usize,
    },
    /// Neither origin form nor absolute form over HTTP nor `*`.
    Form,
    /// A control character or a space, plain anywhere in the target, or a control character
    /// encoded in its path.
    ControlCharacter {
        /// The byte.
        byte: u8,
    },
    /// A `#`, which no client may send.
    Fragment,
    /// A character that a path may only hold encoded (RFC 3986 §3.3; brackets are let through).
    /// Normalising proxies encode it, others do not.
    Character {
        /// The byte.
        byte: u8,
    },
    /// A percent sign without two hexadecimal digits.
    InvalidEscape,
    /// Escapes that do not decode to UTF-8.
    InvalidUtf8,
}

impl PathError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ambiguous(PathForm::DotSegments) => "dot_segments",
            Self::Ambiguous(PathForm::DoubledSlashes) => "doubled_slashes",
            Self::Ambiguous(PathForm::Backslashes) => "backslashes",
            Self::Ambiguous(PathForm::EncodedSeparators) => "encoded_separators",
            Self::Ambiguous(PathForm::DoubleEncoding) => "double_encoding",
            Self::Ambiguous(PathForm::PathParameters) => "path_parameters",
            Self::Malformed(Malformation::TooLong { .. }) => "target_too_long",
            Self::Malformed(Malformation::Form) => "target_form",
            Self::Malformed(Malformation::ControlCharacter { .. }) => "control_character",
            Self::Malformed(Malformation::Fragment) => "fragment",
            Self::Malformed(Malformation::Character { .. }) => "path_character",
            Self::Malformed(Malformation::InvalidEscape) => "invalid_escape",
            Self::Malformed(Malformation::InvalidUtf8) => "invalid_utf8",
        }
    }

    /// The reason with which the request is refused.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Ambiguous(_) => Reason::PathAmbiguous,
            Self::Malformed(_) => Reason::PathMalformed,
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ambiguous(PathForm::DotSegments) => "the path has a dot segment",
            Self::Ambiguous(PathForm::DoubledSlashes) => "the path has two slashes in a row",
            Self::Ambiguous(PathForm::Backslashes) => "the path has a backslash",
            Self::Ambiguous(PathForm::EncodedSeparators) => "the path has an encoded separator",
            Self::Ambiguous(PathForm::DoubleEncoding) => "the path is encoded twice",
            Self::Ambiguous(PathForm::PathParameters) => "the path has parameters where rules look",
            Self::Malformed(Malformation::TooLong { length, limit }) => {
                return write!(f, "the target has {length} bytes, more than {limit}");
            }
            Self::Malformed(Malformation::Form) => "the target has no form that names a path",
            Self::Malformed(Malformation::ControlCharacter { byte }) => {
                return write!(f, "the target holds the control character 0x{byte:02x}");
            }
            Self::Malformed(Malformation::Fragment) => "the target has a fragment",
            Self::Malformed(Malformation::Character { byte }) => {
                return write!(f, "the path holds the byte 0x{byte:02x}, which must be encoded");
            }
            Self::Malformed(Malformation::InvalidEscape) => "the path has an incomplete escape",
            Self::Malformed(Malformation::InvalidUtf8) => "the path does not decode to UTF-8",
        })
    }
}

impl core::error::Error for PathError {}
