//! What is remembered from one request to the next changes no answer.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::support::{Call, GET, ISSUER, bearer, bundle, jwt, load, policy, resource};
use crate::authn::{FetchCause, Keys, SourceId};
use crate::engine::{Cache, Engine};
use crate::jwt::testing::{AnyKey, SameByte, jwk, jwks, signed};
use crate::request::{Connection, HeaderLine, Lines, MetadataValue, Metadatum, Request};
use crate::spiffe::Peer;
use crate::time::UnixTime;

const READS: &str = r#"{"rules":[
    {"to":[{"operation":{"paths":["/a"],"methods":["GET"],"hosts":["api.example"]}}],
     "when":[{"key":"request.headers[x-read]","notValues":["no"]}]},
    {"from":[{"source":{"principals":["td/ns/a/sa/b"]}}],
     "when":[{"key":"request.auth.claims[group]","values":["admin"]}]},
    {"when":[{"key":"destination.port","values":["8443"]}]},
    {"when":[{"key":"remote.ip","values":["10.0.0.0/8"]}]},
    {"when":[{"key":"connection.sni","values":["sni.example"]}]},
    {"when":[{"key":"experimental.envoy.filters.a[b]","values":["c"]}]}]}"#;

/// Policies that read all that a request has, with keys of their own and with fetched ones.
fn engines() -> Vec<Engine> {
    let claims = r#","outputClaimToHeaders":[{"header":"x-group","claim":"group"}]"#;
    // Two rules for one issuer, which tell the upstream other things.
    let remote = format!(
        r#"{{"jwtRules":[
            {{"issuer":"{ISSUER}","jwksUri":"https://issuer.example/keys","outputPayloadToHeader":"x-p"}},
            {{"issuer":"{ISSUER}","jwksUri":"https://issuer.example/others","forwardOriginalToken":true}}]}}"#
    );
    let remote = resource("RequestAuthentication", "jwt", &remote);
    let grouped = r#"{"rules":[{"when":[{"key":"request.headers[x-group]","values":["admin"]}]}]}"#;
    [
        bundle("{}", &[&jwt(r#","audiences":["api"]"#), &policy(READS)]),
        bundle("{}", &[&jwt(claims), &policy(grouped)]),
        bundle(r#"{"corsPreflightSkipsAuthentication":true}"#, &[&remote, &policy(READS)]),
    ]
    .map(|bundle| load(&bundle))
    .into()
}

/// Keys before the first fetch, and after fetches in which the first, the second, both and none of the
/// sources have the key that signs.
fn key_states(engine: &Engine) -> [Keys; 5] {
    let fetched = |set: [u8; 2]| {
        let mut keys = Keys::new(engine.key_sources(), 1);
        let sources = (0..engine.key_sources().len()).map(SourceId::new);
        for (source, key) in sources.zip(set) {
            let at = UnixTime::from_seconds(1000).into();
            let body = jwks(&[jwk(key, r#""kid":"a""#)]);
            keys.begin_fetch(source, at, FetchCause::Timer);
            let _ = keys.finish_fetch(source, at, Ok(body.as_bytes()), None, &AnyKey);
        }
        keys
    };
    let none = Keys::new(engine.key_sources(), 1);
    [none, fetched([7, 8]), fetched([8, 7]), fetched([7, 7]), fetched([8, 8])]
}

/// One request among few, so that the same ones come again and again.
#[derive(Debug, Clone)]
struct Sent {
    engine: usize,
    keys: usize,
    now: u64,
    method: &'static str,
    target: &'static str,
    authority: Option<&'static str>,
    token: usize,
    headers: Vec<(&'static str, &'static str)>,
    lines: Lines,
    peer: &'static str,
    port: Option<u16>,
    ip: Option<IpAddr>,
    server_name: Option<&'static str>,
    metadata: &'static str,
}

const HEADERS: &[(&str, &str)] = &[
    ("x-read", "no"),
    ("X-Read", "yes"),
    ("x_group", "admin"),
    ("x-group", "admin"),
    ("X-Lychgate-Subject", "root"),
    ("connection", "x-read"),
    ("host", "other.example"),
    ("origin", "https://a.example"),
    ("access-control-request-method", "POST"),
    ("cookie", "a=b"),
    ("x-other", "1"),
    ("x-other", "2"),
    ("x-request-id", "r-1"),
    ("x-request-id", "r-2"),
];

fn sent() -> impl Strategy<Value = Sent> {
    let usual = |usual: &'static str, others: &'static [&'static str]| prop_oneof![6 => Just(usual), 1 => select(others)];
    let policy = (0..3_usize, prop_oneof![4 => Just(1), 1 => 0..5_usize]);
    let time = prop_oneof![6 => Just(1000_u64), 1 => select(&[0, 2059, 2060, 2061, 90_000][..])];
    let line = (
        usual("GET", &["POST", "OPTIONS"]),
        usual("/a", &["/b", "/a?x", "/a/../b", "/a?access_token=x"]),
        prop_oneof![6 => Just(Some("api.example")), 1 => Just(Some("b.example")), 1 => Just(None)],
    );
    let token = prop_oneof![6 => 0..3_usize, 1 => 3..6_usize];
    let headers = vec(select(HEADERS), 0..3);
    let lines = prop_oneof![9 => Just(Lines::Separate), 1 => Just(Lines::Joined)];
    let connection = (
        usual("", &["spiffe://td/ns/a/sa/b", "spiffe://td/ns/a/sa/c", "none"]),
        prop_oneof![6 => Just(None), 1 => Just(Some(8443)), 1 => Just(Some(80))],
        prop_oneof![6 => Just(None), 1 => Just(Some([10, 0, 0, 1].into()))],
        prop_oneof![6 => Just(None), 1 => Just(Some("sni.example"))],
        usual("", &["c", "d"]),
    );
    (policy, time, line, token, headers, lines, connection).prop_map(
        |((engine, keys), now, line, token, headers, lines, connection)| {
            let (method, target, authority) = line;
            let (peer, port, ip, server_name, metadata) = connection;
            Sent {
                engine,
                keys,
                now,
                method,
                target,
                authority,
                token,
                headers,
                lines,
                peer,
                port,
                ip,
                server_name,
                metadata,
            }
        },
    )
}

/// Tokens: three that are genuine, one that is forged, two that are none.
fn tokens() -> [String; 6] {
    let forged = format!(r#"{{"iss":"{ISSUER}","sub":"alice","exp":2000}}"#);
    [
        bearer(r#","aud":"api""#),
        bearer(r#","aud":"api","group":"admin""#),
        bearer(r#","aud":"other""#),
        format!("Bearer {}", signed(Some("a"), &forged, 9)),
        "Bearer".into(),
        "Basic eA".into(),
    ]
}

/// All that a host can learn of a decision.
fn answer(sent: &Sent, engine: &Engine, keys: &Keys, cache: &mut Cache) -> String {
    let tokens = tokens();
    let mut headers =
        Vec::from([HeaderLine { name: b"authorization", value: tokens[sent.token].as_bytes() }]);
    let line = |(name, value): &(&'static str, &'static str)| HeaderLine {
        name: name.as_bytes(),
        value: value.as_bytes(),
    };
    headers.extend(sent.headers.iter().map(line));
    let peer = match sent.peer {
        "" => Peer::Absent,
        id => Peer::from_principal(id.as_bytes()),
    };
    let metadatum = |value: &str| Metadatum {
        filter: "envoy.filters.a".into(),
        key: "b".into(),
        value: MetadataValue::Text(value.into()),
    };
    let metadata: Vec<_> =
        Some(sent.metadata).filter(|value| !value.is_empty()).map(metadatum).into_iter().collect();
    let request = Request {
        method: sent.method.as_bytes(),
        target: sent.target.as_bytes(),
        authority: sent.authority.map(str::as_bytes),
        headers: &headers,
        lines: sent.lines,
        peer: &peer,
        connection: Connection {
            remote_ip: sent.ip,
            destination_port: sent.port,
            server_name: sent.server_name.map(str::as_bytes),
            ..Connection::default()
        },
        metadata: &metadata,
    };
    let now = UnixTime::from_seconds(sent.now);
    let decision = engine.decide(&request, now, keys, cache, &SameByte);
    let reply = decision.reply("id");
    format!(
        "{} {:?} {reply:?}",
        decision.audit(now, decision.correlation_id().unwrap_or("-")),
        decision.upstream()
    )
}

proptest! {
    #[test]
    fn requests_get_the_answers_that_they_would_get_alone(all in vec(sent(), 1..60)) {
        let engines = engines();
        let keys: Vec<_> = engines.iter().map(key_states).collect();
        let mut caches: Vec<_> = engines.iter().map(|_| Cache::default()).collect();
        let mut shared = Cache::new(4, 1 << 20);
        for sent in &all {
            let (engine, keys) = (&engines[sent.engine], &keys[sent.engine][sent.keys]);
            let alone = answer(sent, engine, keys, &mut Cache::default());
            for _ in 0..4 {
                prop_assert_eq!(&answer(sent, engine, keys, &mut caches[sent.engine]), &alone);
                prop_assert_eq!(&answer(sent, engine, keys, &mut shared), &alone);
            }
        }
    }
}

#[test]
fn a_request_that_differs_only_in_what_nobody_reads_is_found_again() {
    let engine = load(&bundle("{}", &[&jwt(""), &policy(READS)]));
    let token = bearer("");
    let mut cache = Cache::default();
    let mut decide = |id: &str, more: (&str, &str)| {
        let headers = [("authorization", &*token), ("x-request-id", id), more];
        Call { headers: &headers, target: "/a", ..GET }.decide_with(&engine, &mut cache)
    };
    // The token is new, the request is new, it came before: then it is remembered.
    let first = decide("r-1", ("accept", "*/*"));
    assert_eq!(first.reason().code(), "allowed_by_rule");
    let second = decide("r-2", ("accept", "text/html"));
    let third = decide("r-3", ("accept", "text/html"));
    let fourth = decide("r-4", ("user-agent", "x"));
    assert!(!second.is_of(&first) && !third.is_of(&second) && fourth.is_of(&third));
    assert_eq!(fourth.correlation_id(), Some("r-4"));
    assert!(!decide("r-5", ("x-read", "yes")).is_of(&third));
}

#[test]
fn nothing_is_remembered_where_there_is_no_room_or_the_request_is_large() {
    let engine = load(&bundle("{}", &[&jwt(""), &policy(READS)]));
    let token = bearer("");
    let is_found = |cache: &mut Cache, more: &str| {
        let headers = [("authorization", &*token), ("x-read", more)];
        let mut decide =
            || Call { headers: &headers, target: "/a", ..GET }.decide_with(&engine, cache);
        let [.., third, fourth] = [(); 4].map(|()| decide());
        fourth.is_of(&third)
    };
    let rest = 2048 - token.len() - "GET/aapi.exampleauthorizationx-read".len();
    assert!(is_found(&mut Cache::default(), &"v".repeat(rest)));
    assert!(!is_found(&mut Cache::default(), &"v".repeat(rest + 1)));
    assert!(is_found(&mut Cache::new(4, 1 << 16), ""));
    assert!(!is_found(&mut Cache::new(4, 1 << 11), ""));
    assert!(!is_found(&mut Cache::new(3, 1 << 16), ""));
}

#[test]
fn what_is_remembered_stays_within_its_bytes_and_is_dropped_with_the_policy() {
    let engine = load(&bundle("{}", &[&jwt(""), &policy(READS)]));
    let token = bearer("");
    let headers = [("authorization", &*token)];
    let mut cache = Cache::new(1024, 1 << 15);
    for number in 0..500 {
        let target = format!("/a?{number}");
        for _ in 0..4 {
            let call = Call { headers: &headers, target: &target, ..GET };
            assert_eq!(call.decide_with(&engine, &mut cache).reason().code(), "allowed_by_rule");
        }
        assert!(cache.recent.memory() <= 1 << 15, "{number}");
    }
    assert!(cache.recent.memory() > 1 << 12);
    let other = load(&bundle("{}", &[&policy(READS)]));
    let _ = GET.decide_with(&other, &mut cache);
    assert_eq!(cache.recent.memory(), 0);
}

#[test]
fn requests_that_may_not_pass_or_have_many_lines_are_not_remembered() {
    let engine = load(&bundle("{}", &[&jwt(""), &policy(READS)]));
    let token = bearer("");
    let is_found = |target: &str, forged: usize| {
        let mut cache = Cache::default();
        let mut headers = Vec::from([("authorization", &*token)]);
        headers.resize(forged + 1, ("x-lychgate-peer", ""));
        let call = Call { headers: &headers, target, ..GET };
        let [.., third, fourth] = [(); 4].map(|()| call.decide_with(&engine, &mut cache));
        fourth.is_of(&third)
    };
    assert!(is_found("/a", 15) && !is_found("/a", 16));
    assert!(!is_found("/b", 0));
}
