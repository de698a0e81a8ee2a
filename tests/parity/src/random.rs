//! Questions from a seed: the policies and requests of `tests/istio-parity`, with real tokens.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use lychgate_harness::{CertificateSpec, HttpRequest, Peer};
use lychgate_istio_parity::case::{Form, PeerNames, RequestModel, Setup, Token, now};
use lychgate_istio_parity::generate;
use lychgate_istio_parity::random::Random;
use lychgate_istio_parity::rbac::PeerForm;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::question::{Case, Group, Source};

/// How many requests each set of policies answers.
pub const REQUESTS: usize = 20;

/// The keys of every issuer, and how often each signs, of a hundred times: RSA takes long to sign.
const SIGNERS: [(&str, &str, usize); 3] =
    [("ed-1", "EdDSA", 60), ("ec-1", "ES256", 32), ("rsa-1", "RS256", 8)];

/// The time of decisions whose clock is set.
const NOW: i64 = 1_800_000_000;

/// How far the time of a decision is from that for which its tokens were made, in seconds: the
/// tokens of the generator expire or start in a day, or expired a day ago.
const MOMENTS: [i64; 12] =
    [0, 86_339, 86_340, 86_341, 86_399, 86_400, 86_459, 86_460, 86_461, -86_339, -86_340, -86_341];

/// So near to the generator's clock, in seconds, are the times that it means.
const NEAR: u64 = 10 * 86_400;

/// A request with all that was chosen at random.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RandomRequest {
    /// The request.
    pub model: RequestModel,
    /// Which key signs each token.
    pub signers: Vec<usize>,
    /// How much earlier than the decision its tokens were made, in seconds.
    pub age: i64,
    /// Whether a host has joined its header lines.
    pub joined: bool,
}

/// A set of policies and its requests, as it can be written down and made smaller.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RandomGroup {
    /// The policies.
    pub setup: Setup,
    /// The time, see [`Group::now`].
    pub now: Option<i64>,
    /// The requests.
    pub requests: Vec<RandomRequest>,
}

impl RandomGroup {
    /// That of this turn, see [`generate::group`].
    #[must_use]
    pub fn next(random: &mut Random, turn: usize) -> Self {
        let generate::Group { setups, requests } = generate::group(random, turn, REQUESTS);
        let setup = carried(setups[random.below(setups.len())].clone());
        let now = random.percent(30).then_some(NOW);
        let request = |model| {
            let model = sent(model);
            RandomRequest {
                signers: model.tokens.iter().map(|_| signer(random)).collect(),
                model,
                age: if now.is_some() { MOMENTS[random.below(MOMENTS.len())] } else { 0 },
                joined: random.percent(10),
            }
        };
        Self { requests: requests.into_iter().map(request).collect(), setup, now }
    }

    /// The questions; `number` makes their names.
    #[must_use]
    pub fn group(&self, lab: &Lab, number: usize) -> Group {
        let mut setup = self.setup.clone();
        let names: Vec<Value> = SIGNERS.iter().map(|(name, ..)| json!(name)).collect();
        for rule in &mut setup.jwt_rules {
            rule.jwks = Some(lab.keys.public_set(&names));
        }
        let case = |(index, request): (usize, &RandomRequest)| Case {
            name: format!("random-{number}-{index}"),
            source: Source::Random(Box::new(request.clone())),
            direct: false,
        };
        Group {
            bundle: setup.bundle(),
            keys: BTreeMap::new(),
            now: self.now,
            broken_verifier: false,
            cases: self.requests.iter().enumerate().map(case).collect(),
        }
    }
}

fn signer(random: &mut Random) -> usize {
    random.weighted(&SIGNERS.map(|(_, _, weight)| weight))
}

/// The policies as all hosts can enforce them: the peer is that of a connection, its address is no
/// header's word, and the keys of tokens are public.
fn carried(mut setup: Setup) -> Setup {
    setup.peers = PeerForm::Certificate;
    setup.forwarded = false;
    setup.key = SIGNERS[0].0.into();
    setup
}

