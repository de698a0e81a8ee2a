//! Every decision vector through a real Envoy: raw bytes on a socket, the filter as it ships.
//!
//! What Envoy can't carry is counted and printed by need. Vectors with the need `direct` are sent
//! too: there Envoy may answer by itself or change the request, but a request that must be refused
//! may not reach the upstream.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use lychgate_harness::{
    Authority, CertificateSpec, HttpRequest, KeyRing, MetadataValue, Metadatum, Mint, Need, Peer,
    Topic, Vector, load_topics, vectors_directory,
};
use lychgate_tests_envoy::config::typed;
use lychgate_tests_envoy::jwks::Behaviour;
use lychgate_tests_envoy::wire::{bytes, own_id, proxy_line, values};
use lychgate_tests_envoy::{
    Client, Envoy, Filter, Identity, JwksServer, Listener, Response, Scratch, Setup, Transport,
    Upstream, token,
};
use serde_json::{Value, json};

/// Needs that no Envoy has: its clock and its crypto library can't be chosen.
const NOT_CARRIED: [Need; 2] = [Need::FixedTime, Need::BrokenVerifier];

#[test]
fn every_vector_comes_out_as_expected() {
    let start = Instant::now();
    let (topics, bench) = (load_topics(), Bench::new());
    let plan = Plan::of(&topics);
    let (setup, _servers) = bench.setup(&plan);
    let envoy = Envoy::start(&setup);
    let sets: usize = plan.places.values().map(|group| group.served.len()).sum();
    envoy.wait("keys", |e| e.stat("wasmcustom.lychgate.keys.fetched") == sets as u64);
    println!("{} listeners after {:?}", plan.places.len(), start.elapsed());
    let answers = bench.send_all(&plan, &envoy);
    println!("{} answers after {:?}", answers.len(), start.elapsed());
    let report = Report::of(&answers, &envoy);
    report.print(&plan, topics.iter().map(|topic| topic.vectors.len()).sum());
    println!("done after {:?}", start.elapsed());
    assert_eq!(envoy.stat("wasm.envoy.wasm.runtime.v8.crash"), 0);
    assert_eq!(report.wrong.len(), 0, "\n{}", report.wrong.join("\n"));
}

/// What must be the same for vectors that share a listener.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    topic: &'a str,
    bundle: &'a str,
    tls: bool,
    proxy_protocol: bool,
    /// What a filter before ours sets.
    metadata: String,
}

/// The vectors of a listener.
struct Group<'a> {
    topic: &'a Topic,
    vectors: Vec<&'a Vector>,
    /// The key sets that are served to it.
    served: Vec<&'a Vec<Value>>,
}

/// Which vectors are sent where, and which are not.
#[derive(Default)]
struct Plan<'a> {
    places: BTreeMap<Place<'a>, Group<'a>>,
    left_out: BTreeMap<Need, Vec<&'a str>>,
}

impl<'a> Plan<'a> {
    fn of(topics: &'a [Topic]) -> Self {
        let mut plan = Self::default();
        for topic in topics {
            for vector in &topic.vectors {
                match not_carried(vector) {
                    Some(need) => plan.left_out.entry(need).or_default().push(&vector.name),
                    None => plan.add(topic, vector),
                }
            }
        }
        plan
    }

    fn add(&mut self, topic: &'a Topic, vector: &'a Vector) {
        let request = &vector.request;
        let place = Place {
            topic: &topic.name,
            bundle: &vector.bundle,
            tls: request.peer() != Peer::Absent || request.server_name().is_some(),
            proxy_protocol: request.sets_addresses(),
            metadata: metadata_filters(request.metadata()).to_string(),
        };
        let served = || {
            let sets = topic.remote_keys.get(&vector.bundle);
            sets.into_iter().flat_map(BTreeMap::values).collect()
        };
        let group = || Group { topic, vectors: Vec::new(), served: served() };
        self.places.entry(place).or_insert_with(group).vectors.push(vector);
    }
}

