//! What to write in place of what a finding is about, where that is one plain thing.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::finding::{Finding, FindingCode};
use crate::json::{Document, JsonWriter, Value};
use crate::limits;

/// A value to put into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Correction {
    /// Where it goes, as a JSON Pointer (RFC 6901): in place of what stands there.
    pub pointer: String,
    /// The value, as JSON.
    pub value: String,
}

/// Corrects what a finding about this bundle is about.
///
/// There is none where the right value depends on what was meant.
#[must_use]
pub fn correction(bundle: &[u8], finding: &Finding) -> Option<Correction> {
    let document = Document::parse(bundle, &limits::BUNDLE_JSON).ok()?;
    Place { root: document.root(), pointer: &finding.pointer }.correct(finding.code)
}

/// A place in the bundle.
#[derive(Clone, Copy)]
struct Place<'a> {
    root: Value<'a>,
    pointer: &'a str,
}

impl<'a> Place<'a> {
    fn correct(self, code: FindingCode) -> Option<Correction> {
        if code == FindingCode::SplitRule {
            return self.parent()?.merged_rules();
        }
        if code == FindingCode::DenyAbsent {
            return self.refused_absence();
        }
        if code == FindingCode::AllowNegative {
            return self.demanded_identity();
        }
        let value = self.text()?;
        let domain = || Place { pointer: "/workload/trustDomain", ..self }.text();
        let with = |pairs: &[(FindingCode, Option<String>)]| {
            let mut pairs = pairs.iter();
            pairs.find(|(known, _)| *known == code).and_then(|(_, text)| text.clone())
        };
        if let Some(text) = with(&[
            (FindingCode::SpiffeScheme, value.strip_prefix("spiffe://").map(String::from)),
            (FindingCode::LowerCaseMethod, Some(value.to_ascii_uppercase())),
            (FindingCode::OpenPrefix, value.strip_suffix('*').map(|start| format!("{start}/*"))),
            (
                FindingCode::AnyTrustDomain,
                value
                    .strip_prefix("*/")
                    .map(|rest| format!("{}/{rest}", domain().unwrap_or("cluster.local"))),
            ),
            (
                FindingCode::KeysWithoutTls,
                value.strip_prefix("http:").map(|rest| format!("https:{rest}")),
            ),
        ]) {
            return Some(self.written(|json| json.string(&text)));
        }
        let added = with(&[
            (FindingCode::HostPort, other_host(value)),
            (FindingCode::PathSlash, other_path(value)),
        ])?;
        self.parent()?.with_element(|json| json.string(&added))
    }

    fn written(self, write: impl FnOnce(&mut JsonWriter)) -> Correction {
        let mut json = JsonWriter::new();
        write(&mut json);
        Correction { pointer: self.pointer.into(), value: json.finish() }
    }

