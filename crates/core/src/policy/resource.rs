//! The `spec` of an AuthorizationPolicy (`security.istio.io/v1`), as plain data.
//!
//! Unknown members and unknown actions refuse; what the values mean is checked when they are
//! compiled.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{DecodeError, Fields, Value};

/// The `spec` of an AuthorizationPolicy, as far as it says who may do what.
#[derive(Debug, Clone, Default)]
pub struct AuthorizationPolicySpec {
    /// What a match does.
    pub action: Action,
    /// The rules, of which one must match; without any the policy never matches.
    pub rules: Vec<Rule>,
    /// The external authorizer of `CUSTOM`.
    pub provider: Option<Provider>,
}

impl AuthorizationPolicySpec {
    /// Reads the `spec`; the members that select workloads are read elsewhere.
    ///
    /// # Errors
    /// [`DecodeError`] says what was expected and where.
    pub fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let known = ["action", "rules", "provider", "selector", "targetRef", "targetRefs"];
        let fields = Fields::closed(value, &known)?;
        Ok(Self {
            action: fields.member("action", Action::read)?.unwrap_or_default(),
            rules: fields.list("rules", Rule::read)?,
            provider: fields.optional("provider", Provider::read)?,
        })
    }
}

/// What a match does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

impl Action {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.variant(&[
            ("ALLOW", Self::Allow),
            ("DENY", Self::Deny),
            ("AUDIT", Self::Audit),
            ("CUSTOM", Self::Custom),
        ])
    }
}

/// The external authorizer of `CUSTOM`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provider {
    /// Its name in the mesh configuration.
    pub name: String,
}

impl Provider {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        Ok(Self { name: Fields::closed(value, &["name"])?.text_or_empty("name")? })
    }
}

/// One rule: some `from`, some `to` and every `when` must hold.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Who calls; absent is anybody.
    pub from: Option<Vec<From>>,
    /// What is called; absent is anything.
    pub to: Option<Vec<To>>,
    /// Further conditions.
    pub when: Option<Vec<Condition>>,
}

impl Rule {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["from", "to", "when"])?;
        Ok(Self {
            from: fields.optional_list("from", From::read)?,
            to: fields.optional_list("to", To::read)?,
            when: fields.optional_list("when", Condition::read)?,
        })
    }
}

/// One entry of `from`.
#[derive(Debug, Clone, Default)]
pub struct From {
    /// The caller.
    pub source: Option<Source>,
}

impl From {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let source = Fields::closed(value, &["source"])?.optional("source", Source::read)?;
        Ok(Self { source })
    }
}

/// A caller: every list that is not empty must hold, one value of it suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

impl Source {
    const MEMBERS: [&str; 14] = [
        "principals",
        "notPrincipals",
        "requestPrincipals",
        "notRequestPrincipals",
        "namespaces",
        "notNamespaces",
        "ipBlocks",
        "notIpBlocks",
        "remoteIpBlocks",
        "notRemoteIpBlocks",
        "serviceAccounts",
        "notServiceAccounts",
        "trustDomains",
        "notTrustDomains",
    ];

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &Self::MEMBERS)?;
        Ok(Self {
            principals: fields.texts("principals")?,
            not_principals: fields.texts("notPrincipals")?,
            request_principals: fields.texts("requestPrincipals")?,
            not_request_principals: fields.texts("notRequestPrincipals")?,
            namespaces: fields.texts("namespaces")?,
            not_namespaces: fields.texts("notNamespaces")?,
            ip_blocks: fields.texts("ipBlocks")?,
            not_ip_blocks: fields.texts("notIpBlocks")?,
            remote_ip_blocks: fields.texts("remoteIpBlocks")?,
            not_remote_ip_blocks: fields.texts("notRemoteIpBlocks")?,
            service_accounts: fields.texts("serviceAccounts")?,
            not_service_accounts: fields.texts("notServiceAccounts")?,
            trust_domains: fields.texts("trustDomains")?,
            not_trust_domains: fields.texts("notTrustDomains")?,
        })
    }
}

/// One entry of `to`.
#[derive(Debug, Clone, Default)]
pub struct To {
    /// The call.
    pub operation: Option<Operation>,
}

impl To {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["operation"])?;
        Ok(Self { operation: fields.optional("operation", Operation::read)? })
    }
}

/// A call: every list that is not empty must hold, one value of it suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

impl Operation {
    const MEMBERS: [&str; 8] =
        ["hosts", "notHosts", "ports", "notPorts", "methods", "notMethods", "paths", "notPaths"];

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &Self::MEMBERS)?;
        Ok(Self {
            hosts: fields.texts("hosts")?,
            not_hosts: fields.texts("notHosts")?,
            ports: fields.texts("ports")?,
            not_ports: fields.texts("notPorts")?,
            methods: fields.texts("methods")?,
            not_methods: fields.texts("notMethods")?,
            paths: fields.texts("paths")?,
            not_paths: fields.texts("notPaths")?,
        })
    }
}

/// One entry of `when`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The attribute.
    pub key: String,
    /// Values of which one must match.
    pub values: Vec<String>,
    /// Values of which none may match.
    pub not_values: Vec<String>,
}

impl Condition {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["key", "values", "notValues"])?;
        Ok(Self {
            key: fields.text("key")?,
            values: fields.texts("values")?,
            not_values: fields.texts("notValues")?,
        })
    }
}
