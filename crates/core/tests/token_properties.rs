//! What holds for every token, header value and key set, whoever wrote it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use lychgate_core::authn::{
    Acceptance, Authenticator, AuthnStep, JwtRule, Keys, Location, RuleKeys, TokenCache,
};
use lychgate_core::base64;
use lychgate_core::jwt::jwk::KeyProfile;
use lychgate_core::jwt::key::{KeyCheck, KeyMaterial, KeyRefusal, Outcome};
use lychgate_core::jwt::{KeySet, TimeRules, UnverifiedToken};
use lychgate_core::request::{Connection, HeaderLine, Lines, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::{Seconds, UnixTime};
use proptest::prelude::*;

struct AnyKey;

impl KeyCheck for AnyKey {
    fn check_key(&self, _material: &KeyMaterial) -> Result<(), KeyRefusal> {
        Ok(())
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The encoder of the definition: six bits at a time, the last ones filled with zeros.
fn encode(bytes: &[u8]) -> String {
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
    let letter = |bits: &[u8]| {
        let value = (0..6).fold(0, |all, index| (all << 1) | bits.get(index).unwrap_or(&0));
        char::from(ALPHABET[usize::from(value)])
    };
    bits.chunks(6).map(letter).collect()
}

fn authenticator(kid: &str) -> Arc<Authenticator> {
    let coordinate = encode(&[1; 32]);
    let set = format!(
        r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{coordinate}","y":"{coordinate}"}}]}}"#
    );
    let set = KeySet::parse(set.as_bytes(), KeyProfile::Jwt, &AnyKey).unwrap();
    let rule = JwtRule {
        issuer: "issuer".into(),
        audiences: Vec::new(),
        keys: RuleKeys::Inline(Arc::new(set)),
        locations: Location::istio_default(),
        forward_original_token: false,
        output_payload_header: None,
        output_claim_headers: Vec::new(),
        space_delimited_claims: Vec::new(),
        svid: None,
    };
    let times = TimeRules { clock_skew: Seconds(60), require_exp: true, max_lifetime: None };
    Arc::new(Authenticator::new(
        vec![rule],
        Acceptance { times, required_claims: Vec::new(), token_bytes: usize::MAX },
    ))
}

/// The first step for a request with these `Authorization` lines, if it has a token.
fn begin(
    authenticator: &Arc<Authenticator>,
    lines: &[&[u8]],
    target: &[u8],
    cache: &mut TokenCache,
) -> Option<AuthnStep> {
    let headers: Vec<_> =
        lines.iter().map(|value| HeaderLine { name: b"authorization", value }).collect();
    let request = Request {
        method: b"GET",
        target,
        authority: None,
        headers: &headers,
        lines: Lines::Separate,
        peer: &Peer::Absent,
        connection: Connection::default(),
        metadata: &[],
    };
    let credential = authenticator.extract(&request).ok()??;
    let now = UnixTime::from_seconds(1_800_000_000);
    Some(authenticator.authenticate(&credential, now, &Keys::new(&[], 0), cache))
}

/// A token that gets as far as its signature, which is nobody's.
fn token(kid: &str) -> String {
    let header = encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#).as_bytes());
    let claims = encode(br#"{"iss":"issuer","exp":1800000100}"#);
    format!("{header}.{claims}.{}", encode(&[1; 64]))
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(bytes: Vec<u8>) {
        prop_assert_eq!(base64::decode_url(encode(&bytes).as_bytes()), Some(bytes));
    }

    #[test]
    fn what_is_decoded_has_one_encoding(text in "[A-Za-z0-9_=+/ -]{0,40}") {
        if let Some(bytes) = base64::decode_url(text.as_bytes()) {
            prop_assert_eq!(encode(&bytes), text);
        }
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes: Vec<u8>, text in "[{}\\[\\]\",:.0-9a-zA-Z=_-]{0,80}") {
        for input in [&bytes[..], text.as_bytes()] {
            let _ = UnverifiedToken::parse(input, usize::MAX);
            let _ = KeySet::parse(input, KeyProfile::Svid, &AnyKey);
            let _ = base64::decode_standard(input);
        }
    }

    #[test]
    fn no_request_makes_the_search_for_a_token_panic(
        first in "(Bearer|bearer|Basic|)[ ,.a\t\"]{0,9}",
        second: Vec<u8>,
        target in "/\\?[a&=%2+]{0,9}(access_token|access%5Ftoken|)(=|)[a.%&]{0,9}",
    ) {
        let lines: [&[u8]; 2] = [first.as_bytes(), &second];
        let _ = begin(&authenticator("k"), &lines, target.as_bytes(), &mut TokenCache::default());
    }

    #[test]
    fn a_kid_that_no_key_has_never_gets_to_a_signature_check(kid in "[ -!#-\\[\\]-~]{1,20}") {
        let line = format!("Bearer {}", token(&kid));
        let is_checked = |own: &str| {
            let cache = &mut TokenCache::default();
            let step = begin(&authenticator(own), &[line.as_bytes()], b"/", cache);
            matches!(step, Some(AuthnStep::Verify(_)))
        };
        let other = format!("{kid}x");
        prop_assert!(is_checked(&kid));
        prop_assert!(!is_checked(&other));
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_asked_about_anew(at in 0_usize..150, to in 0_u8..64) {
        let token = token("k");
        let authenticator = authenticator("k");
        let mut cache = TokenCache::default();
        let mut is_remembered = |token: &[u8]| {
            let line = [b"Bearer ", token].concat();
            match begin(&authenticator, &[&line], b"/", &mut cache) {
                Some(AuthnStep::Accepted(_)) => true,
                Some(AuthnStep::Verify(pending)) => {
                    let _ = pending.finish(Outcome::Valid, &mut cache);
                    false
                }
                Some(AuthnStep::Refused(_) | AuthnStep::NeedKeys(_)) | None => false,
            }
        };
        prop_assert!(!is_remembered(token.as_bytes()));
        prop_assert!(is_remembered(token.as_bytes()));
        let mut changed = token.clone().into_bytes();
        changed[at] = ALPHABET[usize::from(to)];
        prop_assert_eq!(is_remembered(&changed), changed == token.as_bytes());
    }
}
