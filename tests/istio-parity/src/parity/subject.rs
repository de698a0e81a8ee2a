//! Lychgate's side: the engine with a verifier that believes the test's own signatures.

use std::cell::RefCell;

use lychgate_core::authn::Keys;
use lychgate_core::decision::{Reason, Verdict};
use lychgate_core::engine::{Cache, Engine};
use lychgate_core::request::{Connection, HeaderLine, Lines, MetadataValue, Metadatum, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::{RequestModel, Setup, now};
use crate::oracle::normalize;
use crate::rbac::PeerForm;

/// How a host spells a request to Lychgate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spelling {
    /// As Envoy does: with a path that is normalised, and every header line.
    Normal,
    /// With the path that the client sent.
    Raw,
    /// With lines of the same header joined, as Fetch does.
    Joined,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Raw, Self::Joined];
}

/// Lychgate's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ours {
    /// Whether it lets the request pass.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
    /// What exactly, for a path.
    pub detail: Option<&'static str>,
}

/// An engine with the policies of one setup.
#[derive(Debug)]
pub struct Subject {
    engine: Engine,
    keys: Keys,
    /// One for all requests, so that what is remembered of one could change the answer to another.
    cache: RefCell<Cache>,
}

impl Subject {
    /// Loads the bundle of a setup.
    ///
    /// # Errors
    /// The code and the message with which it was refused.
    pub fn load(setup: &Setup) -> Result<Self, (String, String)> {
        let engine = Engine::load(setup.bundle().as_bytes(), &Portable)
            .map_err(|error| (error.code().to_owned(), error.to_string()))?;
        let keys = Keys::new(engine.key_sources(), 1);
        Ok(Self { engine, keys, cache: RefCell::default() })
    }

    /// What the native core says.
    #[must_use]
    pub fn decide(&self, setup: &Setup, model: &RequestModel, spelling: Spelling) -> Ours {
        let rendered = model.render(setup);
        let target = match spelling {
            Spelling::Raw => rendered.target.clone(),
            Spelling::Normal | Spelling::Joined => normal(&rendered.target),
        };
        let (lines, headers) = match spelling {
            Spelling::Joined => (Lines::Joined, joined(&rendered.headers)),
            Spelling::Raw | Spelling::Normal => (Lines::Separate, rendered.headers),
        };
        let headers: Vec<HeaderLine<'_>> = headers
            .iter()
            .map(|(name, value)| HeaderLine {
                name: name.as_bytes(),
                value: value.trim().as_bytes(),
            })
            .collect();
        let peer = match (&model.peer, setup.peers) {
            (Some(peer), PeerForm::Certificate) => {
                Peer::from_uri_names(peer.uris.iter().map(String::as_bytes))
            }
            (Some(peer), PeerForm::FilterState) => {
                Peer::from_principal(peer.uris.first().map_or(&[][..], |id| id.as_bytes()))
            }
            (None, _) => Peer::Absent,
        };
        let metadata: Vec<Metadatum> = model.metadata.iter().filter_map(metadatum).collect();
        let request = Request {
            method: model.method.as_bytes(),
            target: target.as_bytes(),
            authority: model.authority.as_deref().map(str::as_bytes),
            headers: &headers,
            lines,
            peer: &peer,
            connection: Connection {
                source_ip: model.source_ip,
                remote_ip: model.remote_ip,
                destination_ip: model.destination_ip,
                destination_port: model.destination_port,
                server_name: model.server_name.as_deref().map(str::as_bytes),
            },
            metadata: &metadata,
        };
        let (now, mut cache) = (UnixTime::from_seconds(now()), self.cache.borrow_mut());
        let mut decide = || self.engine.decide(&request, now, &self.keys, &mut cache, &Portable);
        let decision = decide();
        // The third time the request is remembered, for those that come after it.
        for _ in 0..2 {
            assert_eq!(decision.reason(), decide().reason(), "the same request got another answer");
        }
        Ours {
            allowed: decision.verdict() == Verdict::Allow,
            reason: decision.reason(),
            detail: decision.detail(),
        }
    }
}

/// Cookies are joined with semicolons, everything else with commas.
fn joined(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        match joined.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            Some((_, values)) => {
                values.push_str(if name == "cookie" { "; " } else { ", " });
                values.push_str(value.trim());
            }
            None => joined.push((name.clone(), value.trim().to_owned())),
        }
    }
    joined
}

fn normal(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{}?{query}", normalize(path)),
        None => normalize(target),
    }
}

/// Strings and lists of strings; anything else is absent to a policy.
fn metadatum((filter, key, value): &(String, String, Value)) -> Option<Metadatum> {
    let value = match value {
        Value::String(text) => MetadataValue::Text(text.clone()),
        Value::Array(list) => {
            let texts = list.iter().filter_map(Value::as_str);
            MetadataValue::List(texts.map(String::from).collect())
        }
        _ => return None,
    };
    Some(Metadatum { filter: filter.clone(), key: key.clone(), value })
}
