//! PeerAuthentication: on which ports a verified peer is required.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::error::{LoadError, LoadProblem};
use super::resource::{Resource, pointer_to};
use super::workload::Workload;
use crate::json::Value;
use crate::ruleset::PeerRequirement;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default, rename = "selector")]
    _selector: Option<Ignored>,
    mtls: Option<MutualTls>,
    #[serde(default)]
    port_level_mtls: BTreeMap<String, MutualTls>,
}

/// Read already, with the selection.
#[derive(Debug, Clone, Deserialize)]
struct Ignored {}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MutualTls {
    #[serde(default)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    #[default]
    Unset,
    Disable,
    Permissive,
    Strict,
}

/// The nearer scope wins: mesh, then namespace, then workload; in one scope the oldest resource.
/// STRICT requires a verified peer, every other mode requires nothing.
pub(super) fn requirement(
    resources: &[&Resource<'_>],
    workload: &Workload,
) -> Result<PeerRequirement, LoadError> {
    let mut read = Vec::new();
    for resource in resources {
        read.push((*resource, spec(resource)?));
    }
    check_ages(&read, workload)?;
    read.sort_by_key(|(resource, _)| age(resource));
    let scope = |wanted: Scope| {
        read.iter()
            .find(|(resource, _)| scope_of(resource, workload) == wanted)
            .map(|(_, spec)| spec)
    };
    let mut mode = Mode::Permissive;
    for spec in [scope(Scope::Mesh), scope(Scope::Namespace), scope(Scope::Workload)] {
        match spec.and_then(|spec| spec.mtls).unwrap_or_default().mode {
            Mode::Unset => {}
            set @ (Mode::Disable | Mode::Permissive | Mode::Strict) => mode = set,
        }
    }
    let mut ports = BTreeMap::new();
    if let Some(spec) = scope(Scope::Workload) {
        for (port, level) in &spec.port_level_mtls {
            if let (Ok(port), true) = (port.parse::<u16>(), level.mode != Mode::Unset) {
                ports.insert(port, level.mode == Mode::Strict);
            }
        }
    }
    Ok(PeerRequirement::new(mode == Mode::Strict, ports))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Mesh,
    Namespace,
    Workload,
}

fn scope_of(resource: &Resource<'_>, workload: &Workload) -> Scope {
    if resource.selection.has_labels() {
        Scope::Workload
    } else if resource.metadata.namespace == workload.root_namespace {
        Scope::Mesh
    } else {
        Scope::Namespace
    }
}

/// Of several resources in one scope the oldest counts, so each must say when it was made.
fn check_ages(read: &[(&Resource<'_>, Spec)], workload: &Workload) -> Result<(), LoadError> {
    for (index, (resource, _)) in read.iter().enumerate() {
        let scope = scope_of(resource, workload);
        let has_rival = read
            .iter()
            .enumerate()
            .any(|(other, (rival, _))| other != index && scope_of(rival, workload) == scope);
        if has_rival && created(resource).is_none() {
            return Err(LoadError::new(
                format!("{}/metadata/creationTimestamp", resource.pointer),
                LoadProblem::PeerAuthentication(
                    "another PeerAuthentication has the same scope, and the older one counts: \
                     remove one, or keep the creationTimestamp of both"
                        .into(),
                ),
            ));
        }
    }
    Ok(())
}

/// When a resource was made, in the one form in which Kubernetes writes it: such texts sort as the
/// times do.
fn created<'a>(resource: &'a Resource<'_>) -> Option<&'a str> {
    let created = resource.metadata.creation_timestamp.as_deref();
    created.filter(|text| {
        let form = b"0000-00-00T00:00:00Z";
        text.len() == form.len()
            && text.bytes().zip(form).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == *other,
            })
    })
}

/// Resources of one age count in the order of their names, as in Istio.
fn age<'a>(resource: &'a Resource<'_>) -> (Option<&'a str>, String) {
    (created(resource), resource.full_name())
}

fn spec(resource: &Resource<'_>) -> Result<Spec, LoadError> {
    let pointer = format!("{}/spec", resource.pointer);
    let spec: Spec = match resource.spec.map(Value::decode).transpose() {
        Ok(spec) => spec.unwrap_or_default(),
        Err(error) => return Err(LoadError::decode(&pointer, &error)),
    };
    let refuse = |place: String, message: &str| {
        Err(LoadError::new(place, LoadProblem::PeerAuthentication(message.into())))
    };
    if !resource.selection.targets().is_empty() {
        return refuse(pointer, "PeerAuthentication has no targetRefs");
    }
    if !spec.port_level_mtls.is_empty() && !resource.selection.has_labels() {
        let message = "portLevelMtls needs a selector with labels";
        return refuse(format!("{pointer}/portLevelMtls"), message);
    }
    for port in spec.port_level_mtls.keys() {
        // No sign and no leading zero, so that one port has one name.
        if !port.parse::<u16>().is_ok_and(|number| number > 0 && format!("{number}") == *port) {
            let place = format!("{pointer}/portLevelMtls{}", pointer_to(port));
            return refuse(place, "a port is 1 to 65535");
        }
    }
    Ok(spec)
}
