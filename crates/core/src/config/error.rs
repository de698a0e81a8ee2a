//! Why a bundle does not load.

use alloc::string::{String, ToString as _};
use core::fmt;

use crate::finding::{Finding, FindingCode, nearest_place, shorten};
use crate::json::{DecodeError, JsonError};

/// Why a bundle was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    pointer: String,
    problem: LoadProblem,
}

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
        self.problem.code().name()
    }

    /// The same as a finding, for those who list errors and warnings together.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::new(self.problem.code(), self.pointer.clone(), self.problem.to_string())
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
        code: FindingCode,
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
    pub const fn code(&self) -> FindingCode {
        match self {
            Self::Json(_) => FindingCode::Json,
            Self::Shape(_) => FindingCode::Shape,
            Self::Kind(_) => FindingCode::Kind,
            Self::Setting(_) => FindingCode::Setting,
            Self::Workload(_) => FindingCode::Workload,
            Self::Selection(_) => FindingCode::Selection,
            Self::Unrestricted => FindingCode::Unrestricted,
            Self::Authorization { code, .. } => *code,
            Self::Authentication(_) => FindingCode::Authentication,
            Self::PeerAuthentication(_) => FindingCode::PeerAuthentication,
            Self::Keys(_) => FindingCode::Keys,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pointer: &str, message: &str) -> LoadError {
        LoadError::new(pointer, LoadProblem::Shape(message.into()))
    }

    #[test]
    fn a_pointer_may_have_1024_bytes_and_is_then_the_place_around() {
        let most = alloc::format!("/spec/{}", "x".repeat(1024 - 6));
        assert_eq!(error(&most, "").pointer(), most);
        assert_eq!(error(&alloc::format!("{most}x"), "").pointer(), "/spec");
        assert_eq!(error(&"x".repeat(1025), "").pointer(), "");
    }
}
