//! Which resources apply to a workload, decided as Istio decides it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::bundle::Envelope;
use super::error::{LoadError, LoadProblem};
use super::resource::{Kind, Resource, TargetRef};
use super::workload::{Workload, WorkloadKind};
use crate::bytes::holds;
use crate::finding::Finding;
use crate::json::{Document, JsonWriter, Quoted};
use crate::limits;
use crate::order;

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const WAYPOINT_CLASS: &str = "istio-waypoint";

/// Writes the bundle that holds only the resources that apply to the bundle's own workload.
///
/// Selecting twice changes nothing. The result is canonical JSON.
///
/// # Errors
/// [`LoadError`] where the envelope, the workload, the settings or a resource's envelope can't be
/// read, or where a `targetRef` can't be resolved. What stands inside a `spec` is not looked at.
pub fn select(bundle: &[u8]) -> Result<String, LoadError> {
    let document = Document::parse(bundle, &limits::BUNDLE_JSON)
        .map_err(|error| LoadError::new("", LoadProblem::Json(error)))?;
    let envelope = Envelope::read(&document)?;
    let mut writer = JsonWriter::new();
    writer.object(|writer| {
        let Some(root) = document.root().as_object() else { return };
        let mut members: Vec<_> = root.collect();
        order::sort_by(&mut members, |(a, _), (b, _)| a < b);
        for (name, value) in members {
            writer.name(name);
            if name == "resources" {
                writer.array(|writer| {
                    envelope.selected().for_each(|(_, value)| writer.value(*value));
                });
            } else {
                writer.value(value);
            }
        }
    });
    Ok(writer.finish())
}

/// Whether a resource applies to the workload.
///
/// A sidecar or a gateway without a Gateway API name goes by the selector and ignores references;
/// a gateway goes by references and falls back to the selector; a waypoint goes by references only.
pub(super) fn applies(resource: &Resource<'_>, workload: &Workload) -> Result<bool, LoadError> {
    let targets = resource.selection.targets();
    check_references(resource, targets)?;
    let namespace = resource.metadata.namespace.as_str();
    let in_scope = namespace == workload.root_namespace || namespace == workload.namespace;
    if resource.kind == Kind::PeerAuthentication {
        // In the root namespace Istio ignores a PeerAuthentication that has a selector.
        let ignored = namespace == workload.root_namespace && resource.selection.has_labels();
        return Ok(in_scope && !ignored && selected_by_labels(resource, workload));
    }
    Ok(match workload.kind {
        WorkloadKind::Sidecar => {
            targets.is_empty() && in_scope && selected_by_labels(resource, workload)
        }
        WorkloadKind::Gateway if targets.is_empty() => {
            in_scope && selected_by_labels(resource, workload)
        }
        WorkloadKind::Gateway | WorkloadKind::Waypoint => {
            resolvable(resource, targets, workload)?;
            targets.iter().any(|target| attaches(target, namespace, workload))
        }
    })
}

/// Whether a resource can apply to any workload of the mesh with this root namespace.
pub(super) fn is_selectable(resource: &Resource<'_>, root_namespace: &str) -> bool {
    let in_root = resource.metadata.namespace == root_namespace;
    let targets = resource.selection.targets();
    let is_class = |target: &TargetRef| target.kind == "GatewayClass";
    let is_ignored =
        resource.kind == Kind::PeerAuthentication && in_root && resource.selection.has_labels();
    let is_elsewhere = !in_root && !targets.is_empty() && targets.iter().all(is_class);
    !is_ignored && !is_elsewhere
}

