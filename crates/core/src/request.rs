//! A request as core sees it: what the host read, parsed once.

pub mod correlation;
pub mod forwarded;
pub mod headers;
pub mod host;
pub mod path;
pub mod query;
mod target;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

pub use forwarded::{ForwardedHeader, TrustedHop, forwarded_peer};
pub use headers::{Cookie, Headers, HeadersTooLarge};
pub use host::{HostError, RequestHost};
pub use path::{Malformation, PathError, PathForm, PathForms, RequestPath};

use crate::spiffe::Peer;

/// One header line, as bytes. Names compare without regard to ASCII case.
#[derive(Clone, Copy)]
pub struct HeaderLine<'a> {
    /// The field name; pseudo-headers are not header lines.
    pub name: &'a [u8],
    /// The field value, without the white space around it.
    pub value: &'a [u8],
}

/// A value can't be formatted: it may be a credential.
impl fmt::Debug for HeaderLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderLine")
            .field("name", &format_args!("{}", self.name.escape_ascii()))
            .finish_non_exhaustive()
    }
}

/// Empties a list of lines and keeps its memory, for the lines of another request.
#[must_use]
#[inline]
pub fn cleared(mut lines: Vec<HeaderLine<'_>>) -> Vec<HeaderLine<'static>> {
    lines.clear();
    // Collecting what was taken out of a list goes back into its memory.
    lines.into_iter().map(|_| HeaderLine { name: &[], value: &[] }).collect()
}

/// Whether the host still knows how many lines a header had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One [`HeaderLine`] for each line of the message.
    Separate,
    /// The host joined lines of the same name with commas.
    Joined,
}

/// What the host knows of the connection itself. Absent is unknown, and unknown never matches.
///
/// A socket for both families gives IPv4 addresses in their mapped form: the host turns those into
/// plain ones. One that comes from elsewhere stays as it is, and is then granted only what both its
/// readings are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The address of the physical peer.
    pub source_ip: Option<IpAddr>,
    /// The address of the client after the hops that the host trusts.
    pub remote_ip: Option<IpAddr>,
    /// The address that the peer connected to.
    pub destination_ip: Option<IpAddr>,
    /// The port that the peer connected to.
    pub destination_port: Option<u16>,
    /// The server name of the TLS handshake.
    pub server_name: Option<&'a [u8]>,
}

impl Connection<'_> {
    /// The same connection without its only borrowed part.
    #[inline]
    pub(crate) fn without_server_name(&self) -> Connection<'static> {
        Connection {
            source_ip: self.source_ip,
            remote_ip: self.remote_ip,
            destination_ip: self.destination_ip,
            destination_port: self.destination_port,
            server_name: None,
        }
    }
}

/// A request, as a host describes it: bytes as they came, nothing decoded, nothing decided.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, case as received.
    pub method: &'a [u8],
    /// The request target: origin form with its query, or whatever stood there; empty if none.
    pub target: &'a [u8],
    /// The authority (`:authority` or `Host`); absent if there is none.
    pub authority: Option<&'a [u8]>,
    /// All header lines but pseudo-headers.
    pub headers: &'a [HeaderLine<'a>],
    /// Whether `headers` still shows every line.
    pub lines: Lines,
    /// Who the connection's peer is.
    pub peer: &'a Peer,
    /// The connection.
    pub connection: Connection<'a>,
    /// Metadata that earlier filters of the host have set.
    pub metadata: &'a [Metadatum],
}

/// Neither header values nor the target, whose query may hold a token, can be formatted.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &format_args!("{}", self.method.escape_ascii()))
            .field("headers", &self.headers)
            .field("lines", &self.lines)
            .field("peer", &self.peer)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// One value of another filter's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadatum {
    /// The filter, such as `envoy.filters.http.ext_authz`.
    pub filter: String,
    /// The key.
    pub key: String,
    /// The value; other types than these are absent.
    pub value: MetadataValue,
}

/// A value of metadata that a policy can compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataValue {
    /// A string.
    Text(String),
    /// The strings of a list.
    List(Vec<String>),
    /// Text perhaps, and perhaps something that a policy can't compare: the host can't tell. A
    /// refusal matches it, a grant does not.
    Unclear,
}

impl MetadataValue {
    /// How many bytes its texts have.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(texts) => {
                let text = size_of::<String>();
                texts.iter().map(|one| one.len().saturating_add(text)).sum()
            }
            Self::Unclear => 0,
        }
    }
}

impl Request<'_> {
    /// Whether this is a CORS preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method`,
    /// neither of them empty ([Fetch, CORS-preflight request](https://fetch.spec.whatwg.org/#cors-preflight-request)).
    #[must_use]
    pub fn is_cors_preflight(&self) -> bool {
        let headers = Headers::of(self);
        let is_there = |name| headers.lines(name).any(|value| !value.is_empty());
        self.method == b"OPTIONS" && is_there("origin") && is_there("access-control-request-method")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_preflight(method: &[u8], headers: &[HeaderLine<'_>]) -> bool {
        let request = Request {
            method,
            target: b"/",
            authority: None,
            headers,
            lines: Lines::Separate,
            peer: &Peer::Absent,
            connection: Connection::default(),
            metadata: &[],
        };
        request.is_cors_preflight()
    }

    #[test]
    fn a_preflight_has_the_method_and_both_headers() {
        let origin = HeaderLine { name: b"Origin", value: b"https://a.example" };
        let asked = HeaderLine { name: b"Access-Control-Request-Method", value: b"POST" };
        assert!(is_preflight(b"OPTIONS", &[origin, asked]));
        assert!(!is_preflight(b"options", &[origin, asked]));
        assert!(!is_preflight(b"POST", &[origin, asked]));
        assert!(!is_preflight(b"OPTIONS", &[asked]));
        assert!(!is_preflight(b"OPTIONS", &[origin]));
        let empty = HeaderLine { value: b"", ..origin };
        assert!(!is_preflight(b"OPTIONS", &[empty, asked]));
    }

    #[test]
    fn a_cleared_list_keeps_its_memory() {
        let lines = Vec::from([HeaderLine { name: b"n", value: b"v" }; 9]);
        let lines = cleared(lines);
        assert!(lines.is_empty() && lines.capacity() == 9);
    }

    #[test]
    fn a_request_is_formatted_without_what_may_be_a_credential() {
        let request = Request {
            method: b"GET",
            target: b"/p?access_token=secret",
            authority: None,
            headers: &[HeaderLine { name: b"Authorization", value: b"Bearer secret" }],
            lines: Lines::Separate,
            peer: &Peer::Absent,
            connection: Connection::default(),
            metadata: &[],
        };
        let text = alloc::format!("{request:?}");
        assert!(text.contains("Authorization"), "{text}");
        assert!(!text.contains("secret") && !text.contains("115, 101"), "{text}");
    }
}
