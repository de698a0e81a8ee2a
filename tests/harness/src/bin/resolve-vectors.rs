//! Prints every vector as a concrete request, for launchers that are not written in Rust.
//!
//! `resolve-vectors [SECONDS]` writes one JSON document: topics with their bundles as text, remote
//! key sets, and requests in which all bytes are base64. Tokens are minted for that time, by
//! default for now.

#![allow(
    clippy::expect_used,
    clippy::std_instead_of_core,
    clippy::print_stdout,
    reason = "test code: a broken vector must stop the run with a message"
)]

use std::collections::BTreeMap;
use std::time::SystemTime;

use lychgate_harness::{
    Authority, Expectation, HttpRequest, KeyRing, Mint, Need, Peer, Topic, Vector, load_topics,
    request_json, vectors_directory,
};
use serde_json::{Map, Value, json};

fn main() {
    let keys = KeyRing::load(&vectors_directory().join("keys"));
    let authority = Authority::new(&keys);
    let now = std::env::args().nth(1).map_or_else(now, |text| text.parse().expect("seconds"));
    let resolver = Resolver { keys: &keys, authority: &authority, now };
    let topics: Vec<Value> = load_topics().iter().map(|topic| resolver.topic(topic)).collect();
    println!("{}", json!({ "now": now, "topics": topics }));
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    i64::try_from(since.as_secs()).expect("a time")
}

struct Resolver<'a> {
    keys: &'a KeyRing,
    authority: &'a Authority,
    now: i64,
}

impl Resolver<'_> {
    fn topic(&self, topic: &Topic) -> Value {
        let text = |(name, bundle): (&String, &lychgate_harness::Bundle)| {
            (name.clone(), bundle.text(self.keys))
        };
        let bundles: BTreeMap<_, _> = topic.bundles.iter().map(text).collect();
        let served = |sets: &BTreeMap<String, Vec<Value>>| -> BTreeMap<String, String> {
            let set = |(uri, entries): (&String, &Vec<Value>)| {
                (uri.clone(), self.keys.public_set(entries))
            };
            sets.iter().map(set).collect()
        };
        let remote: BTreeMap<_, _> =
            topic.remote_keys.iter().map(|(name, sets)| (name, served(sets))).collect();
        let vectors: Vec<_> = topic.vectors.iter().map(|vector| self.vector(vector)).collect();
        json!({ "name": topic.name, "bundles": bundles, "remote_keys": remote, "vectors": vectors })
    }

    fn vector(&self, vector: &Vector) -> Value {
        let now = vector.now.unwrap_or(self.now);
        let mint = Mint { keys: self.keys, authority: self.authority, now };
        let request = vector.request.http(mint);
        json!({
            "name": vector.name,
            "bundle": vector.bundle,
            "now": now,
            "broken_verifier": vector.needs.contains(&Need::BrokenVerifier),
            "request": self.request(&request),
            "expect": expectation(&vector.expect),
        })
    }

    fn request(&self, request: &HttpRequest) -> Value {
        let issued = match &request.peer {
            Peer::Certificate(spec) => Some(self.authority.issue(spec, self.keys)),
            Peer::Absent | Peer::Unverified(_) => None,
        };
        request_json(request, issued.as_ref())
    }
}

fn expectation(expect: &Expectation) -> Value {
    let mut members = Map::new();
    members.insert("verdict".into(), expect.verdict.clone().into());
    members.insert("reason".into(), expect.reason.clone().into());
    members.insert("status".into(), expect.status.into());
    if let Some(policy) = &expect.policy {
        members.insert("policy".into(), policy.clone().into());
    }
    if let Some(challenge) = &expect.challenge {
        members.insert("challenge".into(), challenge.clone().into());
    }
    if let Some(upstream) = &expect.upstream {
        members.insert(
            "upstream".into(),
            json!({
                "present": upstream.present,
                "absent": upstream.absent,
                "unchanged": upstream.unchanged,
                "path": upstream.path,
            }),
        );
    }
    members.into()
}
