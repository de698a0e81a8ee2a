//! The trust boundaries as a map: zones, who is in them, and who may cross from where to where.

mod dot;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Cluster;
use crate::input::Node;

pub(crate) use dot::dot;
pub(crate) use mermaid::mermaid;
pub(crate) use svg::svg;

/// Where callers are who belong to no namespace.
const OUTSIDE: &str = "outside";

/// Longest name, and longest list of what may cross, in characters: each stands at many arrows.
const LONGEST: usize = 300;

/// Everything in a fixed order, so that a picture can be committed and compared.
#[derive(Debug, Default)]
pub(crate) struct TrustMap {
    /// Zones and their members.
    pub(crate) zones: BTreeMap<String, BTreeSet<String>>,
    pub(crate) crossings: BTreeSet<Crossing>,
}

/// Somebody in a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) zone: String,
    pub(crate) name: String,
}

/// Who may, or may not, call whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crossing {
    pub(crate) from: Member,
    pub(crate) to: Member,
    /// Operations and conditions.
    pub(crate) label: String,
    pub(crate) denied: bool,
}

impl TrustMap {
    /// The map of what manifests say.
    pub(crate) fn of(cluster: &Cluster<'_>) -> Self {
        let mut map = Self::default();
        for workload in &cluster.workloads {
            map.join(&workload.namespace, workload.name);
        }
        for policy in cluster.of_kind("AuthorizationPolicy") {
            map.add_policy(&policy.home, policy.node);
        }
        map
    }

    fn join(&mut self, zone: &str, name: &str) -> Member {
        let (zone, name) = (cut(zone), cut(name));
        self.zones.entry(zone.clone()).or_default().insert(name.clone());
        Member { zone, name }
    }

    fn add_policy(&mut self, namespace: &str, node: &Node) {
        let action = node.at("/spec/action").and_then(Node::as_str).unwrap_or("ALLOW");
        if !matches!(action, "ALLOW" | "DENY") {
            return;
        }
        let target = self.join(namespace, &target(node));
        let rules = node.at("/spec/rules").map(Node::elements).unwrap_or_default();
        for rule in rules {
            let label = cut(&label(rule));
            for from in self.sources(rule, namespace) {
                let (to, label, denied) = (target.clone(), label.clone(), action == "DENY");
                self.crossings.insert(Crossing { from, to, label, denied });
            }
        }
    }

    /// Who the callers of a rule are: its principals, namespaces, tokens or addresses.
    fn sources(&mut self, rule: &Node, namespace: &str) -> Vec<Member> {
        let entries = rule.get("from").map(Node::elements).unwrap_or_default();
        let mut sources = Vec::new();
        for source in entries.iter().filter_map(|entry| entry.get("source")) {
            for (field, values) in source.members() {
                for value in values.elements().iter().filter_map(Node::as_str) {
                    let (zone, name) = caller(field, value, namespace);
                    sources.push(self.join(&zone, &name));
                }
            }
        }
        if sources.is_empty() {
            sources.push(self.join(OUTSIDE, "anybody"));
        }
        sources
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// The zone and the name of a caller. A service account without a namespace is in the policy's.
fn caller(field: &str, value: &str, home: &str) -> (String, String) {
    let parts: Vec<&str> = value.split('/').collect();
    let (zone, name) = match (field, parts.as_slice()) {
        ("principals", [_, "ns", namespace, "sa", account]) => (*namespace, (*account).to_owned()),
        ("principals", [_, "ns", namespace, "*"]) => (*namespace, "everybody".to_owned()),
        ("serviceAccounts", [account]) => (home, (*account).to_owned()),
        ("serviceAccounts", [namespace, account]) => (*namespace, (*account).to_owned()),
        ("namespaces", [namespace]) if *namespace != "*" => (*namespace, "everybody".to_owned()),
        ("requestPrincipals", _) => (OUTSIDE, format!("token {value}")),
        (_, _) if field.starts_with("not") => (OUTSIDE, format!("not {value}")),
        _ => (OUTSIDE, value.to_owned()),
    };
    (zone.to_owned(), name)
}

/// What a policy is about: a workload by its labels or its name, or everything in its namespace.
fn target(node: &Node) -> String {
    let labels = node.at("/spec/selector/matchLabels").map(Node::members).unwrap_or_default();
    let text = |(key, value): &(String, Node)| {
        let value = value.as_str().unwrap_or_default();
        if key == "app" { value.to_owned() } else { format!("{key}={value}") }
    };
    let labels: Vec<String> = labels.iter().map(text).collect();
    let references = node.at("/spec/targetRefs").map(Node::elements).unwrap_or_default();
    let references: Vec<&str> = references
        .iter()
        .chain(node.at("/spec/targetRef"))
        .filter_map(|reference| reference.get("name")?.as_str())
        .collect();
    match (labels.is_empty(), references.is_empty()) {
        (false, _) => labels.join(" "),
        (true, false) => references.join(" "),
        (true, true) => "every workload".to_owned(),
    }
}

/// Methods, paths, hosts and ports, then the further conditions.
fn label(rule: &Node) -> String {
    let list = |node: &Node, field: &str| -> String {
        let values = node.get(field).map(Node::elements).unwrap_or_default().iter();
        values.filter_map(Node::as_str).collect::<Vec<_>>().join(",")
    };
    let mut parts = Vec::new();
    let entries = rule.get("to").map(Node::elements).unwrap_or_default();
    for operation in entries.iter().filter_map(|entry| entry.get("operation")) {
        let fields: Vec<String> = operation
            .members()
            .iter()
            .map(|(field, _)| {
                let values = list(operation, field);
                match field.as_str() {
                    "methods" | "paths" => values,
                    "ports" => format!(":{values}"),
                    "hosts" => format!("on {values}"),
                    negated => format!("{negated} {values}"),
                }
            })
            .collect();
        parts.push(fields.join(" "));
    }
    for condition in rule.get("when").map(Node::elements).unwrap_or_default() {
        let key = condition.get("key").and_then(Node::as_str).unwrap_or_default();
        let key = match key.strip_prefix("request.auth.claims") {
            Some(path) => path.trim_matches(['[', ']']).replace("][", "."),
            None => key.to_owned(),
        };
        for (field, sign) in [("values", "="), ("notValues", "!=")] {
            if condition.get(field).is_some() {
                parts.push(format!("{key}{sign}{}", list(condition, field)));
            }
        }
    }
    if parts.is_empty() { "anything".to_owned() } else { parts.join("; ") }
}
