//! The workload that a bundle is for.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::error::{LoadError, LoadProblem};
use crate::spiffe::TrustDomain;

/// What Istio calls a proxy: where a policy is enforced.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Workload {
    pub(super) kind: WorkloadKind,
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) targets: Vec<Target>,
    #[serde(default = "root_namespace")]
    pub(super) root_namespace: String,
    #[serde(default = "trust_domain")]
    pub(super) trust_domain: String,
    #[serde(default)]
    pub(super) trust_domain_aliases: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WorkloadKind {
    Sidecar,
    Gateway,
    Waypoint,
}

/// Something that a `targetRef` can name and that this workload serves.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Target {
    #[serde(default)]
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

impl Target {
    /// Whether a `targetRef` can name it; anything else would never be found, and its policies
    /// would be left out.
    fn is_known(&self) -> bool {
        let kind = (self.group.as_str(), self.kind.as_str());
        !self.name.is_empty()
            && self.namespace.as_ref().is_none_or(|namespace| !namespace.is_empty())
            && matches!(
                kind,
                ("gateway.networking.k8s.io", "Gateway")
                    | ("" | "core", "Service")
                    | ("networking.istio.io", "ServiceEntry" | "Gateway")
            )
    }
}

fn root_namespace() -> String {
    "istio-system".into()
}

fn trust_domain() -> String {
    "cluster.local".into()
}

impl Workload {
    pub(super) fn check(&self) -> Result<(), LoadError> {
        if self.namespace.is_empty() {
            return Err(refuse("/workload/namespace", "a workload is in a namespace".into()));
        }
        if self.root_namespace.is_empty() {
            return Err(refuse("/workload/rootNamespace", "a namespace has a name".into()));
        }
        if let Some(index) = self.targets.iter().position(|target| !target.is_known()) {
            let message = "expected a Gateway of gateway.networking.k8s.io, a Service, or a \
                           ServiceEntry of networking.istio.io, with its group and name";
            return Err(refuse(&format!("/workload/targets/{index}"), message.into()));
        }
        check_trust_domain("/workload/trustDomain", &self.trust_domain)?;
        for (index, alias) in self.trust_domain_aliases.iter().enumerate() {
            check_trust_domain(&format!("/workload/trustDomainAliases/{index}"), alias)?;
        }
        Ok(())
    }
}

fn check_trust_domain(pointer: &str, name: &str) -> Result<(), LoadError> {
    match TrustDomain::parse(name) {
        Ok(_) => Ok(()),
        Err(error) => Err(refuse(pointer, format!("{name:?} is no trust domain: {error}"))),
    }
}

fn refuse(pointer: &str, message: String) -> LoadError {
    LoadError::new(pointer, LoadProblem::Workload(message))
}
