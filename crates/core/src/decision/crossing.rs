//! Who crossed the boundary, and where to.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::authn::AcceptedToken;
use crate::request::Request;

/// Longest text of one member of an audit record, in bytes.
const AUDIT_TEXT: usize = 1024;

/// Who crossed the boundary and where to, as far as it is known; never a token or a query.
///
/// Remembers bytes and becomes text where somebody reads it: most decisions are never written down.
#[derive(Clone, Default)]
pub struct Crossing {
    /// All that the request says, one part behind the other.
    bytes: Vec<u8>,
    /// Where each part ends; one that is empty is absent.
    ends: [usize; 4],
    /// Whoever has the token has its claims.
    token: Option<AcceptedToken>,
}

#[derive(Clone, Copy)]
enum Part {
    Method,
    Host,
    Path,
    Peer,
}

impl Crossing {
    /// What can be said about any request, screened or not.
    pub(crate) fn of(
        request: &Request<'_>,
        peer: Option<&str>,
        token: Option<&AcceptedToken>,
    ) -> Self {
        fn cut(bytes: &[u8]) -> &[u8] {
            bytes.get(..AUDIT_TEXT).unwrap_or(bytes)
        }
        // A query may hold a token, and so may anything that is no path.
        let end = request.target.iter().position(|byte| matches!(byte, b'?' | b'#'));
        let path = request.target.get(..end.unwrap_or(request.target.len())).unwrap_or_default();
        let path = if path.starts_with(b"/") { path } else { b"" };
        let host = request.authority.filter(|host| !host.contains(&b'@')).unwrap_or_default();
        let peer = peer.unwrap_or_default();
        let parts = [cut(request.method), cut(host), cut(path), peer.as_bytes()];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut ends = [0; 4];
        for (end, part) in ends.iter_mut().zip(parts) {
            bytes.extend_from_slice(part);
            *end = bytes.len();
        }
        Self { bytes, ends, token: token.cloned() }
    }

    #[inline]
    pub(crate) fn token(&self) -> Option<&AcceptedToken> {
        self.token.as_ref()
    }

    /// How many bytes of the request it keeps.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether both have the same token, as it was parsed once, and the same peer.
    #[inline]
    pub(super) fn is_same_caller(&self, other: &Self) -> bool {
        let is_same_token = match (&self.token, &other.token) {
            (Some(token), Some(other)) => token.is_same(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        is_same_token && self.part(Part::Peer) == other.part(Part::Peer)
    }

    /// The verified token's `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.token.as_ref()?.subject()
    }

    /// The verified token's `iss`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.token.as_ref().map(AcceptedToken::issuer)
    }

    /// The verified peer's SPIFFE ID.
    #[must_use]
    pub fn peer(&self) -> Option<&str> {
        core::str::from_utf8(self.part(Part::Peer)?).ok()
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Option<Cow<'_, str>> {
        self.part(Part::Method).map(String::from_utf8_lossy)
    }

    /// The authority.
    #[must_use]
    pub fn host(&self) -> Option<Cow<'_, str>> {
        self.part(Part::Host).map(String::from_utf8_lossy)
    }

    /// The path, without its query.
    #[must_use]
    pub fn path(&self) -> Option<Cow<'_, str>> {
        self.part(Part::Path).map(String::from_utf8_lossy)
    }

    #[inline]
    fn part(&self, part: Part) -> Option<&[u8]> {
        let [method, host, path, peer] = self.ends;
        let range = match part {
            Part::Method => 0..method,
            Part::Host => method..host,
            Part::Path => host..path,
            Part::Peer => path..peer,
        };
        self.bytes.get(range).filter(|part| !part.is_empty())
    }
}

impl fmt::Debug for Crossing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crossing")
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .field("peer", &self.peer())
            .field("method", &self.method())
            .field("host", &self.host())
            .field("path", &self.path())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Connection, Lines};
    use crate::spiffe::Peer;

    fn crossing(method: &[u8], target: &[u8], authority: Option<&[u8]>) -> Crossing {
        let request = Request {
            method,
            target,
            authority,
            headers: &[],
            lines: Lines::Separate,
            peer: &Peer::Absent,
            connection: Connection::default(),
            metadata: &[],
        };
        Crossing::of(&request, Some("spiffe://td/a"), None)
    }

    #[test]
    fn each_part_is_found_again_and_an_empty_one_is_absent() {
        let all = crossing(b"GET", b"/a?access_token=x", Some(b"h"));
        assert_eq!(all.method().as_deref(), Some("GET"));
        assert_eq!(all.host().as_deref(), Some("h"));
        assert_eq!(all.path().as_deref(), Some("/a"));
        assert_eq!(all.peer(), Some("spiffe://td/a"));
        assert_eq!((all.issuer(), all.subject()), (None, None));
        let few = crossing(b"", b"token", None);
        assert_eq!((few.method(), few.host(), few.path()), (None, None, None));
    }

    #[test]
    fn user_information_and_what_is_no_path_are_left_out() {
        let crossing = crossing(b"GET", b"secret", Some(b"secret@host"));
        assert_eq!((crossing.host(), crossing.path()), (None, None));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such_and_long_parts_are_cut() {
        let long = [&b"/"[..], &[b'a'; 2000]].concat();
        let crossing = crossing(b"G\xc3", &long, Some(b"\xa4"));
        assert_eq!(crossing.method().as_deref(), Some("G\u{fffd}"));
        assert_eq!(crossing.host().as_deref(), Some("\u{fffd}"));
        assert_eq!(crossing.path().map(|path| path.len()), Some(AUDIT_TEXT));
    }
}
