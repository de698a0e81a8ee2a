//! The host that a request is for.

use core::fmt;
use core::net::Ipv6Addr;

use crate::ascii::Class;
use crate::decision::Reason;
use crate::limits::AUTHORITY_BYTES;
use crate::request::target::Target;
use crate::request::{Headers, Request};

/// The host of a request with its port, as it came; an HTTP/1.0 request may have none.
///
/// Refused, since two readers can differ on them: user information, anything but letters, digits,
/// `-`, `.`, `_` and `~` in a name (so no percent-encoding, comma or white space), an IPv6 address
/// with a zone, an empty host, and a port that is empty, not decimal, above 65535 or written with
/// leading zeros. Kept as they are: the case of letters, the port, and a dot at the end.
///
/// See [RFC 9110 §7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2) and [RFC 3986 §3.2](https://www.rfc-editor.org/rfc/rfc3986#section-3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestHost<'a> {
    /// The request names no host.
    Absent,
    /// This host, with its port if it names one.
    Present(&'a str),
}

impl<'a> RequestHost<'a> {
    /// The host of a request: its authority, with which every `Host` line and the authority of an
    /// absolute target must agree but for the case of letters.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn of(request: &Request<'a>) -> Result<Self, HostError> {
        let mut lines = Headers::of(request).lines("host");
        let line = lines.next();
        if lines.next().is_some() {
            return Err(HostError::Repeated);
        }
        let absolute = Target::authority_of(request.target);
        let mut host = Self::Absent;
        for authority in [request.authority, line, absolute].into_iter().flatten() {
            match host {
                // Hosts of HTTP/1.1 tell the same bytes twice.
                Self::Present(host) if host.as_bytes() == authority => {}
                Self::Present(host) if !host.eq_ignore_ascii_case(parse(authority)?) => {
                    return Err(HostError::Differs);
                }
                Self::Present(_) => {}
                Self::Absent => host = Self::Present(parse(authority)?),
            }
        }
        Ok(host)
    }

    /// The host, if there is one.
    #[must_use]
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            Self::Present(host) => Some(host),
        }
    }
}

/// Why it is unclear which host a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// More than one `Host` line.
    Repeated,
    /// `Host`, `:authority` and the target do not name the same host.
    Differs,
    /// A host that is empty.
    Empty,
    /// Longer than a host and its port may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest length that is accepted.
        limit: usize,
    },
    /// User information before the host.
    UserInformation,
    /// A byte that a host may not hold.
    Character {
        /// The byte.
        byte: u8,
    },
    /// Brackets that do not hold an IPv6 address.
    Address,
    /// A port that is no port.
    Port,
}

impl HostError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Repeated => "host_repeated",
            Self::Differs => "host_differs",
            Self::Empty => "host_empty",
            Self::TooLong { .. } => "host_too_long",
            Self::UserInformation => "host_user_information",
            Self::Character { .. } => "host_character",
            Self::Address => "host_address",
            Self::Port => "host_port",
        }
    }

    /// The reason with which the request is refused.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::HostAmbiguous
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repeated => "more than one Host line",
            Self::Differs => "Host, authority and target name different hosts",
            Self::Empty => "the host is empty",
            Self::TooLong { length, limit } => {
                return write!(f, "the host has {length} bytes, more than {limit}");
            }
            Self::UserInformation => "user information before the host",
            Self::Character { byte } => {
                return write!(f, "the host holds the byte 0x{byte:02x}");
            }
            Self::Address => "brackets that do not hold an IPv6 address",
            Self::Port => "the port is no decimal number from 0 to 65535",
        })
    }
}

impl core::error::Error for HostError {}

