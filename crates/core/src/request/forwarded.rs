//! The peer of a hop in front of this one, as that hop reports it.

use core::fmt;

use crate::limits::XFCC_BYTES;
use crate::request::Headers;
use crate::spiffe::xfcc::{Pairs, SyntaxError};
use crate::spiffe::{Peer, PeerError, SpiffeId};

/// A header in which a hop reports the certificate of its own peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForwardedHeader {
    /// `X-Forwarded-Client-Cert`, Envoy's.
    Xfcc,
    /// `Client-Cert` ([RFC 9440](https://www.rfc-editor.org/rfc/rfc9440)).
    ClientCert,
}

impl ForwardedHeader {
    /// Every header.
    pub const ALL: [Self; 2] = [Self::Xfcc, Self::ClientCert];

    /// The header of this name, in lower case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.name() == name)
    }

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xfcc => "x-forwarded-client-cert",
            Self::ClientCert => "client-cert",
        }
    }
}

impl fmt::Display for ForwardedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hop whose report about its own peer is believed, and where it puts the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedHop {
    /// Who the hop is, by its own verified certificate.
    pub id: SpiffeId,
    /// The header that it writes.
    pub header: ForwardedHeader,
}

impl TrustedHop {
    /// Whether this peer is the hop.
    #[must_use]
    pub fn is(&self, peer: &Peer) -> bool {
        peer.spiffe_id() == Some(&self.id)
    }
}

/// The peer that `hop` reports in its header; absent if it reports none.
///
/// To be asked only when [`TrustedHop::is`] holds for the direct peer. Believed is what the hop
/// itself added: the last element of the last line of `X-Forwarded-Client-Cert`; all before it may
/// be a client's forgery, and a break of the grammar anywhere refuses the whole. `Client-Cert` is
/// replaced by each hop, so a second line or any parameter refuses.
#[must_use]
pub fn forwarded_peer(headers: Headers<'_>, hop: &TrustedHop) -> Peer {
    match hop.header {
        ForwardedHeader::Xfcc => xfcc(headers),
        ForwardedHeader::ClientCert => client_cert(headers),
    }
}

fn xfcc(headers: Headers<'_>) -> Peer {
    let lines = || headers.lines(ForwardedHeader::Xfcc.name());
    let length = lines().fold(0, |sum: usize, line| sum.saturating_add(line.len()));
    if length > XFCC_BYTES {
        return Peer::Malformed(PeerError::HeaderTooLong { length, limit: XFCC_BYTES });
    }
    let mut peer = Peer::Absent;
    for line in lines() {
        peer = match last_peer(line) {
            Ok(peer) => peer,
            Err(SyntaxError) => return Peer::Malformed(PeerError::HeaderSyntax),
        };
    }
    peer
}

/// The peer that the last element of a line reports.
fn last_peer(line: &[u8]) -> Result<Peer, SyntaxError> {
    let mut element = 0;
    let (mut first, mut second) = (None, None);
    for pair in Pairs::of(line) {
        let pair = pair?;
        if pair.element() != element {
            element = pair.element();
            (first, second) = (None, None);
        }
        if pair.has_key("URI") {
            second = first.replace(pair);
        }
    }
    let values = [first, second].map(|pair| pair.map(|pair| pair.value()));
    Ok(Peer::from_uri_names(values.iter().flatten().map(|value| &**value)))
}

