//! One question for both sides: the resources of a workload and a request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::resource::{AuthorizationPolicy, JwtRule};

/// The clock of both sides.
pub const NOW: u64 = 1_800_000_000;

/// The namespace of the workload and of its policies.
pub const NAMESPACE: &str = "prod";

/// The policies and what they depend on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// The policies.
    pub policies: Vec<AuthorizationPolicy>,
    /// The rules of the one `RequestAuthentication`.
    pub jwt_rules: Vec<JwtRule>,
    /// The trust domain of the mesh, then its aliases.
    pub trust_domains: Vec<String>,
}

/// A request, before its tokens are minted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RequestModel {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// `:authority`.
    pub authority: Option<String>,
    /// Header lines; `{token:0}` stands for the first token, here and in the target.
    pub headers: Vec<(String, String)>,
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The URI SAN of the peer's certificate.
    pub peer: Option<String>,
    /// The physical peer.
    pub source_ip: Option<IpAddr>,
    /// The client after trusted hops.
    pub remote_ip: Option<IpAddr>,
    /// The address connected to.
    pub destination_ip: Option<IpAddr>,
    /// The port connected to.
    pub destination_port: Option<u16>,
    /// The name in the TLS handshake.
    pub server_name: Option<String>,
    /// Strings and lists of strings that other filters have set: filter, key, value.
    pub metadata: Vec<(String, String, Value)>,
}

/// A token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its payload.
    pub claims: Map<String, Value>,
    /// Whether its signature verifies.
    pub genuine: bool,
}

impl Setup {
    /// The bundle that Lychgate loads.
    #[must_use]
    pub fn bundle(&self) -> String {
        let mut resources: Vec<Value> = self.policies.iter().map(|policy| json!(policy)).collect();
        if !self.jwt_rules.is_empty() {
            resources.push(json!({
                "apiVersion": "security.istio.io/v1",
                "kind": "RequestAuthentication",
                "metadata": { "name": "tokens", "namespace": NAMESPACE },
                "spec": { "jwtRules": self.jwt_rules },
            }));
        }
        json!({
            "apiVersion": "lychgate.dev/v1alpha1",
            "kind": "Bundle",
            "workload": {
                "kind": "sidecar",
                "namespace": NAMESPACE,
                "trustDomain": self.trust_domains.first(),
                "trustDomainAliases": self.trust_domains.get(1..).unwrap_or_default(),
            },
            "settings": {
                "allowUnrestricted": true, "sourceAddressIsPeer": true, "requireExp": false,
            },
            "resources": resources,
        })
        .to_string()
    }
}

impl Token {
    /// The compact form; the first byte of the signature says whether it is genuine.
    #[must_use]
    pub fn compact(&self) -> String {
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" }).to_string();
        let payload = Value::Object(self.claims.clone()).to_string();
        let mut signature = [0; 64];
        signature[0] = u8::from(self.genuine);
        let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let (header, payload) = (encode(header.as_bytes()), encode(payload.as_bytes()));
        format!("{header}.{payload}.{}", encode(&signature))
    }
}

/// A request with its tokens in place.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The request target.
    pub target: String,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// The tokens by their compact form.
    pub tokens: BTreeMap<String, Token>,
}

impl RequestModel {
    /// Mints the tokens.
    #[must_use]
    pub fn render(&self) -> Rendered {
        let minted: Vec<String> = self.tokens.iter().map(Token::compact).collect();
        let place = |text: &str| {
            let mut text = Cow::Borrowed(text);
            for (index, token) in minted.iter().enumerate() {
                let mark = format!("{{token:{index}}}");
                if text.contains(&mark) {
                    text = Cow::Owned(text.replace(&mark, token));
                }
            }
            text.into_owned()
        };
        let headers = self.headers.iter();
        Rendered {
            target: place(&self.target),
            headers: headers.map(|(name, value)| (name.clone(), place(value))).collect(),
            tokens: minted.iter().cloned().zip(self.tokens.iter().cloned()).collect(),
        }
    }
}
