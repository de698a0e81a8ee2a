//! One question for both sides: the resources of a workload and a request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::keys;
use crate::rbac::PeerForm;
use crate::resource::{AuthorizationPolicy, JwtRule};

/// The namespace of the workload and of its policies.
pub const NAMESPACE: &str = "prod";

/// The service that a waypoint serves.
const SERVICE: &str = "shop";

/// The clock of both sides: a real Envoy knows no other than the machine's, so the run's start.
#[must_use]
pub fn now() -> u64 {
    static START: OnceLock<u64> = OnceLock::new();
    let since = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    *START.get_or_init(|| since().as_secs())
}

/// The policies and what they depend on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// The policies.
    pub policies: Vec<AuthorizationPolicy>,
    /// The rules of the one `RequestAuthentication`; their keys are those of `key`.
    pub jwt_rules: Vec<JwtRule>,
    /// The trust domain of the mesh, then its aliases.
    pub trust_domains: Vec<String>,
    /// Where the peer's name comes from: a sidecar's connection, or a waypoint's filter state.
    pub peers: PeerForm,
    /// The key of `tests/vectors/keys` that signs all tokens.
    pub key: String,
    /// Whether `X-Forwarded-For` says who the client is.
    pub forwarded: bool,
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
    /// The peer's certificate, or the one name that a waypoint knows it by.
    pub peer: Option<PeerNames>,
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

/// The names in a peer's certificate, whose subject is always [`SUBJECT`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerNames {
    /// Its URI SANs.
    pub uris: Vec<String>,
    /// Its DNS SANs.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// The subject of every certificate.
pub const SUBJECT: &str = "CN=test";

/// A token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its payload.
    pub claims: Map<String, Value>,
    /// How it is made.
    pub form: Form,
}

/// How a token is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// As it should be.
    #[default]
    Genuine,
    /// Its header names no key.
    NoKid,
    /// Its header names a key that nobody has.
    UnknownKid,
    /// A byte of its signature is another.
    Forged,
    /// Its payload was changed after it was signed.
    Altered,
    /// It claims to need no signature, and has none.
    Unsigned,
}

impl Form {
    /// Whether the signature verifies under a key that the header allows.
    #[must_use]
    pub const fn verifies(self) -> bool {
        matches!(self, Self::Genuine | Self::NoKid)
    }
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
                "spec": { "jwtRules": self.rules_with(keys::signer(&self.key).published()) },
            }));
        }
        if self.peers == PeerForm::FilterState {
            for resource in &mut resources {
                resource["spec"]["targetRefs"] = json!([{ "kind": "Service", "name": SERVICE }]);
            }
        }
        json!({
            "apiVersion": "lychgate.dev/v1alpha1",
            "kind": "Bundle",
            "workload": self.workload(),
            "settings": self.settings(),
            "resources": resources,
        })
        .to_string()
    }

    fn workload(&self) -> Value {
        let mut workload = json!({
            "kind": "sidecar",
            "namespace": NAMESPACE,
            "trustDomain": self.trust_domains.first(),
            "trustDomainAliases": self.trust_domains.get(1..).unwrap_or_default(),
        });
        if self.peers == PeerForm::FilterState {
            workload["kind"] = json!("waypoint");
            workload["targets"] = json!([{ "kind": "Service", "name": SERVICE }]);
        }
        workload
    }

    fn settings(&self) -> Value {
        let mut settings = json!({
            "allowUnrestricted": true,
            "requireExp": false,
            "publicReasons": true,
            "identityHeaders": false,
            // Where a header says who the client is, the address is not the peer's.
            "sourceAddressIsPeer": !self.forwarded,
        });
        if let Some(secret) = keys::signer(&self.key).secret() {
            let mut issuers: Vec<&str> =
                self.jwt_rules.iter().map(|rule| rule.issuer.as_str()).collect();
            issuers.sort_unstable();
            issuers.dedup();
            let key =
                |issuer| json!({ "issuer": issuer, "kid": self.key, "alg": "HS256", "k": secret });
            settings["symmetricKeys"] = issuers.into_iter().map(key).collect();
        }
        settings
    }

    /// The rules with a key set.
    #[must_use]
    pub fn rules_with(&self, jwks: Option<String>) -> Vec<JwtRule> {
        let mut rules = self.jwt_rules.clone();
        rules.iter_mut().for_each(|rule| rule.jwks.clone_from(&jwks));
        rules
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
    pub fn render(&self, setup: &Setup) -> Rendered {
        let mint = |token| keys::signer(&setup.key).token(token);
        let minted: Vec<String> = self.tokens.iter().map(mint).collect();
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
