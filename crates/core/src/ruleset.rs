//! The policy in force: everything that a bundle compiles to, never changed once built.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::authn::{Authenticator, KeySource};
use crate::order;
use crate::policy::{Needs, PolicySet};
use crate::request::{ForwardedHeader, HeaderLine, PathForms, TrustedHop};
use crate::upstream::{HandOff, compare_folded, folded};

/// A compiled bundle.
#[derive(Debug)]
pub(crate) struct Ruleset {
    /// Lower-case hex SHA-256 of the canonical bundle.
    pub(crate) revision: String,
    pub(crate) settings: Settings,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) sources: Vec<KeySource>,
    pub(crate) policies: PolicySet,
    /// What the policies read, and what the rest of the pipeline reads besides.
    pub(crate) needs: Needs,
    pub(crate) peers: PeerRequirement,
    pub(crate) hand_off: HandOff,
    pub(crate) relied: ReliedHeaders,
    pub(crate) read: ReadHeaders,
}

/// The settings that are read while deciding; `docs/settings.md` explains each.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) path_forms: PathForms,
    pub(crate) trusted_hops: Vec<TrustedHop>,
    pub(crate) realm: String,
    pub(crate) header_bytes: usize,
    pub(crate) target_bytes: usize,
    pub(crate) cors_preflight_skips_authentication: bool,
    pub(crate) public_reasons: bool,
    pub(crate) shadow: bool,
}

/// The headers that a verdict or the upstream relies on, so that a client must not be able to have
/// them dropped on the way (RFC 9110 §7.6.1).
#[derive(Debug, Default)]
pub(crate) struct ReliedHeaders(Vec<Box<[u8]>>);

impl ReliedHeaders {
    pub(crate) fn new(
        authenticator: &Authenticator,
        hand_off: &HandOff,
        policies: &PolicySet,
    ) -> Self {
        let forwarded = ForwardedHeader::ALL.map(ForwardedHeader::name);
        let names = core::iter::once("authorization")
            .chain(forwarded)
            .chain(authenticator.token_headers())
            .chain(hand_off.names())
            .chain(policies.needs().headers.iter().map(String::as_str));
        let mut names: Vec<Box<[u8]>> =
            names.map(|name| name.to_ascii_lowercase().into_bytes().into()).collect();
        order::sort_by(&mut names, |a, b| a < b);
        Self(names)
    }

    fn holds(&self, name: &[u8]) -> bool {
        self.0.binary_search_by(|known| (**known).cmp(name)).is_ok()
    }

    /// Whether this header, in any case, is one of them.
    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        HandOff::is_own(name) || self.holds(&name.to_ascii_lowercase())
    }
}

/// The headers that a decision can depend on. Whatever decides sees no others, so requests that differ
/// in others are the same to it.
#[derive(Debug, Default)]
pub(crate) struct ReadHeaders {
    /// Folded and in order, by length: most headers are told from these by that. The last place is for
    /// all that are longer.
    by_length: Vec<Vec<Box<[u8]>>>,
}

/// How many lengths of names are told apart.
const LENGTHS: usize = 64;

impl ReadHeaders {
    pub(crate) fn new(relied: &ReliedHeaders) -> Self {
        let besides = ["host", "connection", "origin", "access-control-request-method"];
        let names = relied.0.iter().map(Box::as_ref).chain(besides.map(str::as_bytes));
        let mut by_length: Vec<Vec<Box<[u8]>>> = Vec::new();
        by_length.resize_with(LENGTHS, Vec::new);
        for name in names {
            if let Some(names) = by_length.get_mut(Self::place(name)) {
                names.push(folded(name).collect());
            }
        }
        for names in &mut by_length {
            order::sort_by(names, |a, b| a < b);
        }
        Self { by_length }
    }

    /// The lines that are read, in their order.
    #[inline]
    pub(crate) fn of<'l, 'a>(
        &'l self,
        lines: &'l [HeaderLine<'a>],
    ) -> impl Iterator<Item = &'l HeaderLine<'a>> {
        lines.iter().filter(|line| self.contains(line.name))
    }

    #[inline]
    fn contains(&self, name: &[u8]) -> bool {
        let names = self.by_length.get(Self::place(name)).map_or(&[][..], Vec::as_slice);
        !names.is_empty() && names.binary_search_by(|known| compare_folded(known, name)).is_ok()
            || HandOff::is_own(name)
    }

    #[inline]
    fn place(name: &[u8]) -> usize {
        name.len().min(LENGTHS - 1)
    }
}

/// On which ports a verified peer is required (PeerAuthentication STRICT).
#[derive(Debug, Clone, Default)]
pub(crate) struct PeerRequirement {
    everywhere: bool,
    ports: Vec<(u16, bool)>,
}

impl PeerRequirement {
    pub(crate) fn new(everywhere: bool, ports: Vec<(u16, bool)>) -> Self {
        Self { everywhere, ports }
    }

    /// Whether a connection to `port` needs a verified peer. An unknown port needs one if any does.
    pub(crate) fn requires(&self, port: Option<u16>) -> bool {
        match port {
            Some(port) => self.on_port(port).unwrap_or(self.everywhere),
            None => self.everywhere || self.ports.iter().any(|(_, required)| *required),
        }
    }

    fn on_port(&self, port: u16) -> Option<bool> {
        let mut ports = self.ports.iter();
        ports.find(|(known, _)| *known == port).map(|(_, required)| *required)
    }

    /// Whether every connection needs a verified peer.
    pub(crate) fn is_required_everywhere(&self) -> bool {
        self.everywhere && self.ports.iter().all(|(_, required)| *required)
    }

    /// Whether any connection needs a verified peer.
    pub(crate) fn is_required_somewhere(&self) -> bool {
        self.requires(None)
    }

    /// Whether the answer depends on the port.
    pub(crate) fn needs_port(&self) -> bool {
        !self.ports.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_in_any_case_and_spelling_and_others_are_not() {
        let long = [b'l'; 70];
        let relied = ReliedHeaders(Vec::from([b"x-group".as_slice().into(), long.into()]));
        let read = ReadHeaders::new(&relied);
        for name in [&b"X-Group"[..], b"x_group", b"Host", b"connection", b"X_Lychgate-x", &long] {
            assert!(read.contains(name), "{}", name.escape_ascii());
        }
        for name in [&b"x-grouq"[..], b"x-groups", b"", b"hosts", &long[..69], &long[..64]] {
            assert!(!read.contains(name), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn a_port_of_its_own_overrides_and_an_unknown_port_needs_what_any_needs() {
        let some = PeerRequirement::new(false, Vec::from([(8443, true), (8080, false)]));
        assert!(some.requires(Some(8443)));
        assert!(!some.requires(Some(8080)));
        assert!(!some.requires(Some(1)));
        assert!(some.requires(None));
        let all = PeerRequirement::new(true, Vec::from([(8080, false)]));
        assert!(!all.requires(Some(8080)));
        assert!(all.requires(Some(1)));
        assert!(all.requires(None));
        assert!(!PeerRequirement::default().requires(None));
    }
}
