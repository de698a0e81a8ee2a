//! Requests that a policy's value was written for, and requests right beside them.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::pool::{ACCOUNTS, DOMAINS, NAMESPACES, fill};
use super::request::place;
use crate::case::{Form, PeerNames, RequestModel, Setup, now};
use crate::random::Random;
use crate::rbac::PeerForm;
use crate::resource::{Fields, JwtRule};

/// A field or a key, whether or not it is negated, and one of its values.
type Target<'a> = (String, &'a str);

/// Makes the connection one that a value speaks of.
pub(super) fn connection(random: &mut Random, setup: &Setup, connection: &mut RequestModel) {
    let Some((name, value)) = target(random, setup) else { return };
    match name.as_str() {
        "ports" | "destination.port" => connection.destination_port = value.parse().ok(),
        "ipBlocks" | "source.ip" => {
            connection.source_ip = own_address(value).or(connection.source_ip);
        }
        "destination.ip" => {
            connection.destination_ip = address(value).or(connection.destination_ip);
        }
        "connection.sni" => {
            let name = Some(beside(random, value)).filter(|name| is_name(name));
            connection.server_name = name.or(connection.server_name.take());
        }
        _ if setup.peers == PeerForm::Certificate => {
            peer(random, setup, (&name, value), connection)
        }
        _ => {}
    }
}

/// Makes the request one that a value speaks of.
pub(super) fn request(random: &mut Random, setup: &Setup, request: &mut RequestModel) {
    let Some((name, value)) = target(random, setup) else { return };
    match name.as_str() {
        "methods" => request.method = method(value).unwrap_or(request.method.clone()),
        "paths" => request.target = path(random, value).unwrap_or(request.target.clone()),
        "hosts" => {
            let host = Some(beside(random, value)).filter(|host| is_host(host));
            request.authority = host.or(request.authority.take());
        }
        "remoteIpBlocks" | "remote.ip" => request.remote_ip = address(value).or(request.remote_ip),
        "experimental.envoy.filters.a.b[c]" => metadata(random, value, request),
        _ if name.starts_with("request.headers[") => header(random, &name, value, request),
        _ if name.starts_with("request") => claims(random, setup, &name, value, request),
        _ if setup.peers == PeerForm::FilterState => peer(random, setup, (&name, value), request),
        _ => {}
    }
}

/// One of the values that the enforced and the observing policies name.
fn target<'a>(random: &mut Random, setup: &'a Setup) -> Option<Target<'a>> {
    let policy = pick(random, &setup.policies)?;
    let rule = pick(random, policy.rules())?;
    let sources = rule.from.iter().map(|from| &from.source);
    let operations = rule.to.iter().map(|to| &to.operation);
    let lists = |fields: &'a Fields| fields.iter().map(|(name, values)| (plain(name), values));
    let mut all: Vec<_> = sources.chain(operations).flat_map(lists).collect();
    for when in &rule.when {
        all.extend([&when.values, &when.not_values].map(|values| (when.key.clone(), values)));
    }
    all.retain(|(_, values)| !values.is_empty());
    let (name, values) = pick(random, &all)?;
    Some((name.clone(), pick(random, values)?))
}

pub(super) fn pick<'a, T>(random: &mut Random, list: &'a [T]) -> Option<&'a T> {
    (!list.is_empty()).then(|| &list[random.below(list.len())])
}

/// The field of which this is the negation, or the field itself.
fn plain(name: &str) -> String {
    match name.strip_prefix("not").and_then(|rest| rest.split_at_checked(1)) {
        Some((first, rest)) => format!("{}{rest}", first.to_lowercase()),
        None => name.to_owned(),
    }
}

/// A text that a value with or without a star matches; now and then one that it just does not.
fn beside(random: &mut Random, value: &str) -> String {
    let text = exemplar(random, value);
    match random.below(20) {
        0 => text.to_uppercase(),
        1 => format!("{text}x"),
        2 => format!("x{text}"),
        3 => text.to_lowercase(),
        _ => text,
    }
}

/// A text that a value matches.
fn exemplar(random: &mut Random, value: &str) -> String {
    match (value.strip_prefix('*'), value.strip_suffix('*')) {
        (Some(""), _) => fill(random),
        (Some(end), _) => format!("{}{end}", fill(random)),
        (None, Some(start)) => format!("{start}{}", fill(random)),
        (None, None) => value.to_owned(),
    }
}

/// The address that is written in a block, which every block holds, if it is one that a connection
/// can have.
fn address(value: &str) -> Option<IpAddr> {
    let address: IpAddr = value.split('/').next().unwrap_or_default().parse().ok()?;
    Some(address).filter(|address| !address.is_unspecified())
}

/// The same of this machine.
fn own_address(value: &str) -> Option<IpAddr> {
    address(value).filter(|address| address.is_loopback() && address.to_string() != "127.0.0.0")
}

/// A method has a name that Envoy knows.
fn method(value: &str) -> Option<String> {
    let fits = |method: &&&str| match (value.strip_prefix('*'), value.strip_suffix('*')) {
        (Some(end), _) => method.ends_with(end),
        (None, Some(start)) => method.starts_with(start),
        (None, None) => **method == value,
    };
    super::pool::METHODS.iter().find(fits).map(|method| (*method).to_owned())
}

