//! The shape of a bundle.

use serde_json::json;

use crate::input::Node;
use crate::shape::{Definitions, Json, Map, Shape, ShapeError, record, words};
use crate::subject::WorkloadKind;

record! {
    /// A compiled policy for one workload.
    pub(crate) struct Bundle {
        /// `lychgate.dev/v1alpha1`
        api_version: String = required "apiVersion",
        /// `Bundle`
        kind: String = required "kind",
        /// The workload that it is for.
        workload: Workload = required "workload",
        /// Settings; docs/settings.md explains each.
        settings: Option<Settings> = optional "settings",
        /// Istio's resources; those that don't apply to the workload are left out.
        resources: Vec<Resource> = required "resources",
    }
}

record! {
    /// A workload.
    pub(crate) struct Workload {
        /// What stands in front of it.
        kind: Option<WorkloadKind> = required "kind",
        /// Its namespace.
        namespace: String = required "namespace",
        /// Its labels.
        labels: Map<String> = optional "labels",
        /// What a targetRef may name.
        targets: Vec<Target> = optional "targets",
        /// The namespace whose policies apply everywhere; `istio-system` if absent.
        root_namespace: Option<String> = optional "rootNamespace",
        /// The trust domain of the mesh; `cluster.local` if absent.
        trust_domain: Option<String> = optional "trustDomain",
        /// Other names of the trust domain.
        trust_domain_aliases: Vec<String> = optional "trustDomainAliases",
    }
}

record! {
    /// What a targetRef may name.
    pub(crate) struct Target {
        /// The API group; empty for Kubernetes' own.
        group: Option<String> = optional "group",
        /// The kind.
        kind: String = required "kind",
        /// The name.
        name: String = required "name",
        /// The namespace, if it is another one than the workload's.
        namespace: Option<String> = optional "namespace",
    }
}

record! {
    /// Settings.
    pub(crate) struct Settings {
        /// How far clocks may differ, 0 to 300.
        clock_skew_seconds: Option<u16> = optional "clockSkewSeconds",
        /// Whether a token without `exp` is refused.
        require_exp: bool = optional "requireExp",
        /// The longest life of a token.
        max_lifetime_seconds: Option<Json> = optional "maxLifetimeSeconds",
        /// Claims that every token must have.
        required_claims: Vec<String> = optional "requiredClaims",
        /// Forms of ambiguous paths that are accepted all the same.
        accepted_path_forms: Vec<String> = optional "acceptedPathForms",
        /// Peers whose forwarded client certificate is believed.
        trusted_hops: Vec<TrustedHop> = optional "trustedHops",
        /// Keys for HS256, HS384 and HS512.
        symmetric_keys: Vec<SymmetricKey> = optional "symmetricKeys",
        /// Issuers of JWT-SVIDs.
        jwt_svid: Vec<JwtSvid> = optional "jwtSvid",
        /// Which Envoy cluster serves a `jwksUri`.
        jwks: Vec<Jwks> = optional "jwks",
        /// Issuers whose keys are found through OpenID Connect Discovery.
        discovery: Vec<String> = optional "discovery",
        /// When remote keys are fetched.
        key_refresh: Option<KeyRefresh> = optional "keyRefresh",
        /// The realm in `WWW-Authenticate`.
        realm: Option<String> = optional "realm",
        /// Lower limits than the built-in ones.
        limits: Option<Limits> = optional "limits",
        /// Whether a CORS preflight needs no token.
        cors: bool = optional "corsPreflightSkipsAuthentication",
        /// Whether answers carry the exact reason.
        public_reasons: bool = optional "publicReasons",
        /// Whether to decide and log only.
        shadow: bool = optional "shadow",
        /// States that the source address is the physical peer.
        source_address_is_peer: bool = optional "sourceAddressIsPeer",
        /// Accepts that no AuthorizationPolicy applies.
        allow_unrestricted: bool = optional "allowUnrestricted",
        /// Whether `x-lychgate-*` headers are set.
        identity_headers: bool = optional "identityHeaders",
    }
}

record! {
    /// A peer whose forwarded client certificate is believed.
    pub(crate) struct TrustedHop {
        /// Its own SPIFFE ID.
        spiffe_id: String = required "spiffeId",
        /// `x-forwarded-client-cert` or `client-cert`.
        header: String = required "header",
    }
}

record! {
    /// A secret of an issuer.
    pub(crate) struct SymmetricKey {
        /// The issuer.
        issuer: String = required "issuer",
        /// The name of the key.
        kid: String = required "kid",
        /// `HS256`, `HS384` or `HS512`.
        alg: String = required "alg",
        /// The secret, base64url.
        k: String = required "k",
    }
}

record! {
    /// An issuer of JWT-SVIDs.
    pub(crate) struct JwtSvid {
        /// The issuer.
        issuer: String = required "issuer",
        /// The trust domain of its subjects.
        trust_domain: String = required "trustDomain",
    }
}

