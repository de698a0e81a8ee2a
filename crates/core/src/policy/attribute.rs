//! What a condition can be about, and the `when` keys that name it.

use alloc::boxed::Box;
use alloc::format;

use super::claim::ClaimPath;
use super::error::PolicyError;
use super::header;
use crate::finding::FindingCode;
use crate::json::Quoted;

/// An attribute of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attribute {
    SourceIp,
    RemoteIp,
    DestinationIp,
    Port,
    ServerName,
    Host,
    Method,
    Path,
    Header(Box<str>),
    Principal,
    Namespace,
    ServiceAccount,
    TrustDomain,
    RequestPrincipal,
    Claim(ClaimPath),
    Metadata { filter: Box<str>, key: Box<str> },
}

/// What a condition's outcome depends on, as far as answers differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependence {
    /// Not on the token.
    Request,
    /// On the token.
    Token,
    /// On the scopes of the token.
    Scope,
}

impl Attribute {
    /// Reads the key of a `when` entry; refuses keys that Istio refuses or does not know.
    pub(super) fn parse(key: &str) -> Result<Self, PolicyError> {
        if let Some(name) = key.strip_prefix("request.headers[") {
            let name = name.strip_suffix(']').unwrap_or("");
            return header::parse_name(key, name).map(Self::Header);
        }
        if let Some(brackets) = key.strip_prefix("request.auth.claims") {
            return ClaimPath::parse(key, brackets).map(Self::Claim);
        }
        if let Some(filter) = key.strip_prefix("experimental.") {
            return Self::parse_metadata(key, filter);
        }
        Ok(match key {
            "source.ip" => Self::SourceIp,
            "remote.ip" => Self::RemoteIp,
            "source.namespace" => Self::Namespace,
            "source.principal" => Self::Principal,
            "source.serviceAccount" => Self::ServiceAccount,
            "source.trustDomain" => Self::TrustDomain,
            "request.auth.principal" => Self::RequestPrincipal,
            "request.auth.audiences" => Self::Claim(ClaimPath::top("aud")),
            "request.auth.presenter" => Self::Claim(ClaimPath::top("azp")),
            "destination.ip" => Self::DestinationIp,
            "destination.port" => Self::Port,
            "connection.sni" => Self::ServerName,
            _ => return Err(unknown(key)),
        })
    }

    fn parse_metadata(key: &str, filter: &str) -> Result<Self, PolicyError> {
        let parts = filter.strip_suffix(']').and_then(|filter| filter.split_once('['));
        match parts {
            Some((filter, name)) if filter.starts_with("envoy.filters.") && !name.is_empty() => {
                Ok(Self::Metadata { filter: filter.into(), key: name.into() })
            }
            _ if filter.starts_with("envoy.filters.") => Err(PolicyError::new(
                FindingCode::BadKey,
                format!(
                    "{} should have the form experimental.envoy.filters.name[key]",
                    Quoted(key)
                ),
            )),
            _ => Err(unknown(key)),
        }
    }

    pub(super) fn dependence(&self) -> Dependence {
        match self {
            Self::Claim(path) if path.is_scope() => Dependence::Scope,
            Self::Claim(_) | Self::RequestPrincipal => Dependence::Token,
            Self::SourceIp
            | Self::RemoteIp
            | Self::DestinationIp
            | Self::Port
            | Self::ServerName
            | Self::Host
            | Self::Method
            | Self::Path
            | Self::Header(_)
            | Self::Principal
            | Self::Namespace
            | Self::ServiceAccount
            | Self::TrustDomain
            | Self::Metadata { .. } => Dependence::Request,
        }
    }
}

fn unknown(key: &str) -> PolicyError {
    let advice = match key {
        "destination.namespace" => "metadata.namespace says it",
        "destination.name" | "destination.user" => "metadata and selector say it",
        key if key.starts_with("destination.labels") => "use the selector",
        key if key.starts_with("request.headers") => "write request.headers[name]",
        _ => {
            "known are request.headers[..], request.auth.{principal, audiences, presenter, \
             claims[..]}, source.{ip, namespace, principal, serviceAccount, trustDomain}, \
             remote.ip, destination.{ip, port}, connection.sni, experimental.envoy.filters.*[..]"
        }
    };
    PolicyError::new(
        FindingCode::UnknownAttribute,
        format!("unknown attribute {}: {advice}", Quoted(key)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_attributes() {
        let filter = "envoy.filters.a.b".into();
        for (key, attribute) in [
            ("request.headers[X-A]", Attribute::Header("x-a".into())),
            ("request.auth.audiences", Attribute::Claim(ClaimPath::top("aud"))),
            ("request.auth.presenter", Attribute::Claim(ClaimPath::top("azp"))),
            ("request.auth.claims[aud]", Attribute::Claim(ClaimPath::top("aud"))),
            ("experimental.envoy.filters.a.b[c]", Attribute::Metadata { filter, key: "c".into() }),
            ("source.serviceAccount", Attribute::ServiceAccount),
        ] {
            assert_eq!(Attribute::parse(key).unwrap(), attribute, "{key}");
        }
    }

    #[test]
    fn unknown_and_malformed_keys_are_refused() {
        for (key, code) in [
            ("", "unknown_attribute"),
            ("source.Ip", "unknown_attribute"),
            ("destination.labels[x]", "unknown_attribute"),
            ("destination.namespace", "unknown_attribute"),
            ("request.headers", "unknown_attribute"),
            ("request.header[x]", "unknown_attribute"),
            ("experimental.other[x]", "unknown_attribute"),
            ("experimental.envoy.filters.a", "bad_key"),
            ("experimental.envoy.filters.a[]", "bad_key"),
            ("request.headers[]", "bad_key"),
            ("request.headers[x", "bad_key"),
            ("request.auth.claims", "bad_key"),
        ] {
            assert_eq!(Attribute::parse(key).unwrap_err().code.name(), code, "{key}");
        }
    }

    #[test]
    fn scopes_are_top_level_claims_of_three_names() {
        for (key, dependence) in [
            ("request.auth.claims[scope]", Dependence::Scope),
            ("request.auth.claims[scp]", Dependence::Scope),
            ("request.auth.claims[permission]", Dependence::Scope),
            ("request.auth.claims[a][scope]", Dependence::Token),
            ("request.auth.principal", Dependence::Token),
            ("source.principal", Dependence::Request),
        ] {
            assert_eq!(Attribute::parse(key).unwrap().dependence(), dependence, "{key}");
        }
    }
}
