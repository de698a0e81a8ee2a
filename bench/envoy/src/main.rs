//! Compares Lychgate with Envoy's own filters, interleaved in one run on one worker.
//!
//! Every scenario is run by every contender in turn, and that `--rounds` times, so that whatever else
//! the machine does falls on all of them. What is printed are medians. CPU time is Envoy's own, from
//! `/proc/<pid>/stat`; what a contender adds is measured against the listener without a filter.

mod contender;
mod load;
mod report;
mod tokens;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lychgate_tests_envoy::{Envoy, Setup, SigningKey, wasm};

use contender::{Contender, Differ, Policies};
use report::Measured;
use tokens::Pool;

/// Clock ticks of `/proc/<pid>/stat` in a second (`USER_HZ`, 100 on every Linux that runs Envoy).
const TICKS: f64 = 100.0;

/// Tokens for the mode in which each request has a new one; far more than any cache here holds.
const POOL: usize = 20_000;

fn main() {
    let options = Options::read();
    let key = SigningKey::named("rsa-1");
    let pool = Pool::load(&key, POOL);
    let noop = build_noop();
    let scenarios = Scenario::all();
    let mut policies: Vec<Policies> = scenarios.iter().map(|s| s.policies).collect();
    policies.sort_unstable();
    policies.dedup();
    let listeners = policies
        .iter()
        .flat_map(|p| options.contenders.iter().map(|c| p.listener(*c, &key.jwks(), &noop)))
        .collect();
    let envoy = Envoy::start(&Setup::new(listeners));
    let mut report = report::Report::default();
    for round in 1..=options.rounds {
        for scenario in scenarios.iter().filter(|s| s.name.contains(&options.only)) {
            for contender in &options.contenders {
                eprintln!(
                    "round {round} of {}: {}, {}",
                    options.rounds,
                    scenario.name,
                    contender.name()
                );
                let measured = measure(&envoy, scenario, *contender, &key, &pool, options.time);
                report.add(scenario.name, *contender, measured);
            }
        }
    }
    print!("{}", report.text());
}

struct Options {
    rounds: u32,
    time: Duration,
    only: String,
    contenders: Vec<Contender>,
}

impl Options {
    /// `--rounds N`, `--seconds N`, `--only TEXT` (part of a scenario's name), `--baselines`.
    fn read() -> Self {
        let mut options = Self {
            rounds: 3,
            time: Duration::from_secs(3),
            only: String::new(),
            contenders: Contender::ALL.to_vec(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            match name.as_str() {
                "--rounds" => options.rounds = value().parse().expect("a number"),
                "--seconds" => {
                    options.time = Duration::from_secs_f64(value().parse().expect("a number"))
                }
                "--only" => options.only = value(),
                "--baselines" => options.contenders.retain(|c| *c != Contender::Lychgate),
                _ => panic!("unknown option {name}"),
            }
        }
        options
    }
}

struct Scenario {
    name: &'static str,
    policies: Policies,
    fresh: bool,
}

impl Scenario {
    fn all() -> [Self; 8] {
        use Differ::{Path, Subject};
        let scenario =
            |name, count, differ, fresh| Self { name, policies: Policies { count, differ }, fresh };
        [
            scenario("repeated token, 1 policy", 1, Path, false),
            scenario("new tokens, 1 policy", 1, Path, true),
            scenario("repeated token, 100 policies by path", 100, Path, false),
            scenario("repeated token, 100 policies by subject", 100, Subject, false),
            scenario("repeated token, 1000 policies by path", 1000, Path, false),
            scenario("repeated token, 1000 policies by subject", 1000, Subject, false),
            scenario("new tokens, 1000 policies by path", 1000, Path, true),
            scenario("repeated token, 10 policies by path", 10, Path, false),
        ]
    }
}

fn measure(
    envoy: &Envoy,
    scenario: &Scenario,
    contender: Contender,
    key: &SigningKey,
    pool: &Pool,
    time: Duration,
) -> Measured {
    let policies = scenario.policies;
    let path = policies.path(policies.matching());
    let repeated = tokens::mint(key, &policies.subject(policies.matching()), "repeated");
    let mut next = |out: &mut Vec<u8>| {
        let token = if scenario.fresh { pool.next() } else { &repeated };
        out.extend_from_slice(b"GET ");
        out.extend_from_slice(path.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\nHost: payments.bench.svc.cluster.local\r\n");
        out.extend_from_slice(b"User-Agent: bench/1\r\nAccept: application/json\r\n");
        out.extend_from_slice(b"Authorization: Bearer ");
        out.extend_from_slice(token.as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
    };
    let address = envoy.listener(&policies.listener_name(contender));
    load::run(address, time.div_f64(6.0), &mut next);
    let before = cpu(envoy.pid());
    let sample = load::run(address, time, &mut next);
    let used = cpu(envoy.pid()) - before;
    Measured {
        rate: sample.rate(),
        median: sample.latency(0.5),
        p99: sample.latency(0.99),
        cpu: used * 1e6 / sample.requests as f64,
    }
}

/// CPU seconds that a process has used, in user and kernel mode.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("Envoy runs");
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = |n: usize| fields.split(' ').nth(n).and_then(|f| f.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / TICKS
}

fn build_noop() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(wasm::project())
        .args(["build", "--quiet", "--release", "-p", "lychgate-bench-noop"])
        .args(["--target", "wasm32-wasip1"])
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the no-op filter does not build");
    wasm::target().join("wasm32-wasip1/release/lychgate_bench_noop.wasm")
}
