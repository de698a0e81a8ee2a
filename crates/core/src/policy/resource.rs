//! The `spec` of an AuthorizationPolicy (`security.istio.io/v1`), as plain data.
//!
//! Unknown members and unknown actions refuse; what the values mean is checked when they are
//! compiled.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The `spec` of an AuthorizationPolicy, as far as it says who may do what.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorizationPolicySpec {
    /// What a match does.
    #[serde(default)]
    pub action: Action,
    /// The rules, of which one must match; without any the policy never matches.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The external authorizer of `CUSTOM`.
    pub provider: Option<Provider>,
    /// Read with the selection of resources.
    pub selector: Option<IgnoredAny>,
    /// Read with the selection of resources.
    pub target_ref: Option<IgnoredAny>,
    /// Read with the selection of resources.
    pub target_refs: Option<IgnoredAny>,
}

/// What a match does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// The request may pass, if no DENY rule matches.
    #[default]
    Allow,
    /// The request is refused.
    Deny,
    /// The match is reported.
    Audit,
    /// An external authorizer is asked; refused at load.
    Custom,
}

/// The external authorizer of `CUSTOM`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name in the mesh configuration.
    #[serde(default)]
    pub name: String,
}

/// One rule: some `from`, some `to` and every `when` must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Who calls; absent is anybody.
    pub from: Option<Vec<From>>,
    /// What is called; absent is anything.
    pub to: Option<Vec<To>>,
    /// Further conditions.
    pub when: Option<Vec<Condition>>,
}

/// One entry of `from`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// The caller.
    pub source: Option<Source>,
}

/// A caller: every list that is not empty must hold, one value of it suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Source {
    /// Peer identities without `spiffe://`.
    pub principals: Vec<String>,
    /// Peer identities that must not be.
    pub not_principals: Vec<String>,
    /// Token identities, `issuer/subject`.
    pub request_principals: Vec<String>,
    /// Token identities that must not be.
    pub not_request_principals: Vec<String>,
    /// Namespaces of the peer.
    pub namespaces: Vec<String>,
    /// Namespaces that must not be.
    pub not_namespaces: Vec<String>,
    /// Addresses of the physical peer.
    pub ip_blocks: Vec<String>,
    /// Addresses that must not be.
    pub not_ip_blocks: Vec<String>,
    /// Addresses of the client behind trusted proxies.
    pub remote_ip_blocks: Vec<String>,
    /// Addresses that must not be.
    pub not_remote_ip_blocks: Vec<String>,
    /// Service accounts of the peer, `namespace/account` or `account`.
    pub service_accounts: Vec<String>,
    /// Service accounts that must not be.
    pub not_service_accounts: Vec<String>,
    /// Trust domains of the peer.
    pub trust_domains: Vec<String>,
    /// Trust domains that must not be.
    pub not_trust_domains: Vec<String>,
}

/// One entry of `to`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct To {
    /// The call.
    pub operation: Option<Operation>,
}

/// A call: every list that is not empty must hold, one value of it suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Operation {
    /// Hosts, with the port where the client names one.
    pub hosts: Vec<String>,
    /// Hosts that must not be.
    pub not_hosts: Vec<String>,
    /// Ports of this workload.
    pub ports: Vec<String>,
    /// Ports that must not be.
    pub not_ports: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Methods that must not be.
    pub not_methods: Vec<String>,
    /// Paths and path templates.
    pub paths: Vec<String>,
    /// Paths that must not be.
    pub not_paths: Vec<String>,
}

/// One entry of `when`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// The attribute.
    pub key: String,
    /// Values of which one must match.
    #[serde(default)]
    pub values: Vec<String>,
    /// Values of which none may match.
    #[serde(default)]
    pub not_values: Vec<String>,
}
