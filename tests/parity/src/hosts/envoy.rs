//! A real Envoy with the filter as it ships: the record is read from its log, the reply from the
//! wire.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use lychgate_harness::{CertificateSpec, HttpRequest, Peer};
use lychgate_tests_envoy::jwks::Behaviour;
use lychgate_tests_envoy::wire::{bytes, proxy_line, values};
use lychgate_tests_envoy::{
    Client, Envoy, Filter, Identity, JwksServer, Listener, Response, Scratch, Setup, Transport,
    Upstream,
};
use serde_json::Value;

use super::{Host, Native};
use crate::answer::{Answer, Sent};
use crate::lab::Lab;
use crate::question::{Case, Group, own_id};

/// So many groups share a process: a listener costs memory.
const LISTENERS: usize = 300;

/// So many looks at the log without anything new end the reading.
const QUIET: u32 = 10;

/// Envoy.
#[derive(Debug)]
pub struct EnvoyHost {
    upstream: Upstream,
    scratch: Scratch,
}

/// What must be the same for requests that share a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    group: usize,
    tls: bool,
    addresses: bool,
}

/// The listeners, each with its cases.
#[derive(Default)]
struct Plan {
    places: BTreeMap<Place, Vec<usize>>,
    /// The names in TLS handshakes.
    names: BTreeSet<String>,
}

/// A request that was answered.
struct Answered {
    group: usize,
    case: usize,
    id: String,
    response: Response,
}

impl EnvoyHost {
    /// Its name.
    pub const NAME: &str = "envoy";
}

impl Default for EnvoyHost {
    fn default() -> Self {
        Self { upstream: Upstream::start(), scratch: Scratch::new("parity") }
    }
}

impl Host for EnvoyHost {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn is_server(&self) -> bool {
        true
    }

    fn answers(&mut self, lab: &Lab, groups: &[Group]) -> Vec<Vec<Answer>> {
        groups.chunks(LISTENERS).flat_map(|groups| self.batch(lab, groups)).collect()
    }
}

impl EnvoyHost {
    fn batch(&self, lab: &Lab, groups: &[Group]) -> Vec<Vec<Answer>> {
        let mut plan = Plan::default();
        let mut answers = plan.add_all(lab, groups);
        let places = &plan.places;
        if places.is_empty() {
            return answers;
        }
        let (setup, sets, _servers) = self.setup(lab, groups, &plan);
        let envoy = Envoy::start(&setup);
        envoy.wait("keys", |e| e.stat("wasmcustom.lychgate.keys.fetched") >= sets);
        let answered = self.send(lab, groups, places, &envoy);
        let mut records = records(&envoy, &answered);
        for Answered { group, case, id, response } in answered {
            answers[group][case] = match records.remove(&id) {
                Some(record) => decided(&record, &response),
                None if groups[group].cases[case].direct || response.status == 400 => {
                    Answer::NotCarried(format!("Envoy itself answers {}", response.status))
                }
                None => Answer::Record(format!("no record, answer {}", response.status)),
            };
        }
        answers
    }

    fn setup(&self, lab: &Lab, groups: &[Group], plan: &Plan) -> (Setup, u64, Vec<JwksServer>) {
        let (tls, mut servers, mut sets) = (self.tls(lab, &plan.names), Vec::new(), 0);
        let mut setup = Setup::new(Vec::new()).cluster("upstream", self.upstream.address());
        let mut known = BTreeSet::new();
        for (index, place) in plan.places.keys().enumerate() {
            let group = &groups[place.group];
            for (cluster, uri) in sources(&group.bundle) {
                if known.insert(cluster.clone()) {
                    let set = group.keys.get(&uri);
                    sets += u64::from(set.is_some());
                    let answer = |set: &String| Behaviour::Answer(200, set.clone().into_bytes());
                    servers.push(JwksServer::start(set.map_or(Behaviour::HangUp, answer)));
                    let address = servers.last().expect("just started").address();
                    setup = setup.cluster(&cluster, address);
                }
            }
            setup.listeners.push(listener(index, *place, &tls, &group.bundle));
        }
        (setup, sets, servers)
    }

    /// A TLS listener that takes certificates of the authority, under every name that is asked for.
    fn tls(&self, lab: &Lab, names: &BTreeSet<String>) -> Transport {
        let names = names.iter().cloned().chain(["localhost".to_owned()]).collect();
        let spec = CertificateSpec { dns_sans: names, ..CertificateSpec::default() };
        let server = lab.authority.issue(&spec, &lab.keys);
        Transport::Tls {
            server: (
                self.scratch.write("server.pem", server.certificate_pem),
                self.scratch.write("server.key", server.key_pem),
            ),
            clients: self.scratch.write("ca.pem", &lab.authority.certificate().certificate_pem),
            required: false,
        }
    }

    fn send(
        &self,
        lab: &Lab,
        groups: &[Group],
        places: &BTreeMap<Place, Vec<usize>>,
        envoy: &Envoy,
    ) -> Vec<Answered> {
        let (addresses, mut answered) = (envoy.listeners(), Vec::new());
        let mut clients = BTreeMap::new();
        for (index, (place, cases)) in places.iter().enumerate() {
            // Envoy goes by the clock, and may have taken its time to start.
            lab.catch_up();
            for case in cases {
                let request = groups[place.group].cases[*case].request(lab, lab.now());
                let plain = Client::plain(addresses[&index.to_string()]);
                let new = || client(lab, plain.clone(), &request, place.tls);
                let who = (index, request.peer.clone());
                let mut client: Client = Client::clone(clients.entry(who).or_insert_with(new));
                if let Some(name) = &request.server_name {
                    client = client.server_name(name);
                }
                if place.addresses {
                    client = client.preface(&proxy_line(&request));
                }
                let id = own_id(&request).unwrap_or_default();
                let response = client.raw(&bytes(&request, &id));
                answered.push(Answered { group: place.group, case: *case, id, response });
            }
        }
        answered
    }
}

