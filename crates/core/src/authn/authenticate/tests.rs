use super::super::refresh::{FetchCause, KeySource, RefreshRules, SourceId};
use super::super::rule::RuleKeys;
use super::*;
use crate::decision::Reason;
use crate::jwt::jwk::KeyProfile;
use crate::jwt::jwks::KeySet;
use crate::jwt::key::Verifier;
use crate::jwt::testing::{AnyKey, SameByte, jwk, jwks, signed, token};
use crate::request::{Connection, HeaderLine, Lines};
use crate::spiffe::{Peer, TrustDomain};
use crate::time::Seconds;
use alloc::format;
use alloc::string::String;
use alloc::vec;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const TIMES: TimeRules =
    TimeRules { clock_skew: Seconds(60), require_exp: true, max_lifetime: None };
const CLAIMS: &str = r#"{"iss":"issuer","sub":"alice","aud":"here","exp":1800000100}"#;

fn acceptance(times: TimeRules, token_bytes: usize) -> Acceptance {
    Acceptance { times, required_claims: Vec::new(), token_bytes }
}

fn key_set(keys: &[String]) -> Arc<KeySet> {
    Arc::new(KeySet::parse(jwks(keys).as_bytes(), KeyProfile::Jwt, &AnyKey).unwrap())
}

fn with_id(key: u8, id: &str) -> String {
    jwk(key, &format!(r#""kid":"{id}""#))
}

fn rule(keys: RuleKeys) -> JwtRule {
    JwtRule {
        issuer: "issuer".into(),
        audiences: vec!["here".into()],
        keys,
        locations: Location::istio_default(),
        forward_original_token: false,
        output_payload_header: None,
        output_claim_headers: Vec::new(),
        space_delimited_claims: Vec::new(),
        svid: None,
    }
}

fn inline(keys: &[String]) -> JwtRule {
    rule(RuleKeys::Inline(key_set(keys)))
}

fn remote() -> (JwtRule, Keys) {
    let source = KeySource {
        uri: "https://issuer.example/keys".into(),
        discovered_by: None,
        cluster: None,
        profile: KeyProfile::Jwt,
        refresh: RefreshRules::default(),
    };
    (rule(RuleKeys::Remote(SourceId::new(0))), Keys::new(&[source], 0))
}

fn fetched(keys: &mut Keys, now: UnixTime, set: &[String]) {
    let source = SourceId::new(0);
    keys.begin_fetch(source, now.into(), FetchCause::Request);
    let report = keys.finish_fetch(source, now.into(), Ok(jwks(set).as_bytes()), None, &AnyKey);
    assert!(matches!(report, super::super::refresh::FetchReport::Updated { .. }));
}

fn authenticator(rules: Vec<JwtRule>) -> Arc<Authenticator> {
    Arc::new(Authenticator::new(rules, acceptance(TIMES, usize::MAX)))
}

/// A world with one policy, its keys and a cache.
struct World {
    authenticator: Arc<Authenticator>,
    keys: Keys,
    cache: TokenCache,
    now: UnixTime,
    checks: usize,
}

impl World {
    fn new(rules: Vec<JwtRule>) -> Self {
        Self::with_keys(rules, Keys::new(&[], 0))
    }

    fn with_keys(rules: Vec<JwtRule>, keys: Keys) -> Self {
        let cache = TokenCache::default();
        Self { authenticator: authenticator(rules), keys, cache, now: NOW, checks: 0 }
    }

    fn begin_at(&mut self, header: &str, value: &str) -> AuthnStep {
        let headers = [HeaderLine { name: header.as_bytes(), value: value.as_bytes() }];
        let request = Request {
            method: b"GET",
            target: b"/",
            authority: None,
            headers: &headers,
            lines: Lines::Separate,
            peer: &Peer::Absent,
            connection: Connection::default(),
            metadata: &[],
        };
        let credential = self.authenticator.extract(&request).unwrap().unwrap();
        self.authenticator.authenticate(&credential, self.now, &self.keys, &mut self.cache)
    }

    fn begin(&mut self, token: &str) -> AuthnStep {
        self.begin_at("authorization", &format!("Bearer {token}"))
    }

    fn drive(
        &mut self,
        mut step: AuthnStep,
        verifier: &dyn Verifier,
    ) -> Result<AcceptedToken, AuthnError> {
        loop {
            step = match step {
                AuthnStep::Accepted(token) => return Ok(token),
                AuthnStep::Refused(error) => return Err(error),
                AuthnStep::Verify(pending) => {
                    self.checks = self.checks.saturating_add(1);
                    let outcome = verifier.verify(&pending.check());
                    pending.finish(outcome, &mut self.cache)
                }
                AuthnStep::NeedKeys(waiting) => waiting.resume(&self.keys),
            }
        }
    }

    fn decide(&mut self, token: &str) -> Result<AcceptedToken, AuthnError> {
        let step = self.begin(token);
        self.drive(step, &SameByte)
    }

    fn reason(&mut self, token: &str) -> Reason {
        self.decide(token).unwrap_err().reason()
    }
}

#[test]
fn a_genuine_token_is_accepted_by_its_rule() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    let accepted = world.decide(&signed(Some("a"), CLAIMS, 1)).unwrap();
    assert_eq!(
        (accepted.issuer(), accepted.subject(), accepted.rule()),
        ("issuer", Some("alice"), 0)
    );
    let location = accepted.location(&world.authenticator).unwrap();
    assert_eq!(location, &Location::istio_default()[0]);
}

#[test]
fn a_forged_token_is_refused_before_its_claims_are_looked_at() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    for claims in [CLAIMS, r#"{"iss":"issuer","exp":1}"#, r#"{"iss":"issuer","exp":"x"}"#] {
        assert_eq!(world.reason(&signed(Some("a"), claims, 9)), Reason::SignatureInvalid);
    }
}