record! {
    /// Which Envoy cluster serves a `jwksUri`.
    pub(crate) struct Jwks {
        /// The `jwksUri`.
        uri: String = required "uri",
        /// The cluster.
        cluster: String = required "cluster",
    }
}

record! {
    /// When remote keys are fetched.
    pub(crate) struct KeyRefresh {
        /// From one good fetch to the next.
        interval: Option<Json> = optional "intervalSeconds",
        /// Between two fetches that requests cause.
        cooldown: Option<Json> = optional "cooldownSeconds",
        /// How long the last good set may serve.
        max_stale: Option<Json> = optional "maxStaleSeconds",
        /// How long a fetch may take.
        timeout: Option<Json> = optional "timeoutMilliseconds",
        /// How long a request may wait for one.
        wait: Option<Json> = optional "waitMilliseconds",
    }
}

record! {
    /// Limits in bytes.
    pub(crate) struct Limits {
        /// Of a token.
        token: Option<Json> = optional "tokenBytes",
        /// Of all headers.
        header: Option<Json> = optional "headerBytes",
        /// Of the request target.
        target: Option<Json> = optional "targetBytes",
    }
}

/// One of Istio's resources.
#[derive(Debug, Clone)]
pub(crate) struct Resource;

impl Shape for Resource {
    fn read(_: &Node) -> Result<Self, ShapeError> {
        Ok(Self)
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        let kind = |kind: &str, spec: serde_json::Value| {
            json!({
                "type": "object",
                "required": ["apiVersion", "kind"],
                "properties": {
                    "apiVersion": { "enum": ["security.istio.io/v1", "security.istio.io/v1beta1"] },
                    "kind": { "const": kind },
                    "metadata": { "type": "object" },
                    "spec": spec,
                },
            })
        };
        let specs = [
            ("AuthorizationPolicy", AuthorizationPolicySpec::schema(definitions)),
            ("RequestAuthentication", RequestAuthenticationSpec::schema(definitions)),
            ("PeerAuthentication", PeerAuthenticationSpec::schema(definitions)),
        ];
        json!({ "oneOf": specs.map(|(name, spec)| kind(name, spec)) })
    }
}

record! {
    /// Which workloads a resource applies to, by their labels.
    pub(crate) struct Selector {
        /// Labels that the workload must have.
        match_labels: Map<String> = optional "matchLabels",
    }
}

record! {
    /// What a resource is attached to.
    pub(crate) struct TargetRef {
        /// The API group.
        group: Option<String> = optional "group",
        /// The kind.
        kind: String = required "kind",
        /// The name.
        name: String = required "name",
        /// The namespace.
        namespace: Option<String> = optional "namespace",
    }
}

record! {
    /// Who may do what.
    pub(crate) struct AuthorizationPolicySpec {
        /// Workloads, by labels.
        selector: Option<Selector> = optional "selector",
        /// What it is attached to.
        target_ref: Option<TargetRef> = optional "targetRef",
        /// What it is attached to.
        target_refs: Vec<TargetRef> = optional "targetRefs",
        /// What a matching rule does; `ALLOW` if absent.
        action: Option<Action> = optional "action",
        /// Rules, of which one must match.
        rules: Vec<Rule> = optional "rules",
        /// Of CUSTOM only, which is refused.
        provider: Option<Provider> = optional "provider",
    }
}

words! {
    /// What a matching rule does.
    pub(crate) enum Action {
        /// It allows.
        Allow = "ALLOW",
        /// It refuses.
        Deny = "DENY",
        /// It is noted.
        Audit = "AUDIT",
    }
}

record! {
    /// An external authorizer.
    pub(crate) struct Provider {
        /// Its name.
        name: Option<String> = optional "name",
    }
}

record! {
    /// Some `from`, some `to` and every `when` must hold.
    pub(crate) struct Rule {
        /// Who calls; absent is anybody.
        from: Vec<From> = optional "from",
        /// What is called; absent is anything.
        to: Vec<To> = optional "to",
        /// Further conditions.
        when: Vec<When> = optional "when",
    }
}

record! {
    /// One entry of `from`.
    pub(crate) struct From {
        /// The caller.
        source: Option<Source> = required "source",
    }
}

