//! For which workloads policies are checked when nobody names one.

use std::collections::BTreeSet;

use super::cluster::{Cluster, text};
use super::policies::Label;
use crate::arguments::{Kind, Pair, Target, WorkloadOptions};
use crate::input::Node;

/// What stands in front of a workload, and by what it is found.
type Key = (String, Vec<Label>, Vec<(String, String, String)>);

/// The workloads of the manifests, and for each policy one that it applies to: so every policy is
/// looked at, also in a folder that has nothing but policies.
pub(super) fn of(cluster: &Cluster<'_>) -> Vec<WorkloadOptions> {
    let mut keys: BTreeSet<Key> = BTreeSet::new();
    for workload in &cluster.workloads {
        let mut labels = workload.labels.clone();
        labels.sort();
        keys.insert((workload.namespace.clone(), labels, Vec::new()));
    }
    for kind in ["AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"] {
        for policy in cluster.of_kind(kind) {
            let mut labels = policy.selector.clone();
            labels.sort();
            keys.insert((policy.home.clone(), labels, targets(policy.node)));
        }
    }
    keys.into_iter().map(|key| options(key, &cluster.options)).collect()
}

fn targets(node: &Node) -> Vec<(String, String, String)> {
    let several = node.at("/spec/targetRefs").map(Node::elements).unwrap_or_default().iter();
    let all = several.chain(node.at("/spec/targetRef"));
    let part = |node, name| text(node, name).to_owned();
    all.map(|node| (part(node, "/group"), part(node, "/kind"), part(node, "/name"))).collect()
}

fn options((namespace, labels, targets): Key, root: &WorkloadOptions) -> WorkloadOptions {
    // A policy for a class of gateways applies to whatever is of the class.
    let class = targets.iter().any(|(_, kind, _)| kind == "GatewayClass");
    let gateway = targets.iter().any(|(_, kind, _)| kind == "Gateway");
    let kind = match (targets.is_empty(), class, gateway) {
        (true, ..) => Kind::Sidecar,
        (false, true, _) | (false, false, false) => Kind::Waypoint,
        (false, false, true) => Kind::Gateway,
    };
    let targets = targets.into_iter().filter(|(_, kind, _)| kind != "GatewayClass");
    WorkloadOptions {
        namespace: Some(namespace),
        labels: labels.into_iter().map(|(key, value)| Pair { key, value }).collect(),
        kind,
        targets: targets.map(|(group, kind, name)| Target { group, kind, name }).collect(),
        settings: None,
        allow_unrestricted: false,
        ..root.clone()
    }
}
