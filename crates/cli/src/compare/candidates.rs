//! For each thing that conditions are about, values that any condition can tell apart.

use std::collections::BTreeMap;

use lychgate_core::spiffe::SpiffeId;

use crate::subject::Subject;

/// A text that no policy names: letters and digits only, so that it fits into any name.
const FRESH: &str = "lychgatewitness";

/// Most values for one thing; more are left out, and the search is then bounded.
const MOST: usize = 4_000;

/// What a condition is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Method,
    Path,
    Host,
    Port,
    Peer,
    /// Issuer and subject of the token.
    Principal,
    /// A claim, from the outermost member inwards.
    Claim(Vec<String>),
    Header(String),
    SourceIp,
    RemoteIp,
    DestinationIp,
    ServerName,
    /// Something that can't be chosen here.
    Other,
}

impl Thing {
    /// What the condition with this label reads.
    pub(super) fn of(label: &str) -> Self {
        let Some(key) = label.strip_prefix("when[") else {
            let field = label.rsplit('.').next().unwrap_or_default();
            let field = field.strip_prefix("not").unwrap_or(field).to_ascii_lowercase();
            return match field.as_str() {
                "methods" => Self::Method,
                "paths" => Self::Path,
                "hosts" => Self::Host,
                "ports" => Self::Port,
                "principals" | "namespaces" | "serviceaccounts" | "trustdomains" => Self::Peer,
                "requestprincipals" => Self::Principal,
                "ipblocks" => Self::SourceIp,
                "remoteipblocks" => Self::RemoteIp,
                _ => Self::Other,
            };
        };
        let key = key.strip_suffix(".notValues").unwrap_or(key);
        let key = key.strip_suffix(']').unwrap_or(key);
        if let Some(name) = key.strip_prefix("request.headers[") {
            return Self::Header(name.trim_end_matches(']').to_ascii_lowercase());
        }
        if let Some(path) = key.strip_prefix("request.auth.claims") {
            let path = path.split(['[', ']']).filter(|part| !part.is_empty());
            let path: Vec<String> = path.map(str::to_owned).collect();
            return match path.as_slice() {
                [only] if only == "sub" || only == "iss" => Self::Principal,
                _ => Self::Claim(path),
            };
        }
        match key {
            "source.principal"
            | "source.namespace"
            | "source.serviceAccount"
            | "source.trustDomain" => Self::Peer,
            "request.auth.principal" => Self::Principal,
            "request.auth.audiences" => Self::Claim(vec!["aud".to_owned()]),
            "request.auth.presenter" => Self::Claim(vec!["azp".to_owned()]),
            "source.ip" => Self::SourceIp,
            "remote.ip" => Self::RemoteIp,
            "destination.ip" => Self::DestinationIp,
            "destination.port" => Self::Port,
            "connection.sni" => Self::ServerName,
            _ => Self::Other,
        }
    }
}

/// A value of a thing; none is that it is not there.
pub(super) type Value = Option<Vec<String>>;

/// Things with their values. The first value is the one that is taken where nothing depends on it.
pub(super) type Things = Vec<(Thing, Vec<Value>)>;

/// The values for every thing that any condition is about, and why they may not be all.
pub(super) fn of(
    conditions: &[(Thing, Vec<String>)],
    subjects: &[&Subject],
) -> (Things, Vec<String>) {
    let mut values: BTreeMap<Thing, Vec<String>> = BTreeMap::new();
    // Always there, since PeerAuthentication may ask for a peer and answers depend on tokens.
    values.entry(Thing::Peer).or_default();
    for (thing, more) in conditions {
        values.entry(thing.clone()).or_default().extend(more.iter().cloned());
    }
    if values.keys().any(|thing| matches!(thing, Thing::Claim(_))) {
        values.entry(Thing::Principal).or_default();
    }
    let mut bounds = Vec::new();
    let mut things = Things::new();
    for (thing, mut list) in values {
        list.sort();
        list.dedup();
        let mut found = candidates(&thing, &list, subjects, &mut bounds);
        if found.len() > MOST {
            bounds.push(format!("more than {MOST} values of {thing:?}"));
            found.truncate(MOST);
        }
        if thing != Thing::Other {
            things.push((thing, found));
        }
    }
    (things, bounds)
}

