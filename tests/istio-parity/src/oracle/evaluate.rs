//! Envoy's RBAC matchers, and what Lychgate's strictnesses would make of them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::Facts;
use crate::rbac::{
    HeaderMatch, Leaf, Matcher, PeerField, PeerMatch, StringForm, StringMatch, ValueMatch, whole,
};

/// A difference between Lychgate's matchers and Envoy's, each with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strictness {
    /// Several lines or a comma list.
    HeaderLines,
    /// A header with a number whose text can't be told.
    UntoldNumber,
    /// A namespace is that of exactly Istio's form of an ID.
    Namespace,
    /// So is a service account.
    ServiceAccount,
    /// A dot in a service account is a dot.
    LiteralDots,
    /// In a refusal, a list of words is also compared as a whole.
    WordsWhole,
    /// In a refusal, issuer and subject are also compared as one text.
    SubjectJoined,
    /// In a refusal, a star also takes a value with a line feed.
    LineFeed,
    /// In a refusal, the wildcards of a path template take any character.
    TemplateCharacters,
    /// An IPv4 address mapped into IPv6 is read both ways.
    MappedAddress,
}

impl Strictness {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::HeaderLines,
        Self::UntoldNumber,
        Self::Namespace,
        Self::ServiceAccount,
        Self::LiteralDots,
        Self::WordsWhole,
        Self::SubjectJoined,
        Self::LineFeed,
        Self::TemplateCharacters,
        Self::MappedAddress,
    ];

    /// The id in docs/strictness.md.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::HeaderLines => "request.header-lines",
            Self::UntoldNumber => "output.number",
            Self::Namespace | Self::ServiceAccount => "peer.namespace",
            Self::LiteralDots => "peer.literal-dots",
            Self::WordsWhole => "claim.words-whole",
            Self::SubjectJoined => "claim.principal-joined",
            Self::LineFeed => "claim.line-feed",
            Self::TemplateCharacters => "path.template-characters",
            Self::MappedAddress => "request.mapped-address",
        }
    }
}

/// The strictnesses to answer with.
#[derive(Debug, Clone, Default)]
pub struct Doubts {
    strictnesses: BTreeSet<Strictness>,
    joined: bool,
}

impl Doubts {
    /// Envoy itself.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Some of what Lychgate's matchers are known for.
    #[must_use]
    pub fn of(strictnesses: &[Strictness]) -> Self {
        Self { strictnesses: strictnesses.iter().copied().collect(), joined: false }
    }

    /// One of them.
    #[must_use]
    pub fn only(strictness: Strictness) -> Self {
        Self { strictnesses: BTreeSet::from([strictness]), joined: false }
    }

    /// The same where the host has joined header lines.
    #[must_use]
    pub fn joined(mut self, joined: bool) -> Self {
        self.joined = joined;
        self
    }

    fn has(&self, strictness: Strictness) -> bool {
        self.strictnesses.contains(&strictness)
    }
}

/// Whether a matcher holds. `wide` says that a doubtful comparison should hold.
pub(super) fn holds(matcher: &Matcher, facts: &Facts<'_>, wide: bool, doubts: &Doubts) -> bool {
    let all = |matcher| holds(matcher, facts, wide, doubts);
    match matcher {
        Matcher::Any => true,
        Matcher::All(matchers) => {
            matchers.iter().all(all)
                || (wide && doubts.has(Strictness::SubjectJoined) && joined(matchers, facts))
        }
        Matcher::OneOf(matchers) => match lines(matchers) {
            Some((name, _)) if doubts.has(Strictness::UntoldNumber) && is_untold(name, facts) => {
                wide
            }
            Some((name, values)) if doubts.has(Strictness::HeaderLines) => {
                every_line(name, &values, facts, wide, doubts.joined)
            }
            _ if doubts.has(Strictness::MappedAddress) => in_both_readings(facts, wide, |facts| {
                matchers.iter().any(|matcher| holds(matcher, facts, wide, doubts))
            }),
            _ => matchers.iter().any(all),
        },
        Matcher::Not(matcher) => !holds(matcher, facts, !wide, doubts),
        Matcher::Leaf(leaf) => compares(leaf, facts, wide, doubts),
    }
}

fn is_untold(name: &str, facts: &Facts<'_>) -> bool {
    facts.untold.iter().any(|untold| untold.eq_ignore_ascii_case(name))
}

/// Whether something holds of the addresses as they are and of their plain form: both where a
/// doubtful comparison should fail, else one of them.
fn in_both_readings<'a>(facts: &Facts<'a>, wide: bool, holds: impl Fn(&Facts<'a>) -> bool) -> bool {
    let plain = |ip: Option<IpAddr>| ip.map(|ip| ip.to_canonical());
    let other = Facts {
        source_ip: plain(facts.source_ip),
        remote_ip: plain(facts.remote_ip),
        destination_ip: plain(facts.destination_ip),
        ..facts.clone()
    };
    if wide { holds(facts) || holds(&other) } else { holds(facts) && holds(&other) }
}

