//! A policy that requests are tried on: its bundle, loaded as a host loads it, with throw-away keys.

mod sources;

use core::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lychgate_core::authn::{Keys, SourceId, UnixMillis};
use lychgate_core::engine::{Cache, Engine};
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;

use crate::arguments::{Kind, Pair, Target, WorkloadOptions};
use crate::bundle::{self, Bundle};
use crate::error::CliError;
use crate::input::{self, Document};
use crate::scenario::{Algorithm, KeyRing};
use crate::shape::{Map, record, words};

pub(crate) use sources::{Condition as Written, conditions_of};

/// The keys and the verified tokens of one policy.
#[derive(Debug)]
pub(crate) struct KeyStore {
    pub(crate) keys: Keys,
    pub(crate) cache: Cache,
}

/// A loaded policy.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) engine: Engine,
    pub(crate) bundle: Bundle,
    pub(crate) ring: KeyRing,
    pub(crate) store: KeyStore,
    /// The sets of remote issuers, installed as if they had been fetched just now.
    remote: Vec<(SourceId, String)>,
    installed: Cell<Option<UnixTime>>,
}

record! {
    /// The workload that a policy is for.
    pub(crate) struct WorkloadSpec {
        /// Its namespace.
        namespace: Option<String> = optional "namespace",
        /// Its labels.
        labels: Map<String> = optional "labels",
        /// What stands in front of it; a sidecar if absent.
        kind: Option<WorkloadKind> = optional "kind",
        /// What a targetRef may name: `KIND/NAME` or `GROUP/KIND/NAME`.
        targets: Vec<String> = optional "targets",
        /// The trust domain of the mesh.
        trust_domain: Option<String> = optional "trustDomain",
        /// Other names of the trust domain.
        trust_domain_aliases: Vec<String> = optional "trustDomainAliases",
        /// The namespace whose policies apply to the whole mesh.
        root_namespace: Option<String> = optional "rootNamespace",
        /// Accept that no AuthorizationPolicy applies: every request passes.
        allow_unrestricted: bool = optional "allowUnrestricted",
    }
}

words! {
    /// What stands in front of a workload.
    pub(crate) enum WorkloadKind {
        /// A proxy beside it.
        Sidecar = "sidecar",
        /// A gateway.
        Gateway = "gateway",
        /// An ambient waypoint.
        Waypoint = "waypoint",
    }
}

impl WorkloadSpec {
    /// As the command line has it.
    pub(crate) fn options(&self) -> Result<WorkloadOptions, String> {
        let targets = self
            .targets
            .iter()
            .map(|text| text.parse::<Target>().map_err(|error| format!("target {text}: {error}")));
        let pair =
            |(key, value): &(String, String)| Pair { key: key.clone(), value: value.clone() };
        Ok(WorkloadOptions {
            namespace: Some(self.namespace.clone().unwrap_or_else(|| "default".to_owned())),
            labels: self.labels.0.iter().map(pair).collect(),
            kind: match self.kind {
                Some(WorkloadKind::Gateway) => Kind::Gateway,
                Some(WorkloadKind::Waypoint) => Kind::Waypoint,
                Some(WorkloadKind::Sidecar) | None => Kind::Sidecar,
            },
            targets: targets.collect::<Result<_, _>>()?,
            trust_domain: self.trust_domain.clone(),
            trust_domain_aliases: self.trust_domain_aliases.clone(),
            root_namespace: self.root_namespace.clone(),
            settings: None,
            allow_unrestricted: self.allow_unrestricted,
        })
    }
}

/// Reads policies as `check` and `compile` do: one compiled bundle, or resources.
pub(crate) fn read_bundle(
    paths: &[PathBuf],
    workload: &WorkloadOptions,
    settings: Option<Document>,
) -> Result<Bundle, CliError> {
    let files = input::read_all(paths)?;
    let mut documents = Vec::new();
    for file in &files {
        documents.extend(input::documents(file)?);
    }
    let compiled = documents.len() == 1
        && documents.first().is_some_and(|document| bundle::is_bundle(&document.root));
    match documents.pop() {
        Some(document) if compiled => Bundle::compiled(document),
        last => {
            documents.extend(last);
            Bundle::put_together(workload, settings, documents)
        }
    }
}

impl Subject {
    /// Loads a bundle whose issuers also accept what throw-away keys of these algorithms sign.
    ///
    /// `sets` are key sets for remote issuers, by `jwksUri`.
    pub(crate) fn new(
        bundle: Bundle,
        algorithms: &BTreeSet<Algorithm>,
        sets: &[(String, String)],
    ) -> Result<Self, CliError> {
        let failed = |error: crate::scenario::TokenError| CliError::Token { message: error.0 };
        let mut ring = KeyRing::new(algorithms).map_err(failed)?;
        let text = ring.enrol(&bundle.text).unwrap_or_else(|| bundle.text.clone());
        let engine = Engine::load(text.as_bytes(), &Portable)
            .map_err(|error| crate::commands::check::refuse(&bundle, &error))?;
        let sources = engine.key_sources().iter().enumerate();
        let remote = sources.map(|(index, source)| {
            let set = sets.iter().find(|(uri, _)| *uri == *source.uri);
            let svid = source.profile == lychgate_core::jwt::jwk::KeyProfile::Svid;
            (SourceId::new(index), ring.remote_set(set.map(|(_, set)| set.as_str()), svid))
        });
        let remote = remote.collect();
        let keys = Keys::new(engine.key_sources(), 0);
        let cache = Cache::default();
        let store = KeyStore { keys, cache };
        Ok(Self { engine, bundle, ring, store, remote, installed: Cell::new(None) })
    }

    /// Lets every remote set be as fresh at this time as if it had been fetched then.
    pub(crate) fn at(&mut self, now: UnixTime) {
        if self.remote.is_empty() || self.installed.get() == Some(now) {
            return;
        }
        self.installed.set(Some(now));
        self.store.keys = Keys::new(self.engine.key_sources(), 0);
        for (source, set) in &self.remote {
            // A set that is no set leaves the source without keys: requests get 503, as they would.
            let _ =
                self.store.keys.install(*source, set.as_bytes(), UnixMillis::from(now), &Portable);
        }
    }
}

/// Key sets of remote issuers, from `URI=FILE`.
pub(crate) fn read_sets(pairs: &[Pair]) -> Result<Vec<(String, String)>, CliError> {
    let read = |pair: &Pair| {
        let text = input::read_text(Path::new(&pair.value), lychgate_core::limits::JWKS_BYTES)?;
        Ok((pair.key.clone(), text))
    };
    pairs.iter().map(read).collect()
}

/// A path that a document names, from the folder of that document on.
pub(crate) fn beside(file: &str, path: &str) -> PathBuf {
    Path::new(file).parent().unwrap_or_else(|| Path::new("")).join(path)
}