impl Plan {
    /// Finds a listener for each case; answers for those that have none.
    fn add_all(&mut self, lab: &Lab, groups: &[Group]) -> Vec<Vec<Answer>> {
        let add = |(index, group): (usize, &Group)| {
            let why = left_out_together(group);
            let cases = group.cases.iter().enumerate();
            let add = |(number, case): (usize, &Case)| {
                let why = why
                    .or_else(|| self.add(index, number, &case.name, &case.request(lab, lab.now())));
                Answer::NotCarried(why.unwrap_or_default().to_owned())
            };
            cases.map(add).collect()
        };
        groups.iter().enumerate().map(add).collect()
    }

    fn add(
        &mut self,
        group: usize,
        case: usize,
        name: &str,
        request: &HttpRequest,
    ) -> Option<&'static str> {
        let why = left_out(name, request);
        if why.is_none() {
            self.places.entry(place(group, request)).or_default().push(case);
            self.names.extend(request.server_name.as_ref().map(|name| name.to_ascii_lowercase()));
        }
        why
    }
}

/// Why a whole group can't be asked.
fn left_out_together(group: &Group) -> Option<&'static str> {
    if group.now.is_some() {
        Some("a clock that can be set")
    } else if group.broken_verifier {
        Some("a crypto library that can't answer")
    } else if !Native::loads(group) {
        Some("a bundle that is refused: no listener would have it")
    } else {
        None
    }
}

/// Why a case can't be asked.
fn left_out(name: &str, request: &HttpRequest) -> Option<&'static str> {
    let is_there = |header: &str| !values(&request.headers, header).is_empty();
    if matches!(request.peer, Peer::Unverified(_)) {
        Some("a peer whose certificate is not verified: Envoy closes the connection")
    } else if request.joined {
        Some("lines that a host has joined")
    } else if !request.metadata.is_empty() {
        Some("metadata of other filters")
    } else if own_id(request).as_deref() != Some(name)
        || ["traceparent", "b3", "x-b3-traceid"].into_iter().any(is_there)
    {
        Some("a correlation id of its own, by which its record would be looked for")
    } else {
        None
    }
}

fn place(group: usize, request: &HttpRequest) -> Place {
    let HttpRequest { source_ip, remote_ip, destination_ip, destination_port, .. } = request;
    let ips = [source_ip, remote_ip, destination_ip];
    Place {
        group,
        tls: request.peer != Peer::Absent || request.server_name.is_some(),
        addresses: ips.iter().any(|ip| ip.is_some()) || destination_port.is_some(),
    }
}

fn listener(index: usize, place: Place, tls: &Transport, bundle: &str) -> Listener {
    let mut listener = Listener::lychgate(&index.to_string(), &Value::Null);
    listener.filters = vec![Filter::Lychgate(bundle.to_owned())];
    listener.for_cases(place.tls.then_some(tls), place.addresses)
}

fn client(lab: &Lab, plain: Client, request: &HttpRequest, tls: bool) -> Rc<Client> {
    if !tls {
        return Rc::new(plain);
    }
    let identity = lab.issued(&request.peer).map(|issued| Identity {
        chain: issued.certificate_pem.clone(),
        key: issued.key_pem.clone(),
    });
    let authority = &lab.authority.certificate().certificate_pem;
    Rc::new(plain.with_tls(authority, identity.as_ref()))
}

/// The remote sources of a bundle: cluster and URI.
fn sources(bundle: &str) -> Vec<(String, String)> {
    let bundle: Value = serde_json::from_str(bundle).expect("a bundle is JSON");
    let sources = bundle.pointer("/settings/jwks").and_then(Value::as_array);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pair = |source: &Value| (text(&source["cluster"]), text(&source["uri"]));
    sources.into_iter().flatten().map(pair).collect()
}

/// The audit records by correlation id. The log may be a moment behind the last answer, and what
/// Envoy refuses by itself has none: reading ends when nothing more comes.
fn records(envoy: &Envoy, answered: &[Answered]) -> BTreeMap<String, Value> {
    let (mut records, mut quiet) = (BTreeMap::new(), 0);
    while quiet < QUIET {
        std::thread::sleep(Duration::from_millis(50));
        let before = records.len();
        let id = |record: &Value| record["correlation_id"].as_str().unwrap_or("none").to_owned();
        records = envoy.audit().into_iter().map(|record| (id(&record), record)).collect();
        quiet = if records.len() > before { 0 } else { quiet + 1 };
        if answered.iter().all(|answered| records.contains_key(&answered.id)) {
            break;
        }
    }
    records
}

fn decided(record: &Value, response: &Response) -> Answer {
    let refuses = record["verdict"] == "deny" && record["shadow"] == false;
    let sent = refuses.then(|| Sent {
        status: response.status,
        headers: response.headers.clone(),
        body: String::from_utf8_lossy(&response.body).into_owned(),
    });
    Answer::decided(&record.to_string(), sent.as_ref())
}