fn compares(leaf: &Leaf, facts: &Facts<'_>, wide: bool, doubts: &Doubts) -> bool {
    match leaf {
        Leaf::Header { name, value } => {
            header(name, facts).iter().any(|line| header_matches(value, line))
        }
        Leaf::UrlPath(text) => text.matches(facts.path.as_bytes()),
        Leaf::UriTemplate(template) => {
            let lax = wide && doubts.has(Strictness::TemplateCharacters);
            template_matches(template, &facts.path, lax)
        }
        Leaf::DestinationIp(range) => facts.destination_ip.is_some_and(|ip| range.contains(ip)),
        Leaf::DirectRemoteIp(range) => facts.source_ip.is_some_and(|ip| range.contains(ip)),
        Leaf::RemoteIp(range) => facts.remote_ip.is_some_and(|ip| range.contains(ip)),
        Leaf::DestinationPort(port) => facts.destination_port == Some(*port),
        Leaf::ServerName(text) => {
            facts.server_name.is_some_and(|name| text.matches(name.to_ascii_lowercase().as_bytes()))
        }
        Leaf::Peer(peer) => facts.peer.iter().any(|id| peer_matches(peer, id, wide, doubts)),
        Leaf::Metadata { filter, path, value } if filter == "envoy.filters.http.jwt_authn" => {
            claim_matches(&path[1..], value, facts, wide, doubts)
        }
        Leaf::Metadata { filter, path, value } => {
            let is_it = |(other, key, _): &&(_, _, _)| other == filter && *key == path[0];
            let found = facts.metadata.iter().find(is_it);
            let star = wide && doubts.has(Strictness::LineFeed);
            found.is_some_and(|(_, _, found)| value_matches(value, found, star))
        }
    }
}

fn header<'f>(name: &str, facts: &'f Facts<'_>) -> Vec<&'f str> {
    match name {
        ":method" => vec![facts.method],
        ":authority" => facts.authority.into_iter().collect(),
        _ => {
            let lines = facts.headers.iter().filter(|line| line.0.eq_ignore_ascii_case(name));
            lines.map(|line| line.1.as_str()).collect()
        }
    }
}

fn header_matches(value: &HeaderMatch, line: &str) -> bool {
    match value {
        HeaderMatch::Present => true,
        HeaderMatch::Text(text) => text.matches(line.as_bytes()),
        HeaderMatch::OldRegex(text) => whole(text).is_match(line.as_bytes()),
    }
}

/// The header that all of these look at, if it is an ordinary one.
fn lines(matchers: &[Matcher]) -> Option<(&str, Vec<&HeaderMatch>)> {
    let Some(Matcher::Leaf(Leaf::Header { name, .. })) = matchers.first() else { return None };
    let value = |matcher| match matcher {
        &Matcher::Leaf(Leaf::Header { ref value, .. }) => Some(value),
        _ => None,
    };
    let values: Option<Vec<_>> = matchers.iter().map(value).collect();
    values.filter(|_| !name.starts_with(':')).map(|values| (name.as_str(), values))
}

fn every_line(
    name: &str,
    values: &[&HeaderMatch],
    facts: &Facts<'_>,
    wide: bool,
    joined: bool,
) -> bool {
    let lines = header(name, facts);
    let matches = |line: &str| values.iter().any(|value| header_matches(value, line));
    let whole = lines.join(", ");
    let parts: Vec<&str> = whole.split(',').map(str::trim).collect();
    if joined && wide {
        // Any run of elements may have been a line.
        let from = |start: usize| (start..parts.len()).map(move |end| (start, end));
        let mut runs = (0..parts.len()).flat_map(from);
        let is_there = !lines.is_empty();
        is_there && runs.any(|(start, end)| matches(&parts[start..=end].join(", ")))
    } else if joined && !lines.is_empty() {
        matches(&whole) && parts.into_iter().all(matches)
    } else if wide {
        lines.iter().any(|line| matches(line) || line.split(',').any(|part| matches(part.trim())))
    } else {
        !lines.is_empty() && lines.into_iter().all(matches)
    }
}

/// `{*}` is a segment that is not empty, `{**}` any number of them, also none.
fn template_matches(template: &str, path: &str, lax: bool) -> bool {
    let pchar = if lax { "[^/]" } else { "[A-Za-z0-9._~%!$&'()*+,;=:@-]" };
    let segments = template.split('/').map(|segment| match segment {
        "*" => format!("{pchar}+"),
        "**" => format!("(?:{pchar}|/)*"),
        text => regex::escape(text),
    });
    let text = segments.collect::<Vec<_>>().join("/");
    whole(&text).is_match(path.as_bytes())
}

