//! Test files: what they hold, and how they are found.

use std::path::{Path, PathBuf};

use super::expect::Expectation;
use crate::error::CliError;
use crate::input::{self, Document};
use crate::scenario::{MintedToken, PeerSpec, RequestSpec, Time, TokenSpec};
use crate::shape::{Json, Map, record};
use crate::subject::WorkloadSpec;

/// The version of this format.
pub(crate) const API_VERSION: &str = "lychgate.dev/v1alpha1";

/// The kind of a test file.
pub(crate) const KIND: &str = "PolicyTest";

record! {
    /// Table tests of a policy: requests, their callers, and what must become of them.
    pub(crate) struct TestFile {
        /// `lychgate.dev/v1alpha1`
        api_version: String = required "apiVersion",
        /// `PolicyTest`
        kind: String = required "kind",
        /// What the tests are about.
        description: Option<String> = optional "description",
        /// Files and folders with policies, or one compiled bundle, relative to this file.
        policies: Vec<String> = required "policies",
        /// The workload that the policies are selected for; a compiled bundle says it itself.
        workload: Option<WorkloadSpec> = optional "workload",
        /// The settings of the bundle.
        settings: Option<Json> = optional "settings",
        /// When the requests come; 2026-01-01T00:00:00Z if absent. Tests never look at the clock.
        time: Option<Time> = optional "time",
        /// Files with the key sets of remote issuers, by `jwksUri`. Without one, an issuer has only
        /// the throw-away keys.
        jwks: Map<String> = optional "jwks",
        /// Tokens that tests can name.
        tokens: Map<MintedToken> = optional "tokens",
        /// What tests have that don't say otherwise.
        defaults: Option<Defaults> = optional "defaults",
        /// The tests.
        tests: Vec<TestCase> = required "tests",
    }
}

record! {
    /// What tests have that don't say otherwise.
    pub(crate) struct Defaults {
        /// The request.
        request: Option<RequestSpec> = optional "request",
        /// The peer.
        peer: Option<PeerSpec> = optional "peer",
        /// The token.
        token: Option<TokenSpec> = optional "token",
    }
}

record! {
    /// One request and what must become of it.
    pub(crate) struct TestCase {
        /// What the test shows, as a sentence.
        name: String = required "name",
        /// The request.
        request: Option<RequestSpec> = optional "request",
        /// The verified peer of the connection: a SPIFFE ID, with or without `spiffe://`; `none`; or
        /// `unverified` for one who presented what the host did not verify. `none` if absent.
        peer: Option<PeerSpec> = optional "peer",
        /// The token: an object of claims to make one, the name of one of `tokens`, a token as it
        /// is, or `none`. `none` if absent.
        token: Option<TokenSpec> = optional "token",
        /// When the request comes.
        time: Option<Time> = optional "time",
        /// What must become of it. `lychgate test --update` fills it in.
        expect: Option<Expectation> = optional "expect",
    }
}

impl TestFile {
    /// Reads a document that is one.
    pub(crate) fn read(document: &Document) -> Result<Self, CliError> {
        let file = <Self as crate::shape::Shape>::read(&document.root)
            .map_err(|error| error.in_place(&document.place))?;
        if (file.api_version.as_str(), file.kind.as_str()) != (API_VERSION, KIND) {
            let message =
                format!("not a test file: apiVersion {API_VERSION} and kind {KIND} are needed");
            return Err(CliError::Refused { message: format!("{}: {message}", document.place) });
        }
        Ok(file)
    }
}

/// The test files that paths name: files as they are, and in folders whatever ends with
/// `.test.yaml`, `.test.yml` or `.test.json`.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let ends = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        [".test.yaml", ".test.yml", ".test.json"].iter().any(|end| name.ends_with(end))
    };
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = input::list(path)?;
            let before = found.len();
            found.extend(inside.into_iter().filter(|path| ends(path)));
            if found.len() == before {
                return Err(CliError::NoTests { path: path.display().to_string() });
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}
