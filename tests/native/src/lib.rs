//! Drives core and crypto as a host would, in this process, and compares with what vectors expect.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::std_instead_of_core,
    clippy::alloc_instead_of_core,
    reason = "test code: what cannot be run must stop the run with a message"
)]

use std::collections::BTreeMap;

use lychgate_core::LoadError;
use lychgate_core::authn::refresh::{Keys, SourceId, UnixMillis};
use lychgate_core::decision::{Decision, Verdict};
use lychgate_core::engine::{Cache, Engine};
use lychgate_core::jwt::key::{Outcome, SignatureCheck, Verifier};
use lychgate_core::request::{Connection, HeaderLine, Lines, MetadataValue, Metadatum, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;
use lychgate_harness as harness;
use lychgate_harness::{Authority, HttpRequest, KeyRing, Mint, Need, Topic, Upstream, Vector};

/// What every case needs: the named keys and the authority.
#[derive(Debug)]
pub struct Bench {
    /// The named keys.
    pub keys: KeyRing,
    /// The authority of all certificates.
    pub authority: Authority,
}

/// An engine that runs one bundle.
#[derive(Debug)]
pub struct Subject {
    engine: Engine,
    keys: Keys,
}

/// A crypto library that is never there.
#[derive(Debug)]
pub struct Broken;

impl Verifier for Broken {
    fn verify(&self, _check: &SignatureCheck<'_>) -> Outcome {
        Outcome::Unavailable
    }
}

impl Bench {
    /// Reads the keys of the repository.
    #[must_use]
    pub fn new() -> Self {
        let keys = KeyRing::load(&harness::vectors_directory().join("keys"));
        let authority = Authority::new(&keys);
        Self { keys, authority }
    }

    /// What texts and tokens are made with at that time.
    #[must_use]
    pub fn mint(&self, now: i64) -> Mint<'_> {
        Mint { keys: &self.keys, authority: &self.authority, now }
    }

    /// Loads a bundle and gives it the remote keys that its topic serves.
    ///
    /// # Errors
    /// Says why the bundle was refused.
    pub fn subject(&self, topic: &Topic, bundle: &str, now: i64) -> Result<Subject, String> {
        let document = topic.bundles.get(bundle).expect("bundle of a vector");
        let text = document.text(&self.keys);
        let served = topic.remote_keys.get(bundle).into_iter().flatten();
        let served = served.map(|(uri, entries)| (uri.clone(), self.keys.public_set(entries)));
        Subject::load(&text, &served.collect(), now)
            .map_err(|error| format!("refused to load at {:?}: {error}", error.pointer()))
    }

    fn peer(&self, peer: &harness::Peer) -> Peer {
        match peer {
            harness::Peer::Absent => Peer::Absent,
            harness::Peer::Unverified(_) => Peer::unverified(),
            harness::Peer::Certificate(spec) => {
                Peer::from_certificate(&self.authority.issue(spec, &self.keys).der)
            }
        }
    }

    /// Runs a vector and says in what it differs from what it expects, and how it came out.
    #[must_use]
    pub fn run(&self, subject: &Subject, vector: &Vector, now: i64) -> (Vec<String>, String) {
        let http = vector.request.http(self.mint(now));
        let peer = self.peer(&http.peer);
        let verifier: &dyn Verifier =
            if vector.needs.contains(&Need::BrokenVerifier) { &Broken } else { &Portable };
        let time = UnixTime::from_seconds(seconds(now));
        let decision = subject.decide(&http, &peer, time, verifier);
        let differences = differences(vector, &http, &decision);
        (differences, decision.audit(time, "vector"))
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

impl Subject {
    /// Loads a bundle and gives it the sets that its remote sources serve, by URI.
    ///
    /// # Errors
    /// Says why the bundle was refused.
    pub fn load(
        bundle: &str,
        served: &BTreeMap<String, String>,
        now: i64,
    ) -> Result<Self, LoadError> {
        let engine = Engine::load(bundle.as_bytes(), &Portable)?;
        let mut keys = Keys::new(engine.key_sources(), 1);
        for (index, source) in engine.key_sources().iter().enumerate() {
            if let Some(set) = served.get(&*source.uri) {
                let at = UnixMillis(seconds(now).saturating_mul(1000));
                let _ = keys.install(SourceId::new(index), set.as_bytes(), at, &Portable);
            }
        }
        Ok(Self { engine, keys })
    }

    /// Decides about a request, with an empty cache and again with what the first time left there.
    ///
    /// # Panics
    /// If the cache changes the answer.
    pub fn decide(
        &self,
        http: &HttpRequest,
        peer: &Peer,
        now: UnixTime,
        verifier: &dyn Verifier,
    ) -> Decision {
        let headers: Vec<HeaderLine<'_>> = http
            .headers
            .iter()
            .map(|(name, value)| HeaderLine { name, value: trim(value) })
            .collect();
        let metadata: Vec<Metadatum> = http.metadata.iter().map(metadatum).collect();
        let request = Request {
            method: &http.method,
            target: &http.target,
            authority: http.authority.as_deref(),
            headers: &headers,
            lines: if http.joined { Lines::Joined } else { Lines::Separate },
            peer,
            metadata: &metadata,
            connection: Connection {
                source_ip: http.source_ip,
                remote_ip: http.remote_ip,
                destination_ip: http.destination_ip,
                destination_port: http.destination_port,
                server_name: http.server_name.as_deref().map(str::as_bytes),
            },
        };
        let mut cache = Cache::new(64, 1 << 20);
        let mut decide = || self.engine.decide(&request, now, &self.keys, &mut cache, verifier);
        let first = decide();
        // The second time the token is known, the fourth time the whole request.
        for _ in 0..3 {
            let again = decide();
            assert_eq!(
                first.audit(now, "x"),
                again.audit(now, "x"),
                "the cache changed the answer"
            );
            assert_eq!(first.upstream(), again.upstream(), "the cache changed what is handed on");
        }
        first
    }
}

fn differences(vector: &Vector, http: &HttpRequest, decision: &Decision) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: &str, got: &str| {
        if expected != got {
            found.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let expect = &vector.expect;
    let verdict = match decision.verdict() {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
    };
    compare("verdict", &expect.verdict, verdict);
    compare("reason", &expect.reason, decision.reason().code());
    compare("status", &expect.status.to_string(), &decision.status().to_string());
    let refuses = expect.verdict == "deny" && !expect.shadow;
    compare("refuses", &refuses.to_string(), &decision.refuses().to_string());
    if let Some(policy) = &expect.policy {
        compare("policy", policy, &audit_member(decision, "policy"));
    }
    if let Some(challenge) = &expect.challenge {
        let reply = decision.reply("vector");
        let header = reply.headers.iter().find(|(name, _)| *name == "www-authenticate");
        compare("challenge", challenge, header.map_or("none", |(_, value)| value));
    }
    if let Some(upstream) = &expect.upstream {
        found.extend(upstream_differences(upstream, http, decision));
    }
    found
}

fn upstream_differences(expect: &Upstream, http: &HttpRequest, decision: &Decision) -> Vec<String> {
    let received = received(http, decision);
    let values = |name: &str| -> Vec<String> {
        let is_named = |(other, _): &&(String, Vec<u8>)| other.eq_ignore_ascii_case(name);
        let text = |(_, value): &(String, Vec<u8>)| String::from_utf8_lossy(value).into_owned();
        received.headers.iter().filter(is_named).map(text).collect()
    };
    let mut found = Vec::new();
    for (name, value) in &expect.present {
        if values(name) != [value.clone()] {
            found.push(format!("{name}: expected {value:?} once, got {:?}", values(name)));
        }
    }
    for name in &expect.absent {
        if !values(name).is_empty() {
            found.push(format!("{name}: expected none, got {:?}", values(name)));
        }
    }
    for name in &expect.unchanged {
        let is_named =
            |(other, _): &&(Vec<u8>, Vec<u8>)| other.eq_ignore_ascii_case(name.as_bytes());
        let text = |(_, value): &(Vec<u8>, Vec<u8>)| String::from_utf8_lossy(value).into_owned();
        let sent: Vec<String> = http.headers.iter().filter(is_named).map(text).collect();
        if values(name) != sent {
            found.push(format!("{name}: expected {} lines unchanged", sent.len()));
        }
    }
    if let Some(path) = &expect.path {
        let got = String::from_utf8_lossy(&received.target);
        if &got != path {
            found.push(format!("path: expected {path}, got {got}"));
        }
    }
    found
}

struct Received {
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

/// What the application receives: the request with the decision's changes.
fn received(http: &HttpRequest, decision: &Decision) -> Received {
    let changes = decision.upstream();
    let mut headers: Vec<(String, Vec<u8>)> = http
        .headers
        .iter()
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()))
        .collect();
    headers.retain(|(name, _)| !changes.remove.iter().any(|gone| gone.eq_ignore_ascii_case(name)));
    for (name, value) in &changes.set {
        headers.push((name.to_string(), value.as_bytes().to_vec()));
    }
    let target = changes.target.clone().unwrap_or_else(|| http.target.clone());
    Received { target, headers }
}

fn audit_member(decision: &Decision, name: &str) -> String {
    let record: serde_json::Value =
        serde_json::from_str(&decision.audit(UnixTime::from_seconds(0), "x"))
            .expect("audit record is JSON");
    record.get(name).and_then(serde_json::Value::as_str).unwrap_or("none").to_owned()
}

fn metadatum(given: &harness::Metadatum) -> Metadatum {
    let value = match &given.value {
        harness::MetadataValue::Text(text) => MetadataValue::Text(text.clone()),
        harness::MetadataValue::List(list) => MetadataValue::List(list.clone()),
    };
    Metadatum { filter: given.filter.clone(), key: given.key.clone(), value }
}

/// Transports cut the white space around a field value (RFC 9110 §5.5).
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn seconds(now: i64) -> u64 {
    u64::try_from(now).expect("a time after 1970")
}
