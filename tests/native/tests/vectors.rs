//! Every vector, through core and the portable crypto crate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::std_instead_of_core,
    reason = "what cannot be run must stop the run with a message"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::SystemTime;

use lychgate_core::decision::Reason;
use lychgate_core::engine::Engine;
use lychgate_core::{Finding, Severity};
use lychgate_crypto::Portable;
use lychgate_harness::{LoadExpectation, LoadVector, Topic, Warning, load_topics, load_vectors};
use lychgate_tests_native::Bench;

/// The reasons that no vector can reach, and why.
const UNREACHED: [(Reason, &str); 1] =
    [(Reason::NotConfigured, "an engine without a policy is a state of hosts")];

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[test]
fn every_vector_comes_out_as_expected() {
    let bench = Bench::new();
    let (mut total, mut by_reason, mut report) = (0_usize, BTreeMap::new(), String::new());
    for topic in load_topics() {
        let failures = run(&bench, &topic, &mut report);
        println!("{:>5} vectors, {failures} wrong: {}", topic.vectors.len(), topic.name);
        total = total.saturating_add(topic.vectors.len());
        for vector in topic.vectors {
            let count: &mut usize = by_reason.entry(vector.expect.reason).or_default();
            *count = count.saturating_add(1);
        }
    }
    for (reason, count) in by_reason {
        println!("{count:>5} {reason}");
    }
    println!("{total:>5} vectors");
    assert!(report.is_empty(), "\n{report}");
}

/// Runs a topic; answers how many of its vectors came out wrong.
fn run(bench: &Bench, topic: &Topic, report: &mut String) -> usize {
    let (now, mut failures, mut subjects) = (now(), 0_usize, BTreeMap::new());
    for vector in &topic.vectors {
        let at = vector.now.unwrap_or(now);
        let subject = subjects
            .entry((&vector.bundle, at))
            .or_insert_with(|| bench.subject(topic, &vector.bundle, at));
        let (differences, record) = match subject {
            Ok(subject) => bench.run(subject, vector, at),
            Err(error) => (vec![error.clone()], String::new()),
        };
        if !differences.is_empty() {
            failures = failures.saturating_add(1);
            writeln!(report, "{}: {}", topic.name, vector.name).unwrap();
            writeln!(report, "    {}\n    {record}", differences.join("; ")).unwrap();
        }
    }
    failures
}

#[test]
fn every_bundle_loads_or_is_refused_as_expected() {
    let bench = Bench::new();
    let mut report = String::new();
    for (file, vector) in load_vectors() {
        if let Some(difference) = load_difference(&bench, &vector) {
            writeln!(report, "load/{file}: {}\n    {difference}", vector.name).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

fn load_difference(bench: &Bench, vector: &LoadVector) -> Option<String> {
    let text = vector.bundle.text(&bench.keys);
    match (Engine::load(text.as_bytes(), &Portable), &vector.expect) {
        (Ok(engine), LoadExpectation::Loads { warnings, near }) => {
            let found: Vec<Warning> = engine.warnings().iter().map(warning).collect();
            let expected = warnings.as_ref().is_none_or(|warnings| *warnings == found)
                && !found.iter().any(|warning| near.contains(&warning.code));
            (!expected).then(|| format!("expected {warnings:?}, not {near:?}, got {found:?}"))
        }
        (Ok(_), LoadExpectation::Error { pointer, .. }) => {
            Some(format!("loads, but is wrong at {pointer:?}"))
        }
        (Err(error), LoadExpectation::Loads { .. }) => {
            Some(format!("is refused at {:?}: {error}", error.pointer()))
        }
        (Err(error), LoadExpectation::Error { pointer, code }) => {
            let same = error.pointer() == pointer
                && code.as_ref().is_none_or(|code| code.as_str() == error.code());
            (!same).then(|| {
                let found = (error.pointer(), error.code());
                format!("expected {pointer:?} {code:?}, got {found:?}: {error}")
            })
        }
    }
}

fn warning(found: &Finding) -> Warning {
    assert_eq!(found.severity(), Severity::Warning);
    Warning { code: found.code.name().to_owned(), pointer: found.pointer.clone() }
}

#[test]
fn every_reason_is_reached_by_a_vector() {
    let topics = load_topics();
    let vectors = topics.iter().flat_map(|topic| &topic.vectors);
    let reached: BTreeSet<&str> = vectors.map(|vector| vector.expect.reason.as_str()).collect();
    for reason in Reason::ALL {
        let excused = UNREACHED.iter().any(|(other, _)| *other == reason);
        assert_eq!(reached.contains(reason.code()), !excused, "{}", reason.code());
    }
}

#[test]
fn the_codes_of_reasons_are_stable() {
    let codes: Vec<String> = Reason::ALL
        .iter()
        .map(|reason| format!("{} {}\n", reason.status(), reason.code()))
        .collect();
    assert_eq!(codes.concat(), include_str!("reasons.txt"));
}