/// Checks `host[:port]` and returns it as it is.
pub(super) fn parse(authority: &[u8]) -> Result<&str, HostError> {
    let (length, limit) = (authority.len(), AUTHORITY_BYTES);
    if length > limit {
        return Err(HostError::TooLong { length, limit });
    }
    // A name without a port, as most are, needs no second look.
    let is_name = Class::UNRESERVED.has_all(authority);
    if !is_name && authority.contains(&b'@') {
        return Err(HostError::UserInformation);
    }
    let bad = |byte: &u8| !(Class::UNRESERVED.has(*byte) || matches!(byte, b'[' | b']' | b':'));
    if !is_name && let Some(&byte) = authority.iter().find(|byte| bad(byte)) {
        return Err(HostError::Character { byte });
    }
    let byte = authority.first().copied().ok_or(HostError::Empty)?;
    let text = core::str::from_utf8(authority).map_err(|_| HostError::Character { byte })?;
    if is_name {
        return Ok(text);
    }
    let port = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(HostError::Address)?;
        address.parse::<Ipv6Addr>().map_err(|_| HostError::Address)?;
        port
    } else {
        let port = text.find(':').and_then(|colon| text.get(colon..)).unwrap_or_default();
        if text.len() == port.len() {
            return Err(HostError::Empty);
        }
        if text.contains(['[', ']']) {
            return Err(HostError::Address);
        }
        port
    };
    if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) {
        Ok(text)
    } else {
        Err(HostError::Port)
    }
}

fn is_port(port: &str) -> bool {
    let canonical = port == "0" || !port.starts_with(['0', '+']);
    canonical && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Connection, HeaderLine, Lines};
    use crate::spiffe::Peer;

    fn host<'a>(
        authority: Option<&'a str>,
        lines: &'a [HeaderLine<'a>],
        target: &'a str,
    ) -> Result<RequestHost<'a>, HostError> {
        RequestHost::of(&Request {
            method: b"GET",
            target: target.as_bytes(),
            authority: authority.map(str::as_bytes),
            headers: lines,
            lines: Lines::Separate,
            peer: &Peer::Absent,
            connection: Connection::default(),
            metadata: &[],
        })
    }

    fn line(value: &str) -> HeaderLine<'_> {
        HeaderLine { name: b"Host", value: value.as_bytes() }
    }

    #[test]
    fn a_host_is_kept_as_it_came() {
        for name in [
            "a.example",
            "A.Example:80",
            "a.example.",
            "10.0.0.1:0",
            "[::1]",
            "[::1]:65535",
            "a_b~c",
        ] {
            assert_eq!(host(Some(name), &[], "/"), Ok(RequestHost::Present(name)), "{name}");
        }
        assert_eq!(host(None, &[], "/"), Ok(RequestHost::Absent));
        assert_eq!(host(None, &[line("a")], "/"), Ok(RequestHost::Present("a")));
        assert_eq!(host(None, &[], "http://a:1/x"), Ok(RequestHost::Present("a:1")));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for (name, code) in [
            ("", "host_empty"),
            (":80", "host_empty"),
            ("u@a", "host_user_information"),
            ("a b", "host_character"),
            ("a,b", "host_character"),
            ("a/b", "host_character"),
            ("a%2eb", "host_character"),
            ("a\0", "host_character"),
            ("ä", "host_character"),
            ("[::1", "host_address"),
            ("[]", "host_address"),
            ("[fe80::1%25eth0]", "host_character"),
            ("[1.2.3.4]", "host_address"),
            ("a[::1]", "host_address"),
            ("a]", "host_address"),
            ("[::1]80", "host_port"),
            ("a:", "host_port"),
            ("a:65536", "host_port"),
            ("a:080", "host_port"),
            ("a:+80", "host_character"),
            ("a:x", "host_port"),
            ("::1", "host_empty"),
            ("fe80::1", "host_port"),
        ] {
            let error = host(Some(name), &[], "/").unwrap_err();
            assert_eq!(error.code(), code, "{name:?}");
            assert_eq!(error.reason(), Reason::HostAmbiguous);
        }
    }

    #[test]
    fn all_places_must_name_the_same_host() {
        assert_eq!(host(Some("a"), &[line("A")], "http://a/"), Ok(RequestHost::Present("a")));
        assert_eq!(host(Some("a"), &[line("b")], "/"), Err(HostError::Differs));
        assert_eq!(host(Some("a"), &[line("a:80")], "/"), Err(HostError::Differs));
        assert_eq!(host(Some("a"), &[], "http://b/"), Err(HostError::Differs));
        assert_eq!(host(None, &[line("a"), line("a")], "/"), Err(HostError::Repeated));
        assert_eq!(host(Some("a"), &[line("")], "/"), Err(HostError::Empty));
    }

    #[test]
    fn a_host_may_have_261_bytes_and_no_more() {
        assert!(host(Some(&"a".repeat(261)), &[], "/").is_ok());
        let error = HostError::TooLong { length: 262, limit: 261 };
        assert_eq!(host(Some(&"a".repeat(262)), &[], "/"), Err(error));
    }
}
