//! `lychgate-istio-parity [--model] [--brief] [REQUESTS] [SEED]`: compares random answers and prints what it saw.
//! With `--brief` it says how much it found, and leaves out the smallest cases, which take a while.
//! `lychgate-istio-parity --replay FILE`: what all sides say of a case that a run has printed.
//!
//! The judge is a real Envoy with the filters that Istio would configure; with `--model` it is this
//! crate's model of them, which needs no Envoy and stops at the first bug. With `--rehearse` that
//! model answers the very requests that Envoy would be sent.
#![allow(
    clippy::as_conversions,
    clippy::std_instead_of_core,
    reason = "a command that prints a rate"
)]

use std::env;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use lychgate_istio_parity::parity::{self, Report, reduced, vector};
use lychgate_istio_parity::real::{self, Run};

/// From that many requests on, every field must have been compared often enough.
const LONG: usize = 1_000_000;

/// How often that is.
const OFTEN: usize = 1_000;

fn main() -> ExitCode {
    let (options, numbers): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let number = |index: usize, usual: u64| {
        numbers.get(index).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    if options.iter().any(|option| option == "--replay") {
        return replay(numbers.first().map_or("case.json", String::as_str));
    }
    let requests = usize::try_from(number(0, 100_000)).unwrap_or(usize::MAX);
    let seed = number(1, 1);
    let has = |name: &str| options.iter().any(|option| option == name);
    let (by_model, rehearse) = (has("--model"), has("--rehearse"));
    let jobs = thread::available_parallelism().map_or(2, usize::from);
    let start = Instant::now();
    let report = match (by_model, rehearse) {
        (true, _) => parity::run(seed, requests, true),
        (_, true) => real::rehearse(Run { requests, seed, jobs, progress: false }),
        _ => real::run(Run { requests, seed, jobs, progress: true }),
    };
    let by_model = by_model || rehearse;
    let seconds = start.elapsed().as_secs_f64();
    let rate = report.requests() as f64 / seconds;
    let judge = if by_model { "the model of Envoy" } else { "Envoy" };
    println!("judge {judge}, seed {seed}, {seconds:.0} s, {rate:.0} requests a second\n{report}");
    let covered = requests < LONG || is_covered(&report);
    if report.is_clean() && covered {
        return ExitCode::SUCCESS;
    }
    if !options.iter().any(|option| option == "--brief") {
        print_bugs(&report, by_model);
    }
    ExitCode::FAILURE
}

fn replay(path: &str) -> ExitCode {
    let case = fs::read_to_string(path).map_err(|error| error.to_string());
    match case.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(case) => println!("{}", real::replayed(&case)),
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Whether every field, key and form of value was compared often enough; prints those that were not.
fn is_covered(report: &Report) -> bool {
    let mut covered = true;
    for (part, side) in report.below(OFTEN) {
        println!("NOT COVERED {part}: {side:?}");
        covered = false;
    }
    covered
}

/// Each kind of bug once, as small as it gets.
fn print_bugs(report: &Report, by_model: bool) {
    for (kind, case) in report.first_bugs() {
        println!("as found, {kind}: {}", serde_json::to_string(case).unwrap_or_default());
    }
    for (kind, case) in report.first_bugs() {
        let small = reduced(case);
        let (case, comparison) =
            if by_model { (small, None) } else { real::minimised(&small, case, kind) };
        println!("\nBUG {kind}: {comparison:?}");
        println!("{}", serde_json::to_string(&case).unwrap_or_default());
        if let Some(comparison) = comparison {
            let vector = vector::file(&case, &comparison);
            println!("{}", serde_json::to_string_pretty(&vector).unwrap_or_default());
        }
    }
}
