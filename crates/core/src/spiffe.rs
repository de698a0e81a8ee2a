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