fn path(random: &mut Random, value: &str) -> Option<String> {
    let path = if value.contains("{*") {
        let segment = |segment: &str| match segment {
            "{*}" => fill(random),
            "{**}" => [fill(random), fill(random)].join("/"),
            text => text.to_owned(),
        };
        value.split('/').map(segment).collect::<Vec<_>>().join("/")
    } else {
        beside(random, value)
    };
    path.starts_with('/').then_some(path)
}

/// Whether a TLS client can ask for it: the last label of a name is no number.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(is_plain)
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is a name with or without a port: what else a host may be is a matter of vectors.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "80"));
    let name = name.strip_suffix('.').unwrap_or(name);
    is_name(name) && port.len() < 5 && port.parse::<u16>().is_ok()
}

fn header(random: &mut Random, name: &str, value: &str, request: &mut RequestModel) {
    let name = name.trim_start_matches("request.headers[").trim_end_matches(']');
    let value = beside(random, value);
    if random.percent(60) {
        request.headers.retain(|(other, _)| other != name);
    }
    request.headers.push((name.into(), value.trim().replace('\n', " ")));
}

fn metadata(random: &mut Random, value: &str, request: &mut RequestModel) {
    let member = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let found = beside(random, member.unwrap_or(value));
    let found = if member.is_some() { json!([found, "z"]) } else { json!(found) };
    request.metadata = vec![("envoy.filters.a.b".into(), "c".into(), found)];
}

/// The peer that a value speaks of, now and then from another trust domain of the mesh.
fn peer(
    random: &mut Random,
    setup: &Setup,
    (name, value): (&str, &str),
    request: &mut RequestModel,
) {
    let text = beside(random, value);
    let mut part = |of: &[&str]| random.pick(of).to_owned();
    let (domain, namespace, account) = (part(DOMAINS), part(NAMESPACES), part(ACCOUNTS));
    let id = match name {
        "principals" | "source.principal" => text,
        "namespaces" | "source.namespace" => format!("{domain}/ns/{text}/sa/{account}"),
        "serviceAccounts" | "source.serviceAccount" => match text.split_once('/') {
            Some((namespace, account)) => format!("{domain}/ns/{namespace}/sa/{account}"),
            None => format!("{domain}/ns/{}/sa/{text}", crate::case::NAMESPACE),
        },
        "trustDomains" | "source.trustDomain" => format!("{text}/ns/{namespace}/sa/{account}"),
        _ => return,
    };
    let known = pick(random, &setup.trust_domains).filter(|_| random.percent(30));
    let id = match (known, id.split_once('/')) {
        (Some(known), Some((_, path))) => format!("{known}/{path}"),
        _ => id,
    };
    request.peer = Some(PeerNames { uris: vec![format!("spiffe://{id}")], hosts: Vec::new() });
}

/// Places a token with the claim that a value speaks of.
fn claims(random: &mut Random, setup: &Setup, name: &str, value: &str, request: &mut RequestModel) {
    let rule = match name {
        "requestPrincipals" | "request.auth.principal" | "request.auth.claims[iss]" => {
            setup.jwt_rules.iter().find(|rule| issues(rule, value))
        }
        _ => None,
    };
    let rule = rule.or_else(|| pick(random, &setup.jwt_rules));
    place(random, request, rule);
    let Some(token) = request.tokens.first_mut() else { return };
    if random.percent(80) {
        token.form = Form::Genuine;
        token.claims.insert("exp".into(), json!(now() + 86_400));
        ["nbf", "iat"].into_iter().for_each(|name| drop(token.claims.remove(name)));
    }
    let inner = name.strip_prefix("request.auth.claims[").and_then(|name| name.strip_suffix(']'));
    match (name, inner) {
        ("requestPrincipals" | "request.auth.principal", _) => {
            let subject = value.rsplit_once('/').map_or(value, |(_, subject)| subject);
            set(&mut token.claims, &["sub"], json!(beside(random, subject)));
        }
        ("request.auth.audiences", _) => set(&mut token.claims, &["aud"], claim(random, value)),
        ("request.auth.presenter", _) => set(&mut token.claims, &["azp"], claim(random, value)),
        (_, Some("iss")) => {}
        (_, Some("sub")) => set(&mut token.claims, &["sub"], json!(beside(random, value))),
        (_, Some(path)) => {
            let path: Vec<&str> = path.split("][").collect();
            set(&mut token.claims, &path, claim(random, value));
        }
        _ => {}
    }
}

/// Whether a rule's issuer begins the value.
fn issues(rule: &JwtRule, value: &str) -> bool {
    value.strip_prefix(&*rule.issuer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// As text, or in a list.
fn claim(random: &mut Random, value: &str) -> Value {
    let text = beside(random, value);
    if random.percent(65) { json!(text) } else { json!([fill(random), text]) }
}

fn set(claims: &mut Map<String, Value>, path: &[&str], value: Value) {
    let [name, inner @ ..] = path else { return };
    if inner.is_empty() {
        claims.insert((*name).into(), value);
        return;
    }
    let outer = claims.entry(*name).or_insert(Value::Null);
    if !outer.is_object() {
        *outer = json!({});
    }
    if let Some(members) = outer.as_object_mut() {
        set(members, inner, value);
    }
}