record! {
    /// A caller: every list must hold, one value of it suffices.
    pub(crate) struct Source {
        /// Peer identities without `spiffe://`.
        principals: Vec<String> = optional "principals",
        /// Peer identities that must not be.
        not_principals: Vec<String> = optional "notPrincipals",
        /// Token identities, `issuer/subject`.
        request_principals: Vec<String> = optional "requestPrincipals",
        /// Token identities that must not be.
        not_request_principals: Vec<String> = optional "notRequestPrincipals",
        /// Namespaces of the peer.
        namespaces: Vec<String> = optional "namespaces",
        /// Namespaces that must not be.
        not_namespaces: Vec<String> = optional "notNamespaces",
        /// Addresses of the physical peer.
        ip_blocks: Vec<String> = optional "ipBlocks",
        /// Addresses that must not be.
        not_ip_blocks: Vec<String> = optional "notIpBlocks",
        /// Addresses of the client behind trusted proxies.
        remote_ip_blocks: Vec<String> = optional "remoteIpBlocks",
        /// Addresses that must not be.
        not_remote_ip_blocks: Vec<String> = optional "notRemoteIpBlocks",
        /// Service accounts of the peer, `namespace/account` or `account`.
        service_accounts: Vec<String> = optional "serviceAccounts",
        /// Service accounts that must not be.
        not_service_accounts: Vec<String> = optional "notServiceAccounts",
        /// Trust domains of the peer.
        trust_domains: Vec<String> = optional "trustDomains",
        /// Trust domains that must not be.
        not_trust_domains: Vec<String> = optional "notTrustDomains",
    }
}

record! {
    /// One entry of `to`.
    pub(crate) struct To {
        /// The call.
        operation: Option<Operation> = required "operation",
    }
}

record! {
    /// A call: every list must hold, one value of it suffices.
    pub(crate) struct Operation {
        /// Hosts.
        hosts: Vec<String> = optional "hosts",
        /// Hosts that must not be.
        not_hosts: Vec<String> = optional "notHosts",
        /// Ports of this workload.
        ports: Vec<String> = optional "ports",
        /// Ports that must not be.
        not_ports: Vec<String> = optional "notPorts",
        /// Methods.
        methods: Vec<String> = optional "methods",
        /// Methods that must not be.
        not_methods: Vec<String> = optional "notMethods",
        /// Paths and path templates.
        paths: Vec<String> = optional "paths",
        /// Paths that must not be.
        not_paths: Vec<String> = optional "notPaths",
    }
}

record! {
    /// One entry of `when`.
    pub(crate) struct When {
        /// The attribute.
        key: String = required "key",
        /// Values of which one must match.
        values: Vec<String> = optional "values",
        /// Values of which none may match.
        not_values: Vec<String> = optional "notValues",
    }
}

record! {
    /// Which tokens are accepted.
    pub(crate) struct RequestAuthenticationSpec {
        /// Workloads, by labels.
        selector: Option<Selector> = optional "selector",
        /// What it is attached to.
        target_ref: Option<TargetRef> = optional "targetRef",
        /// What it is attached to.
        target_refs: Vec<TargetRef> = optional "targetRefs",
        /// One for each issuer.
        jwt_rules: Vec<JwtRule> = optional "jwtRules",
    }
}

record! {
    /// Which tokens of one issuer are accepted.
    pub(crate) struct JwtRule {
        /// `iss`; it chooses the keys.
        issuer: String = required "issuer",
        /// Accepted audiences; none accepts any.
        audiences: Vec<String> = optional "audiences",
        /// Where the keys are.
        jwks_uri: Option<String> = optional "jwksUri",
        /// The keys.
        jwks: Option<String> = optional "jwks",
        /// Headers that have the token.
        from_headers: Vec<FromHeader> = optional "fromHeaders",
        /// Query parameters that have it.
        from_params: Vec<String> = optional "fromParams",
        /// Cookies that have it.
        from_cookies: Vec<String> = optional "fromCookies",
        /// The header in which the application gets the payload.
        output_payload: Option<String> = optional "outputPayloadToHeader",
        /// Whether the application gets the token.
        forward: bool = optional "forwardOriginalToken",
        /// The headers in which it gets claims.
        output_claims: Vec<ClaimToHeader> = optional "outputClaimToHeaders",
        /// How long a fetch of keys may take.
        timeout: Option<String> = optional "timeout",
        /// Claims that are lists of words.
        space_delimited: Vec<String> = optional "spaceDelimitedClaims",
    }
}

record! {
    /// A header that has the token.
    pub(crate) struct FromHeader {
        /// Its name.
        name: String = required "name",
        /// What stands before the token.
        prefix: Option<String> = optional "prefix",
    }
}

record! {
    /// A header in which the application gets a claim.
    pub(crate) struct ClaimToHeader {
        /// The header.
        header: String = required "header",
        /// The claim.
        claim: String = required "claim",
    }
}

record! {
    /// Whether peers must be verified.
    pub(crate) struct PeerAuthenticationSpec {
        /// Workloads, by labels.
        selector: Option<Selector> = optional "selector",
        /// For all ports.
        mtls: Option<MutualTls> = optional "mtls",
        /// By port.
        ports: Map<MutualTls> = optional "portLevelMtls",
    }
}

record! {
    /// Whether peers must be verified.
    pub(crate) struct MutualTls {
        /// The mode.
        mode: Option<Mode> = optional "mode",
    }
}

words! {
    /// Whether peers must be verified.
    pub(crate) enum Mode {
        /// As around it.
        Unset = "UNSET",
        /// Plaintext.
        Disable = "DISABLE",
        /// Either.
        Permissive = "PERMISSIVE",
        /// They must.
        Strict = "STRICT",
    }
}
