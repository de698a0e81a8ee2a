//! What is wrong with a policy.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use crate::finding::FindingCode;

/// Why a policy does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The place inside the policy's `spec`, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What kind of mistake it is.
    pub code: FindingCode,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl PolicyError {
    pub(super) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { pointer: String::new(), code, message: message.into() }
    }

    /// The same mistake, seen from the object or the list that holds the place.
    pub(super) fn below(mut self, segment: impl fmt::Display) -> Self {
        let segment = segment.to_string().replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &format!("/{segment}"));
        self
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.pointer, self.message, self.code.name())
    }
}

impl core::error::Error for PolicyError {}
