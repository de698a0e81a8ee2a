//! What a decision reads.

use alloc::boxed::Box;
use alloc::string::String;

use crate::json::Object;
use crate::request::{Connection, HeaderLine, Lines, Metadatum};
use crate::spiffe::SpiffeId;

/// Everything that a policy can ask about a request, verified and normalised by the engine.
///
/// What is absent matches nothing: a positive condition on it fails, a negated one holds.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The method, case as received; empty is absent.
    pub method: &'a [u8],
    /// The one reading of the path, without query; absent where the target is no path.
    pub path: Option<&'a str>,
    /// The authority, with the port if the client named one.
    pub host: Option<&'a str>,
    /// The header lines.
    pub headers: &'a [HeaderLine<'a>],
    /// Headers, in lower case, whose lines can't be told: nothing by them is granted, and all refused.
    pub unclear_headers: &'a [String],
    /// Whether `headers` still shows every line.
    pub lines: Lines,
    /// The connection.
    pub connection: Connection<'a>,
    /// The verified peer.
    pub peer: Option<&'a SpiffeId>,
    /// `iss` of the verified token.
    pub issuer: Option<&'a str>,
    /// `sub` of the verified token; absent where the token has none.
    pub subject: Option<&'a str>,
    /// All claims of the verified token; absent without one.
    pub claims: Option<Object<'a>>,
    /// Top-level string claims that are lists of words, besides `scope` and `permission`.
    pub space_delimited: &'a [Box<str>],
    /// Metadata that earlier filters of the host have set.
    pub metadata: &'a [Metadatum],
}

/// Facts with what is derived from them once for all rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) peer: Option<PeerView<'a>>,
    pub(super) port: Option<[u8; 2]>,
}

impl<'a> View<'a> {
    pub(super) fn of(facts: &'a Facts<'a>) -> Self {
        Self {
            facts,
            peer: facts.peer.map(PeerView::of),
            port: facts.connection.destination_port.map(u16::to_be_bytes),
        }
    }

    pub(super) fn method(&self) -> Option<&'a [u8]> {
        Some(self.facts.method).filter(|method| !method.is_empty())
    }
}

/// A peer's SPIFFE ID and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PeerView<'a> {
    /// The whole ID.
    pub(super) id: &'a str,
    /// The ID without `spiffe://`, which is how Istio writes a principal.
    pub(super) principal: &'a str,
    pub(super) trust_domain: &'a str,
    /// The path without its first slash; absent if there is none.
    pub(super) path: Option<&'a str>,
    /// Namespace and account, where the path is exactly `/ns/<namespace>/sa/<account>`.
    pub(super) workload: Option<(&'a str, &'a str)>,
}

impl<'a> PeerView<'a> {
    fn of(id: &'a SpiffeId) -> Self {
        Self {
            id: id.as_str(),
            principal: id.principal(),
            trust_domain: id.trust_domain(),
            path: id.path().strip_prefix('/'),
            workload: id.istio().map(|istio| (istio.namespace, istio.service_account)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests_support {
    use super::*;

    /// A plain request that knows nothing.
    pub(in crate::policy) fn facts() -> Facts<'static> {
        Facts {
            method: b"GET",
            path: Some("/"),
            host: Some("example.com"),
            headers: &[],
            unclear_headers: &[],
            lines: Lines::Separate,
            connection: Connection::default(),
            peer: None,
            issuer: None,
            subject: None,
            claims: None,
            space_delimited: &[],
            metadata: &[],
        }
    }

    pub(in crate::policy) fn spiffe_id(id: &str) -> SpiffeId {
        SpiffeId::parse(id.as_bytes()).unwrap()
    }
}
