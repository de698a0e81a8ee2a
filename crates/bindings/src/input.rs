//! The buffer through which a request comes: a table of numbers, and the bytes that they measure.
//!
//! | field | meaning |
//! |---|---|
//! | 0 | 1 if the host joined header lines of the same name |
//! | 1 | the kind of `peer`: 0 absent, 1 not verified, 2 certificate (DER), 3 certificate (PEM), 4 SPIFFE ID, 5 certificate (RFC 9440) |
//! | 2 | the destination's port |
//! | 3 to 10 | lengths of method, target, authority, source, remote and destination address, server name, peer |
//! | 11 | number of header lines |
//! | 12.. | for each line the lengths of name and value |
//!
//! An absent field is [`ABSENT`]. The bytes stand in the same order, without gaps, but those of
//! the peer, which come last, and the names of headers, which have a place of their own: mostly they
//! are those of the request before, and need not be written again. Addresses are text.

use core::net::IpAddr;

use lychgate_core::request::{Connection, HeaderLine, Lines, Request, cleared};
use lychgate_core::spiffe::Peer;

/// What stands for "there is none".
const ABSENT: u32 = u32::MAX;

/// Room for almost every request; a larger one grows it.
const FIELDS: usize = 512;
const NAMES: usize = 4 * 1024;
const BYTES: usize = 16 * 1024;

/// The buffer. The host writes into it between two calls.
pub(crate) struct Input {
    fields: Vec<u32>,
    names: Vec<u8>,
    bytes: Vec<u8>,
    /// Empty, and its memory is for the lines of the next request.
    lines: Vec<HeaderLine<'static>>,
}

/// Holds credentials, so it can't be formatted.
impl core::fmt::Debug for Input {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Input(redacted)")
    }
}

impl Default for Input {
    fn default() -> Self {
        Self {
            fields: vec![0; FIELDS],
            names: vec![0; NAMES],
            bytes: vec![0; BYTES],
            lines: Vec::new(),
        }
    }
}

impl Input {
    pub(crate) fn reserve(&mut self, fields: usize, names: usize, bytes: usize) {
        self.fields.resize(fields.max(self.fields.len()), 0);
        self.names.resize(names.max(self.names.len()), 0);
        self.bytes.resize(bytes.max(self.bytes.len()), 0);
    }

    pub(crate) fn fields(&self) -> *const u32 {
        self.fields.as_ptr()
    }

    pub(crate) fn names(&self) -> *const u8 {
        self.names.as_ptr()
    }

    pub(crate) fn bytes(&self) -> *const u8 {
        self.bytes.as_ptr()
    }

    pub(crate) fn field_capacity(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn name_capacity(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn byte_capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Shows the request to `look`; none if the table measures more than there is.
    pub(crate) fn with_request<T>(&mut self, look: impl FnOnce(&Request<'_>) -> T) -> Option<T> {
        let mut reader = Reader { fields: &self.fields, names: &self.names, bytes: &self.bytes };
        let lines = if reader.number()? == 1 { Lines::Joined } else { Lines::Separate };
        let kind = reader.number()?;
        let port = present(reader.number()?).and_then(|port| u16::try_from(port).ok());
        let parts: &[u32; 8] = reader.fields.first_chunk()?;
        let [method, target, authority, source, remote, destination, server_name, peer] = *parts;
        reader.fields = reader.fields.get(parts.len()..)?;
        let count = usize::try_from(reader.number()?).ok()?;
        let method = reader.part(method)?.unwrap_or_default();
        let target = reader.part(target)?.unwrap_or_default();
        let authority = reader.part(authority)?;
        let connection = Connection {
            source_ip: reader.part(source)?.and_then(address),
            remote_ip: reader.part(remote)?.and_then(address),
            destination_ip: reader.part(destination)?.and_then(address),
            destination_port: port,
            server_name: reader.part(server_name)?,
        };
        let mut headers: Vec<HeaderLine<'_>> = core::mem::take(&mut self.lines);
        reader.header_lines(count, &mut headers)?;
        let peer = peer_of(kind, reader.part(peer)?.unwrap_or_default());
        let seen = look(&Request {
            method,
            target,
            authority,
            headers: &headers,
            lines,
            peer: &peer,
            connection,
            metadata: &[],
        });
        self.lines = cleared(headers);
        Some(seen)
    }
}

struct Reader<'a> {
    fields: &'a [u32],
    names: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let (first, rest) = self.fields.split_first()?;
        self.fields = rest;
        Some(*first)
    }

    /// The next part, of that length: absent, there, or (the outer none) beyond the buffer.
    fn part(&mut self, length: u32) -> Option<Option<&'a [u8]>> {
        let Some(length) = present(length) else { return Some(None) };
        cut(&mut self.bytes, length).map(Some)
    }

