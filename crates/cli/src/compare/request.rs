//! From choices to a request.

use lychgate_core::json::{Bounds, Document};
use lychgate_core::policy::Facts;
use lychgate_core::request::{Connection, HeaderLine, Lines};
use lychgate_core::spiffe::{Peer, SpiffeId};
use lychgate_core::time::UnixTime;
use serde_json::{Map, json};

use super::candidates::{Thing, Things, Value};
use crate::scenario::{MintedToken, PeerSpec, RequestSpec, Scenario};
use crate::shape::{self, Json, OneOrMany};
use crate::subject::Subject;

const BOUNDS: Bounds = Bounds { bytes: 1024 * 1024, depth: 16, members: 4096 };

/// 2026-01-01T00:00:00Z.
const NOW: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// A request, by what was chosen for each thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) peer: Option<String>,
    /// Issuer, and the subject if there is one.
    pub(crate) principal: Option<(String, Option<String>)>,
    pub(crate) claims: Vec<(Vec<String>, Vec<String>)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) source_ip: Option<String>,
    pub(crate) remote_ip: Option<String>,
    pub(crate) destination_ip: Option<String>,
    pub(crate) server_name: Option<String>,
}

impl Witness {
    /// The request of one choice for each thing.
    pub(super) fn of(things: &Things, choice: &[usize]) -> Self {
        let mut witness = Self { method: "GET".into(), path: "/".into(), ..Self::default() };
        for ((thing, values), index) in things.iter().zip(choice) {
            if let Some(value) = values.get(*index) {
                witness.set(thing, value);
            }
        }
        witness
    }

    /// The request in which only one thing is chosen.
    pub(super) fn only(thing: &Thing, value: &Value) -> Self {
        let mut witness = Self { method: "GET".into(), path: "/".into(), ..Self::default() };
        if matches!(thing, Thing::Claim(_)) {
            witness.principal = Some(("issuer".into(), None));
        }
        witness.set(thing, value);
        witness
    }

    fn set(&mut self, thing: &Thing, value: &Value) {
        let first = value.as_ref().and_then(|value| value.first()).cloned();
        match thing {
            Thing::Method => self.method = first.unwrap_or_default(),
            Thing::Path => self.path = first.unwrap_or_default(),
            Thing::Host => self.host = first,
            Thing::Port => self.port = first.and_then(|port| port.parse().ok()),
            Thing::Peer => self.peer = first,
            Thing::Principal => {
                let subject = value.as_ref().and_then(|value| value.get(1)).cloned();
                self.principal = first.map(|issuer| (issuer, subject));
            }
            Thing::Claim(path) => {
                self.claims.extend(value.clone().map(|values| (path.clone(), values)));
            }
            Thing::Header(name) => self.headers.extend(first.map(|line| (name.clone(), line))),
            Thing::SourceIp => self.source_ip = first,
            Thing::RemoteIp => self.remote_ip = first,
            Thing::DestinationIp => self.destination_ip = first,
            Thing::ServerName => self.server_name = first,
            Thing::Other => {}
        }
    }

    /// The claims as one object.
    fn claims(&self) -> Map<String, serde_json::Value> {
        let mut claims = Map::new();
        for (path, values) in &self.claims {
            let value = match values.as_slice() {
                [one] => json!(one),
                several => json!(several),
            };
            let Some((last, outer)) = path.split_last() else { continue };
            let mut object = &mut claims;
            for name in outer {
                let inner = object.entry(name.clone()).or_insert_with(|| json!({}));
                if !inner.is_object() {
                    *inner = json!({});
                }
                match inner.as_object_mut() {
                    Some(inner) => object = inner,
                    None => return claims,
                }
            }
            object.insert(last.clone(), value);
        }
        claims
    }

