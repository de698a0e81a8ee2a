//! The bundle itself: its envelope, and the order in which its parts become a policy.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::authentication;
use super::authorization;
use super::error::{LoadError, LoadProblem};
use super::peer;
use super::resource::{Kind, Resource, pointer_to};
use super::select;
use super::settings::SettingsSpec;
use super::workload::{Workload, WorkloadKind};
use crate::authn::Authenticator;
use crate::finding::Finding;
use crate::json::{Document, Quoted, Value};
use crate::jwt::key::KeyCheck;
use crate::limits;
use crate::order;
use crate::policy::Lint;
use crate::ruleset::{ReadHeaders, ReliedHeaders, Ruleset};
use crate::upstream::HandOff;

const API_VERSION: &str = "lychgate.dev/v1alpha1";

/// A bundle whose outer parts have been read, with the resources that apply.
pub(super) struct Envelope<'a> {
    pub(super) workload: Workload,
    pub(super) settings: SettingsSpec,
    selected: Vec<(Resource<'a>, Value<'a>)>,
    others: Vec<Resource<'a>>,
}

/// Reads, selects, checks and compiles a bundle.
pub(crate) fn load(
    bundle: &[u8],
    keys: &dyn KeyCheck,
    lint: Lint,
) -> Result<(Ruleset, Vec<Finding>), LoadError> {
    let document = Document::parse(bundle, &limits::BUNDLE_JSON)
        .map_err(|error| LoadError::new("", LoadProblem::Json(error)))?;
    let envelope = Envelope::read(&document)?;
    let spec = &envelope.settings;
    let mut findings = spec.findings();
    let settings = spec.build()?;
    let rules = authentication::build(&envelope, keys, &mut findings)?;
    let authenticator = Authenticator::new(rules.rules, spec.acceptance());
    let peers = peer::requirement(&envelope.of(Kind::PeerAuthentication), &envelope.workload)?;
    let policies =
        authorization::build(&envelope, peers.is_required_everywhere(), lint, &mut findings)?;
    findings.extend(envelope.unselectable());
    let mut needs = policies.needs().clone();
    needs.destination_port |= peers.needs_port();
    needs.peer |=
        spec.identity_headers || peers.is_required_somewhere() || !settings.trusted_hops.is_empty();
    needs.tunnelled_peer = envelope.workload.kind == WorkloadKind::Waypoint;
    let hand_off =
        HandOff::new(spec.identity_headers, &authenticator).seen_by(&needs, &authenticator);
    let relied = ReliedHeaders::new(&authenticator, &hand_off, &policies);
    let ruleset = Ruleset {
        needs,
        revision: revision(&document),
        settings,
        read: ReadHeaders::new(&relied),
        relied,
        hand_off,
        authenticator: Arc::new(authenticator),
        sources: rules.sources,
        policies,
        peers,
    };
    Ok((ruleset, findings))
}

impl<'a> Envelope<'a> {
    pub(super) fn read(document: &'a Document) -> Result<Self, LoadError> {
        let shape = |pointer: String, message: &str| {
            LoadError::new(pointer, LoadProblem::Shape(message.into()))
        };
        let root = document.root().as_object();
        let root = root.ok_or_else(|| shape(String::new(), "a bundle is a JSON object"))?;
        for (name, _) in root {
            if !matches!(name, "apiVersion" | "kind" | "workload" | "settings" | "resources") {
                return Err(shape(pointer_to(name), "unknown member of a bundle"));
            }
        }
        check_kind(root.get("apiVersion"), root.get("kind"))?;
        let workload = root
            .get("workload")
            .ok_or_else(|| shape("/workload".into(), "a bundle is for one workload: missing"))?;
        let workload =
            Workload::read(workload).map_err(|error| LoadError::decode("/workload", &error))?;
        workload.check()?;
        let settings = match root.get("settings") {
            Some(settings) => SettingsSpec::read(settings)
                .map_err(|error| LoadError::decode("/settings", &error))?,
            None => SettingsSpec::default(),
        };
        settings.check()?;
        let resources = root.get("resources").and_then(Value::as_array);
        let resources =
            resources.ok_or_else(|| shape("/resources".into(), "a bundle has a list of them"))?;
        let (mut selected, mut others, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (index, value) in resources.enumerate() {
            let pointer = format!("/resources/{index}");
            let resource = Resource::read(pointer, value, &workload.namespace)?;
            names.push(format!("{:?} {}", resource.kind, resource.full_name()));
            if select::applies(&resource, &workload)? {
                selected.push((resource, value));
            } else {
                others.push(resource);
            }
        }
        // Kubernetes has one of each; of two, one is stale, and nobody knows which.
        if let Some(index) = order::repeated(names.iter().map(String::as_str)) {
            return Err(shape(
                format!("/resources/{index}/metadata/name"),
                "another resource of this kind has the same namespace and name",
            ));
        }
        Ok(Self { workload, settings, selected, others })
    }

    pub(super) fn selected(&self) -> impl Iterator<Item = &(Resource<'a>, Value<'a>)> {
        self.selected.iter()
    }

    /// The resources that do not apply.
    pub(super) fn others(&self) -> &[Resource<'a>] {
        &self.others
    }

    /// The resources that would not apply to any workload either.
    fn unselectable(&self) -> impl Iterator<Item = Finding> {
        let root = self.workload.root_namespace.as_str();
        self.others.iter().filter(|other| !select::is_selectable(other, root)).map(Resource::unused)
    }

    /// The selected resources of one kind, in the order of the bundle.
    pub(super) fn of(&self, kind: Kind) -> Vec<&Resource<'a>> {
        let of_kind = self.selected.iter().filter(|(resource, _)| resource.kind == kind);
        of_kind.map(|(resource, _)| resource).collect()
    }
}

fn check_kind(version: Option<Value<'_>>, kind: Option<Value<'_>>) -> Result<(), LoadError> {
    let [version, kind] = [version, kind].map(|value| value.and_then(Value::as_str));
    if version == Some(API_VERSION) && kind == Some("Bundle") {
        return Ok(());
    }
    let shown = |text: Option<&str>| text.map_or("none".into(), |text| Quoted(text).to_string());
    let message = format!(
        "expected apiVersion {} and kind \"Bundle\", found {} and {}; lychgate compile writes a \
         bundle from resources",
        Quoted(API_VERSION),
        shown(version),
        shown(kind)
    );
    Err(LoadError::new("", LoadProblem::Kind(message)))
}

fn revision(document: &Document) -> String {
    let mut revision = String::with_capacity(64);
    for byte in Sha256::digest(document.canonical()) {
        // Writing to a String can't fail.
        let _ = write!(revision, "{byte:02x}");
    }
    revision
}
