//! A request that outlives the host's call.

use alloc::vec::Vec;
use core::ops::Range;

use crate::request::{Connection, HeaderLine, Lines, Metadatum, Request};
use crate::spiffe::Peer;

/// The bytes of a request, copied into one buffer while its decision waits.
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
    pub(super) fn of(request: &Request<'_>) -> Self {
        let mut bytes = Bytes(Vec::with_capacity(2048));
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

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.0.get(range.clone()).unwrap_or_default()
    }
}