/// The request as all hosts can be told of it: one address, which is that of the peer and of the
/// client, and nothing of other filters.
fn sent(mut model: RequestModel) -> RequestModel {
    let here = "10.0.0.1".parse().ok();
    model.source_ip = model.source_ip.or(here);
    model.remote_ip = model.source_ip;
    // Both addresses of a PROXY header are of one family.
    let is_six = |ip: Option<core::net::IpAddr>| ip.is_some_and(|ip| ip.is_ipv6());
    if model.destination_ip.is_none() || is_six(model.destination_ip) != is_six(model.source_ip) {
        model.destination_ip = model.source_ip;
    }
    model.destination_port = model.destination_port.or(Some(443));
    // Whoever shows a certificate names a server too: clients in TLS do.
    if model.peer.is_some() && model.server_name.is_none() {
        model.server_name = Some("localhost".into());
    }
    model.metadata.clear();
    model
}

impl RandomRequest {
    /// The request, with tokens for that time.
    #[must_use]
    pub fn http(&self, lab: &Lab, now: i64) -> HttpRequest {
        let minted: Vec<String> = (self.model.tokens.iter().zip(&self.signers))
            .map(|(token, signer)| compact(lab, token, *signer, now - self.age))
            .collect();
        let place = |text: &str| {
            let number = |text: String, (index, token): (usize, &String)| {
                text.replace(&format!("{{token:{index}}}"), token)
            };
            minted.iter().enumerate().fold(text.to_owned(), number).into_bytes()
        };
        let model = &self.model;
        let headers = model.headers.iter().map(|(n, v)| (n.clone().into_bytes(), place(v)));
        let headers = headers.collect();
        let certificate = |names: &PeerNames| CertificateSpec {
            uri_sans: names.uris.clone(),
            dns_sans: names.hosts.clone(),
            ..Default::default()
        };
        HttpRequest {
            method: model.method.clone().into_bytes(),
            target: place(&model.target),
            authority: model.authority.clone().map(String::into_bytes),
            headers: if self.joined { joined(headers) } else { headers },
            joined: self.joined,
            peer: model
                .peer
                .as_ref()
                .map_or(Peer::Absent, |names| Peer::Certificate(certificate(names))),
            source_ip: model.source_ip,
            remote_ip: model.remote_ip,
            destination_ip: model.destination_ip,
            destination_port: model.destination_port,
            server_name: model.server_name.clone(),
            metadata: Vec::new(),
        }
    }
}

/// The token, its times moved from the generator's clock to that time.
fn compact(lab: &Lab, token: &Token, signer: usize, time: i64) -> String {
    let (key, algorithm, _) = SIGNERS[signer];
    let mut claims = token.claims.clone();
    for name in ["exp", "nbf", "iat"] {
        let meant = i64::try_from(now()).expect("a time");
        let then = claims.get(name).and_then(Value::as_i64);
        // Any other number is a number like any other: moved, it might lose its sign on one host.
        if let Some(then) = then.filter(|then| then.abs_diff(meant) < NEAR) {
            claims.insert(name.into(), json!(then - meant + time));
        }
    }
    let header = match token.form {
        Form::NoKid => json!({ "alg": algorithm, "typ": "JWT" }),
        Form::UnknownKid => json!({ "alg": algorithm, "kid": "nobody", "typ": "JWT" }),
        Form::Unsigned => json!({ "alg": "none", "typ": "JWT" }),
        Form::Genuine | Form::Forged | Form::Altered => {
            json!({ "alg": algorithm, "kid": key, "typ": "JWT" })
        }
    };
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let head = encode(header.to_string().as_bytes());
    let message = format!("{head}.{}", encode(json!(claims).to_string().as_bytes()));
    let key = lab.keys.key(key);
    let mut signature = key.sign(key.usual_algorithm(), message.as_bytes());
    match token.form {
        Form::Unsigned => return format!("{message}."),
        Form::Forged => signature[20] ^= 1,
        Form::Altered => {
            claims.insert("altered".into(), json!(true));
            let other = encode(json!(claims).to_string().as_bytes());
            return format!("{head}.{other}.{}", encode(&signature));
        }
        Form::Genuine | Form::NoKid | Form::UnknownKid => {}
    }
    format!("{message}.{}", encode(&signature))
}

/// Lines of the same name in one, as Fetch joins them.
fn joined(lines: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut joined: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (name, value) in lines {
        match joined.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            Some((_, values)) => {
                values.extend_from_slice(if name == b"cookie" { b"; " } else { b", " });
                values.extend(value);
            }
            None => joined.push((name, value)),
        }
    }
    joined
}
