//! Bundles, in a few words.

use serde_json::{Value, json};

use crate::token;

/// The issuer of test tokens.
pub const ISSUER: &str = "https://issuer.example";

/// The audience of test tokens.
pub const AUDIENCE: &str = "payments";

/// A bundle of these settings and resources, for a sidecar in namespace `production`.
#[must_use]
pub fn bundle(settings: &Value, resources: &[Value]) -> Value {
    json!({
        "apiVersion": "lychgate.dev/v1alpha1",
        "kind": "Bundle",
        "workload": { "kind": "sidecar", "namespace": "production", "labels": { "app": "payments" } },
        "settings": settings,
        "resources": resources,
    })
}

/// A RequestAuthentication with one rule, for [`ISSUER`] and [`AUDIENCE`]; `more` says where the keys are.
#[must_use]
pub fn authentication(more: &Value) -> Value {
    let mut rule = json!({ "issuer": ISSUER, "audiences": [AUDIENCE] });
    if let (Some(rule), Some(more)) = (rule.as_object_mut(), more.as_object()) {
        rule.extend(more.clone());
    }
    resource("RequestAuthentication", "jwt", &json!({ "jwtRules": [rule] }))
}

/// An ALLOW policy with these rules.
#[must_use]
pub fn allow(name: &str, rules: &Value) -> Value {
    resource("AuthorizationPolicy", name, &json!({ "action": "ALLOW", "rules": rules }))
}

/// An ALLOW policy for anybody with a token of [`ISSUER`].
#[must_use]
pub fn allow_tokens() -> Value {
    allow(
        "tokens",
        &json!([{ "from": [{ "source": { "requestPrincipals": [format!("{ISSUER}/*")] } }] }]),
    )
}

/// A resource of Istio's security API in namespace `production`.
#[must_use]
pub fn resource(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": kind,
        "metadata": { "name": name, "namespace": "production" },
        "spec": spec,
    })
}

/// Claims of [`ISSUER`] about `subject`, good for ten minutes.
#[must_use]
pub fn claims(subject: &str) -> Value {
    let now = token::now();
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600 })
}