fn candidates(
    thing: &Thing,
    values: &[String],
    subjects: &[&Subject],
    bounds: &mut Vec<String>,
) -> Vec<Value> {
    let one = |text: String| Some(vec![text]);
    match thing {
        Thing::Method => texts(values, "").into_iter().map(one).collect(),
        Thing::Host => {
            texts(values, "").into_iter().filter(|h| !h.starts_with([':', '.'])).map(one).collect()
        }
        Thing::ServerName => with_absent(texts(values, "")),
        Thing::Path => paths(values, bounds).into_iter().map(one).collect(),
        Thing::Port => {
            let mut ports: Vec<Value> = vec![one("1".to_owned())];
            ports.extend(values.iter().cloned().map(one));
            ports
        }
        Thing::Peer => with_absent(peers(values, bounds)),
        Thing::Principal => principals(values, subjects),
        Thing::Claim(path) => claims(path, values, bounds),
        Thing::Header(_) => {
            if values.len() > 1 {
                bounds.push("headers with several lines are not tried".to_owned());
            }
            with_absent(texts(values, ""))
        }
        Thing::SourceIp | Thing::RemoteIp | Thing::DestinationIp => {
            bounds.push("addresses are tried at the ends of blocks only".to_owned());
            with_absent(values.iter().flat_map(|block| addresses(block)).collect())
        }
        Thing::Other => {
            bounds.push("metadata of other filters is not tried".to_owned());
            Vec::new()
        }
    }
}

fn with_absent(values: Vec<String>) -> Vec<Value> {
    core::iter::once(None).chain(values.into_iter().map(|text| Some(vec![text]))).collect()
}

/// Texts of every kind that patterns can tell apart: what equals one, what begins as one and ends as
/// another, and what fits none. A text's longest fitting prefix and suffix say which others fit.
fn texts(values: &[String], before: &str) -> Vec<String> {
    let mut exact = Vec::new();
    let (mut starts, mut ends) = (vec![String::new()], vec![String::new()]);
    for value in values {
        match (value.strip_prefix('*'), value.strip_suffix('*')) {
            (Some(""), _) => {}
            (Some(end), _) => ends.push(end.to_owned()),
            (None, Some(start)) => {
                exact.push(start.to_owned());
                starts.push(start.to_owned());
            }
            (None, None) => exact.push(value.clone()),
        }
    }
    let mut texts = vec![format!("{before}{FRESH}")];
    texts.extend(exact);
    for start in &starts {
        for end in &ends {
            let before = if start.is_empty() { before } else { "" };
            texts.push(format!("{start}{before}{FRESH}{end}"));
            if texts.len() > MOST {
                return texts;
            }
        }
    }
    texts.dedup();
    texts
}

fn paths(values: &[String], bounds: &mut Vec<String>) -> Vec<String> {
    let (templates, plain): (Vec<&String>, Vec<&String>) =
        values.iter().partition(|value| value.contains('{'));
    let plain: Vec<String> = plain.into_iter().cloned().collect();
    let mut paths = texts(&plain, "/");
    if !templates.is_empty() {
        bounds.push("path templates are tried with a few values for their variables".to_owned());
    }
    for template in templates {
        for rest in [FRESH.to_owned(), format!("{FRESH}/{FRESH}"), String::new()] {
            paths.push(template.replace("{*}", FRESH).replace("{**}", &rest));
        }
    }
    // A path has a slash first, and none of those that have two readings is worth a try.
    paths.retain(|path| path.starts_with('/') && !path.contains("//"));
    paths
}

