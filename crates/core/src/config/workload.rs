//! The workload that a bundle is for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{LoadError, LoadProblem};
use crate::json::{DecodeError, Fields, Quoted, Value};
use crate::spiffe::TrustDomain;

/// What Istio calls a proxy: where a policy is enforced.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) kind: WorkloadKind,
    pub(super) namespace: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) targets: Vec<Target>,
    pub(super) root_namespace: String,
    pub(super) trust_domain: String,
    pub(super) trust_domain_aliases: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkloadKind {
    Sidecar,
    Gateway,
    Waypoint,
}

impl WorkloadKind {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        value.variant(&[
            ("sidecar", Self::Sidecar),
            ("gateway", Self::Gateway),
            ("waypoint", Self::Waypoint),
        ])
    }
}

/// Something that a `targetRef` can name and that this workload serves.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

impl Target {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["group", "kind", "name", "namespace"])?;
        Ok(Self {
            group: fields.text_or_empty("group")?,
            kind: fields.text("kind")?,
            name: fields.text("name")?,
            namespace: fields.optional("namespace", Value::string)?,
        })
    }

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

impl Workload {
    const MEMBERS: [&str; 7] = [
        "kind",
        "namespace",
        "labels",
        "targets",
        "rootNamespace",
        "trustDomain",
        "trustDomainAliases",
    ];

    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &Self::MEMBERS)?;
        let text_or = |name: &str, default: &str| {
            let text = fields.member(name, Value::string)?;
            Ok(text.unwrap_or_else(|| default.into()))
        };
        Ok(Self {
            kind: fields.required("kind", WorkloadKind::read)?,
            namespace: fields.text("namespace")?,
            labels: fields.map("labels", Value::string)?,
            targets: fields.list("targets", Target::read)?,
            root_namespace: text_or("rootNamespace", "istio-system")?,
            trust_domain: text_or("trustDomain", "cluster.local")?,
            trust_domain_aliases: fields.texts("trustDomainAliases")?,
        })
    }

    /// The trust domain of the mesh, then its aliases.
    pub(super) fn trust_domains(&self) -> Vec<String> {
        core::iter::once(&self.trust_domain).chain(&self.trust_domain_aliases).cloned().collect()
    }

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
        Err(error) => Err(refuse(pointer, format!("{} is no trust domain: {error}", Quoted(name)))),
    }
}

fn refuse(pointer: &str, message: String) -> LoadError {
    LoadError::new(pointer, LoadProblem::Workload(message))
}
