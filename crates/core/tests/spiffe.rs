//! SPIFFE IDs and peers against the cases of others and certificates made by OpenSSL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/vectors.rs"]
mod vectors;

use lychgate_core::request::{ForwardedHeader, HeaderLine, Headers, TrustedHop, forwarded_peer};
use lychgate_core::spiffe::xfcc::Pairs;
use lychgate_core::spiffe::{Peer, SpiffeId, SpiffeIdError, TrustDomain, TrustDomainError};
use serde_json::Value;

/// A leaf for `spiffe://cluster.local/ns/shop/sa/cart`, self-signed with a key that nobody kept.
const LEAF: &str = "-----BEGIN CERTIFICATE-----
MIIByTCCAXCgAwIBAgIUQOF2lR09Y+NIAIygCqqXf4CzGiYwCgYIKoZIzj0EAwIw
GDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDAgFw0yNjExMjIwNDM4MDFaGA8yMTI2
MTAyOTA0MzgwMVowGDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABEPcR33MaVnDqHRRHdWo6L21YZ/WwuBUXeY3UUpEdT4s
bLm9L6eep2cBIrDJvGokEZmQY2LkTR1LCMPNkylFNkCjgZUwgZIwDgYDVR0PAQH/
BAQDAgWgMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAMBgNVHRMBAf8E
AjAAMDQGA1UdEQEB/wQqMCiGJnNwaWZmZTovL2NsdXN0ZXIubG9jYWwvbnMvc2hv
cC9zYS9jYXJ0MB0GA1UdDgQWBBRHQfYdHpsGo2z4rsux3p7cbHfYxjAKBggqhkjO
PQQDAgNHADBEAiA2e8JGdW0+pW6hRF9EEq0IhgSlFHqwFOI7bJv9gw8cAwIgdnrV
l1JqgujrRcI5TRB6QZlqLfqyZpV6Mp97CBhjQV0=
-----END CERTIFICATE-----
";

/// An authority with the URI name `spiffe://cluster.local/ca`.
const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----
MIIBnTCCAUKgAwIBAgIUObedtuC4pOOjeAM5QFvSPbtYORAwCgYIKoZIzj0EAwIw
GDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDAgFw0yNjExMjIwNDM4MDFaGA8yMTI2
MTAyOTA0MzgwMVowGDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABEPcR33MaVnDqHRRHdWo6L21YZ/WwuBUXeY3UUpEdT4s
bLm9L6eep2cBIrDJvGokEZmQY2LkTR1LCMPNkylFNkCjaDBmMA4GA1UdDwEB/wQE
AwIBBjAPBgNVHRMBAf8EBTADAQH/MCQGA1UdEQQdMBuGGXNwaWZmZTovL2NsdXN0
ZXIubG9jYWwvY2EwHQYDVR0OBBYEFEdB9h0emwajbPiuy7Hentxsd9jGMAoGCCqG
SM49BAMCA0kAMEYCIQDbvwA3jwr0AXDBcfAE2ayi68p7mpyZ4Var69d9UtHaiQIh
AOfuAIlbdbzqO8zWzYq3jNLX38570HGj+lQV66VZtREl
-----END CERTIFICATE-----
";

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

fn code(peer: &Peer) -> &str {
    match peer {
        Peer::Absent => "absent",
        Peer::Malformed(error) => error.code(),
        Peer::Verified(id) => id.as_str(),
    }
}

