//! Workload identity: SPIFFE IDs, trust domains, and the peer that a host has verified.

use alloc::boxed::Box;

/// Who stands at the other end of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// No certificate was presented.
    Absent,
    /// Something was presented that is not exactly one well-formed SPIFFE identity, verified.
    Malformed,
    /// The host verified this identity.
    Verified(SpiffeId),
}

/// A SPIFFE ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpiffeId(Box<str>);

impl SpiffeId {
    /// The ID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Placeholder of branch `identity`.
    ///
    /// # Errors
    /// Not UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, core::str::Utf8Error> {
        core::str::from_utf8(bytes).map(|id| Self(id.into()))
    }
}
