//! Running test files.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;

use super::coverage::Coverage;
use super::expect::{Expectation, Mismatch, Observed};
use super::file::{TestCase, TestFile};
use crate::error::CliError;
use crate::input::{self, Document, Node, Place, Value};
use crate::scenario::{Algorithm, KeyRing, MintedToken, Scenario, TokenSpec};
use crate::subject::{self, Subject};

/// 2026-01-01T00:00:00Z.
const TIME: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// The bound of a key set that a test file names.
const SET_BYTES: usize = lychgate_core::limits::JWKS_BYTES;

/// What became of one test.
#[derive(Debug)]
pub(crate) struct CaseResult {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// Whether a test passed.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// What was expected was found.
    Passed,
    /// Something else was found.
    Failed { observed: Box<Observed>, mismatches: Vec<Mismatch> },
    /// Nothing was expected.
    Unexpected { observed: Box<Observed> },
    /// The test can't be run.
    Broken { message: String },
}

impl CaseResult {
    pub(crate) fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed)
    }
}

/// What became of one file's tests.
#[derive(Debug)]
pub(crate) struct FileResult {
    pub(crate) document: Document,
    pub(crate) description: Option<String>,
    pub(crate) cases: Vec<CaseResult>,
}

/// Runs files one after the other; files with the same policies and settings load them once.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    subjects: HashMap<String, usize>,
    loaded: Vec<(Subject, Coverage)>,
    watch: bool,
}

impl Runner {
    /// Has run nothing yet; watches which conditions hold if asked to, which takes longer.
    pub(crate) fn new(watch: bool) -> Self {
        Self { watch, ..Self::default() }
    }

    /// The policies that were tested, with what the tests reached of them.
    pub(crate) fn coverage(&self) -> impl Iterator<Item = (&Subject, &Coverage)> {
        self.loaded.iter().map(|(subject, coverage)| (subject, coverage))
    }

    /// Runs one file.
    pub(crate) fn run(&mut self, path: &Path) -> Result<FileResult, CliError> {
        let file = input::read_one(path)?;
        let mut documents = input::documents(&file)?;
        let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
            let message = format!("{}: one document is needed, a PolicyTest", path.display());
            return Err(CliError::Refused { message });
        };
        let tests = TestFile::read(&document)?;
        let watch = self.watch;
        let (subject, coverage) = self.subject(&tests, &document)?;
        let nodes = document.root.get("tests").map(Node::elements).unwrap_or_default();
        let cases = tests.tests.iter().zip(nodes);
        let cases = cases.map(|(case, node)| {
            let place = document.place.at(Some(node.get("name").map_or(node.mark, |n| n.mark)));
            let start = Instant::now();
            let watched = watch.then_some(&mut *coverage);
            let outcome = run_case(&tests, case, subject, watched);
            CaseResult { name: case.name.clone(), place, took: start.elapsed(), outcome }
        });
        let cases = cases.collect();
        Ok(FileResult { document, description: tests.description, cases })
    }

    fn subject(
        &mut self,
        tests: &TestFile,
        document: &Document,
    ) -> Result<&mut (Subject, Coverage), CliError> {
        let file = &document.place.file.name;
        let algorithms = algorithms(tests);
        let paths: Vec<PathBuf> =
            tests.policies.iter().map(|path| subject::beside(file, path)).collect();
        let settings = tests.settings.as_ref().map(|settings| settings.0.to_string());
        let name = format!(
            "{paths:?} {:?} {settings:?} {algorithms:?} {:?}",
            tests.workload, tests.jwks.0
        );
        let index = match self.subjects.get(&name) {
            Some(index) => *index,
            None => {
                let subject = load(tests, document, &paths, &algorithms)?;
                let coverage = Coverage::of(&subject.engine);
                self.loaded.push((subject, coverage));
                let index = self.loaded.len().saturating_sub(1);
                self.subjects.insert(name, index);
                index
            }
        };
        self.loaded.get_mut(index).ok_or_else(|| CliError::Refused { message: String::new() })
    }
}