/// The base64 of a PEM block without its lines.
fn base64(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

#[test]
fn a_leaf_made_by_openssl_is_an_identity_and_its_authority_is_not() {
    assert_eq!(code(&Peer::from_pem(LEAF.as_bytes())), CART);
    assert_eq!(code(&Peer::from_pem(AUTHORITY.as_bytes())), "authority");
    assert_eq!(code(&Peer::from_pem(&[LEAF, AUTHORITY].concat().into_bytes())), "base64");
    assert_eq!(code(&Peer::from_certificate(LEAF.as_bytes())), "der");
}

#[test]
fn a_client_cert_header_holds_the_same_leaf() {
    let hop = TrustedHop {
        id: SpiffeId::parse(CART.as_bytes()).unwrap(),
        header: ForwardedHeader::ClientCert,
    };
    let peer = |value: &str| {
        let line = HeaderLine { name: b"Client-Cert", value: value.as_bytes() };
        code(&forwarded_peer(Headers::new(&[line]), &hop)).to_owned()
    };
    assert_eq!(peer(&format!(":{}:", base64(LEAF))), CART);
    assert_eq!(peer(&format!(":{}:", base64(AUTHORITY))), "authority");
    assert_eq!(peer(&format!(":{}:;a", base64(LEAF))), "header_syntax");
}

#[test]
fn every_case_of_go_spiffe_is_right() {
    let Some(cases) = vectors::read("go-spiffe/extracted/spiffe_id.json") else { return };
    let ids = cases["id_cases"].as_array().unwrap();
    for case in ids {
        check_id(case);
    }
    let domains = cases["trust_domain_cases"].as_array().unwrap();
    for case in domains {
        check_trust_domain(case);
    }
    assert_eq!((ids.len(), domains.len()), (535, 266), "the number of cases has changed");
}

fn check_id(case: &Value) {
    let text = case["in"].as_str().unwrap();
    match SpiffeId::parse(text.as_bytes()) {
        Ok(id) => {
            assert_eq!(case["ok"], true, "{text:?}");
            assert_eq!(case["td"], id.trust_domain(), "{text:?}");
            assert_eq!(case["path"], id.path(), "{text:?}");
            assert_eq!(id.as_str(), text);
        }
        Err(error) => {
            assert_eq!(case["ok"], false, "{text:?}");
            let expected = case["err"].as_str().unwrap();
            assert!(expected.contains(name_in_go(error)), "{text:?}: {expected} is not {error:?}");
        }
    }
}

/// The words that go-spiffe's error for the same rule holds.
fn name_in_go(error: SpiffeIdError) -> &'static str {
    match error {
        SpiffeIdError::Empty => "cannot be empty",
        SpiffeIdError::Scheme => "scheme is missing or invalid",
        SpiffeIdError::TrustDomain(TrustDomainError::Empty) => "trust domain is missing",
        SpiffeIdError::TrustDomain(TrustDomainError::Character { .. }) => "trust domain characters",
        SpiffeIdError::EmptySegment => "path cannot contain empty segments",
        SpiffeIdError::DotSegment => "path cannot contain dot segments",
        SpiffeIdError::TrailingSlash => "path cannot have a trailing slash",
        SpiffeIdError::PathCharacter { .. } => "path segment characters",
        SpiffeIdError::TooLong { .. }
        | SpiffeIdError::NotText { .. }
        | SpiffeIdError::TrustDomain(TrustDomainError::TooLong { .. }) => "not in go-spiffe",
    }
}

/// go-spiffe's reader of trust domains takes a whole ID, too; here that is the other reader's task.
fn check_trust_domain(case: &Value) {
    let text = case["in"].as_str().unwrap();
    let domain = if text.contains(":/") {
        assert!(TrustDomain::parse(text).is_err(), "{text:?} is an ID and no name");
        SpiffeId::parse(text.as_bytes()).ok().map(|id| id.trust_domain().to_owned())
    } else {
        TrustDomain::parse(text).ok().map(|domain| domain.as_str().to_owned())
    };
    assert_eq!(case["ok"], domain.is_some(), "{text:?}");
    if let (Some(expected), Some(domain)) = (case["td"].as_str(), domain) {
        assert_eq!(domain, expected);
    }
}

#[test]
fn xfcc_is_read_as_envoy_reads_it() {
    let Some(cases) = vectors::read("envoy/extracted/xfcc_value.json") else { return };
    for case in cases["cases"].as_array().unwrap() {
        let Some(line) = case["xfcc"].as_str() else { continue };
        let pairs: Result<Vec<_>, _> = Pairs::of(line.as_bytes()).collect();
        let uri = pairs.unwrap_or_default().into_iter().find(|pair| pair.has_key("uri"));
        let uri = uri.map(|pair| String::from_utf8(pair.value().into_owned()).unwrap());
        assert_eq!(uri.as_deref(), case["uri"].as_str(), "{line}");
    }
}
