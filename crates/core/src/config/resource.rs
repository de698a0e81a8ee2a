//! The Kubernetes envelope of a resource: what it is, what it is called, whom it selects.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{LoadError, LoadProblem};
use crate::finding::{Finding, FindingCode};
use crate::json::{DecodeError, Fields, Quoted, Value};

/// The kinds that a bundle may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    AuthorizationPolicy,
    RequestAuthentication,
    PeerAuthentication,
}

/// One resource, its `spec` not yet read but for the selection.
#[derive(Debug, Clone)]
pub(super) struct Resource<'a> {
    pub(super) pointer: String,
    pub(super) kind: Kind,
    pub(super) metadata: Metadata,
    /// The place of `spec`; absent is the same as empty.
    pub(super) spec: Option<Value<'a>>,
    pub(super) selection: Selection,
}

/// What Kubernetes knows of a resource. Other members are its own business and are not read.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) creation_timestamp: Option<String>,
}

impl Metadata {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::open(value)?;
        Ok(Self {
            name: fields.text("name")?,
            namespace: fields.text_or_empty("namespace")?,
            annotations: fields.map("annotations", Value::string)?,
            creation_timestamp: fields.optional("creationTimestamp", Value::string)?,
        })
    }
}

/// The part of a `spec` that says to whom it applies; the rest is read by the resource's kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    pub(super) selector: Option<Selector>,
    pub(super) target_ref: Option<TargetRef>,
    pub(super) target_refs: Vec<TargetRef>,
}

impl Selection {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::open(value)?;
        Ok(Self {
            selector: fields.optional("selector", Selector::read)?,
            target_ref: fields.optional("targetRef", TargetRef::read)?,
            target_refs: fields.list("targetRefs", TargetRef::read)?,
        })
    }

    /// The references, the old single form included.
    pub(super) fn targets(&self) -> &[TargetRef] {
        if self.target_refs.is_empty() { self.target_ref.as_slice() } else { &self.target_refs }
    }

    /// Whether only workloads with certain labels are selected.
    pub(super) fn has_labels(&self) -> bool {
        self.selector.as_ref().is_some_and(|selector| !selector.match_labels.is_empty())
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    pub(super) match_labels: Vec<(String, String)>,
}

impl Selector {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let match_labels =
            Fields::closed(value, &["matchLabels"])?.map("matchLabels", Value::string)?;
        Ok(Self { match_labels })
    }
}

#[derive(Debug, Clone)]
pub(super) struct TargetRef {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

impl TargetRef {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["group", "kind", "name", "namespace"])?;
        Ok(Self {
            group: fields.text_or_empty("group")?,
            kind: fields.text("kind")?,
            name: fields.text("name")?,
            namespace: fields.text_or_empty("namespace")?,
        })
    }
}

impl<'a> Resource<'a> {
    pub(super) fn read(
        pointer: String,
        value: Value<'a>,
        default_namespace: &str,
    ) -> Result<Self, LoadError> {
        let object = value.as_object().ok_or_else(|| shape(&pointer, "a resource is an object"))?;
        for (name, _) in object {
            if !matches!(name, "apiVersion" | "kind" | "metadata" | "spec" | "status") {
                let place = format!("{pointer}{}", pointer_to(name));
                return Err(shape(&place, "unknown member of a resource"));
            }
        }
        let text = |name| object.get(name).and_then(Value::as_str).unwrap_or("");
        let kind = kind_of(&pointer, text("apiVersion"), text("kind"))?;
        let place = format!("{pointer}/metadata");
        let metadata = object.get("metadata").ok_or_else(|| shape(&place, "missing metadata"))?;
        let mut metadata =
            Metadata::read(metadata).map_err(|error| LoadError::decode(&place, &error))?;
        if metadata.name.is_empty() {
            return Err(shape(&format!("{place}/name"), "a resource has a name"));
        }
        if metadata.namespace.is_empty() {
            metadata.namespace = default_namespace.into();
        }
        let spec = object.get("spec");
        let selection = match spec {
            Some(spec) => Selection::read(spec)
                .map_err(|error| LoadError::decode(&format!("{pointer}/spec"), &error))?,
            None => Selection::default(),
        };
        Ok(Self { pointer, kind, metadata, spec, selection })
    }

    /// That it applies to no workload.
    pub(super) fn unused(&self) -> Finding {
        Finding::new(FindingCode::SelectsNothing, self.pointer.clone(), self.full_name())
    }

    /// `namespace/name`, as decisions name a policy.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }
}

fn kind_of(pointer: &str, version: &str, kind: &str) -> Result<Kind, LoadError> {
    let known = match kind {
        "AuthorizationPolicy" => Some(Kind::AuthorizationPolicy),
        "RequestAuthentication" => Some(Kind::RequestAuthentication),
        "PeerAuthentication" => Some(Kind::PeerAuthentication),
        _ => None,
    };
    match (known, version) {
        (Some(kind), "security.istio.io/v1" | "security.istio.io/v1beta1") => Ok(kind),
        _ => Err(LoadError::new(
            pointer,
            LoadProblem::Kind(format!(
                "{} {} is not supported; AuthorizationPolicy, \
                 RequestAuthentication and PeerAuthentication of security.istio.io/v1 are",
                Quoted(version),
                Quoted(kind)
            )),
        )),
    }
}

/// The JSON Pointer to a member (RFC 6901 §3).
pub(super) fn pointer_to(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

fn shape(pointer: &str, message: &str) -> LoadError {
    LoadError::new(pointer, LoadProblem::Shape(message.into()))
}
