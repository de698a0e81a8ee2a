//! Istio's resources, as far as a filter sees them, in the shape of their JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The fields of a `source` or an `operation`: name, then values.
pub type Fields = BTreeMap<String, Vec<String>>;

/// An `AuthorizationPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationPolicy {
    /// `apiVersion`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// Its name and namespace.
    pub metadata: Metadata,
    /// What it says.
    pub spec: Spec,
}

/// The part of `metadata` that has a meaning here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// Annotations, among them `istio.io/dry-run`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The `spec` of an `AuthorizationPolicy`; its selector has been applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What a match means.
    #[serde(default)]
    pub action: Action,
    /// The rules; absent and empty both match nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<Rule>>,
}

/// What a match means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// The request may pass.
    #[default]
    Allow,
    /// The request may not pass.
    Deny,
    /// The request is marked for the log.
    Audit,
    /// Somebody else is asked.
    Custom,
}

/// One rule: one of `from`, and one of `to`, and all of `when`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Who.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<From>,
    /// What.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<To>,
    /// And if.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
}

/// A member of `from`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// The fields of Source.
    pub source: Fields,
}

/// A member of `to`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct To {
    /// The fields of Operation.
    pub operation: Fields,
}

/// A member of `when`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The attribute.
    pub key: String,
    /// One of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// None of these.
    #[serde(default, rename = "notValues", skip_serializing_if = "Vec::is_empty")]
    pub not_values: Vec<String>,
}

/// A member of `jwtRules` in a `RequestAuthentication`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JwtRule {
    /// `iss`.
    pub issuer: String,
    /// The accepted audiences; any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// The key set, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Headers that hold a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_headers: Vec<FromHeader>,
    /// Query parameters that hold a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_params: Vec<String>,
    /// Cookies that hold a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_cookies: Vec<String>,
    /// The header that gets the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_payload_to_header: Option<String>,
    /// Whether the token is left in the request.
    #[serde(default)]
    pub forward_original_token: bool,
    /// Headers that get claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// Claims that are lists of words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub space_delimited_claims: Vec<String>,
}

/// A header that holds a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromHeader {
    /// The header.
    pub name: String,
    /// What stands before the token.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// A header that gets a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimToHeader {
    /// The header.
    pub header: String,
    /// The claim.
    pub claim: String,
}

impl AuthorizationPolicy {
    /// Whether `istio.io/dry-run` says, in a form that Go's `ParseBool` reads, that it is not in force.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        let value = self.metadata.annotations.get("istio.io/dry-run");
        value.is_some_and(|value| ["1", "t", "T", "TRUE", "true", "True"].contains(&value.as_str()))
    }

    /// The rules, none if they are absent.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.spec.rules.as_deref().unwrap_or_default()
    }
}