/// What keeps a vector from being sent at all.
fn not_carried(vector: &Vector) -> Option<Need> {
    if matches!(vector.request.peer(), Peer::Unverified(_)) {
        // Envoy closes such a connection.
        return Some(Need::Direct);
    }
    NOT_CARRIED.into_iter().find(|need| vector.needs.contains(need))
}

/// The filters that set this metadata, as a JSON list.
fn metadata_filters(metadata: &[Metadatum]) -> Value {
    let filter = |datum: &Metadatum| {
        let value = match &datum.value {
            MetadataValue::Text(text) => json!(text),
            MetadataValue::List(list) => json!(list),
        };
        let entry = json!({ "metadata_namespace": datum.filter, "value": { &datum.key: value } });
        let config = json!({ "metadata": [entry] });
        typed("envoy.filters.http.set_metadata", "http.set_metadata.v3.Config", config)
    };
    metadata.iter().map(filter).collect()
}

/// What all listeners share.
struct Bench {
    keys: KeyRing,
    authority: Authority,
    upstream: Upstream,
    scratch: Scratch,
}

/// What came back for a vector.
struct Answer<'a> {
    topic: &'a str,
    vector: &'a Vector,
    id: String,
    sent: HttpRequest,
    response: Response,
}

impl Bench {
    fn new() -> Self {
        let keys = KeyRing::load(&vectors_directory().join("keys"));
        let authority = Authority::new(&keys);
        Self { keys, authority, upstream: Upstream::start(), scratch: Scratch::new("vectors") }
    }

    fn setup(&self, plan: &Plan<'_>) -> (Setup, Vec<JwksServer>) {
        let (tls, mut servers) = (self.tls(plan), Vec::new());
        let mut setup = Setup::new(Vec::new()).cluster("upstream", self.upstream.address());
        for (index, (place, group)) in plan.places.iter().enumerate() {
            let mut bundle = self.bundle(place, group);
            for source in key_sources(&mut bundle) {
                let server = JwksServer::start(self.behaviour(place, group, &source["uri"]));
                // A name of its own: listeners share key sets with the same cluster and URI.
                let cluster = format!("keys-{index}");
                setup = setup.cluster(&cluster, server.address());
                source["cluster"] = json!(cluster);
                servers.push(server);
            }
            setup.listeners.push(listener(index, place, &tls, bundle.to_string()));
        }
        (setup, servers)
    }

    fn bundle(&self, place: &Place<'_>, group: &Group<'_>) -> Value {
        let text = group.topic.bundles[place.bundle].text(&self.keys);
        serde_json::from_str(&text).expect("a bundle is JSON")
    }

    fn behaviour(&self, place: &Place<'_>, group: &Group<'_>, uri: &Value) -> Behaviour {
        let sets = group.topic.remote_keys.get(place.bundle);
        match sets.zip(uri.as_str()).and_then(|(sets, uri)| sets.get(uri)) {
            Some(entries) => Behaviour::Answer(200, self.keys.public_set(entries).into_bytes()),
            None => Behaviour::HangUp,
        }
    }

    /// A TLS listener that takes certificates of the authority, under every name that is asked for.
    fn tls(&self, plan: &Plan<'_>) -> Transport {
        let vectors = plan.places.values().flat_map(|group| &group.vectors);
        let names = vectors.filter_map(|vector| vector.request.server_name());
        let mut names: Vec<String> = names.map(str::to_ascii_lowercase).collect();
        names.push("localhost".into());
        let spec = CertificateSpec { dns_sans: names, ..CertificateSpec::default() };
        let server = self.authority.issue(&spec, &self.keys);
        Transport::Tls {
            server: (
                self.scratch.write("server.pem", server.certificate_pem),
                self.scratch.write("server.key", server.key_pem),
            ),
            clients: self.scratch.write("ca.pem", &self.authority.certificate().certificate_pem),
            required: false,
        }
    }

