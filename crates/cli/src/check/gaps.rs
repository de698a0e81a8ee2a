//! Gaps between trust zones that no single policy shows.

use std::collections::HashSet;

use lychgate_core::Severity;

use super::cluster::{Cluster, Workload, text};
use crate::diagnostic::Diagnostic;
use crate::input::{Node, Place};

/// Code, risk and fix.
type Gap = (&'static str, &'static str, &'static str);

const NO_NETWORK_POLICY: Gap = (
    "network_policy_missing",
    "any pod of the cluster can open connections past the proxy to the pods of this namespace",
    "add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress], and allow from there",
);
const MTLS_PERMISSIVE: Gap = (
    "mtls_permissive",
    "plaintext is accepted, so nobody knows who calls",
    "set mtls.mode to STRICT once every caller has a sidecar",
);
const MTLS_DISABLED: Gap = (
    "mtls_disabled",
    "connections are plaintext: nobody knows who calls, and everybody on the way can read",
    "set mtls.mode to STRICT",
);
const MTLS_NOT_STRICT: Gap = (
    "mtls_not_strict",
    "without a PeerAuthentication Istio accepts plaintext, so nobody knows who calls",
    "add a PeerAuthentication with mtls.mode STRICT to the namespace or to the root namespace",
);
const SIDECAR_OPT_OUT: Gap = (
    "sidecar_opt_out",
    "the workload has no proxy, so no policy is enforced in front of it",
    "remove sidecar.istio.io/inject, or put the workload behind a waypoint or a gateway",
);
const UNSELECTED: Gap = (
    "workload_unselected",
    "no AuthorizationPolicy applies to the workload, so everybody may call it",
    "add an AuthorizationPolicy that selects it, or one with an empty spec for its namespace",
);

/// Every gap that the manifests show.
pub(super) fn of(cluster: &Cluster<'_>) -> Vec<Diagnostic> {
    let mut gaps = Vec::new();
    let used: HashSet<&String> = cluster.workloads.iter().map(|w| &w.namespace).collect();
    let (denying, strict) = (denying_by_default(cluster), strict(cluster));
    let mesh = strict.contains(cluster.root_namespace());
    for (namespace, place) in &cluster.namespaces {
        if !denying.contains(namespace) {
            gaps.push(gap(NO_NETWORK_POLICY, place.clone(), format!("namespace {namespace}")));
        }
        if used.contains(namespace) && !mesh && !strict.contains(namespace.as_str()) {
            gaps.push(gap(MTLS_NOT_STRICT, place.clone(), format!("namespace {namespace}")));
        }
    }
    for policy in cluster.of_kind("PeerAuthentication") {
        modes(&policy.place, policy.node, &mut gaps);
    }
    for workload in &cluster.workloads {
        let Workload { kind, namespace, name, .. } = workload;
        let detail = format!("{kind} {namespace}/{name}");
        if let Some(place) = &workload.opts_out {
            gaps.push(gap(SIDECAR_OPT_OUT, place.clone(), detail));
        } else if !is_selected(cluster, workload) {
            gaps.push(gap(UNSELECTED, workload.place.clone(), detail));
        }
    }
    gaps
}

fn gap((code, risk, fix): Gap, place: Place, detail: String) -> Diagnostic {
    let (severity, place, pointer) = (Severity::Warning, Some(place), String::new());
    Diagnostic { severity, code, detail, risk, fix, place, pointer, correction: None }
}

/// The namespaces of which a NetworkPolicy selects every pod and lets nobody in.
fn denying_by_default(cluster: &Cluster<'_>) -> HashSet<String> {
    let denying = cluster.resources().filter(|(_, node)| {
        let types: Vec<_> = node
            .at("/spec/policyTypes")
            .map(|types| types.elements().iter().filter_map(Node::as_str).collect())
            .unwrap_or_default();
        let selects_all = node.at("/spec/podSelector").is_some_and(|selector| {
            let empty = |name| {
                selector
                    .get(name)
                    .is_none_or(|node| node.members().is_empty() && node.elements().is_empty())
            };
            empty("matchLabels") && empty("matchExpressions")
        });
        let opens = node.at("/spec/ingress").is_some_and(|rules| !rules.elements().is_empty());
        text(node, "/kind") == "NetworkPolicy"
            && text(node, "/apiVersion").starts_with("networking.k8s.io/")
            && selects_all
            && (types.is_empty() || types.contains(&"Ingress"))
            && !opens
    });
    denying.map(|(_, node)| cluster.namespace_of(node)).collect()
}

/// The namespaces with a policy of their own about mTLS. One that is not strict is reported itself.
fn strict<'c>(cluster: &'c Cluster<'_>) -> HashSet<&'c str> {
    let whole = cluster.of_kind("PeerAuthentication").filter(|policy| {
        let mode = text(policy.node, "/spec/mtls/mode");
        policy.selector.is_empty() && !mode.is_empty() && mode != "UNSET"
    });
    whole.map(|policy| policy.home.as_str()).collect()
}

/// The modes of one PeerAuthentication that let plaintext in.
fn modes(place: &Place, node: &Node, gaps: &mut Vec<Diagnostic>) {
    let name = text(node, "/metadata/name");
    let mut look = |mode: Option<&Node>, what: String| {
        let Some(mode) = mode else { return };
        let found = match mode.as_str() {
            Some("PERMISSIVE") => MTLS_PERMISSIVE,
            Some("DISABLE") => MTLS_DISABLED,
            _ => return,
        };
        gaps.push(gap(found, place.at(Some(mode.mark)), what));
    };
    look(node.at("/spec/mtls/mode"), format!("PeerAuthentication {name}"));
    let ports = node.at("/spec/portLevelMtls").map(Node::members).unwrap_or_default();
    for (port, value) in ports {
        look(value.get("mode"), format!("PeerAuthentication {name}, port {port}"));
    }
}

/// Whether an AuthorizationPolicy of the namespace or of the mesh applies. What is behind a waypoint
/// is selected by `targetRefs`, of which the manifests don't say whom they serve: such a policy
/// counts for its whole namespace.
fn is_selected(cluster: &Cluster<'_>, workload: &Workload<'_>) -> bool {
    let homes = cluster.homes(&workload.namespace);
    cluster.policies.applies("AuthorizationPolicy", homes, &workload.labels)
}
