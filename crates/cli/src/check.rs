//! Checking policies and the manifests around them.

mod cluster;
mod gaps;
mod workloads;

use std::collections::HashSet;

use lychgate_core::engine::Engine;
use lychgate_crypto::Portable;

use crate::arguments::WorkloadOptions;
use crate::bundle::{self, Bundle};
use crate::diagnostic::Diagnostic;
use crate::error::CliError;
use crate::input::{Document, SourceFile};

pub(crate) use cluster::Cluster;

/// Most errors of one bundle: behind each may be another one.
const ERRORS: usize = 100;

/// Most findings of one bundle that get a correction: each reads the bundle anew.
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
    pub(crate) fn bundle(mut bundle: Bundle) -> Result<Self, CliError> {
        let mut checked = Self { workloads: 1, ..Self::default() };
        for _ in 0..ERRORS {
            match Engine::load(bundle.text.as_bytes(), &Portable) {
                Ok(engine) => {
                    let found = engine.warnings().iter();
                    let found = found.enumerate().map(|(number, finding)| {
                        let found = Diagnostic::of_finding(finding, &bundle);
                        if number < CORRECTED { found.corrected(finding, &bundle) } else { found }
                    });
                    checked.diagnostics.extend(found);
                    let selected = lychgate_core::select(bundle.text.as_bytes());
                    let selected = selected.map(|text| Engine::load(text.as_bytes(), &Portable));
                    if let Ok(Ok(selected)) = selected {
                        checked.revision = Some(selected.revision().to_owned());
                    }
                    break;
                }
                Err(error) => {
                    let finding = error.finding();
                    let found = Diagnostic::of_finding(&finding, &bundle);
                    let found = found.corrected(&finding, &bundle);
                    checked.diagnostics.push(found);
                    // Without this resource there may be more to say about the others.
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

    /// Checks everything that files say: each policy for the workloads that it applies to, and the
    /// manifests for gaps between trust zones.
    pub(crate) fn everything(files: &[SourceFile], root: &WorkloadOptions) -> Self {
        let (documents, mut checked) = Self::read(files);
        checked.diagnostics.extend(unknown(&documents, root));
        let cluster = Cluster::of(&documents, root);
        for workload in workloads::of(&cluster) {
            let found = cluster
                .policies_for(&workload)
                .and_then(|documents| Bundle::put_together(&workload, None, documents))
                .and_then(Self::bundle);
            match found {
                Ok(found) => {
                    // That nothing selects a workload is a gap of the cluster, and said once.
                    let found = found.diagnostics.into_iter();
                    checked.diagnostics.extend(found.filter(|d| d.code != "unrestricted"));
                }
                Err(error) => checked.diagnostics.push(Diagnostic::of_error(&error)),
            }
            checked.workloads = checked.workloads.saturating_add(1);
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
        let error = |d: &&Diagnostic| d.severity == lychgate_core::Severity::Error;
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