    fn send_all<'a>(&self, plan: &Plan<'a>, envoy: &Envoy) -> Vec<Answer<'a>> {
        let addresses = envoy.listeners();
        let mut answers = Vec::new();
        for (index, (place, group)) in plan.places.iter().enumerate() {
            for vector in &group.vectors {
                let now = i64::try_from(token::now()).expect("a time before the year 292277026596");
                let mint = Mint { keys: &self.keys, authority: &self.authority, now };
                let sent = vector.request.http(mint);
                let id = own_id(&sent).unwrap_or_else(|| format!("vector-{}", answers.len()));
                let client =
                    self.client(Client::plain(addresses[&index.to_string()]), &sent, place);
                let response = client.raw(&bytes(&sent, &id));
                answers.push(Answer { topic: place.topic, vector, id, sent, response });
            }
        }
        answers
    }

    fn client(&self, plain: Client, sent: &HttpRequest, place: &Place<'_>) -> Client {
        let mut client = plain;
        if place.tls {
            let identity = match &sent.peer {
                Peer::Certificate(spec) => {
                    let issued = self.authority.issue(spec, &self.keys);
                    Some(Identity { chain: issued.certificate_pem, key: issued.key_pem })
                }
                Peer::Absent | Peer::Unverified(_) => None,
            };
            let authority = &self.authority.certificate().certificate_pem;
            client = client.with_tls(authority, identity.as_ref());
        }
        if let Some(name) = &sent.server_name {
            client = client.server_name(name);
        }
        if place.proxy_protocol { client.preface(&proxy_line(sent)) } else { client }
    }
}

fn listener(index: usize, place: &Place<'_>, tls: &Transport, bundle: String) -> Listener {
    let mut listener = Listener::lychgate(&index.to_string(), &Value::Null);
    let before: Vec<Value> = serde_json::from_str(&place.metadata).expect("it was JSON before");
    listener.filters = before.into_iter().map(Filter::Other).collect();
    listener.filters.push(Filter::Lychgate(bundle));
    listener.for_cases(place.tls.then_some(tls), place.proxy_protocol)
}

/// The entries of `settings.jwks`.
fn key_sources(bundle: &mut Value) -> impl Iterator<Item = &mut Value> {
    bundle.pointer_mut("/settings/jwks").and_then(Value::as_array_mut).into_iter().flatten()
}

/// How the vectors came out.
#[derive(Default)]
struct Report {
    as_expected: usize,
    /// Vectors with the need `direct`, by what Envoy made of them.
    direct: BTreeMap<String, Vec<String>>,
    wrong: Vec<String>,
}

