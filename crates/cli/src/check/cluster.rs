//! What manifests say about a cluster: its namespaces, workloads and policies.

use std::collections::BTreeMap;

use super::policies::{Label, Policies, Policy};
use crate::arguments::WorkloadOptions;
use crate::input::{Document, Node, Place, Value};

/// The kinds that make pods from a template, and where the template is.
const TEMPLATES: [(&str, &str); 7] = [
    ("Deployment", "/spec/template"),
    ("StatefulSet", "/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("ReplicaSet", "/spec/template"),
    ("Job", "/spec/template"),
    ("CronJob", "/spec/jobTemplate/spec/template"),
    ("Pod", ""),
];

/// The namespace whose policies apply everywhere, unless somebody says otherwise.
const ROOT: &str = "istio-system";

/// What the documents of a folder say, sorted.
#[derive(Debug)]
pub(crate) struct Cluster<'a> {
    read: &'a [Document],
    pub(super) options: WorkloadOptions,
    /// Namespaces that somebody uses, and where each is first seen.
    pub(crate) namespaces: BTreeMap<String, Place>,
    pub(crate) workloads: Vec<Workload<'a>>,
    pub(crate) policies: Policies<'a>,
}

/// Something that runs pods.
#[derive(Debug, Clone)]
pub(crate) struct Workload<'a> {
    pub(crate) kind: &'a str,
    pub(crate) namespace: String,
    pub(crate) name: &'a str,
    pub(crate) labels: Vec<Label>,
    pub(crate) place: Place,
    /// Where it opts out of the sidecar, if it does.
    pub(crate) opts_out: Option<Place>,
}

impl<'a> Cluster<'a> {
    pub(crate) fn of(documents: &'a [Document], options: &WorkloadOptions) -> Self {
        let mut cluster = Self {
            read: documents,
            options: options.clone(),
            namespaces: BTreeMap::new(),
            workloads: Vec::new(),
            policies: Policies::default(),
        };
        let mut policies = Vec::new();
        for (place, node) in cluster.resources() {
            if text(node, "/apiVersion").starts_with("security.istio.io/") {
                policies.push(cluster.policy(place, node));
            } else {
                cluster.add(place, node);
            }
        }
        cluster.policies = Policies::of(policies);
        cluster
    }

    /// Every resource, those inside lists too.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (Place, &'a Node)> + use<'a> {
        self.read.iter().flat_map(|document| {
            let items = match text(&document.root, "/kind") {
                "List" => document.root.get("items").map(Node::elements).unwrap_or_default(),
                _ => core::slice::from_ref(&document.root),
            };
            items.iter().map(|node| (document.place.at(Some(node.mark)), node))
        })
    }

    fn policy(&self, place: Place, node: &'a Node) -> Policy<'a> {
        let selector = texts(node.at("/spec/selector/matchLabels"));
        Policy { place, node, kind: text(node, "/kind"), home: self.namespace_of(node), selector }
    }

    /// The resources of one of Istio's kinds.
    pub(crate) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Policy<'a>> {
        self.policies.iter().filter(move |policy| policy.kind == kind)
    }

    pub(crate) fn root_namespace(&self) -> &str {
        self.options.root_namespace.as_deref().unwrap_or(ROOT)
    }

    /// The namespace of a resource; a Namespace is in itself.
    pub(crate) fn namespace_of(&self, node: &Node) -> String {
        let named = match (text(node, "/kind"), text(node, "/metadata/namespace")) {
            ("Namespace", _) => text(node, "/metadata/name"),
            (_, named) => named,
        };
        let home = self.options.namespace.as_deref().unwrap_or("default");
        if named.is_empty() { home.to_owned() } else { named.to_owned() }
    }

    fn add(&mut self, place: Place, node: &'a Node) {
        let kind = text(node, "/kind");
        let namespace = self.namespace_of(node);
        let template = TEMPLATES.iter().find(|(known, _)| *known == kind);
        if kind == "Namespace" || template.is_some() {
            self.namespaces.entry(namespace.clone()).or_insert_with(|| place.clone());
        }
        let Some((_, template)) = template else { return };
        let pod = if template.is_empty() { Some(node) } else { node.at(template) };
        let Some(metadata) = pod.and_then(|pod| pod.get("metadata")) else { return };
        self.workloads.push(Workload {
            kind,
            namespace,
            name: text(node, "/metadata/name"),
            labels: texts(metadata.get("labels")),
            opts_out: opt_out(metadata).map(|node| place.at(Some(node.mark))),
            place: place.at(Some(node.mark_of("/metadata/name"))),
        });
    }

    /// The policies that may apply to a workload: those of its namespace and of the root one whose
    /// selector does not exclude it.
    pub(super) fn applying(&self, workload: &WorkloadOptions) -> Vec<usize> {
        let namespace = workload.namespace.as_deref().unwrap_or_default();
        let labels = workload.labels.iter().map(|l| (l.key.clone(), l.value.clone()));
        self.policies.applying(self.homes(namespace), &labels.collect::<Vec<_>>())
    }

    /// Policies as documents.
    pub(super) fn documents(&self, policies: &[usize]) -> Vec<Document> {
        let policies = policies.iter().filter_map(|index| self.policies.get(*index));
        let document = |p: &Policy<'_>| Document { place: p.place.clone(), root: p.node.clone() };
        policies.map(document).collect()
    }

    /// Whose policies apply to a workload of that namespace.
    pub(super) fn homes<'n>(&'n self, namespace: &'n str) -> [&'n str; 2] {
        [namespace, self.root_namespace()]
    }
}

/// `sidecar.istio.io/inject: "false"`, as a label or as an annotation.
fn opt_out(metadata: &Node) -> Option<&Node> {
    ["labels", "annotations"].into_iter().find_map(|list| {
        let inject = metadata.get(list)?.get("sidecar.istio.io/inject")?;
        let off = match &inject.value {
            Value::String(text) => text == "false",
            Value::Bool(value) => !value,
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
        };
        off.then_some(inject)
    })
}

/// The string that a pointer names; empty if there is none.
pub(super) fn text<'n>(node: &'n Node, pointer: &str) -> &'n str {
    node.at(pointer).and_then(Node::as_str).unwrap_or_default()
}

fn texts(node: Option<&Node>) -> Vec<Label> {
    let members = node.map(Node::members).unwrap_or_default().iter();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