#[test]
fn the_issuer_and_the_place_choose_the_rule() {
    let mut elsewhere = inline(&[with_id(2, "a")]);
    elsewhere.issuer = "other".into();
    elsewhere.locations = vec![Location::Header { name: "x-jwt".into(), prefix: "".into() }];
    let mut world = World::new(vec![inline(&[with_id(1, "a")]), elsewhere]);
    let other = signed(Some("a"), &CLAIMS.replace("issuer", "other"), 2);
    assert_eq!(world.reason(&other), Reason::IssuerUnknown);
    let step = world.begin_at("x-jwt", &other);
    assert_eq!(world.drive(step, &SameByte).unwrap().rule(), 1);
    // A key of one issuer verifies nothing for another.
    let step = world.begin_at("x-jwt", &signed(Some("a"), &CLAIMS.replace("issuer", "other"), 1));
    assert_eq!(world.drive(step, &SameByte).unwrap_err(), AuthnError::Signature);
}

#[test]
fn an_issuer_compares_byte_by_byte() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    for issuer in ["Issuer", "issuer/", "issuer ", "issuer\\u0000", ""] {
        let claims = CLAIMS.replace("issuer", issuer);
        assert_eq!(world.reason(&signed(Some("a"), &claims, 1)), Reason::IssuerUnknown, "{issuer}");
    }
    assert_eq!(world.reason(&signed(Some("a"), r#"{"exp":1}"#, 1)), Reason::ClaimMissing);
    for issuer in ["1", "null", r#"["issuer"]"#] {
        let claims = format!(r#"{{"iss":{issuer}}}"#);
        assert_eq!(world.reason(&signed(Some("a"), &claims, 1)), Reason::ClaimMalformed);
    }
}

#[test]
fn claims_are_checked_in_order_and_the_audience_last() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    let mut reason = |claims: &str| world.reason(&signed(Some("a"), claims, 1));
    assert_eq!(
        reason(r#"{"iss":"issuer","aud":"there","exp":1800000100}"#),
        Reason::AudienceMismatch
    );
    assert_eq!(reason(r#"{"iss":"issuer","exp":1800000100}"#), Reason::AudienceMismatch);
    assert_eq!(reason(r#"{"iss":"issuer","aud":"there","exp":1}"#), Reason::TokenExpired);
    assert_eq!(reason(r#"{"iss":"issuer","aud":"here"}"#), Reason::ClaimMissing);
    assert_eq!(
        reason(r#"{"iss":"issuer","aud":"there","exp":1,"sub":""}"#),
        Reason::ClaimMalformed
    );
}

#[test]
fn what_is_no_token_is_refused_at_once() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    assert_eq!(world.reason("a.b"), Reason::TokenMalformed);
    assert_eq!(world.reason(&"a".repeat(16 * 1024 + 1)), Reason::TokenTooLarge);
    let none = token(r#"{"alg":"none"}"#, CLAIMS, b"x");
    assert_eq!(world.reason(&none), Reason::AlgorithmRefused);
    let critical = token(r#"{"alg":"ES256","crit":["exp"]}"#, CLAIMS, b"x");
    assert_eq!(world.reason(&critical), Reason::TokenHeaderRefused);
    assert_eq!(world.checks, 0);
}

#[test]
fn a_lower_limit_on_tokens_counts_also_for_those_in_the_cache() {
    let text = signed(Some("a"), CLAIMS, 1);
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    assert!(world.decide(&text).is_ok());
    let rules = vec![inline(&[with_id(1, "a")])];
    world.authenticator = Arc::new(Authenticator::new(rules, acceptance(TIMES, text.len())));
    assert!(world.decide(&text).is_ok());
    let rules = vec![inline(&[with_id(1, "a")])];
    world.authenticator = Arc::new(Authenticator::new(rules, acceptance(TIMES, text.len() - 1)));
    assert_eq!(world.reason(&text), Reason::TokenTooLarge);
}

#[test]
fn a_token_for_another_algorithm_than_its_key_is_refused() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    for alg in ["RS256", "HS256", "EdDSA", "ES384"] {
        let text = token(&format!(r#"{{"alg":"{alg}","kid":"a"}}"#), CLAIMS, &[1; 64]);
        assert_eq!(world.reason(&text), Reason::AlgorithmRefused, "{alg}");
    }
    assert_eq!(world.checks, 0);
}

#[test]
fn at_most_four_keys_are_tried_for_a_token_without_kid() {
    let keys: Vec<_> = (1..=6).map(|key| with_id(key, &format!("{key}"))).collect();
    let mut world = World::new(vec![inline(&keys), inline(&keys[4..])]);
    assert!(world.decide(&signed(None, CLAIMS, 4)).is_ok());
    assert_eq!(world.checks, 4);
    assert_eq!(world.reason(&signed(None, CLAIMS, 5)), Reason::SignatureInvalid);
    assert_eq!(world.checks, 8);
}

#[test]
fn one_check_serves_all_rules_with_the_same_key() {
    let mut second = inline(&[with_id(1, "a")]);
    second.audiences = vec!["there".into()];
    let mut world = World::new(vec![inline(&[with_id(1, "a")]), second]);
    let there = signed(Some("a"), &CLAIMS.replace("here", "there"), 1);
    assert_eq!(world.decide(&there).unwrap().rule(), 1);
    assert_eq!(world.checks, 1);
}

#[test]
fn a_key_verifies_only_for_the_rules_that_have_it() {
    let mut any_audience = inline(&[with_id(2, "a")]);
    any_audience.audiences = Vec::new();
    let mut world = World::new(vec![inline(&[with_id(1, "a")]), any_audience]);
    let there = CLAIMS.replace("here", "there");
    assert_eq!(world.reason(&signed(Some("a"), &there, 1)), Reason::AudienceMismatch);
    assert_eq!(world.decide(&signed(Some("a"), &there, 2)).unwrap().rule(), 1);
}

#[test]
fn a_remembered_token_needs_no_check_and_gets_all_others() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    let text = signed(Some("a"), CLAIMS, 1);
    assert!(world.decide(&text).is_ok());
    assert!(world.decide(&text).is_ok());
    assert_eq!(world.checks, 1);
    world.now = UnixTime::from_seconds(1_800_000_160);
    assert_eq!(world.reason(&text), Reason::TokenExpired);
    world.now = NOW;
    let mut elsewhere = inline(&[with_id(1, "a")]);
    elsewhere.audiences = vec!["there".into()];
    world.authenticator = authenticator(vec![elsewhere]);
    assert_eq!(world.reason(&text), Reason::AudienceMismatch);
    let mut other = inline(&[with_id(1, "a")]);
    other.issuer = "other".into();
    world.authenticator = authenticator(vec![other]);
    assert_eq!(world.reason(&text), Reason::IssuerUnknown);
    assert_eq!(world.checks, 1);
}

#[test]
fn a_remembered_token_is_checked_again_when_its_key_has_gone() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    let text = signed(Some("a"), CLAIMS, 1);
    assert!(world.decide(&text).is_ok());
    world.authenticator = authenticator(vec![inline(&[with_id(2, "a")])]);
    assert_eq!(world.reason(&text), Reason::SignatureInvalid);
    assert_eq!(world.checks, 2);
    world.authenticator = authenticator(vec![inline(&[with_id(1, "b")])]);
    assert_eq!(world.reason(&text), Reason::KeyUnknown);
    let bound = jwk(1, r#""kid":"a","alg":"ES256""#);
    world.authenticator = authenticator(vec![inline(&[bound])]);
    assert!(world.decide(&text).is_ok());
    assert_eq!(world.checks, 2);
}

#[test]
fn only_genuine_tokens_are_remembered() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    let _ = world.decide(&signed(Some("a"), CLAIMS, 9));
    assert!(world.cache.is_empty());
    let expired = signed(Some("a"), &CLAIMS.replace("1800000100", "1"), 1);
    assert_eq!(world.reason(&expired), Reason::TokenExpired);
    assert_eq!(world.reason(&expired), Reason::TokenExpired);
    assert_eq!(world.checks, 2);
}

#[test]
fn keys_that_were_never_had_are_waited_for_once() {
    let (rule, keys) = remote();
    let mut world = World::with_keys(vec![rule], keys);
    let text = signed(Some("a"), CLAIMS, 1);
    let AuthnStep::NeedKeys(waiting) = world.begin(&text) else { panic!("no keys were needed") };
    assert_eq!(waiting.source(), SourceId::new(0));
    assert!(matches!(waiting.resume(&world.keys), AuthnStep::Refused(AuthnError::KeysUnavailable)));
    let AuthnStep::NeedKeys(waiting) = world.begin(&text) else { panic!("no keys were needed") };
    fetched(&mut world.keys, NOW, &[with_id(1, "a")]);
    let step = waiting.resume(&world.keys);
    assert!(world.drive(step, &SameByte).is_ok());
    assert_eq!(AuthnError::KeysUnavailable.reason().status(), 503);
}

#[test]
fn an_unknown_kid_waits_for_one_refresh_in_a_cool_down() {
    let (rule, mut keys) = remote();
    fetched(&mut keys, UnixTime::from_seconds(NOW.seconds() - 60), &[with_id(1, "a")]);
    let mut world = World::with_keys(vec![rule], keys);
    let text = signed(Some("b"), CLAIMS, 2);
    let AuthnStep::NeedKeys(waiting) = world.begin(&text) else { panic!("no refresh") };
    fetched(&mut world.keys, NOW, &[with_id(1, "a")]);
    let step = waiting.resume(&world.keys);
    assert_eq!(world.drive(step, &SameByte).unwrap_err(), AuthnError::KeyUnknown);
    assert!(matches!(world.begin(&text), AuthnStep::Refused(AuthnError::KeyUnknown)));
    world.now = UnixTime::from_seconds(NOW.seconds() + 30);
    let AuthnStep::NeedKeys(waiting) = world.begin(&text) else { panic!("no refresh") };
    fetched(&mut world.keys, world.now, &[with_id(1, "a"), with_id(2, "b")]);
    let step = waiting.resume(&world.keys);
    assert!(world.drive(step, &SameByte).is_ok());
}

#[test]
fn a_token_without_kid_causes_no_refresh() {
    let (rule, mut keys) = remote();
    fetched(&mut keys, NOW, &[with_id(1, "a")]);
    let mut world = World::with_keys(vec![rule], keys);
    world.now = UnixTime::from_seconds(NOW.seconds() + 31);
    assert!(matches!(world.begin(&signed(None, CLAIMS, 2)), AuthnStep::Verify(_)));
    assert_eq!(world.reason(&signed(None, CLAIMS, 2)), Reason::SignatureInvalid);
}

#[test]
fn keys_that_are_too_old_verify_nothing_also_for_remembered_tokens() {
    let (rule, mut keys) = remote();
    let age = RefreshRules::default().max_stale.0;
    fetched(&mut keys, UnixTime::from_seconds(NOW.seconds() - age), &[with_id(1, "a")]);
    let mut world = World::with_keys(vec![rule], keys);
    let text = signed(Some("a"), CLAIMS, 1);
    assert!(world.decide(&text).is_ok());
    world.now = UnixTime::from_seconds(NOW.seconds() + 1);
    assert_eq!(world.reason(&text), Reason::KeysUnavailable);
}

#[test]
fn another_rule_with_the_key_makes_waiting_needless() {
    let (remote, keys) = remote();
    let mut world = World::with_keys(vec![remote, inline(&[with_id(1, "a")])], keys);
    let text = signed(Some("a"), CLAIMS, 1);
    let AuthnStep::Verify(pending) = world.begin(&text) else { panic!("a key is there") };
    let step = pending.finish(Outcome::Valid, &mut world.cache);
    assert!(matches!(step, AuthnStep::Accepted(token) if token.rule() == 1));
    // A signature that this key did not make may be of a key that is still missing.
    let forged = signed(Some("a"), CLAIMS, 2);
    let AuthnStep::Verify(pending) = world.begin(&forged) else { panic!("a key is there") };
    let AuthnStep::NeedKeys(waiting) = pending.finish(Outcome::Invalid, &mut world.cache) else {
        panic!("keys are missing")
    };
    fetched(&mut world.keys, NOW, &[with_id(2, "a")]);
    let step = waiting.resume(&world.keys);
    assert_eq!(world.drive(step, &SameByte).unwrap().rule(), 0);
}

/// Can't answer.
struct Broken;

impl Verifier for Broken {
    fn verify(&self, _check: &SignatureCheck<'_>) -> Outcome {
        Outcome::Unavailable
    }
}

#[test]
fn a_verifier_that_can_not_answer_is_503_and_nothing_is_remembered() {
    let mut world = World::new(vec![inline(&[with_id(1, "a"), with_id(2, "b")])]);
    for kid in [Some("a"), None] {
        let step = world.begin(&signed(kid, CLAIMS, 1));
        let error = world.drive(step, &Broken).unwrap_err();
        assert_eq!(error.reason(), Reason::VerifierUnavailable);
    }
    assert!(world.cache.is_empty());
}

#[test]
fn one_open_answer_outweighs_a_refusal_after_it() {
    let mut world = World::new(vec![inline(&[with_id(1, "a"), with_id(2, "b")])]);
    let AuthnStep::Verify(first) = world.begin(&signed(None, CLAIMS, 9)) else { panic!("a check") };
    let AuthnStep::Verify(second) = first.finish(Outcome::Unavailable, &mut world.cache) else {
        panic!("a second check")
    };
    let step = second.finish(Outcome::Invalid, &mut world.cache);
    assert!(matches!(step, AuthnStep::Refused(AuthnError::VerifierUnavailable)));
}

fn svid_world() -> World {
    let mut rule = inline(&[with_id(1, "a"), with_id(2, "b")]);
    rule.svid = Some(TrustDomain::parse("td.example").unwrap());
    World::new(vec![rule])
}

const SVID: &str =
    r#"{"iss":"issuer","sub":"spiffe://td.example/host","aud":["here"],"exp":1800000100}"#;

#[test]
fn a_svid_follows_its_own_rules() {
    let mut world = svid_world();
    let accepted = world.decide(&signed(Some("a"), SVID, 1)).unwrap();
    assert_eq!(accepted.subject(), Some("spiffe://td.example/host"));
    let with = |from: &str, to: &str| signed(Some("a"), &SVID.replace(from, to), 1);
    for (text, reason) in [
        (with("spiffe://td.example/host", "invalid subject"), Reason::SvidRefused),
        (with("td.example", "another.example"), Reason::SvidRefused),
        (with(r#","exp":1800000100"#, ""), Reason::ClaimMissing),
        (with(r#""aud":["here"],"#, ""), Reason::ClaimMissing),
        (with(r#""sub":"spiffe://td.example/host","#, ""), Reason::ClaimMissing),
        (with("1800000100", "1799999900"), Reason::TokenExpired),
        (with("here", "there"), Reason::AudienceMismatch),
        (signed(None, SVID, 1), Reason::SvidRefused),
        (signed(Some("noKey"), SVID, 1), Reason::KeyUnknown),
        (signed(Some("a"), SVID, 2), Reason::SignatureInvalid),
        (token(r#"{"alg":"HS256","kid":"a"}"#, SVID, &[1; 32]), Reason::AlgorithmRefused),
        (token(r#"{"alg":"ES256","kid":"a","jku":"x"}"#, SVID, &[1; 64]), Reason::SvidRefused),
        (token(r#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#, SVID, &[1; 64]), Reason::SvidRefused),
        (
            token(r#"{"alg":"ES256","kid":"a","typ":"x"}"#, SVID, &[1; 64]),
            Reason::TokenHeaderRefused,
        ),
    ] {
        assert_eq!(world.reason(&text), reason);
    }
}

#[test]
fn a_svid_needs_exp_and_aud_whatever_the_settings_say() {
    let mut rule = inline(&[with_id(1, "a")]);
    rule.svid = Some(TrustDomain::parse("td.example").unwrap());
    rule.audiences = Vec::new();
    let mut world = World::new(Vec::new());
    let lax = TimeRules { require_exp: false, ..TIMES };
    world.authenticator = Arc::new(Authenticator::new(vec![rule], acceptance(lax, usize::MAX)));
    assert!(world.decide(&signed(Some("a"), SVID, 1)).is_ok());
    for part in [r#","exp":1800000100"#, r#""aud":["here"],"#] {
        let text = signed(Some("a"), &SVID.replace(part, ""), 1);
        assert_eq!(world.reason(&text), Reason::ClaimMissing, "{part}");
    }
}

#[test]
fn the_headers_of_all_rules_are_known() {
    let mut rule = inline(&[with_id(1, "a")]);
    rule.locations.push(Location::Cookie("jwt".into()));
    rule.output_payload_header = Some("x-payload".into());
    let claim = vec!["sub".into()];
    rule.output_claim_headers = vec![super::super::ClaimHeader { header: "x-sub".into(), claim }];
    let authenticator = authenticator(vec![rule]);
    assert_eq!(authenticator.token_headers().collect::<Vec<_>>(), ["authorization", "cookie"]);
    assert_eq!(authenticator.output_headers().collect::<Vec<_>>(), ["x-payload", "x-sub"]);
}

#[test]
fn steps_show_nothing_of_a_token() {
    let mut world = World::new(vec![inline(&[with_id(1, "a")])]);
    let text = signed(Some("a"), CLAIMS, 1);
    let step = world.begin(&text);
    let accepted = world.decide(&text).unwrap();
    let shown = format!("{step:?} {accepted:?}");
    for secret in text.split('.').chain(["alice"]) {
        assert!(!shown.contains(secret), "{shown}");
    }
}