    /// Shows the facts of this request, as policies would see them.
    pub(super) fn with_facts<T>(&self, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        let mut claims = self.claims();
        if let Some((issuer, subject)) = &self.principal {
            claims.insert("iss".to_owned(), json!(issuer));
            claims.extend(subject.as_ref().map(|subject| ("sub".to_owned(), json!(subject))));
        }
        let document = Document::parse(json!(claims).to_string().as_bytes(), &BOUNDS).ok();
        let claims = document.as_ref().and_then(|document| document.root().as_object());
        let peer = self.peer.as_ref();
        let peer = peer.and_then(|id| SpiffeId::parse(format!("spiffe://{id}").as_bytes()).ok());
        let headers: Vec<HeaderLine<'_>> = self
            .headers
            .iter()
            .map(|(name, value)| HeaderLine { name: name.as_bytes(), value: value.as_bytes() })
            .collect();
        let address = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        look(&Facts {
            method: self.method.as_bytes(),
            path: Some(&self.path),
            host: Some(self.host.as_deref().unwrap_or("localhost")),
            headers: &headers,
            lines: Lines::Separate,
            connection: Connection {
                source_ip: address(&self.source_ip),
                remote_ip: address(&self.remote_ip),
                destination_ip: address(&self.destination_ip),
                destination_port: self.port,
                server_name: self.server_name.as_deref().map(str::as_bytes),
            },
            peer: peer.as_ref(),
            issuer: self.principal.as_ref().map(|(issuer, _)| issuer.as_str()),
            subject: self.principal.as_ref().and_then(|(_, subject)| subject.as_deref()),
            claims: claims.filter(|_| self.principal.is_some()),
            unclear_headers: &[],
            space_delimited: &[],
            metadata: &[],
        })
    }

    /// The request for an engine, with a token that its policy accepts; none if it can't be made.
    pub(super) fn scenario(&self, subject: &mut Subject) -> Option<Scenario> {
        let address = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        let lines = self.headers.iter();
        let lines = lines.map(|(name, value)| (name.clone(), OneOrMany(vec![value.clone()])));
        let request = RequestSpec {
            method: Some(self.method.clone()),
            path: Some(self.path.clone()),
            host: self.host.clone(),
            headers: shape::Map(lines.collect()),
            port: self.port,
            source_ip: address(&self.source_ip),
            remote_ip: address(&self.remote_ip),
            destination_ip: address(&self.destination_ip),
            server_name: self.server_name.clone(),
            ..RequestSpec::default()
        };
        let peer = match &self.peer {
            Some(id) => PeerSpec::parse(id).ok()?.0,
            None => Peer::Absent,
        };
        let mut scenario = Scenario::new(&request, peer, NOW);
        if let Some((issuer, name)) = &self.principal {
            let mut claims = self.claims();
            claims.insert("iss".to_owned(), json!(issuer));
            claims.extend(name.as_ref().map(|name| ("sub".to_owned(), json!(name))));
            let audience = subject.ring.audience(issuer).map(|audience| json!(audience));
            if let (Some(audience), false) = (audience, claims.contains_key("aud")) {
                claims.insert("aud".to_owned(), audience);
            }
            let claims = claims.into_iter().map(|(name, value)| (name, Json(value)));
            let spec =
                MintedToken { claims: shape::Map(claims.collect()), ..MintedToken::default() };
            let token = subject.ring.mint(&spec, NOW).ok()?;
            scenario.carry(&token, None);
        }
        Some(scenario)
    }
}

impl core::fmt::Display for Witness {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        let port = self.port.map(|port| port.to_string());
        for (what, value) in [
            (" on ", &self.host),
            (" at port ", &port),
            (" from ", &self.peer),
            (" at address ", &self.source_ip),
            (" by client ", &self.remote_ip),
            (" to ", &self.destination_ip),
            (" for server ", &self.server_name),
        ] {
            if let Some(value) = value {
                write!(f, "{what}{value}")?;
            }
        }
        if self.peer.is_none() {
            f.write_str(" without a peer")?;
        }
        match &self.principal {
            Some((issuer, Some(subject))) => write!(f, ", token of {issuer} for {subject}")?,
            Some((issuer, None)) => write!(f, ", token of {issuer} without a subject")?,
            None => f.write_str(", no token")?,
        }
        for (path, values) in &self.claims {
            write!(f, ", {}={}", path.join("."), values.join(" "))?;
        }
        for (name, value) in &self.headers {
            write!(f, ", {name}: {value}")?;
        }
        Ok(())
    }
}