impl Report {
    fn of(answers: &[Answer<'_>], envoy: &Envoy) -> Self {
        let (mut report, records) = (Self::default(), audit_records(answers, envoy));
        for answer in answers {
            let differences = differences(answer, records.get(&answer.id));
            let is_direct = answer.vector.needs.contains(&Need::Direct);
            let refused_by_envoy = !records.contains_key(&answer.id) && !answer.is_let_through();
            if differences.is_empty() {
                report.as_expected += 1;
            } else if is_direct && refused_by_envoy {
                let what = format!("Envoy itself answered {}", answer.response.status);
                report.direct.entry(what).or_default().push(answer.vector.name.clone());
            } else if is_direct && !answer.is_unsafe() {
                let changed = "Envoy changed the request".to_owned();
                let name = format!("{}: {}", answer.vector.name, differences.join("; "));
                report.direct.entry(changed).or_default().push(name);
            } else {
                report.wrong.push(answer.tell(&differences, records.get(&answer.id)));
            }
        }
        report
    }

    fn print(&self, plan: &Plan<'_>, total: usize) {
        println!("{total:>5} vectors");
        println!("{:>5} came out as expected", self.as_expected);
        for (need, names) in &plan.left_out {
            println!("{:>5} not sent, need {need:?}", names.len());
            names.iter().for_each(|name| println!("          {name}"));
        }
        for (what, names) in &self.direct {
            println!("{:>5} need Direct: {what}", names.len());
            names.iter().for_each(|name| println!("          {name}"));
        }
        println!("{:>5} wrong", self.wrong.len());
    }
}

/// The audit records by correlation id. The log may be a moment behind the last answer.
fn audit_records(answers: &[Answer<'_>], envoy: &Envoy) -> BTreeMap<String, Value> {
    let mut records = BTreeMap::new();
    let last = answers.iter().rfind(|answer| !answer.vector.needs.contains(&Need::Direct));
    envoy.wait("the last audit record", |envoy| {
        let id = |record: &Value| record["correlation_id"].as_str().unwrap_or("none").to_owned();
        records = envoy.audit().into_iter().map(|record| (id(&record), record)).collect();
        last.is_none_or(|last| records.contains_key(&last.id))
    });
    records
}

impl Answer<'_> {
    fn is_let_through(&self) -> bool {
        self.response.status == 200
    }

    /// Whether the upstream saw what it must not see.
    fn is_unsafe(&self) -> bool {
        let refuses = self.vector.expect.verdict == "deny" && !self.vector.expect.shadow;
        self.is_let_through() && refuses && !self.connection_was_consumed()
    }

    /// Envoy takes `Connection` away before any filter, with the headers that it names, so what a
    /// filter sets later can't be named any more.
    fn connection_was_consumed(&self) -> bool {
        let named = values(&self.sent.headers, "connection").join(",");
        let received = self.response.json();
        let lines: Vec<_> = received["headers"].as_array().into_iter().flatten().collect();
        let sent = |name: &str| values(&self.sent.headers, name.trim());
        let survived = |name: &str| {
            lines.iter().any(|line| line[0] == *name.trim() && sent(name).contains(&text(&line[1])))
        };
        !named.is_empty()
            && !lines.iter().any(|line| line[0] == "connection")
            && !named.split(',').any(survived)
    }

    fn tell(&self, differences: &[String], record: Option<&Value>) -> String {
        let mut sent = String::from_utf8_lossy(&bytes(&self.sent, &self.id)).into_owned();
        if let Some((end, _)) = sent.char_indices().nth(600) {
            sent.truncate(end);
        }
        let mut text = format!("{}: {}\n", self.topic, self.vector.name);
        let record = record.map_or("no audit record".to_owned(), Value::to_string);
        let _ = writeln!(text, "    {}\n    {record}\n    {sent:?}", differences.join("; "));
        text
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn differences(answer: &Answer<'_>, record: Option<&Value>) -> Vec<String> {
    let (expect, response) = (&answer.vector.expect, &answer.response);
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: &Value, got: &Value| {
        if expected != got {
            found.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let record = record.unwrap_or(&Value::Null);
    compare("verdict", &json!(expect.verdict), &record["verdict"]);
    compare("reason", &json!(expect.reason), &record["reason"]);
    compare("status", &json!(expect.status), &record["status"]);
    if let Some(policy) = &expect.policy {
        compare("policy", &json!(policy), &record["policy"]);
    }
    let status = if expect.shadow { 200 } else { expect.status };
    compare("answer", &json!(status), &json!(response.status));
    if let Some(challenge) = &expect.challenge {
        compare("challenge", &json!(challenge), &json!(response.header("www-authenticate")));
    }
    if expect.upstream.is_some() {
        found.extend(upstream_differences(answer));
    }
    found
}

fn upstream_differences(answer: &Answer<'_>) -> Vec<String> {
    let (mut found, received) = (Vec::new(), answer.response.json());
    let Some(expect) = &answer.vector.expect.upstream else { return found };
    let arrived = |wanted: &str| -> Vec<String> {
        let lines = received["headers"].as_array().into_iter().flatten();
        let named = lines.filter(|line| line[0].as_str() == Some(&wanted.to_ascii_lowercase()));
        named.map(|line| text(&line[1])).collect()
    };
    for (name, value) in &expect.present {
        if arrived(name) != [value.clone()] {
            found.push(format!("{name}: expected {value:?} once, got {:?}", arrived(name)));
        }
    }
    for name in &expect.absent {
        if !arrived(name).is_empty() {
            found.push(format!("{name}: expected none, got {:?}", arrived(name)));
        }
    }
    for name in &expect.unchanged {
        let sent = values(&answer.sent.headers, name);
        if arrived(name) != sent {
            found.push(format!("{name}: expected {sent:?}, got {:?}", arrived(name)));
        }
    }
    if let Some(path) = &expect.path
        && received["path"] != json!(path)
    {
        found.push(format!("path: expected {path}, got {}", received["path"]));
    }
    found
}
