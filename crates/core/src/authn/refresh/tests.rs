use super::*;
use crate::jwt::jwk::KeyProfile;
use crate::jwt::testing::{AnyKey, jwk, jwks};
use alloc::string::{String, ToString as _};

const SOURCE: SourceId = SourceId::new(0);
const START: UnixMillis = UnixMillis(1_800_000_000_000);

fn definition(uri: &str) -> KeySource {
    KeySource {
        uri: uri.into(),
        discovered_by: None,
        cluster: None,
        profile: KeyProfile::Jwt,
        refresh: RefreshRules::default(),
    }
}

fn keys() -> Keys {
    Keys::new(&[definition("https://issuer.example/keys")], 1)
}

fn body(key: u8) -> String {
    jwks(&[jwk(key, r#""kid":"k""#)])
}

fn after(milliseconds: u64) -> UnixMillis {
    START.plus(Milliseconds(milliseconds))
}

fn succeed(keys: &mut Keys, now: UnixMillis, key: u8) -> FetchReport {
    keys.begin_fetch(SOURCE, now, FetchCause::Timer);
    keys.finish_fetch(SOURCE, now, Ok(body(key).as_bytes()), None, &AnyKey)
}

fn fail(keys: &mut Keys, now: UnixMillis) -> UnixMillis {
    keys.begin_fetch(SOURCE, now, FetchCause::Timer);
    let report = keys.finish_fetch(SOURCE, now, Err(FetchFailure::Timeout), None, &AnyKey);
    let FetchReport::Kept { error, retry_at } = report else { panic!("{report:?}") };
    assert_eq!(error, FetchError::Failed(FetchFailure::Timeout));
    retry_at
}

fn is_available(keys: &Keys, now: UnixMillis) -> bool {
    matches!(keys.availability(SOURCE, now), Availability::Available(_))
}

#[test]
fn a_source_is_due_at_once_and_again_after_its_interval() {
    let mut keys = keys();
    assert_eq!(keys.due(START), Some(SOURCE));
    assert!(matches!(keys.availability(SOURCE, START), Availability::Never));
    let report = succeed(&mut keys, START, 1);
    assert_eq!(report, FetchReport::Updated { keys: 1, skipped: Vec::new() });
    assert!(is_available(&keys, START));
    assert_eq!(keys.due(after(269_999)), None);
    assert_eq!(keys.due(after(300_000)), Some(SOURCE));
    let next = keys.next_due().unwrap();
    assert!((after(270_000)..=after(300_000)).contains(&next));
    assert_eq!(keys.due(UnixMillis(next.0 - 1)), None);
    assert_eq!(keys.due(next), Some(SOURCE));
}

#[test]
fn one_fetch_is_under_way_at_a_time() {
    let mut keys = keys();
    assert_eq!(keys.want(SOURCE, START), Want::Fetch);
    keys.begin_fetch(SOURCE, START, FetchCause::Request);
    assert_eq!(keys.due(START), None);
    assert_eq!(keys.want(SOURCE, after(9_999)), Want::Wait);
    // A request knows the time to the second only.
    assert_eq!(keys.want(SOURCE, UnixMillis(START.0 - 999)), Want::Wait);
    // After twice the time that a fetch may take, it is given up.
    assert_eq!(keys.want(SOURCE, after(10_000)), Want::Fetch);
    assert_eq!(keys.due(after(10_000)), Some(SOURCE));
}

#[test]
fn requests_cause_one_fetch_in_a_cool_down() {
    let mut keys = keys();
    let _ = succeed(&mut keys, START, 1);
    assert_eq!(keys.want(SOURCE, after(1)), Want::Fetch);
    keys.begin_fetch(SOURCE, after(1), FetchCause::Request);
    let _ = keys.finish_fetch(SOURCE, after(2), Ok(body(2).as_bytes()), None, &AnyKey);
    assert_eq!(keys.want(SOURCE, after(30_000)), Want::No);
    assert_eq!(keys.want(SOURCE, after(30_001)), Want::Fetch);
}

#[test]
fn failures_back_off_from_one_second_to_sixty() {
    let mut keys = keys();
    let mut now = START;
    for least in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000] {
        let retry_at = fail(&mut keys, now);
        let delay = retry_at.since(now).0;
        assert!((least..least * 2).contains(&delay), "{delay} is not {least} to its double");
        assert_eq!(keys.want(SOURCE, UnixMillis(retry_at.0 - 1)), Want::No);
        assert_eq!(keys.due(UnixMillis(retry_at.0 - 1)), None);
        assert_eq!(keys.want(SOURCE, retry_at), Want::Fetch);
        assert_eq!(keys.due(retry_at), Some(SOURCE));
        now = retry_at;
    }
    for _ in 0..100 {
        assert!(fail(&mut keys, now).since(now) <= Milliseconds(60_000));
    }
    let _ = succeed(&mut keys, now, 1);
    assert!(fail(&mut keys, now).since(now) < Milliseconds(2_000), "a success begins anew");
}

#[test]
fn the_last_good_keys_serve_through_failures_until_they_are_too_old() {
    let mut keys = keys();
    let _ = succeed(&mut keys, START, 1);
    fail(&mut keys, after(300_000));
    for bad in ["", "<html>", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        keys.begin_fetch(SOURCE, after(400_000), FetchCause::Timer);
        let report = keys.finish_fetch(SOURCE, after(400_000), Ok(bad.as_bytes()), None, &AnyKey);
        assert!(matches!(report, FetchReport::Kept { error: FetchError::Refused(_), .. }), "{bad}");
    }
    assert!(is_available(&keys, after(86_400_000)));
    assert!(matches!(keys.availability(SOURCE, after(86_400_001)), Availability::TooOld));
    assert_eq!(keys.want(SOURCE, after(86_400_001)), Want::Fetch);
}

#[test]
fn max_age_brings_the_next_fetch_forward_and_never_puts_it_off() {
    for (max_age, least, most) in
        [(0, 27_000, 30_000), (60, 54_000, 60_000), (86_400, 270_000, 300_000)]
    {
        let mut keys = keys();
        let max_age = Some(Seconds(max_age));
        let _ = keys.finish_fetch(SOURCE, START, Ok(body(1).as_bytes()), max_age, &AnyKey);
        let next = keys.next_due().unwrap();
        assert!((after(least)..=after(most)).contains(&next), "{max_age:?} {next:?}");
    }
}

#[test]
fn a_discovered_set_is_fetched_in_two_steps() {
    let uri = "https://issuer.example/.well-known/openid-configuration";
    let issuer = "https://issuer.example";
    let source = KeySource { discovered_by: Some(issuer.into()), ..definition(uri) };
    let mut keys = Keys::new(&[source], 1);
    keys.begin_fetch(SOURCE, START, FetchCause::Timer);
    let metadata =
        |host: &str| alloc::format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://{host}/keys"}}"#);
    let found = keys.discover(SOURCE, after(1), metadata("keys.example").as_bytes());
    assert_eq!(found.as_deref(), Ok("https://keys.example/keys"));
    assert_eq!(keys.want(SOURCE, after(2)), Want::Wait, "the fetch is still under way");
    let _ = keys.finish_fetch(SOURCE, after(2), Ok(body(1).as_bytes()), None, &AnyKey);
    assert!(is_available(&keys, after(2)));
    keys.begin_fetch(SOURCE, after(300_000), FetchCause::Timer);
    let refused = keys.discover(SOURCE, after(300_000), metadata("10.0.0.1").as_bytes());
    let Err(FetchReport::Kept { error, retry_at }) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code(), "metadata_jwks_uri");
    assert!(retry_at > after(300_000));
    assert_eq!(keys.want(SOURCE, after(300_001)), Want::No, "the fetch is over");
    assert!(is_available(&keys, after(300_001)));
}

#[test]
fn only_a_discovered_set_has_metadata() {
    assert_eq!(keys().discover(SOURCE, START, b"{}"), Err(FetchReport::NoSource));
    assert_eq!(Keys::new(&[], 1).discover(SOURCE, START, b"{}"), Err(FetchReport::NoSource));
}

#[test]
fn hosts_with_other_seeds_fetch_at_other_times() {
    let next = |seed| {
        let mut keys = Keys::new(&[definition("https://a.example")], seed);
        let _ = succeed(&mut keys, START, 1);
        keys.next_due()
    };
    assert_eq!(next(1), next(1));
    assert_ne!(next(1), next(2));
}

#[test]
fn a_reload_keeps_the_keys_of_equal_sources() {
    let mut old = keys();
    let _ = succeed(&mut old, START, 1);
    let changed = KeySource {
        refresh: RefreshRules { interval: Seconds(60), ..RefreshRules::default() },
        ..definition("https://issuer.example/keys")
    };
    let mut new = Keys::new(&[definition("https://other.example/keys"), changed], 1);
    new.adopt(old);
    assert!(matches!(new.availability(SourceId::new(0), START), Availability::Never));
    assert!(matches!(new.availability(SourceId::new(1), START), Availability::Available(_)));
}

#[test]
fn a_reload_keeps_nothing_for_another_profile_or_cluster_or_issuer() {
    for (cluster, profile, discovered_by) in [
        (Some("c".into()), KeyProfile::Jwt, None),
        (None, KeyProfile::Svid, None),
        (None, KeyProfile::Jwt, Some("https://issuer.example".into())),
    ] {
        let mut old = keys();
        let _ = succeed(&mut old, START, 1);
        let other = KeySource {
            cluster,
            profile,
            discovered_by,
            ..definition("https://issuer.example/keys")
        };
        let mut new = Keys::new(&[other], 1);
        new.adopt(old);
        assert!(matches!(new.availability(SOURCE, START), Availability::Never));
        assert_eq!(new.due(START), Some(SOURCE));
    }
}

#[test]
fn a_reload_forgets_a_fetch_that_is_under_way() {
    let mut old = keys();
    old.begin_fetch(SOURCE, START, FetchCause::Timer);
    let mut new = keys();
    new.adopt(old);
    assert_eq!(new.due(START), Some(SOURCE));
}

#[test]
fn a_body_of_another_worker_is_installed_if_it_is_newer() {
    let mut keys = keys();
    let report = keys.install(SOURCE, body(1).as_bytes(), START, &AnyKey);
    assert!(matches!(report, Some(FetchReport::Updated { keys: 1, .. })));
    assert!(is_available(&keys, START));
    assert_eq!(keys.due(after(1)), None, "the other worker's fetch counts");
    assert_eq!(keys.install(SOURCE, body(2).as_bytes(), START, &AnyKey), None);
    let refused = keys.install(SOURCE, b"{}", after(1), &AnyKey);
    assert!(matches!(refused, Some(FetchReport::Kept { .. })));
    assert!(is_available(&keys, START));
}

#[test]
fn a_clock_that_is_set_stops_nothing_for_long() {
    let mut keys = keys();
    let _ = succeed(&mut keys, START, 1);
    let an_hour_ago = UnixMillis(START.0 - 3_600_000);
    assert!(is_available(&keys, an_hour_ago));
    assert_eq!(keys.due(an_hour_ago), Some(SOURCE));
    assert!(matches!(keys.availability(SOURCE, UnixMillis(u64::MAX)), Availability::TooOld));
    assert_eq!(keys.due(UnixMillis(u64::MAX)), Some(SOURCE));
    assert_eq!(keys.due(UnixMillis(0)), Some(SOURCE));
}

#[test]
fn a_source_that_is_not_there_has_nothing() {
    let mut keys = Keys::new(&[], 1);
    assert!(matches!(keys.availability(SOURCE, START), Availability::Never));
    assert_eq!(keys.want(SOURCE, START), Want::No);
    assert_eq!(keys.due(START), None);
    assert_eq!(keys.next_due(), None);
    keys.begin_fetch(SOURCE, START, FetchCause::Timer);
    let report = keys.finish_fetch(SOURCE, START, Ok(b""), None, &AnyKey);
    assert_eq!(report, FetchReport::NoSource);
    assert_eq!(keys.install(SOURCE, b"", START, &AnyKey), None);
}

#[test]
fn errors_have_codes_and_words() {
    let error = FetchError::Failed(FetchFailure::Status(302));
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("fetch_status", "answer with status 302")
    );
    let error = FetchError::Refused(KeySetError::NotKeySet);
    assert_eq!(error.code(), "key_set_malformed");
}
