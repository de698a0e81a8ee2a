//! Requests as vectors describe them, and as bytes.

use core::net::IpAddr;

use serde::Deserialize;

use crate::certificate::CertificateSpec;
use crate::text::{Mint, TextSpec};
use crate::token::{TokenPlace, TokenSpec};

/// A request as a vector describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    #[serde(default = "get")]
    method: TextSpec,
    #[serde(default = "root")]
    path: TextSpec,
    #[serde(default = "some_host")]
    authority: Option<TextSpec>,
    #[serde(default)]
    headers: Vec<(TextSpec, TextSpec)>,
    #[serde(default)]
    token: Option<TokenSpec>,
    #[serde(default)]
    tokens: Vec<TokenSpec>,
    #[serde(default)]
    peer: Option<PeerSpec>,
    source_ip: Option<IpAddr>,
    remote_ip: Option<IpAddr>,
    destination_ip: Option<IpAddr>,
    destination_port: Option<u16>,
    sni: Option<String>,
    #[serde(default)]
    metadata: Vec<Metadatum>,
}

/// A value that an earlier filter of the host has set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadatum {
    /// The filter.
    pub filter: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: MetadataValue,
}

/// A value of metadata.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum MetadataValue {
    /// A string.
    Text(String),
    /// A list of strings.
    List(Vec<String>),
}

/// Who stands at the other end of the connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerSpec {
    /// A good X.509-SVID with this ID.
    Spiffe(String),
    /// A certificate under the test authority.
    Certificate(CertificateSpec),
    /// A certificate that the host did not verify.
    Unverified(CertificateSpec),
}

/// A request as bytes, the same for every host.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Vec<u8>,
    /// The request target.
    pub target: Vec<u8>,
    /// `Host` or `:authority`.
    pub authority: Option<Vec<u8>>,
    /// The other header lines, in order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether a host has joined lines of the same name before.
    pub joined: bool,
    /// The peer.
    pub peer: Peer,
    /// The physical peer's address, where the vector says it.
    pub source_ip: Option<IpAddr>,
    /// The client's address after trusted hops, where the vector says it.
    pub remote_ip: Option<IpAddr>,
    /// The address connected to, where the vector says it.
    pub destination_ip: Option<IpAddr>,
    /// The port connected to, where the vector says it.
    pub destination_port: Option<u16>,
    /// The name of the TLS handshake, where the vector says it.
    pub server_name: Option<String>,
    /// What earlier filters have set.
    pub metadata: Vec<Metadatum>,
}

/// What the connection's peer presents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// No certificate.
    Absent,
    /// This certificate, under the test authority.
    Certificate(CertificateSpec),
    /// This certificate, but the host could not verify it.
    Unverified(CertificateSpec),
}

impl RequestSpec {
    /// The request itself.
    #[must_use]
    pub fn http(&self, mint: Mint<'_>) -> HttpRequest {
        let mut request = HttpRequest {
            method: self.method.bytes(mint),
            target: self.path.bytes(mint),
            authority: self.authority.as_ref().map(|authority| authority.bytes(mint)),
            headers: Vec::new(),
            joined: false,
            peer: self.peer.as_ref().map_or(Peer::Absent, PeerSpec::peer),
            source_ip: self.source_ip,
            remote_ip: self.remote_ip,
            destination_ip: self.destination_ip,
            destination_port: self.destination_port,
            server_name: self.sni.clone(),
            metadata: self.metadata.clone(),
        };
        for (name, value) in &self.headers {
            request.headers.push((name.bytes(mint), value.bytes(mint)));
        }
        for token in self.token.iter().chain(&self.tokens) {
            request.put(token.place(), token.mint(mint));
        }
        request
    }

    /// The peer that the vector asks for.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer.as_ref().map_or(Peer::Absent, PeerSpec::peer)
    }

    /// What earlier filters have set.
    #[must_use]
    pub fn metadata(&self) -> &[Metadatum] {
        &self.metadata
    }

    /// The name of the TLS handshake, where the vector says it.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.sni.as_deref()
    }

    /// Whether the vector says addresses or ports.
    #[must_use]
    pub fn sets_addresses(&self) -> bool {
        self.source_ip.is_some()
            || self.remote_ip.is_some()
            || self.destination_ip.is_some()
            || self.destination_port.is_some()
    }

    /// Whether the vector says more of the connection than who the peer is.
    #[must_use]
    pub fn sets_connection(&self) -> bool {
        self.sets_addresses() || self.sni.is_some() || !self.metadata.is_empty()
    }
}

impl PeerSpec {
    fn peer(&self) -> Peer {
        match self {
            Self::Spiffe(id) => Peer::Certificate(CertificateSpec {
                uri_sans: vec![id.clone()],
                ..CertificateSpec::default()
            }),
            Self::Certificate(spec) => Peer::Certificate(spec.clone()),
            Self::Unverified(spec) => Peer::Unverified(spec.clone()),
        }
    }
}

impl HttpRequest {
    fn put(&mut self, place: &TokenPlace, token: Vec<u8>) {
        match place {
            TokenPlace::Header { name, prefix } => {
                let value = [prefix.as_bytes(), &token].concat();
                self.headers.push((name.clone().into_bytes(), value));
            }
            TokenPlace::Query { name } => {
                let mark = if self.target.contains(&b'?') { b'&' } else { b'?' };
                self.target.push(mark);
                self.target.extend_from_slice(name.as_bytes());
                self.target.push(b'=');
                self.target.extend(token);
            }
            TokenPlace::Cookie { name } => {
                let value = [name.as_bytes(), b"=", &token].concat();
                self.headers.push((b"cookie".to_vec(), value));
            }
        }
    }
}

fn get() -> TextSpec {
    TextSpec::Plain("GET".into())
}

fn root() -> TextSpec {
    TextSpec::Plain("/".into())
}

#[expect(clippy::unnecessary_wraps, reason = "serde's default has the field's type")]
fn some_host() -> Option<TextSpec> {
    Some(TextSpec::Plain("api.example.com".into()))
}