fn load(
    tests: &TestFile,
    document: &Document,
    paths: &[PathBuf],
    algorithms: &BTreeSet<Algorithm>,
) -> Result<Subject, CliError> {
    let file = &document.place.file.name;
    let options = tests.workload.clone().unwrap_or_default().options();
    let options = options.map_err(|message| {
        let mark = document.root.mark_of("/workload/targets");
        CliError::input(document.place.at(Some(mark)), crate::error::Problem::Shape(message))
    })?;
    let settings = document.root.get("settings").filter(|node| !matches!(node.value, Value::Null));
    let settings =
        settings.map(|node| Document { place: document.place.clone(), root: node.clone() });
    let bundle = subject::read_bundle(paths, &options, settings)?;
    let mut sets = Vec::new();
    for (uri, path) in &tests.jwks.0 {
        let path = subject::beside(file, path);
        sets.push((uri.clone(), input::read_text(&path, SET_BYTES)?));
    }
    Subject::new(bundle, algorithms, &sets)
}

/// The algorithms for which throw-away keys are needed; none in a file that makes no tokens, whose
/// policy then stays as it is.
fn algorithms(tests: &TestFile) -> BTreeSet<Algorithm> {
    let minted = |token: &TokenSpec| match token {
        TokenSpec::Minted(token) => Some(token.algorithm),
        TokenSpec::None | TokenSpec::Literal(_) | TokenSpec::Named(_) => None,
    };
    let default = tests.defaults.iter().filter_map(|defaults| defaults.token.as_ref());
    let written = tests.tests.iter().filter_map(|case| case.token.as_ref()).chain(default);
    let named = tests.tokens.0.iter().map(|(_, token)| token.algorithm);
    let all: Vec<Option<Algorithm>> = written.filter_map(minted).chain(named).collect();
    let mut algorithms: BTreeSet<Algorithm> = all.iter().copied().flatten().collect();
    if all.contains(&None) {
        algorithms.extend(KeyRing::DEFAULT);
    }
    algorithms
}

fn run_case(
    tests: &TestFile,
    case: &TestCase,
    subject: &mut Subject,
    watched: Option<&mut Coverage>,
) -> Outcome {
    let scenario = match scenario(tests, case, subject) {
        Ok(scenario) => scenario,
        Err(message) => return Outcome::Broken { message },
    };
    subject.at(scenario.now);
    let decision = scenario.decide(&subject.engine, &mut subject.store);
    if let Some(coverage) = watched {
        scenario.examine(&subject.engine, &mut subject.store, |seen| coverage.note(&seen));
    }
    let observed = Box::new(Observed::of(&decision, &scenario));
    match case.expect.as_ref().filter(|expect: &&Expectation| !expect.is_empty()) {
        None => Outcome::Unexpected { observed },
        Some(expect) => match expect.compare(&observed) {
            mismatches if mismatches.is_empty() => Outcome::Passed,
            mismatches => Outcome::Failed { observed, mismatches },
        },
    }
}

fn scenario(tests: &TestFile, case: &TestCase, subject: &mut Subject) -> Result<Scenario, String> {
    let defaults = tests.defaults.clone().unwrap_or_default();
    let now = case.time.or(tests.time).map_or(TIME, |time| time.0);
    let request = case.request.clone().unwrap_or_default();
    let request = request.or(&defaults.request.unwrap_or_default());
    let peer = case.peer.clone().or(defaults.peer).map_or(Peer::Absent, |peer| peer.0);
    let mut scenario = Scenario::new(&request, peer, now);
    let token = case.token.as_ref().or(defaults.token.as_ref());
    if let Some((token, spec)) = token_text(tests, token, subject, now)? {
        scenario.carry(&token, spec.and_then(|spec| spec.place.as_ref()));
    }
    Ok(scenario)
}

type Token<'a> = (String, Option<&'a MintedToken>);

fn token_text<'a>(
    tests: &'a TestFile,
    token: Option<&'a TokenSpec>,
    subject: &mut Subject,
    now: UnixTime,
) -> Result<Option<Token<'a>>, String> {
    let spec = match token {
        None | Some(TokenSpec::None) => return Ok(None),
        Some(TokenSpec::Literal(token)) => return Ok(Some((token.clone(), None))),
        Some(TokenSpec::Minted(spec)) => &**spec,
        Some(TokenSpec::Named(name)) => tests
            .tokens
            .get(name)
            .ok_or_else(|| format!("there is no token `{name}` in `tokens`"))?,
    };
    let token = subject.ring.mint(spec, now).map_err(|error| error.0)?;
    Ok(Some((token, Some(spec))))
}
