//! Fields and keys with their values.

use std::net::IpAddr;

use super::{Options, Untranslatable};
use crate::rbac::{
    Cidr, HeaderMatch, Leaf, Matcher, PeerField, PeerMatch, StringForm, StringMatch, ValueMatch,
};

/// Which half of an Envoy policy holds a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Permission,
    Principal,
}

/// What a field or a key of `when` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Host,
    Method,
    Path,
    Port,
    DestinationIp,
    ServerName,
    SourceIp,
    RemoteIp,
    Principal,
    Namespace,
    ServiceAccount,
    TrustDomain,
    RequestPrincipal,
    Header(String),
    Claim(Vec<String>),
    Metadata(String, String),
}

impl Subject {
    fn of(name: &str) -> Result<Self, Untranslatable> {
        Ok(match name {
            "hosts" => Self::Host,
            "methods" => Self::Method,
            "paths" => Self::Path,
            "ports" | "destination.port" => Self::Port,
            "destination.ip" => Self::DestinationIp,
            "connection.sni" => Self::ServerName,
            "ipBlocks" | "source.ip" => Self::SourceIp,
            "remoteIpBlocks" | "remote.ip" => Self::RemoteIp,
            "principals" | "source.principal" => Self::Principal,
            "namespaces" | "source.namespace" => Self::Namespace,
            "serviceAccounts" | "source.serviceAccount" => Self::ServiceAccount,
            "trustDomains" | "source.trustDomain" => Self::TrustDomain,
            "requestPrincipals" | "request.auth.principal" => Self::RequestPrincipal,
            "request.auth.audiences" => Self::Claim(vec!["aud".into()]),
            "request.auth.presenter" => Self::Claim(vec!["azp".into()]),
            _ => return Self::bracketed(name),
        })
    }

    fn bracketed(name: &str) -> Result<Self, Untranslatable> {
        let unknown = || Untranslatable(format!("unknown attribute {name:?}"));
        let (before, rest) = name.split_once('[').ok_or_else(unknown)?;
        let inner = rest.strip_suffix(']').filter(|inner| !inner.is_empty());
        let inner = inner.ok_or_else(unknown)?;
        match before {
            "request.headers" => Ok(Self::Header(inner.into())),
            "request.auth.claims" => Ok(Self::Claim(claim_path(inner))),
            _ => match before.strip_prefix("experimental.") {
                Some(filter) if filter.starts_with("envoy.filters.") => {
                    Ok(Self::Metadata(filter.into(), inner.into()))
                }
                _ => Err(unknown()),
            },
        }
    }
}

/// `a][b` is a path of two names; what is malformed is one literal name.
fn claim_path(inner: &str) -> Vec<String> {
    let names: Vec<String> = inner.split("][").map(String::from).collect();
    let malformed = |name: &String| name.is_empty() || name.contains(['[', ']']);
    if names.iter().any(malformed) { vec![inner.into()] } else { names }
}

/// Where a key of `when` goes.
pub(super) fn place(key: &str) -> Place {
    match Subject::of(key) {
        Ok(
            Subject::DestinationIp | Subject::Port | Subject::ServerName | Subject::Metadata(..),
        ) => Place::Permission,
        _ => Place::Principal,
    }
}

/// Whether a connection without HTTP has no such thing.
pub(super) fn is_http_only(name: &str) -> bool {
    matches!(
        Subject::of(name),
        Ok(Subject::Host
            | Subject::Method
            | Subject::Path
            | Subject::RequestPrincipal
            | Subject::Header(_)
            | Subject::Claim(_))
    )
}

