//! `lychgate-istio-parity [REQUESTS] [SEED]`: compares random answers and prints what it saw.
#![allow(clippy::std_instead_of_core, reason = "a command")]

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use lychgate_istio_parity::parity;

fn main() -> ExitCode {
    let number = |index, usual: u64| {
        env::args().nth(index).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let requests = usize::try_from(number(1, 100_000)).unwrap_or(usize::MAX);
    let seed = number(2, 1);
    let start = Instant::now();
    let report = parity::run(seed, requests);
    println!("seed {seed}, {:.1} s\n{report}", start.elapsed().as_secs_f64());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
