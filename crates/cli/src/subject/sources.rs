//! Where the conditions of compiled rules were written.

use crate::input::{Node, Value};

/// The fields of `source` and their negations, in the order in which core compiles them.
const SOURCE: [&str; 14] = [
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

/// The fields of `operation`, in the same way.
const OPERATION: [&str; 8] =
    ["methods", "notMethods", "ports", "notPorts", "paths", "notPaths", "hosts", "notHosts"];

/// A condition as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// As audit records name it.
    pub(crate) label: String,
    /// From the resource on.
    pub(crate) pointer: String,
    pub(crate) values: Vec<String>,
}

impl Condition {
    /// Its place inside its rule: the pointer's parts after `/spec/rules/N`.
    pub(crate) fn place(&self) -> impl Iterator<Item = &str> {
        self.pointer.split('/').skip(4)
    }
}

/// The conditions of one rule of an AuthorizationPolicy, in the order in which core compiles them:
/// those of `from`, of `to`, of `when`.
pub(crate) fn conditions_of(resource: &Node, rule: u32) -> Vec<Condition> {
    let place = format!("/spec/rules/{rule}");
    let Some(node) = resource.at(&place) else { return Vec::new() };
    let mut conditions = Vec::new();
    for (list, member, fields) in
        [("from", "source", SOURCE.as_slice()), ("to", "operation", OPERATION.as_slice())]
    {
        let entries = node.get(list).map(Node::elements).unwrap_or_default();
        for (index, entry) in entries.iter().enumerate() {
            let Some(entry) = entry.get(member) else { continue };
            for field in fields {
                let label = format!("{list}.{member}.{field}");
                let pointer = format!("{place}/{list}/{index}/{member}/{field}");
                conditions.extend(condition(entry, field, label, pointer));
            }
        }
    }
    let entries = node.get("when").map(Node::elements).unwrap_or_default();
    for (index, entry) in entries.iter().enumerate() {
        let key = entry.get("key").and_then(Node::as_str).unwrap_or_default();
        for (field, label) in
            [("values", format!("when[{key}]")), ("notValues", format!("when[{key}].notValues"))]
        {
            let pointer = format!("{place}/when/{index}/{field}");
            conditions.extend(condition(entry, field, label, pointer));
        }
    }
    conditions
}

/// An empty list is no condition.
fn condition(entry: &Node, field: &str, label: String, pointer: String) -> Option<Condition> {
    let values: Vec<String> = entry.get(field)?.elements().iter().map(text).collect();
    (!values.is_empty()).then_some(Condition { label, pointer, values })
}

fn text(node: &Node) -> String {
    match &node.value {
        Value::String(text) | Value::Number(text) => text.clone(),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}