/// Every trust domain with every namespace with every account that anybody names.
fn peers(values: &[String], bounds: &mut Vec<String>) -> Vec<String> {
    let fresh = || FRESH.to_owned();
    let mut domains = vec![fresh(), "cluster.local".to_owned()];
    let (mut namespaces, mut accounts) = (vec![fresh()], vec![fresh()]);
    let mut whole = Vec::new();
    for value in values {
        let parts: Vec<&str> = value.split('/').collect();
        match parts.as_slice() {
            [domain, "ns", namespace, "sa", account] => {
                domains.extend(texts(&[(*domain).to_owned()], ""));
                namespaces.extend(texts(&[(*namespace).to_owned()], ""));
                accounts.extend(texts(&[(*account).to_owned()], ""));
            }
            [domain, "ns", namespace, "*"] => {
                domains.push((*domain).to_owned());
                namespaces.push((*namespace).to_owned());
            }
            ["*", "sa", account] => accounts.push((*account).to_owned()),
            [namespace, account] if !value.contains('*') => {
                namespaces.push((*namespace).to_owned());
                accounts.push((*account).to_owned());
            }
            [name] => {
                // A namespace or a trust domain: which, its field says, and trying both is cheap.
                let names = texts(&[(*name).to_owned()], "");
                domains.extend(names.iter().filter(|name| name.contains('.')).cloned());
                namespaces.extend(names);
            }
            _ => {
                bounds.push("principals of other forms are tried in one form".to_owned());
                whole.push(value.replace('*', FRESH));
            }
        }
    }
    for list in [&mut domains, &mut namespaces, &mut accounts] {
        list.sort();
        list.dedup();
    }
    for domain in &domains {
        for namespace in &namespaces {
            for account in &accounts {
                whole.push(format!("{domain}/ns/{namespace}/sa/{account}"));
                if whole.len() > MOST {
                    return readable(whole);
                }
            }
        }
    }
    readable(whole)
}

fn readable(peers: Vec<String>) -> Vec<String> {
    let is_id = |peer: &String| SpiffeId::parse(format!("spiffe://{peer}").as_bytes()).is_ok();
    peers.into_iter().filter(is_id).collect()
}

/// No token, and each issuer with each subject that anybody names.
fn principals(values: &[String], subjects: &[&Subject]) -> Vec<Value> {
    let mut issuers: Vec<String> =
        subjects.iter().flat_map(|subject| subject.ring.issuers()).map(str::to_owned).collect();
    issuers.sort();
    issuers.dedup();
    let mut names = vec![FRESH.to_owned()];
    for value in values {
        let subject = value.rsplit('/').next().unwrap_or_default();
        names.extend(texts(&[subject.to_owned()], ""));
        names.extend(texts(core::slice::from_ref(value), ""));
    }
    names.sort();
    names.dedup();
    names.retain(|name| !name.is_empty());
    let mut found = vec![None];
    for issuer in &issuers {
        // A token without a subject is a token all the same.
        found.push(Some(vec![issuer.clone()]));
        found.extend(names.iter().map(|name| Some(vec![issuer.clone(), name.clone()])));
    }
    found
}

/// No claim, one value, and lists: all sets of a few values, else each alone and all together.
fn claims(path: &[String], values: &[String], bounds: &mut Vec<String>) -> Vec<Value> {
    let all: Vec<String> = texts(values, "").into_iter().filter(|text| !text.is_empty()).collect();
    let mut found: Vec<Value> = vec![None];
    if all.len() <= 6 {
        let sets = 1_u32.checked_shl(u32::try_from(all.len()).unwrap_or(0)).unwrap_or(1);
        for set in 1..sets {
            let chosen = all.iter().enumerate();
            let chosen = chosen.filter(|(bit, _)| {
                set & 1_u32.checked_shl(u32::try_from(*bit).unwrap_or(31)).unwrap_or(0) != 0
            });
            found.push(Some(chosen.map(|(_, text)| text.clone()).collect()));
        }
    } else {
        bounds.push(format!(
            "lists of the claim {} are tried with one value and with all",
            path.join(".")
        ));
        found.extend(all.iter().map(|text| Some(vec![text.clone()])));
        found.push(Some(all));
    }
    found
}

/// The first and the last address of a block, and the one behind it.
fn addresses(block: &str) -> Vec<String> {
    let (address, length) = block.split_once('/').unwrap_or((block, ""));
    let mut found = vec![address.to_owned()];
    if let Ok(v4) = address.parse::<core::net::Ipv4Addr>() {
        let length: u32 = length.parse().unwrap_or(32);
        let size = 1_u64.checked_shl(32_u32.saturating_sub(length)).unwrap_or(1);
        let first = u64::from(u32::from(v4));
        for next in [first.saturating_add(size).saturating_sub(1), first.saturating_add(size)] {
            if let Ok(next) = u32::try_from(next) {
                found.push(core::net::Ipv4Addr::from(next).to_string());
            }
        }
    }
    found
}