    #[inline(always)]
    fn header_lines(&mut self, count: usize, lines: &mut Vec<HeaderLine<'a>>) -> Option<()> {
        let lengths = self.fields.get(..count.checked_mul(2)?)?;
        let (pairs, _) = lengths.as_chunks::<2>();
        lines.reserve(count);
        for [name, value] in pairs {
            let name = cut(&mut self.names, *name)?;
            let value = cut(&mut self.bytes, *value)?.trim_ascii_field();
            lines.push(HeaderLine { name, value });
        }
        Some(())
    }
}

/// Takes the first bytes, if there are so many.
fn cut<'a>(bytes: &mut &'a [u8], length: u32) -> Option<&'a [u8]> {
    let (part, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(part)
}

trait FieldValue {
    /// Without the white space around it (RFC 9110 §5.5).
    fn trim_ascii_field(&self) -> &Self;
}

impl FieldValue for [u8] {
    fn trim_ascii_field(&self) -> &Self {
        let mut value = self;
        while let [b' ' | b'\t', rest @ ..] = value {
            value = rest;
        }
        while let [rest @ .., b' ' | b'\t'] = value {
            value = rest;
        }
        value
    }
}

fn present(field: u32) -> Option<u32> {
    (field != ABSENT).then_some(field)
}

/// What is no address is unknown, and unknown never matches.
fn address(text: &[u8]) -> Option<IpAddr> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// A kind that is not known is no identity.
fn peer_of(kind: u32, bytes: &[u8]) -> Peer {
    match kind {
        0 => Peer::Absent,
        2 => Peer::from_certificate(bytes),
        3 => Peer::from_pem(bytes),
        4 => Peer::from_principal(bytes),
        5 => Peer::from_client_cert(bytes),
        _ => Peer::unverified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(fields: &[u32], names: &[u8], bytes: &[u8]) -> Input {
        Input {
            fields: fields.to_vec(),
            names: names.to_vec(),
            bytes: bytes.to_vec(),
            lines: Vec::new(),
        }
    }

    /// GET / with one header line of 1 and 3 bytes.
    fn usual(bytes: &[u8]) -> Input {
        let a = ABSENT;
        input(&[0, 0, a, 3, 1, a, a, a, a, a, a, 1, 1, 3], b"n", bytes)
    }

    #[test]
    fn parts_are_read_in_order_and_values_lose_the_space_around_them() {
        usual(b"GET/ v ")
            .with_request(|request| {
                assert_eq!((request.method, request.target), (&b"GET"[..], &b"/"[..]));
                assert_eq!(request.authority, None);
                assert_eq!(
                    (request.headers[0].name, request.headers[0].value),
                    (&b"n"[..], &b"v"[..])
                );
                assert_eq!(request.peer, &Peer::Absent);
            })
            .unwrap();
    }

    #[test]
    fn a_table_that_measures_more_than_there_is_is_no_request() {
        assert!(usual(b"GET/ v ").with_request(|_| ()).is_some());
        assert!(usual(b"GET/ v").with_request(|_| ()).is_none());
        let a = ABSENT;
        let lines = |count| input(&[0, 0, a, 0, 0, a, a, a, a, a, a, count, 0, 0], b"", b"");
        let mut nameless = input(&[0, 0, a, 3, 1, a, a, a, a, a, a, 1, 1, 3], b"", b"GET/ v ");
        assert!(nameless.with_request(|_| ()).is_none());
        assert!(lines(1).with_request(|_| ()).is_some());
        assert!(lines(2).with_request(|_| ()).is_none());
        assert!(lines(u32::MAX).with_request(|_| ()).is_none());
        assert!(input(&[0; 11], b"", b"").with_request(|_| ()).is_none());
    }

    #[test]
    fn addresses_are_text_and_what_is_none_is_unknown() {
        let a = ABSENT;
        let fields = [1, 1, 443, 0, 0, a, 9, 1, a, a, a, 0];
        input(&fields, b"", b"127.0.0.1x")
            .with_request(|request| {
                assert_eq!(request.connection.source_ip, "127.0.0.1".parse().ok());
                assert_eq!(request.connection.remote_ip, None);
                assert_eq!(request.connection.destination_port, Some(443));
                assert_eq!(request.lines, Lines::Joined);
                assert_eq!(request.peer, &Peer::unverified());
            })
            .unwrap();
    }

    #[test]
    fn an_unknown_kind_of_peer_is_not_verified() {
        assert_eq!(peer_of(4, b"spiffe://td/a").spiffe_id().unwrap().as_str(), "spiffe://td/a");
        for kind in [1, 6, u32::MAX] {
            assert_eq!(peer_of(kind, b"spiffe://td/a"), Peer::unverified());
        }
        for kind in [2, 3, 5] {
            assert!(matches!(peer_of(kind, b"x"), Peer::Malformed(_)));
        }
    }
}