/// Names the resources of a bundle that apply neither to its own workload nor to any of `workloads`.
///
/// Each of `workloads` is a JSON object like the bundle's own `workload`: give all that there are.
///
/// # Errors
/// [`LoadError`] as for [`select`](crate::select); for what is wrong with one of `workloads`, the
/// pointer is one into it.
pub fn unselected(bundle: &[u8], workloads: &[&[u8]]) -> Result<Vec<Finding>, LoadError> {
    let document = Document::parse(bundle, &limits::BUNDLE_JSON)
        .map_err(|error| LoadError::new("", LoadProblem::Json(error)))?;
    let envelope = Envelope::read(&document)?;
    let mut unused: Vec<&Resource<'_>> = envelope.others().iter().collect();
    for text in workloads {
        let document = Document::parse(text, &limits::BUNDLE_JSON)
            .map_err(|error| LoadError::new("", LoadProblem::Json(error)))?;
        let workload =
            Workload::read(document.root()).map_err(|error| LoadError::decode("", &error))?;
        let mut left = Vec::new();
        for resource in unused {
            if !applies(resource, &workload)? {
                left.push(resource);
            }
        }
        unused = left;
    }
    Ok(unused.into_iter().map(Resource::unused).collect())
}

fn selected_by_labels(resource: &Resource<'_>, workload: &Workload) -> bool {
    let Some(selector) = &resource.selection.selector else { return true };
    // As in Istio, a label that the workload does not have is empty.
    let label = |name: &String| {
        let mut labels = workload.labels.iter();
        labels.find(|(label, _)| label == name).map_or("", |(_, value)| value)
    };
    selector.match_labels.iter().all(|(name, value)| label(name) == value)
}

fn check_references(resource: &Resource<'_>, targets: &[TargetRef]) -> Result<(), LoadError> {
    let refuse = |message: String| {
        Err(LoadError::new(format!("{}/spec", resource.pointer), LoadProblem::Selection(message)))
    };
    let selection = &resource.selection;
    if !targets.is_empty() && selection.selector.is_some() {
        return refuse("selector and targetRefs exclude each other".into());
    }
    if selection.target_ref.is_some() && !selection.target_refs.is_empty() {
        return refuse("targetRef and targetRefs exclude each other".into());
    }
    if let Some(selector) = &selection.selector
        && let Some((name, value)) = selector
            .match_labels
            .iter()
            .find(|(name, value)| name.is_empty() || holds(name, b'*') || holds(value, b'*'))
    {
        return refuse(format!(
            "label {}: {}: labels have names and no wildcards",
            Quoted(name),
            Quoted(value)
        ));
    }
    match targets.iter().find(|target| !is_known(target) || !target.namespace.is_empty()) {
        None => Ok(()),
        Some(target) => refuse(format!(
            "targetRef {}/{} can't be resolved: Gateway and GatewayClass of {GATEWAY_API}, \
             Service, and ServiceEntry of networking.istio.io can, without a namespace",
            target.kind, target.name
        )),
    }
}

fn is_known(target: &TargetRef) -> bool {
    match (target.group.as_str(), target.kind.as_str()) {
        (GATEWAY_API, "Gateway")
        | ("" | "core", "Service")
        | ("networking.istio.io", "ServiceEntry" | "Gateway") => true,
        (GATEWAY_API, "GatewayClass") => target.name == WAYPOINT_CLASS,
        _ => false,
    }
}

/// Without a word on what the workload serves, a reference means neither yes nor no.
fn resolvable(
    resource: &Resource<'_>,
    targets: &[TargetRef],
    workload: &Workload,
) -> Result<(), LoadError> {
    let by_name = targets.iter().any(|target| target.kind != "GatewayClass");
    if !by_name || !workload.targets.is_empty() {
        return Ok(());
    }
    Err(LoadError::new(
        format!("{}/spec", resource.pointer),
        LoadProblem::Selection(
            "has a targetRef, and workload.targets does not say what this workload serves".into(),
        ),
    ))
}

fn attaches(target: &TargetRef, namespace: &str, workload: &Workload) -> bool {
    let waypoint = workload.kind == WorkloadKind::Waypoint;
    match target.kind.as_str() {
        "GatewayClass" => waypoint && namespace == workload.root_namespace,
        "Service" | "ServiceEntry" if !waypoint => false,
        _ => workload.targets.iter().any(|served| {
            let served_namespace = served.namespace.as_ref().unwrap_or(&workload.namespace);
            canonical_group(&served.group) == canonical_group(&target.group)
                && served.kind == target.kind
                && served.name == target.name
                && served_namespace == namespace
        }),
    }
}

fn canonical_group(group: &str) -> &str {
    if group == "core" { "" } else { group }
}