    fn value(self) -> Option<Value<'a>> {
        let mut value = self.root;
        for segment in self.pointer.split('/').skip(1) {
            let name = segment.replace("~1", "/").replace("~0", "~");
            value = match value.as_array() {
                Some(mut elements) => elements.nth(name.parse().ok()?)?,
                None => value.as_object()?.get(&name)?,
            };
        }
        Some(value)
    }

    fn text(self) -> Option<&'a str> {
        self.value()?.as_str()
    }

    fn parent(self) -> Option<Self> {
        let (pointer, _) = self.pointer.rsplit_once('/')?;
        Some(Self { pointer, ..self })
    }

    /// The rule around, its place in the list of rules and the list.
    fn rule(self) -> Option<(Self, Self)> {
        let before = self.pointer.find("/rules/")?;
        let number = before.checked_add("/rules/".len())?;
        let length = self.pointer.get(number..)?.find('/').unwrap_or(usize::MAX);
        let end = number.saturating_add(length).min(self.pointer.len());
        let rule = Self { pointer: self.pointer.get(..end)?, ..self };
        Some((rule.parent()?, rule))
    }

    /// The list with one more element.
    fn with_element(self, write: impl FnOnce(&mut JsonWriter)) -> Option<Correction> {
        let elements = self.value()?.as_array()?;
        Some(self.written(|json| {
            json.array(|json| {
                elements.for_each(|element| json.value(element));
                write(json);
            });
        }))
    }

    /// The rules with only `from` and those with only `to` as one rule, in the place of the first.
    fn merged_rules(self) -> Option<Correction> {
        let rules: Vec<Value<'a>> = self.value()?.as_array()?.collect();
        let only = |rule: &Value<'a>, name: &str| {
            let mut members = rule.as_object().into_iter().flatten();
            members.next().is_some_and(|(member, _)| member == name) && members.next().is_none()
        };
        let (parts, rest): (Vec<Value<'a>>, Vec<Value<'a>>) =
            rules.into_iter().partition(|rule| only(rule, "from") || only(rule, "to"));
        let entries = |name| {
            let lists = parts.iter().filter_map(move |rule| rule.as_object()?.get(name));
            lists.filter_map(Value::as_array).flatten()
        };
        if entries("from").next().is_none() || entries("to").next().is_none() {
            return None;
        }
        Some(self.written(|json| {
            json.array(|json| {
                json.object(|json| {
                    for name in ["from", "to"] {
                        json.name(name);
                        json.array(|json| entries(name).for_each(|entry| json.value(entry)));
                    }
                });
                rest.iter().for_each(|rule| json.value(*rule));
            });
        }))
    }

    /// The rules with one that refuses, for the same operations, whoever lacks the identity.
    fn refused_absence(self) -> Option<Correction> {
        let (rules, rule) = self.rule()?;
        let operations = rule.value()?.as_object()?.get("to");
        let field = self.pointer.rsplit('/').next()?;
        let key = match self.parent()?.value()?.as_object()?.get("key") {
            Some(key) => key.as_str()?,
            None if field == "requestPrincipals" => "request.auth.principal",
            None => "source.principal",
        };
        let field = match key {
            "request.auth.principal" => Some("notRequestPrincipals"),
            key if key.starts_with("request.auth.") => None,
            _ => Some("notPrincipals"),
        };
        let star = |json: &mut JsonWriter| json.array(|json| json.string("*"));
        rules.with_element(|json| {
            json.object(|json| {
                if let Some(field) = field {
                    json.name("from");
                    list_of_one(json, |json| {
                        json.name("source");
                        json.object(|json| {
                            json.name(field);
                            star(json);
                        });
                    });
                }
                if let Some(operations) = operations {
                    json.name("to");
                    json.value(operations);
                }
                if field.is_none() {
                    json.name("when");
                    list_of_one(json, |json| {
                        json.member("key", key);
                        json.name("notValues");
                        star(json);
                    });
                }
            });
        })
    }

    /// The source with an identity that it demands.
    fn demanded_identity(self) -> Option<Correction> {
        let source = self.pointer.ends_with("/source").then_some(self)?.value()?.as_object()?;
        let about_peer = ["notPrincipals", "notNamespaces", "notTrustDomains"];
        // Accounts don't combine with principals; a trust domain also is a peer's.
        let field = if source.get("notServiceAccounts").is_some() {
            "trustDomains"
        } else if about_peer.iter().any(|name| source.get(name).is_some()) {
            "principals"
        } else {
            "requestPrincipals"
        };
        Some(self.written(|json| {
            json.object(|json| {
                for (name, value) in source {
                    json.name(name);
                    json.value(value);
                }
                json.name(field);
                json.array(|json| json.string("*"));
            });
        }))
    }
}

fn list_of_one(json: &mut JsonWriter, members: impl FnOnce(&mut JsonWriter)) {
    json.array(|json| json.object(members));
}

/// The same host with any port, or without one.
fn other_host(host: &str) -> Option<String> {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match host.rsplit_once(':') {
        Some((host, port)) if is_port(port) => Some(host.into()),
        _ if host.starts_with('*') => None,
        _ => Some(format!("{host}:*")),
    }
}

/// What is missing beside a path: the path without its slash, or what is below it.
fn other_path(path: &str) -> Option<String> {
    let bare = path.strip_suffix("/*").or_else(|| path.strip_suffix("/{**}"));
    let bare = bare.or_else(|| path.strip_suffix('/'));
    match bare {
        Some(bare) => Some(bare.into()),
        None if path.starts_with('*') => None,
        None if path.contains('{') => Some(format!("{path}/{{**}}")),
        None => Some(format!("{path}/*")),
    }
}
