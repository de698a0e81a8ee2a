//! Questions from a seed: the policies and requests of `tests/istio-parity`, with real tokens.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use lychgate_harness::{CertificateSpec, HttpRequest, Peer};
use lychgate_istio_parity::case::{NOW, RequestModel, Setup, Token};
use lychgate_istio_parity::generate;
use lychgate_istio_parity::random::Random;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::question::{Case, Group, Source};

/// How many requests each set of policies answers.
pub const REQUESTS: usize = 20;

/// The keys of every issuer, and how often each signs, of a hundred times: RSA takes long to sign.
const SIGNERS: [(&str, &str, usize); 3] =
    [("ed-1", "EdDSA", 60), ("ec-1", "ES256", 32), ("rsa-1", "RS256", 8)];

/// How far the time of a decision is from that for which its tokens were made, in seconds: the
/// tokens of the generator expire after 300, an hour ago, or start in an hour.
const MOMENTS: [i64; 9] = [0, 299, 300, 359, 360, 361, -3600, 3539, 3540];

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
    /// The next one of a stream.
    #[must_use]
    pub fn next(random: &mut Random) -> Self {
        let setup = generate::setup(random);
        let now = random.percent(30).then(|| i64::try_from(NOW).expect("a time"));
        let mut request = || {
            let model = sent(generate::request(random, &setup));
            RandomRequest {
                signers: model.tokens.iter().map(|_| signer(random)).collect(),
                model,
                age: if now.is_some() { MOMENTS[random.below(MOMENTS.len())] } else { 0 },
                joined: random.percent(10),
            }
        };
        let requests = (0..REQUESTS).map(|_| request()).collect();
        Self { setup, now, requests }
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
        let certificate =
            |id: &String| CertificateSpec { uri_sans: vec![id.clone()], ..Default::default() };
        HttpRequest {
            method: model.method.clone().into_bytes(),
            target: place(&model.target),
            authority: model.authority.clone().map(String::into_bytes),
            headers: if self.joined { joined(headers) } else { headers },
            joined: self.joined,
            peer: model.peer.as_ref().map_or(Peer::Absent, |id| Peer::Certificate(certificate(id))),
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
fn compact(lab: &Lab, token: &Token, signer: usize, now: i64) -> String {
    let (key, algorithm, _) = SIGNERS[signer];
    let mut claims = token.claims.clone();
    for name in ["exp", "nbf", "iat"] {
        if let Some(time) = claims.get(name).and_then(Value::as_i64) {
            let moved = time - i64::try_from(NOW).expect("a time") + now;
            claims.insert(name.into(), json!(moved));
        }
    }
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let header = json!({ "alg": algorithm, "kid": key, "typ": "JWT" }).to_string();
    let payload = Value::Object(claims).to_string();
    let message = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let key = lab.keys.key(key);
    let mut signature = key.sign(key.usual_algorithm(), message.as_bytes());
    if !token.genuine {
        signature[20] ^= 1;
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
