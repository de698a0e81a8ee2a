//! Checking policies and the manifests around them.

mod cluster;
mod effort;
mod gaps;
mod policies;
mod workloads;

use std::collections::HashSet;

use lychgate_core::engine::Engine;
use lychgate_core::{Finding, Severity};
use lychgate_crypto::Portable;

use crate::arguments::WorkloadOptions;
use crate::bundle::{self, Bundle};
use crate::diagnostic::Diagnostic;
use crate::error::CliError;
use crate::input::{Document, SourceFile};

use effort::Effort;

pub(crate) use cluster::Cluster;

/// Most errors of one bundle: behind each may be another one.
const ERRORS: usize = 100;

/// Most findings of one bundle that get a correction.
const CORRECTED: usize = 50;

/// What was found, in the order of files and lines.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// For how many workloads.
    pub(crate) workloads: usize,
    /// The revision of the bundle, where it was one workload.
    pub(crate) revision: Option<String>,
}

impl Checked {
    /// Checks a bundle as hosts load it: the first error of each resource, and all warnings.
    pub(crate) fn bundle(bundle: Bundle) -> Result<Self, CliError> {
        Self::with_effort(bundle, &mut Effort::for_one())
    }

    fn with_effort(mut bundle: Bundle, effort: &mut Effort) -> Result<Self, CliError> {
        let mut checked = Self { workloads: 1, ..Self::default() };
        for _ in 0..ERRORS {
            effort.spend(&bundle);
            match Engine::load(bundle.text.as_bytes(), &Portable) {
                Ok(engine) => {
                    checked.add_warnings(&engine, &bundle, effort);
                    break;
                }
                Err(error) => {
                    let finding = error.finding();
                    checked.diagnostics.push(diagnose(&finding, &bundle, effort));
                    if !effort.is_left() {
                        break;
                    }
                    // Without this resource there may be more to say about the others.
                    effort.spend_on_rewriting(&bundle);
                    match bundle.without(error.pointer())? {
                        Some(rest) => bundle = rest,
                        None => break,
                    }
                }
            }
        }
        // What was left out to find more is still missing.
        if checked.has_errors() {
            checked.revision = None;
            let unrestricted = |d: &Diagnostic| d.code == "unrestricted";
            let others = checked.diagnostics.iter().any(|d| !unrestricted(d));
            checked.diagnostics.retain(|d| !others || !unrestricted(d));
        }
        checked.sort();
        Ok(checked)
    }

    fn add_warnings(&mut self, engine: &Engine, bundle: &Bundle, effort: &mut Effort) {
        for (number, finding) in engine.warnings().iter().enumerate() {
            self.diagnostics.push(if number < CORRECTED {
                diagnose(finding, bundle, effort)
            } else {
                Diagnostic::of_finding(finding, bundle)
            });
        }
        let selected = lychgate_core::select(bundle.text.as_bytes());
        let selected = selected.map(|text| Engine::load(text.as_bytes(), &Portable));
        if let Ok(Ok(selected)) = selected {
            self.revision = Some(selected.revision().to_owned());
        }
    }

    /// Checks everything that files say: each policy for the workloads that it applies to, and the
    /// manifests for gaps between trust zones.
    pub(crate) fn everything(files: &[SourceFile], root: &WorkloadOptions) -> Self {
        let (documents, mut checked) = Self::read(files);
        checked.diagnostics.extend(unknown(&documents, root));
        let cluster = Cluster::of(&documents, root);
        let mut effort = Effort::for_all();
        // Two workloads with the same policies get the same findings.
        let mut seen = HashSet::new();
        for workload in workloads::of(&cluster) {
            checked.workloads = checked.workloads.saturating_add(1);
            let policies = cluster.applying(&workload);
            let WorkloadOptions { namespace, kind, targets, .. } = &workload;
            if !seen.insert((namespace.clone(), *kind, targets.clone(), policies.clone())) {
                continue;
            }
            if !effort.is_left() {
                checked.diagnostics.push(too_many());
                break;
            }
            let bundle = Bundle::put_together(&workload, None, cluster.documents(&policies));
            match bundle.and_then(|bundle| Self::with_effort(bundle, &mut effort)) {
                Ok(found) => {
                    // That nothing selects a workload is a gap of the cluster, and said once.
                    let found = found.diagnostics.into_iter();
                    checked.diagnostics.extend(found.filter(|d| d.code != "unrestricted"));
                }
                Err(error) => checked.diagnostics.push(Diagnostic::of_error(&error)),
            }
        }
        checked.diagnostics.extend(gaps::of(&cluster));
        checked.sort();
        checked
    }

    /// Files that can't be read at all.
    pub(crate) fn unreadable(error: &CliError) -> Self {
        Self { diagnostics: vec![Diagnostic::of_error(error)], ..Self::default() }
    }

    fn read(files: &[SourceFile]) -> (Vec<Document>, Self) {
        let mut checked = Self::default();
        let mut documents = Vec::new();
        for file in files {
            match crate::input::documents(file) {
                Ok(found) => documents.extend(found),
                Err(error) => checked.diagnostics.push(Diagnostic::of_error(&error)),
            }
        }
        (documents, checked)
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    pub(crate) fn errors(&self) -> usize {
        let error = |d: &&Diagnostic| d.severity == Severity::Error;
        self.diagnostics.iter().filter(error).count()
    }

    /// In the order of files and lines, each once: two workloads may share a policy.
    fn sort(&mut self) {
        let key = |d: &Diagnostic| {
            let mark = d.place.as_ref().and_then(|place| place.mark).unwrap_or_default();
            let file = d.place.as_ref().map(|place| place.file.name.clone());
            (file, mark.line, mark.column, d.code, d.detail.clone(), d.pointer.clone())
        };
        self.diagnostics.sort_by_cached_key(key);
        let mut seen = HashSet::new();
        self.diagnostics.retain(|d| seen.insert(key(d)));
    }
}

/// With what to write instead, while reading the bundle again is not too much.
fn diagnose(finding: &Finding, bundle: &Bundle, effort: &mut Effort) -> Diagnostic {
    let found = Diagnostic::of_finding(finding, bundle);
    if !effort.is_left() {
        return found;
    }
    effort.spend(bundle);
    found.corrected(finding, bundle)
}

/// The rest of a folder, whose workloads have too many different sets of policies.
fn too_many() -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "too_large",
        detail: "too many different sets of policies; not all workloads were checked".to_owned(),
        risk: "what is not checked may be wrong",
        fix: "check a part of the folder, or one workload with --namespace and --label",
        place: None,
        pointer: String::new(),
        correction: None,
    }
}

/// Documents that might be policies and are none, and policies that are there twice.
fn unknown(documents: &[Document], root: &WorkloadOptions) -> Vec<Diagnostic> {
    let home = root.namespace.as_deref().unwrap_or("default");
    let alone = documents.iter().map(|document| vec![document.clone()]);
    let refused: Vec<Diagnostic> = alone
        .filter_map(|document| bundle::collect(document, home).err())
        .map(|error| Diagnostic::of_error(&error))
        .collect();
    if !refused.is_empty() {
        return refused;
    }
    bundle::collect(documents.to_vec(), home).err().iter().map(Diagnostic::of_error).collect()
}