/// One of the values.
pub(super) fn matcher(
    name: &str,
    values: &[String],
    namespace: &str,
    options: &Options,
) -> Result<Matcher, Untranslatable> {
    let one_of = |leaf: &dyn Fn(&str) -> Result<Leaf, Untranslatable>| {
        let leaves = values.iter().map(|value| leaf(value).map(Matcher::Leaf));
        leaves.collect::<Result<_, _>>().map(Matcher::OneOf)
    };
    match Subject::of(name)? {
        Subject::Host => one_of(&|value| Ok(host(value, options.old_hosts))),
        Subject::Method => one_of(&|value| Ok(header(":method", value))),
        Subject::Header(name) => one_of(&|value| Ok(header(&name, value))),
        Subject::Path => one_of(&|value| Ok(path(value))),
        Subject::Port => one_of(&|value| port(value).map(Leaf::DestinationPort)),
        Subject::DestinationIp => one_of(&|value| range(value).map(Leaf::DestinationIp)),
        Subject::SourceIp => one_of(&|value| range(value).map(Leaf::DirectRemoteIp)),
        Subject::RemoteIp => one_of(&|value| range(value).map(Leaf::RemoteIp)),
        Subject::ServerName => one_of(&|value| Ok(Leaf::ServerName(text(value)))),
        Subject::RequestPrincipal => {
            Ok(Matcher::OneOf(values.iter().map(|value| request_principal(value)).collect()))
        }
        Subject::Claim(path) => Ok(Matcher::Leaf(claim(&path, values))),
        Subject::Metadata(filter, key) => Ok(Matcher::Leaf(metadata(&filter, &key, values))),
        Subject::Principal
        | Subject::Namespace
        | Subject::ServiceAccount
        | Subject::TrustDomain => Ok(Matcher::OneOf(peers(name, values, namespace, options)?)),
    }
}

/// The common rule: a star alone, at the start, or else at the end.
fn text(value: &str) -> StringMatch {
    if value == "*" {
        StringMatch::anything()
    } else if let Some(suffix) = value.strip_prefix('*') {
        StringMatch::new(StringForm::Suffix, suffix)
    } else if let Some(prefix) = value.strip_suffix('*') {
        StringMatch::new(StringForm::Prefix, prefix)
    } else {
        StringMatch::new(StringForm::Exact, value)
    }
}

fn header(name: &str, value: &str) -> Leaf {
    let value = if value == "*" { HeaderMatch::Present } else { HeaderMatch::Text(text(value)) };
    Leaf::Header { name: name.into(), value }
}

fn host(value: &str, old: bool) -> Leaf {
    let name = ":authority".into();
    let value = match value {
        "*" => HeaderMatch::Present,
        _ if old => HeaderMatch::OldRegex(format!("(?i){}", with_stars(value))),
        _ => HeaderMatch::Text(text(value).folded()),
    };
    Leaf::Header { name, value }
}

fn path(value: &str) -> Leaf {
    if value.contains("{*}") || value.contains("{**}") {
        return Leaf::UriTemplate(value.replace("{*}", "*").replace("{**}", "**"));
    }
    Leaf::UrlPath(text(value))
}

fn port(value: &str) -> Result<u16, Untranslatable> {
    value.parse().map_err(|_| Untranslatable(format!("{value:?} is no port")))
}

fn range(value: &str) -> Result<Cidr, Untranslatable> {
    let bad = || Untranslatable(format!("{value:?} is no address"));
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| bad())?)),
        None => (value, None),
    };
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(longest);
    if length > longest { Err(bad()) } else { Ok(Cidr { address, length }) }
}

/// Split at the last slash; without one, the whole is the issuer, or the subject behind a star.
fn request_principal(value: &str) -> Matcher {
    let exact = |value: &str| StringMatch::new(StringForm::Exact, value);
    let (issuer, subject) = match value.rsplit_once('/') {
        _ if value == "*" => (StringMatch::anything(), StringMatch::anything()),
        Some((issuer, subject)) if value.starts_with('*') => (text(issuer), exact(subject)),
        Some((issuer, subject)) if value.ends_with('*') => (exact(issuer), text(subject)),
        Some((issuer, subject)) => (exact(issuer), exact(subject)),
        None if value.starts_with('*') => (StringMatch::anything(), text(value)),
        None if value.ends_with('*') => (text(value), StringMatch::anything()),
        None => (exact(value), exact("")),
    };
    let part =
        |name: &str, text| Matcher::Leaf(in_payload(&[name.to_owned()], ValueMatch::Text(text)));
    Matcher::All(vec![part("iss", issuer), part("sub", subject)])
}

fn in_payload(path: &[String], value: ValueMatch) -> Leaf {
    let payload = ["payload".to_owned()];
    Leaf::Metadata {
        filter: "envoy.filters.http.jwt_authn".into(),
        path: payload.iter().chain(path).cloned().collect(),
        value,
    }
}

/// A member of a list, or the string itself.
fn claim(path: &[String], values: &[String]) -> Leaf {
    let values = any_of(values.iter().map(|value| ValueMatch::Text(text(value))).collect());
    let member = ValueMatch::Member(Box::new(values.clone()));
    in_payload(path, ValueMatch::OneOf(vec![member, values]))
}

