//! What is compared: the same policy in Lychgate's words and in Envoy's own.

use lychgate_tests_envoy::config::typed;
use lychgate_tests_envoy::{Filter, Listener, Route, Transport};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The issuer of every token.
pub(crate) const ISSUER: &str = "https://issuer.example";

/// The audience of every token.
pub(crate) const AUDIENCE: &str = "payments";

/// One way to run a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// Nothing but the router.
    Nothing,
    /// A Wasm filter that does nothing.
    Noop,
    /// Envoy's jwt_authn and RBAC, as Istio configures them.
    Native,
    /// The same with jwt_authn's cache on (Istio leaves it off).
    NativeCached,
    /// Lychgate.
    Lychgate,
    /// Another build of Lychgate, to see what a change is worth.
    Build(&'static Build),
}

/// Another build of the filter.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Build {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Contender {
    pub(crate) const ALL: [Self; 5] =
        [Self::Nothing, Self::Noop, Self::Native, Self::NativeCached, Self::Lychgate];

    /// The build that `NAME=PATH` names.
    pub(crate) fn build(text: &str) -> Self {
        let (name, path) = text.split_once('=').expect("NAME=PATH");
        // Lives as long as the program, like every other contender's name.
        Self::Build(Box::leak(Box::new(Build { name: name.to_owned(), path: path.into() })))
    }

    /// Whether its throughput is compared with native's.
    pub(crate) const fn is_lychgate(self) -> bool {
        matches!(self, Self::Lychgate | Self::Build(_))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no filter",
            Self::Noop => "no-op Wasm",
            Self::Native => "jwt_authn + RBAC",
            Self::NativeCached => "the same, JWT cache",
            Self::Lychgate => "Lychgate",
            Self::Build(build) => &build.name,
        }
    }
}

/// What all listeners are made of.
#[derive(Debug)]
pub(crate) struct Given {
    /// The issuer's keys.
    pub(crate) jwks: String,
    /// The filter that does nothing.
    pub(crate) noop: PathBuf,
    /// TLS that demands a client certificate.
    pub(crate) mutual: Transport,
}

/// What tells the policies of a scenario apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Differ {
    /// Their paths.
    Path,
    /// The subjects that they allow.
    Subject,
}

/// So many policies, of which one allows the benchmark's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Policies {
    pub(crate) count: usize,
    pub(crate) differ: Differ,
    pub(crate) transport: Wire,
}

/// How the listener is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wire {
    /// Plaintext: what a filter costs stands out most.
    Plain,
    /// TLS with client certificates, as between the sidecars of a mesh.
    Mutual,
}

impl Policies {
    /// The policy that matches: the middle one, so that a walk costs its average.
    pub(crate) const fn matching(self) -> usize {
        self.count / 2
    }

    pub(crate) fn path(self, index: usize) -> String {
        match self.differ {
            Differ::Path => format!("/api/v1/payments/{index}"),
            Differ::Subject => "/api/v1/payments".to_owned(),
        }
    }

    pub(crate) fn subject(self, index: usize) -> String {
        match self.differ {
            Differ::Path => "order-service".to_owned(),
            Differ::Subject => format!("user-{index}"),
        }
    }

    pub(crate) fn listener_name(self, contender: Contender) -> String {
        let Self { count, differ, transport } = self;
        format!("{}-{transport:?}-{differ:?}-{count}", contender.name())
    }