fn peer_matches(peer: &PeerMatch, id: &str, wide: bool, doubts: &Doubts) -> bool {
    let envoy = peer.text.matches(id.as_bytes());
    let parts: Vec<&str> = id.trim_start_matches("spiffe://").split('/').collect();
    let workload = match parts.as_slice() {
        [_, "ns", namespace, "sa", account] => Some((*namespace, *account)),
        _ => None,
    };
    match &peer.field {
        PeerField::Namespace(value) if !wide && doubts.has(Strictness::Namespace) => {
            let glob: Vec<String> = value.split('*').map(regex::escape).collect();
            workload.is_some_and(|(namespace, _)| {
                whole(&glob.join(".*")).is_match(namespace.as_bytes())
            })
        }
        PeerField::ServiceAccount(namespace, account) if !wide && envoy => {
            let text = if doubts.has(Strictness::LiteralDots) {
                regex::escape(account)
            } else {
                account.clone()
            };
            let form = format!("spiffe://.+/ns/{namespace}/(.+/|)sa/{text}(/.+)?");
            let is_form = |(found, name): (&str, &str)| {
                found == namespace && whole(&text).is_match(name.as_bytes())
            };
            let literally =
                !doubts.has(Strictness::LiteralDots) || whole(&form).is_match(id.as_bytes());
            literally && (!doubts.has(Strictness::ServiceAccount) || workload.is_some_and(is_form))
        }
        _ => envoy,
    }
}

fn claim_matches(
    path: &[String],
    value: &ValueMatch,
    facts: &Facts<'_>,
    wide: bool,
    doubts: &Doubts,
) -> bool {
    let star = wide && doubts.has(Strictness::LineFeed);
    let find = |claims: &serde_json::Map<String, Value>| {
        let (first, rest) = path.split_first()?;
        let mut found = claims.get(first)?;
        for name in rest {
            found = found.as_object()?.get(name)?;
        }
        Some(value_matches(value, found, star))
    };
    let matched = facts.payload.as_ref().and_then(find).unwrap_or(false);
    let whole = wide && doubts.has(Strictness::WordsWhole);
    matched || (whole && facts.claims.as_ref().and_then(find).unwrap_or(false))
}

fn value_matches(value: &ValueMatch, found: &Value, star: bool) -> bool {
    match (value, found) {
        (ValueMatch::OneOf(values), _) => {
            values.iter().any(|value| value_matches(value, found, star))
        }
        (ValueMatch::Text(text), Value::String(found)) => {
            text.matches(found.as_bytes()) || (star && is_star(text) && !found.is_empty())
        }
        (ValueMatch::Member(value), Value::Array(members)) => {
            members.iter().any(|member| value_matches(value, member, star))
        }
        _ => false,
    }
}

fn is_star(text: &StringMatch) -> bool {
    text.form == StringForm::Regex && text.text == ".+"
}

/// Issuer and subject of a request principal, compared as the text that the policy holds.
fn joined(matchers: &[Matcher], facts: &Facts<'_>) -> bool {
    let part = |matcher: &Matcher, name: &str| match matcher {
        Matcher::Leaf(Leaf::Metadata { path, value: ValueMatch::Text(text), .. })
            if path.len() == 2 && path[1] == name =>
        {
            Some(text.clone())
        }
        _ => None,
    };
    let [issuer, subject] = matchers else { return false };
    let (Some(issuer), Some(subject)) = (part(issuer, "iss"), part(subject, "sub")) else {
        return false;
    };
    let claim = |name: &str| facts.claims.as_ref()?.get(name)?.as_str();
    let (Some(iss), Some(sub)) = (claim("iss"), claim("sub")) else { return false };
    let both = format!("{iss}/{sub}");
    let text = format!("{}/{}", issuer.text, subject.text);
    match (issuer.form, subject.form) {
        (StringForm::Exact, StringForm::Exact) => both == text,
        (StringForm::Exact, StringForm::Prefix) => both.starts_with(&text),
        (StringForm::Exact, _) => both.starts_with(&format!("{}/", issuer.text)),
        (StringForm::Prefix, _) => both.starts_with(&issuer.text),
        (StringForm::Suffix, _) => both.ends_with(&text),
        (StringForm::Regex, StringForm::Suffix) => both.ends_with(&subject.text),
        (StringForm::Regex, StringForm::Exact) => both.ends_with(&format!("/{}", subject.text)),
        (StringForm::Regex, _) => true,
    }
}
