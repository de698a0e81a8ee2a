//! Why a bundle does not load, and what in one that does deserves a second look.

use alloc::string::{String, ToString as _};
use core::fmt;

use crate::json::{DecodeError, JsonError};
use crate::ruleset::Finding;

/// Why a bundle was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    pointer: String,
    problem: LoadProblem,
}

/// Longest pointer and longest message in bytes: both may repeat what a bundle says, and a line of
/// a log is not the place for megabytes of it.
const TEXT_BYTES: usize = 1024;

impl LoadError {
    pub(crate) fn new(pointer: impl Into<String>, problem: LoadProblem) -> Self {
        Self { pointer: nearest_place(pointer.into()), problem: problem.shortened() }
    }

    pub(crate) fn decode(base: &str, error: &DecodeError) -> Self {
        let pointer = alloc::format!("{base}{}", error.pointer());
        Self::new(pointer, LoadProblem::Shape(error.message().to_string()))
    }

    /// The place in the bundle, as a JSON Pointer (RFC 6901); empty for the whole document. Where a
    /// name in it is very long, the place around it.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What is wrong there.
    #[must_use]
    pub fn problem(&self) -> &LoadProblem {
        &self.problem
    }

    /// The stable code of the problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the bundle" } else { &self.pointer };
        write!(f, "{place}: {} [{}]", self.problem, self.code())
    }
}

impl core::error::Error for LoadError {}

/// What can be wrong with a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadProblem {
    /// Not the strict JSON that is read.
    Json(JsonError),
    /// A member is missing, unknown, or of the wrong type.
    Shape(String),
    /// An `apiVersion` or `kind` that is not supported.
    Kind(String),
    /// A setting outside its range or in conflict with another.
    Setting(String),
    /// The workload's description is not usable.
    Workload(String),
    /// A `selector` or `targetRef` that can't be resolved.
    Selection(String),
    /// No AuthorizationPolicy applies, and `allowUnrestricted` was not set.
    Unrestricted,
    /// Something in an AuthorizationPolicy.
    Authorization {
        /// The stable code of the mistake.
        code: &'static str,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// Something in a RequestAuthentication.
    Authentication(String),
    /// Something in a PeerAuthentication.
    PeerAuthentication(String),
    /// Keys that can't be used.
    Keys(String),
}

impl LoadProblem {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Shape(_) => "shape",
            Self::Kind(_) => "kind",
            Self::Setting(_) => "setting",
            Self::Workload(_) => "workload",
            Self::Selection(_) => "selection",
            Self::Unrestricted => "unrestricted",
            Self::Authorization { code, .. } => code,
            Self::Authentication(_) => "authentication",
            Self::PeerAuthentication(_) => "peer_authentication",
            Self::Keys(_) => "keys",
        }
    }
}

impl LoadProblem {
    fn shortened(mut self) -> Self {
        match &mut self {
            Self::Json(_) | Self::Unrestricted => {}
            Self::Shape(message)
            | Self::Kind(message)
            | Self::Setting(message)
            | Self::Workload(message)
            | Self::Selection(message)
            | Self::Authorization { message, .. }
            | Self::Authentication(message)
            | Self::PeerAuthentication(message)
            | Self::Keys(message) => shorten(message),
        }
        self
    }
}

/// The innermost place around `pointer` whose pointer is short enough.
fn nearest_place(mut pointer: String) -> String {
    while pointer.len() > TEXT_BYTES {
        pointer.truncate(pointer.rfind('/').unwrap_or(0));
    }
    pointer
}

fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text.push_str(" ...");
    }
}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "{error}"),
            Self::Unrestricted => f.write_str(
                "no AuthorizationPolicy selects this workload, so everybody could call it; \
                 check namespace and labels, or set settings.allowUnrestricted",
            ),
            Self::Shape(message)
            | Self::Kind(message)
            | Self::Setting(message)
            | Self::Workload(message)
            | Self::Selection(message)
            | Self::Authorization { message, .. }
            | Self::Authentication(message)
            | Self::PeerAuthentication(message)
            | Self::Keys(message) => f.write_str(message),
        }
    }
}

impl Finding {
    pub(crate) fn new(code: &'static str, pointer: String, mut message: String) -> Self {
        shorten(&mut message);
        Self { code, pointer: nearest_place(pointer), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pointer: &str, message: &str) -> LoadError {
        LoadError::new(pointer, LoadProblem::Shape(message.into()))
    }

    #[test]
    fn a_message_may_have_1024_bytes_and_is_then_cut_between_characters() {
        let most = "x".repeat(TEXT_BYTES);
        assert_eq!(error("", &most).problem().to_string(), most);
        let long = alloc::format!("{}\u{e9}\u{e9}", "x".repeat(TEXT_BYTES - 1));
        let cut = alloc::format!("{} ...", "x".repeat(TEXT_BYTES - 1));
        assert_eq!(error("", &long).problem().to_string(), cut);
    }

    #[test]
    fn a_pointer_may_have_1024_bytes_and_is_then_the_place_around() {
        let most = alloc::format!("/spec/{}", "x".repeat(TEXT_BYTES - 6));
        assert_eq!(error(&most, "").pointer(), most);
        assert_eq!(error(&alloc::format!("{most}x"), "").pointer(), "/spec");
        assert_eq!(error(&"x".repeat(TEXT_BYTES + 1), "").pointer(), "");
    }
}
