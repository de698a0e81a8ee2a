//! What is checked of every request before anybody asks who the caller is.

use alloc::borrow::Cow;
use alloc::sync::Arc;

use crate::authn::{Authenticator, Credential, CredentialError};
use crate::decision::Reason;
use crate::request::{
    Headers, HostError, PathError, Request, RequestHost, RequestPath, forwarded_peer,
};
use crate::ruleset::Ruleset;
use crate::spiffe::{Peer, SpiffeId};

/// A request with exactly one reading, from a peer that may call.
pub(super) struct Screened<'a> {
    pub(super) ruleset: &'a Arc<Ruleset>,
    pub(super) request: &'a Request<'a>,
    pub(super) path: RequestPath<'a>,
    pub(super) host: RequestHost<'a>,
    pub(super) peer: Cow<'a, Peer>,
}

/// Why a request is refused, and which kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) detail: Option<&'static str>,
}

/// Checks the headers of a request against the limits, also those that nobody reads.
#[inline]
pub(super) fn check_size(ruleset: &Ruleset, request: &Request<'_>) -> Result<(), Refusal> {
    let limit = ruleset.settings.header_bytes;
    Headers::of(request).check_size(limit).map_err(|_| Reason::HeadersTooLarge.into())
}

impl<'a> Screened<'a> {
    /// Screens a request that is no larger than allowed: host, `Connection`, path, peer, in this order.
    pub(super) fn of(ruleset: &'a Arc<Ruleset>, request: &'a Request<'a>) -> Result<Self, Refusal> {
        let headers = Headers::of(request);
        let settings = &ruleset.settings;
        let host = RequestHost::of(request)?;
        if headers.named_by_connection(|name| ruleset.relied.contains(name)).is_some() {
            return Err(Reason::ConnectionHeader.into());
        }
        if request.target.len() > settings.target_bytes {
            return Err(Reason::PathMalformed.into());
        }
        let depth = ruleset.needs.parameter_depth;
        let path = RequestPath::of(request, &settings.path_forms, depth)?;
        let peer = effective_peer(ruleset, request)?;
        if *peer == Peer::Absent && ruleset.peers.requires(request.connection.destination_port) {
            return Err(Reason::PeerRequired.into());
        }
        Ok(Self { ruleset, request, path, host, peer })
    }

    /// The one token of this request; none where a CORS preflight needs none.
    pub(super) fn credential(
        &self,
        authenticator: &Authenticator,
    ) -> Result<Option<Credential<'a>>, CredentialError> {
        let skips = self.ruleset.settings.cors_preflight_skips_authentication;
        if skips && self.request.is_cors_preflight() {
            return Ok(None);
        }
        authenticator.extract(self.request)
    }

    /// The verified peer.
    pub(super) fn peer_id(&self) -> Option<&SpiffeId> {
        self.peer.spiffe_id()
    }

    /// The verified peer, as audit records name it.
    pub(super) fn peer_text(&self) -> Option<&str> {
        self.peer_id().map(SpiffeId::as_str)
    }
}

/// The connection's peer, or the one that a trusted hop in front of it reports.
fn effective_peer<'a>(
    ruleset: &Ruleset,
    request: &'a Request<'a>,
) -> Result<Cow<'a, Peer>, Refusal> {
    let hop = ruleset.settings.trusted_hops.iter().find(|hop| hop.is(request.peer));
    let peer = match hop {
        None => Cow::Borrowed(request.peer),
        Some(hop) => Cow::Owned(forwarded_peer(Headers::of(request), hop)),
    };
    match &*peer {
        Peer::Malformed(error) => {
            Err(Refusal { reason: Reason::PeerMalformed, detail: Some(error.code()) })
        }
        Peer::Absent | Peer::Verified(_) => Ok(peer),
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        Self { reason: error.reason(), detail: Some(error.code()) }
    }
}

impl From<PathError> for Refusal {
    fn from(error: PathError) -> Self {
        Self { reason: error.reason(), detail: Some(error.code()) }
    }
}