fn client_cert(headers: Headers<'_>) -> Peer {
    let mut lines = headers.lines(ForwardedHeader::ClientCert.name());
    let Some(line) = lines.next() else {
        return Peer::Absent;
    };
    if lines.next().is_some() {
        return Peer::Malformed(PeerError::SeveralHeaders);
    }
    Peer::from_client_cert(line)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;
    use crate::limits::CERTIFICATE_PEM_BYTES;
    use crate::request::HeaderLine;

    const ME: &str = "spiffe://td/ns/a/sa/me";
    const ADMIN: &str = "spiffe://td/ns/a/sa/admin";

    fn peer(header: ForwardedHeader, values: &[&str]) -> Peer {
        let lines: Vec<_> = values
            .iter()
            .map(|value| HeaderLine { name: header.name().as_bytes(), value: value.as_bytes() })
            .collect();
        let id = SpiffeId::parse(b"spiffe://td/ns/a/sa/proxy").unwrap();
        forwarded_peer(Headers::new(&lines), &TrustedHop { id, header })
    }

    fn xfcc(values: &[&str]) -> Result<Option<String>, &'static str> {
        match peer(ForwardedHeader::Xfcc, values) {
            Peer::Absent => Ok(None),
            Peer::Malformed(error) => Err(error.code()),
            Peer::Verified(id) => Ok(Some(id.as_str().into())),
        }
    }

    #[test]
    fn the_element_that_the_hop_added_is_the_last_one() {
        let own = format!("By=spiffe://td/p;Hash=00;Subject=\"CN=x\";URI={ME};DNS=x");
        assert_eq!(xfcc(&[]), Ok(None));
        assert_eq!(xfcc(&[&own]), Ok(Some(ME.into())));
        assert_eq!(xfcc(&[&format!("URI={ADMIN},By=proxy;uri={ME}")]), Ok(Some(ME.into())));
        assert_eq!(xfcc(&[&format!("URI={ADMIN}"), &own]), Ok(Some(ME.into())));
        assert_eq!(xfcc(&[&format!("URI={ADMIN};URI={ADMIN},{own}")]), Ok(Some(ME.into())));
    }

    #[test]
    fn quotes_hide_separators() {
        for trick in [",", ";", "\\\",", "\\\";"] {
            let line = format!("Subject=\"CN=x{trick}URI={ADMIN}\";URI={ME}");
            assert_eq!(xfcc(&[&line]), Ok(Some(ME.into())), "{line}");
        }
    }

    #[test]
    fn a_forged_quote_cannot_reach_into_the_genuine_element() {
        for forged in ["x=\"", "x=\"\\", "x=\"a\\\"", &format!("URI={ADMIN};x=\""), "x", ""] {
            for subject in
                ["CN=x", "", &format!(",URI={ADMIN},x="), &format!(";URI={ADMIN},x=\\\"")]
            {
                let line = format!("{forged},By=p;Subject=\"{subject}\";URI={ME}");
                assert_eq!(xfcc(&[&line]), Err("header_syntax"), "{line}");
            }
        }
    }

    #[test]
    fn an_element_without_exactly_one_spiffe_id_is_malformed() {
        for (line, code) in [
            (format!("URI={ME};URI={ADMIN}"), "several_uri_names"),
            (format!("URI={ME};By=x;uri={ME}"), "several_uri_names"),
            (String::from("By=x;Hash=1"), "no_uri_name"),
            (format!("URI={ME},Hash=1"), "no_uri_name"),
            (String::from("URI="), "spiffe_id_empty"),
            (String::from("URI=spiffe://td/.."), "spiffe_id_dot_segment"),
            (String::from("URI=spiffe://td/a%2fb"), "spiffe_id_path_character"),
            (String::from("URI=spiffe://td/a?b"), "spiffe_id_path_character"),
            (String::from("URI=spiffe://td"), "no_path"),
            (format!("URI={ME}\0"), "header_syntax"),
            (String::new(), "header_syntax"),
            (format!("URI={ME},"), "header_syntax"),
        ] {
            assert_eq!(xfcc(&[&line]), Err(code), "{line}");
        }
        assert_eq!(xfcc(&["x", &format!("URI={ME}")]), Err("header_syntax"));
    }

    #[test]
    fn all_lines_together_may_have_8_kib_and_no_more() {
        let own = format!("URI={ME}");
        let fill = |length: usize| format!("Hash={}", "0".repeat(length - 5 - own.len()));
        assert_eq!(xfcc(&[&fill(XFCC_BYTES), &own]), Ok(Some(ME.into())));
        assert_eq!(xfcc(&[&fill(XFCC_BYTES + 1), &own]), Err("header_too_long"));
    }

    #[test]
    fn only_the_hop_itself_is_believed() {
        let id = SpiffeId::parse(ME.as_bytes()).unwrap();
        let hop = TrustedHop { id: id.clone(), header: ForwardedHeader::Xfcc };
        assert!(hop.is(&Peer::Verified(id)));
        assert!(!hop.is(&Peer::Verified(SpiffeId::parse(ADMIN.as_bytes()).unwrap())));
        assert!(!hop.is(&Peer::Absent));
        assert!(!hop.is(&Peer::unverified()));
    }

    #[test]
    fn a_client_cert_is_one_line_of_base64_between_colons() {
        let code = |values: &[&str]| match peer(ForwardedHeader::ClientCert, values) {
            Peer::Absent => "absent",
            Peer::Malformed(error) => error.code(),
            Peer::Verified(_) => "verified",
        };
        assert_eq!(code(&[]), "absent");
        assert_eq!(code(&[":Zm9v:"]), "der");
        assert_eq!(code(&[":Zm9:"]), "base64");
        assert_eq!(code(&["::"]), "der");
        for value in ["", ":", "Zm9v", ":Zm9v", ":Zm9v:;a=1", "\"Zm9v\"", " :Zm9v:"] {
            assert_eq!(code(&[value]), "header_syntax", "{value:?}");
        }
        assert_eq!(code(&[":Zm9v:", ":Zm9v:"]), "several_headers");
        assert_eq!(code(&[":Zm9v:, :Zm9v:"]), "base64");
        let longest = format!(":{}:", "A".repeat(CERTIFICATE_PEM_BYTES - 4) + "AA");
        assert_eq!(code(&[&longest]), "base64");
        assert_eq!(code(&[&format!("{longest}:")]), "header_too_long");
    }

    #[test]
    fn a_header_is_known_by_its_name_in_lower_case() {
        assert_eq!(ForwardedHeader::parse("client-cert"), Some(ForwardedHeader::ClientCert));
        assert_eq!(ForwardedHeader::parse("x-forwarded-client-cert"), Some(ForwardedHeader::Xfcc));
        assert_eq!(ForwardedHeader::parse("X-Forwarded-Client-Cert"), None);
        assert_eq!(ForwardedHeader::parse("x-client-cert"), None);
    }
}