    /// A listener that enforces these policies in that way.
    pub(crate) fn listener(self, contender: Contender, given: &Given) -> Listener {
        let jwks = &given.jwks;
        let filters = match contender {
            Contender::Nothing => Vec::new(),
            Contender::Noop => vec![Filter::Wasm(given.noop.clone())],
            Contender::Native => vec![jwt_authn(jwks, false), self.rbac()],
            Contender::NativeCached => vec![jwt_authn(jwks, true), self.rbac()],
            Contender::Lychgate => vec![Filter::Lychgate(self.bundle(jwks).to_string())],
            Contender::Build(build) => {
                vec![Filter::Build(build.path.clone(), self.bundle(jwks).to_string())]
            }
        };
        Listener {
            name: self.listener_name(contender),
            transport: match self.transport {
                Wire::Plain => Transport::Plain,
                Wire::Mutual => given.mutual.clone(),
            },
            listener_filters: Vec::new(),
            filters,
            route: Route::Direct,
            manager: json!({ "normalize_path": true, "merge_slashes": true }),
        }
    }

    fn bundle(self, jwks: &str) -> Value {
        let mut resources = vec![json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "RequestAuthentication",
            "metadata": { "name": "jwt", "namespace": "bench" },
            "spec": { "jwtRules": [{
                "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": jwks, "forwardOriginalToken": true }] },
        })];
        resources.extend((0..self.count).map(|index| {
            json!({
                "apiVersion": "security.istio.io/v1",
                "kind": "AuthorizationPolicy",
                "metadata": { "name": format!("allow-{index}"), "namespace": "bench" },
                "spec": { "action": "ALLOW", "rules": [{
                    "from": [{ "source": { "requestPrincipals": [format!("{ISSUER}/{}", self.subject(index))] } }],
                    "to": [{ "operation": { "methods": ["GET"], "paths": [self.path(index)] } }] }] },
            })
        }));
        json!({
            "apiVersion": "lychgate.dev/v1alpha1",
            "kind": "Bundle",
            "workload": { "kind": "sidecar", "namespace": "bench", "labels": {} },
            "resources": resources,
        })
    }

    /// RBAC in the form that Istio's control plane generates.
    fn rbac(self) -> Filter {
        let policies: serde_json::Map<String, Value> = (0..self.count)
            .map(|index| {
                (format!("ns[bench]-policy[allow-{index}]-rule[0]"), self.rbac_policy(index))
            })
            .collect();
        Filter::Other(typed(
            "envoy.filters.http.rbac",
            "http.rbac.v3.RBAC",
            json!({ "rules": { "action": "ALLOW", "policies": policies } }),
        ))
    }

    fn rbac_policy(self, index: usize) -> Value {
        let claim = |name: &str, value: &str| {
            json!({ "metadata": {
                "filter": "envoy.filters.http.jwt_authn",
                "path": [{ "key": "payload" }, { "key": name }],
                "value": { "string_match": { "exact": value } } } })
        };
        let method = json!({ "header": { "name": ":method", "string_match": { "exact": "GET" } } });
        let path = json!({ "url_path": { "path": { "exact": self.path(index) } } });
        json!({
            "permissions": [{ "and_rules": { "rules": [
                { "or_rules": { "rules": [method] } }, { "or_rules": { "rules": [path] } }] } }],
            "principals": [{ "and_ids": { "ids": [{ "or_ids": { "ids": [{ "and_ids": { "ids": [
                claim("iss", ISSUER), claim("sub", &self.subject(index))] } }] } }] } }],
        })
    }
}

/// jwt_authn in the form that Istio's control plane generates for one issuer.
fn jwt_authn(jwks: &str, cached: bool) -> Filter {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": { "inline_string": jwks },
        "forward": true,
        "payload_in_metadata": "payload",
        "normalize_payload_in_metadata": { "space_delimited_claims": ["permission", "scope"] },
    });
    if cached {
        provider["jwt_cache_config"] = json!({ "jwt_cache_size": 100 });
    }
    Filter::Other(typed(
        "envoy.filters.http.jwt_authn",
        "http.jwt_authn.v3.JwtAuthentication",
        json!({
            "providers": { "origins-0": provider },
            "rules": [{
                "match": { "prefix": "/" },
                "requires": { "requires_any": { "requirements": [
                    { "provider_name": "origins-0" }, { "allow_missing": {} }] } } }],
            "bypass_cors_preflight": true,
        }),
    ))
}