fn metadata(filter: &str, key: &str, values: &[String]) -> Leaf {
    let value = |value: &String| match value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        Some(member) => ValueMatch::Member(Box::new(ValueMatch::Text(text(member)))),
        None => ValueMatch::Text(text(value)),
    };
    let value = any_of(values.iter().map(value).collect());
    Leaf::Metadata { filter: filter.into(), path: vec![key.into()], value }
}

fn any_of(mut values: Vec<ValueMatch>) -> ValueMatch {
    if values.len() == 1 { values.remove(0) } else { ValueMatch::OneOf(values) }
}

fn peers(
    name: &str,
    values: &[String],
    namespace: &str,
    options: &Options,
) -> Result<Vec<Matcher>, Untranslatable> {
    let domains = &options.trust_domains;
    let mut found = Vec::new();
    for value in values {
        match Subject::of(name)? {
            Subject::Namespace => found.push((
                PeerField::Namespace(value.clone()),
                regex(format!(".*/ns/{}/.*", with_stars(value))),
            )),
            Subject::ServiceAccount => {
                let (namespace, account) = value.split_once('/').unwrap_or((namespace, value));
                found.push((
                    PeerField::ServiceAccount(namespace.into(), account.into()),
                    regex(format!("spiffe://.+/ns/{namespace}/(.+/|)sa/{account}(/.+)?")),
                ));
            }
            Subject::TrustDomain => {
                let known = domains.contains(value);
                let own = [value.clone()];
                for domain in if known { domains.as_slice() } else { own.as_slice() } {
                    found.push((PeerField::TrustDomain(domain.clone()), trust_domain(domain)));
                }
            }
            _ => {
                for principal in expanded(value, domains) {
                    found.push((PeerField::Principal, self::principal(&principal)));
                }
            }
        }
    }
    let leaf = |(field, text)| Leaf::Peer(PeerMatch { form: options.peer, field, text });
    Ok(found.into_iter().map(|found| Matcher::Leaf(leaf(found))).collect())
}

fn regex(text: String) -> StringMatch {
    StringMatch::new(StringForm::Regex, &text)
}

fn principal(value: &str) -> StringMatch {
    let mut matcher = text(value);
    match matcher.form {
        StringForm::Regex => {}
        StringForm::Suffix => return regex(format!("spiffe://.*{}", quoted(&matcher.text))),
        StringForm::Exact | StringForm::Prefix => matcher.text.insert_str(0, "spiffe://"),
    }
    matcher
}

fn trust_domain(value: &str) -> StringMatch {
    match value.split_once('*') {
        None => StringMatch::new(StringForm::Prefix, &format!("spiffe://{value}/")),
        Some(("", "")) => StringMatch::new(StringForm::Prefix, "spiffe://"),
        Some((before, behind)) => {
            let (before, behind) = (quoted(before), quoted(behind));
            regex(format!("spiffe://{before}[^/]*{behind}/.*"))
        }
    }
}

/// The text as a regular expression in which every star stands for anything.
fn with_stars(value: &str) -> String {
    value.split('*').map(quoted).collect::<Vec<_>>().join(".*")
}

/// As Go quotes: the hyphen is no special character there.
fn quoted(text: &str) -> String {
    regex::escape(text).replace("\\-", "-")
}

/// A principal of five parts in a trust domain of the mesh stands for one in each of them.
fn expanded(principal: &str, domains: &[String]) -> Vec<String> {
    let parts: Vec<&str> = principal.split('/').collect();
    let own = vec![principal.to_owned()];
    let [domain, path @ ..] = parts.as_slice() else { return own };
    let fits =
        |pattern: &str, text: &str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(suffix), _) => text.ends_with(suffix),
            (None, Some(prefix)) => text.starts_with(prefix),
            (None, None) => text == pattern,
        };
    let known = |known: &String| fits(domain, known) || fits(known, domain);
    let of_the_mesh = *domain == "cluster.local" || domains.iter().any(known);
    if path.len() != 4 || *domain == "*" || !of_the_mesh {
        return own;
    }
    let copy = |known: &String| match domain.strip_prefix('*') {
        Some(suffix) if known.ends_with(suffix) => principal.to_owned(),
        _ => format!("{known}/{}", path.join("/")),
    };
    domains.iter().map(copy).collect()
}
