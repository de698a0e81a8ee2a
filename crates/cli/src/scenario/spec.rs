//! How people write a request, its caller and its time.

use core::net::IpAddr;

use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use serde_json::json;

use super::token::Algorithm;
use crate::clock::{self, Span};
use crate::input::{Node, Value};
use crate::shape::{Definitions, Json, Map, OneOrMany, Shape, ShapeError, record, words};

record! {
    /// What a caller sends, and over which connection.
    pub(crate) struct RequestSpec {
        /// The method; `GET` if absent.
        method: Option<String> = optional "method",
        /// The path with its query, as it arrives at the workload; `/` if absent.
        path: Option<String> = optional "path",
        /// The authority, with the port if the client names one; `localhost` if absent, none if empty.
        host: Option<String> = optional "host",
        /// Header lines. A list stands for several lines of the same name.
        headers: Map<OneOrMany> = optional "headers",
        /// The port that the peer connected to.
        port: Option<u16> = optional "port",
        /// The address of the physical peer (`source.ip`, `ipBlocks`).
        source_ip: Option<IpAddr> = optional "sourceIp",
        /// The address of the client behind trusted proxies (`remote.ip`, `remoteIpBlocks`).
        remote_ip: Option<IpAddr> = optional "remoteIp",
        /// The address that the peer connected to (`destination.ip`).
        destination_ip: Option<IpAddr> = optional "destinationIp",
        /// The server name of the TLS handshake (`connection.sni`).
        server_name: Option<String> = optional "serverName",
        /// Metadata of earlier filters, by filter and key.
        metadata: Map<Map<OneOrMany>> = optional "metadata",
    }
}

impl RequestSpec {
    /// This request, and where it says nothing what `defaults` says.
    pub(crate) fn or(&self, defaults: &Self) -> Self {
        let mut headers = self.headers.clone();
        let more = defaults.headers.0.iter();
        let own = |name: &str| self.headers.0.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        headers.0.extend(more.filter(|(name, _)| !own(name)).cloned());
        Self {
            method: self.method.clone().or_else(|| defaults.method.clone()),
            path: self.path.clone().or_else(|| defaults.path.clone()),
            host: self.host.clone().or_else(|| defaults.host.clone()),
            headers,
            port: self.port.or(defaults.port),
            source_ip: self.source_ip.or(defaults.source_ip),
            remote_ip: self.remote_ip.or(defaults.remote_ip),
            destination_ip: self.destination_ip.or(defaults.destination_ip),
            server_name: self.server_name.clone().or_else(|| defaults.server_name.clone()),
            metadata: if self.metadata.0.is_empty() {
                defaults.metadata.clone()
            } else {
                self.metadata.clone()
            },
        }
    }
}

/// Who stands at the other end of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeerSpec(pub(crate) Peer);

impl PeerSpec {
    /// `none`, `unverified`, or a SPIFFE ID with or without its scheme.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let peer = match text {
            "none" => Peer::Absent,
            "unverified" => Peer::unverified(),
            _ => {
                let id = text.strip_prefix("spiffe://").unwrap_or(text);
                Peer::from_principal(format!("spiffe://{id}").as_bytes())
            }
        };
        match peer {
            Peer::Malformed(error) if text != "unverified" => Err(format!(
                "{error}; a peer is a SPIFFE ID such as cluster.local/ns/shop/sa/cart, or `none`, \
                 or `unverified`"
            )),
            Peer::Absent | Peer::Malformed(_) | Peer::Verified(_) => Ok(Self(peer)),
        }
    }
}

impl Shape for PeerSpec {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        Self::parse(&String::read(node)?).map_err(|message| ShapeError::new(node, message))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({
            "type": "string",
            "examples": ["cluster.local/ns/shop/sa/cart", "none", "unverified"],
        })
    }
}

/// The token that a request carries.
#[derive(Debug, Clone)]
pub(crate) enum TokenSpec {
    /// None.
    None,
    /// This one, as it is.
    Literal(String),
    /// The one of that name in the file's `tokens`.
    Named(String),
    /// One to make.
    Minted(Box<MintedToken>),
}

impl Shape for TokenSpec {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        match &node.value {
            Value::String(text) if text == "none" => Ok(Self::None),
            Value::String(text) if text.contains('.') => Ok(Self::Literal(text.clone())),
            Value::String(text) => Ok(Self::Named(text.clone())),
            Value::Object(_) => MintedToken::read(node).map(|token| Self::Minted(Box::new(token))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                Err(ShapeError::expected(node, "a token, a name of `tokens`, `none`, or an object"))
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "oneOf": [{ "type": "string" }, MintedToken::schema(definitions)] })
    }
}

record! {
    /// A token that is made for the test with a throw-away key, which the policy then accepts as
    /// its issuer's. `iat` is the test's time and `exp` five minutes later, unless they are named.
    pub(crate) struct MintedToken {
        /// The claims; `null` leaves one out. Without `iss` it is the policy's only issuer.
        claims: Map<Json> = optional "claims",
        /// `exp`, as a length of time from the test's time, such as `5m` or `-1h`.
        expires_in: Option<Span> = optional "expiresIn",
        /// `nbf`, as a length of time from the test's time.
        not_before_in: Option<Span> = optional "notBeforeIn",
        /// `iat`, as a length of time from the test's time.
        issued_in: Option<Span> = optional "issuedIn",
        /// The signature algorithm; `none` makes an unsigned token.
        algorithm: Option<Algorithm> = optional "alg",
        /// The name of the key in the header; another one than the issuer's is an unknown key.
        kid: Option<String> = optional "kid",
        /// `typ` of the header.
        typ: Option<String> = optional "typ",
        /// Who signs: the issuer, or a stranger with a key of the same name.
        signed_by: Option<Signer> = optional "signedBy",
        /// Where the request has the token; `Authorization: Bearer` if absent.
        place: Option<TokenPlace> = optional "in",
    }
}

words! {
    /// Who signs a token.
    pub(crate) enum Signer {
        /// The issuer, with the throw-away key that the policy accepts.
        Issuer = "issuer",
        /// Somebody else: the signature is not genuine.
        Stranger = "stranger",
    }
}

record! {
    /// A place in a request for a token.
    pub(crate) struct TokenPlace {
        /// A header.
        header: Option<String> = optional "header",
        /// What stands before the token in that header.
        prefix: Option<String> = optional "prefix",
        /// A parameter of the query.
        parameter: Option<String> = optional "parameter",
        /// A cookie.
        cookie: Option<String> = optional "cookie",
    }
}

/// A moment, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) UnixTime);

impl core::str::FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let seconds = text.parse().ok().or_else(|| clock::parse_moment(text));
        let seconds =
            seconds.ok_or("a time as in 2026-11-22T12:00:00Z, or seconds since 1970, is needed")?;
        Ok(Self(UnixTime::from_seconds(seconds)))
    }
}

impl Shape for Time {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        let text = match &node.value {
            Value::String(text) | Value::Number(text) => text.as_str(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "",
        };
        text.parse().map_err(|message| ShapeError::new(node, message))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "oneOf": [
            { "type": "string", "format": "date-time" },
            { "type": "integer", "minimum": 0 },
        ]})
    }
}

impl Shape for Span {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        let text = node.as_str().unwrap_or_default();
        text.parse().map_err(|error: clock::BadSpan| ShapeError::new(node, error.to_string()))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^-?[0-9]+[smhd]$" })
    }
}
