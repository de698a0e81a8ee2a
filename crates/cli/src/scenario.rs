//! A request, its caller and its time, as people write them, and as core wants them.

mod spec;
mod token;

use lychgate_core::decision::Decision;
use lychgate_core::engine::{Engine, Examined};
use lychgate_core::request::{Connection, HeaderLine, Lines, MetadataValue, Metadatum, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;

use crate::subject::KeyStore;

pub(crate) use spec::{MintedToken, PeerSpec, RequestSpec, Time, TokenPlace, TokenSpec};
pub(crate) use token::{Algorithm, KeyRing, TokenError};

/// A request that can be decided about as often as one likes.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: Option<String>,
    /// Header lines, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) peer: Peer,
    pub(crate) connection: Connection<'static>,
    pub(crate) server_name: Option<String>,
    pub(crate) metadata: Vec<Metadatum>,
    pub(crate) now: UnixTime,
}

impl Scenario {
    /// A request without a token.
    pub(crate) fn new(request: &RequestSpec, peer: Peer, now: UnixTime) -> Self {
        let headers = request.headers.0.iter();
        let lines = headers
            .flat_map(|(name, values)| values.0.iter().map(|value| (name.clone(), value.clone())));
        Self {
            method: request.method.clone().unwrap_or_else(|| "GET".to_owned()),
            target: request.path.clone().unwrap_or_else(|| "/".to_owned()),
            host: Some(request.host.clone().unwrap_or_else(|| "localhost".to_owned()))
                .filter(|host| !host.is_empty()),
            headers: lines.collect(),
            peer,
            connection: Connection {
                source_ip: request.source_ip,
                remote_ip: request.remote_ip,
                destination_ip: request.destination_ip,
                destination_port: request.port,
                server_name: None,
            },
            server_name: request.server_name.clone(),
            metadata: metadata(request),
            now,
        }
    }

    /// Puts a token where `place` says, `Authorization: Bearer` if it says nothing.
    pub(crate) fn carry(&mut self, token: &str, place: Option<&TokenPlace>) {
        let none = TokenPlace::default();
        let place = place.unwrap_or(&none);
        if let Some(parameter) = &place.parameter {
            let mark = if self.target.contains('?') { '&' } else { '?' };
            self.target.push_str(&format!("{mark}{parameter}={token}"));
        } else if let Some(cookie) = &place.cookie {
            self.headers.push(("cookie".to_owned(), format!("{cookie}={token}")));
        } else if let Some(header) = &place.header {
            let prefix = place.prefix.as_deref().unwrap_or_default();
            self.headers.push((header.clone(), format!("{prefix}{token}")));
        } else {
            self.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
    }

    /// Decides.
    pub(crate) fn decide(&self, engine: &Engine, store: &mut KeyStore) -> Decision {
        let KeyStore { keys, cache } = store;
        self.show(|request| engine.decide(request, self.now, keys, cache, &Portable))
    }

    /// Shows what the policies see; none if the request is refused before policy.
    pub(crate) fn examine<T>(
        &self,
        engine: &Engine,
        store: &mut KeyStore,
        look: impl FnOnce(Examined<'_>) -> T,
    ) -> Option<T> {
        let KeyStore { keys, cache } = store;
        self.show(|request| engine.examine(request, self.now, (keys, cache), &Portable, look))
    }

    fn show<T>(&self, look: impl FnOnce(&Request<'_>) -> T) -> T {
        let lines = self.headers.iter();
        let headers: Vec<_> = lines
            .map(|(name, value)| HeaderLine { name: name.as_bytes(), value: value.as_bytes() })
            .collect();
        look(&Request {
            method: self.method.as_bytes(),
            target: self.target.as_bytes(),
            authority: self.host.as_deref().map(str::as_bytes),
            headers: &headers,
            lines: Lines::Separate,
            peer: &self.peer,
            connection: Connection {
                server_name: self.server_name.as_deref().map(str::as_bytes),
                ..self.connection
            },
            metadata: &self.metadata,
        })
    }
}

fn metadata(request: &RequestSpec) -> Vec<Metadatum> {
    let filters = request.metadata.0.iter();
    let all = filters.flat_map(|(filter, keys)| keys.0.iter().map(move |entry| (filter, entry)));
    let datum =
        |(filter, (key, values)): (&String, &(String, crate::shape::OneOrMany))| Metadatum {
            filter: filter.clone(),
            key: key.clone(),
            value: match values.0.as_slice() {
                [one] => MetadataValue::Text(one.clone()),
                several => MetadataValue::List(several.to_vec()),
            },
        };
    all.map(datum).collect()
}
