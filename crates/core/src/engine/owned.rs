//! A request that outlives the host's call.

use alloc::vec::Vec;
use core::ops::Range;

use crate::bytes::is_same;
use crate::request::{Connection, HeaderLine, Lines, Metadatum, Request};
use crate::spiffe::Peer;

/// The bytes of a request, copied into one buffer.
#[derive(Debug)]
pub(super) struct OwnedRequest {
    bytes: Bytes,
    method: Range<usize>,
    target: Range<usize>,
    authority: Option<Range<usize>>,
    server_name: Option<Range<usize>>,
    headers: Vec<(Range<usize>, Range<usize>)>,
    lines: Lines,
    peer: Peer,
    connection: Connection<'static>,
    metadata: Vec<Metadatum>,
}

/// Headers may hold credentials, so nothing of this can be formatted.
struct Bytes(Vec<u8>);

impl core::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("redacted")
    }
}

impl OwnedRequest {
    /// How many bytes a copy has.
    pub(super) fn size(request: &Request<'_>) -> usize {
        let optional = [request.authority, request.connection.server_name];
        let optional = optional.into_iter().flatten();
        let lines = request.headers.iter().flat_map(|line| [line.name, line.value]);
        let parts = [request.method, request.target].into_iter().chain(optional).chain(lines);
        parts.map(<[u8]>::len).sum()
    }

    /// About how much memory a copy takes.
    pub(super) fn memory(&self) -> usize {
        let line = size_of::<(Range<usize>, Range<usize>)>();
        let lines = self.headers.len().saturating_mul(line);
        let texts = |one: &Metadatum| one.filter.len().saturating_add(one.key.len());
        let metadata = self.metadata.iter().map(|one| texts(one).saturating_add(one.value.size()));
        let metadata: usize =
            metadata.map(|bytes| bytes.saturating_add(size_of::<Metadatum>())).sum();
        let peer = self.peer.spiffe_id().map_or(0, |id| id.as_str().len());
        let rest = size_of::<Self>().saturating_add(peer);
        self.bytes.0.len().saturating_add(lines).saturating_add(metadata).saturating_add(rest)
    }

    pub(super) fn of(request: &Request<'_>) -> Self {
        let mut bytes = Bytes(Vec::with_capacity(Self::size(request)));
        let headers = request.headers.iter();
        Self {
            method: bytes.push(request.method),
            target: bytes.push(request.target),
            authority: request.authority.map(|authority| bytes.push(authority)),
            server_name: request.connection.server_name.map(|name| bytes.push(name)),
            headers: headers.map(|line| (bytes.push(line.name), bytes.push(line.value))).collect(),
            lines: request.lines,
            peer: request.peer.clone(),
            connection: request.connection.without_server_name(),
            metadata: request.metadata.to_vec(),
            bytes,
        }
    }

    /// Whether this is a copy of an equal request.
    #[inline]
    pub(super) fn is(&self, request: &Request<'_>) -> bool {
        let is = |range: &Range<usize>, bytes: &[u8]| is_same(self.bytes.slice(range), bytes);
        let is_optional = |range: &Option<Range<usize>>, bytes: Option<&[u8]>| match (range, bytes)
        {
            (Some(range), Some(bytes)) => is(range, bytes),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if self.headers.len() != request.headers.len() {
            return false;
        }
        // A closure for `all` would be a call.
        for ((name, value), line) in self.headers.iter().zip(request.headers) {
            if !is(name, line.name) || !is(value, line.value) {
                return false;
            }
        }
        is(&self.target, request.target)
            && is(&self.method, request.method)
            && is_optional(&self.authority, request.authority)
            && is_optional(&self.server_name, request.connection.server_name)
            && self.lines == request.lines
            && self.connection == request.connection.without_server_name()
            && self.peer == *request.peer
            && self.metadata == request.metadata
    }

    /// Shows the request to `look` as it was.
    pub(super) fn view<T>(&self, look: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers = self.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| HeaderLine {
                name: self.bytes.slice(name),
                value: self.bytes.slice(value),
            })
            .collect();
        let server_name = self.server_name.as_ref().map(|range| self.bytes.slice(range));
        look(&Request {
            method: self.bytes.slice(&self.method),
            target: self.bytes.slice(&self.target),
            authority: self.authority.as_ref().map(|range| self.bytes.slice(range)),
            headers: &headers,
            lines: self.lines,
            peer: &self.peer,
            connection: Connection { server_name, ..self.connection },
            metadata: &self.metadata,
        })
    }
}

impl Bytes {
    fn push(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.0.len();
        self.0.extend_from_slice(bytes);
        start..self.0.len()
    }

    #[inline]
    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.0.get(range.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::request::MetadataValue;

    fn line<'a>(name: &'a str, value: &'a str) -> HeaderLine<'a> {
        HeaderLine { name: name.as_bytes(), value: value.as_bytes() }
    }

    #[test]
    fn a_copy_is_that_of_a_request_which_is_equal_in_every_part() {
        let [lines, renamed, changed, moved] = [
            [line("x-a", "bc"), line("x-d", "")],
            [line("x_a", "bc"), line("x-d", "")],
            [line("x-a", "b"), line("x-d", "")],
            [line("x-a", "b"), line("cx-d", "")],
        ];
        let (peer, metadata) = (Peer::from_principal(b"spiffe://td/a"), [metadatum("v")]);
        let request = Request {
            method: b"GET",
            target: b"/",
            authority: Some(b"h"),
            headers: &lines,
            lines: Lines::Separate,
            peer: &peer,
            connection: Connection { server_name: Some(b"s"), ..Connection::default() },
            metadata: &metadata,
        };
        let owned = OwnedRequest::of(&request);
        assert!(owned.is(&request));
        owned.view(|view| assert!(OwnedRequest::of(view).is(&request)));
        let more = [lines[0], lines[1], line("", "")];
        let port = Connection { destination_port: Some(1), ..request.connection };
        let no_name = Connection { server_name: None, ..request.connection };
        for other in [
            Request { method: b"PUT", ..request },
            Request { target: b"/a", ..request },
            Request { authority: None, ..request },
            Request { authority: Some(b""), ..request },
            Request { headers: &renamed, ..request },
            Request { headers: &changed, ..request },
            Request { headers: &moved, ..request },
            Request { headers: &lines[..1], ..request },
            Request { headers: &more, ..request },
            Request { lines: Lines::Joined, ..request },
            Request { peer: &Peer::Absent, ..request },
            Request { connection: port, ..request },
            Request { connection: no_name, ..request },
            Request { metadata: &[], ..request },
            Request { metadata: &[metadatum("w")], ..request },
        ] {
            assert!(!owned.is(&other) && !OwnedRequest::of(&other).is(&request), "{other:?}");
        }
    }

    fn metadatum(value: &str) -> Metadatum {
        let value = MetadataValue::Text(value.to_string());
        Metadatum { filter: "f".to_string(), key: "k".to_string(), value }
    }
}
