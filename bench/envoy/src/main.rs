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

use lychgate_tests_envoy::{
    Authority, Client, Envoy, Identity, Scratch, Setup, SigningKey, Transport, wasm,
};

use contender::{Contender, Differ, Given, Policies, Wire};
use load::Load;
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
    let scratch = Scratch::new("bench");
    let mesh = Mesh::new(&scratch);
    let given = Given { jwks: key.jwks(), noop: build_noop(), mutual: mesh.transport.clone() };
    let scenarios: Vec<_> =
        Scenario::all().into_iter().filter(|s| s.name.contains(&options.only)).collect();
    let mut policies: Vec<Policies> = scenarios.iter().map(|s| s.policies).collect();
    policies.sort_unstable();
    policies.dedup();
    let listeners = policies
        .iter()
        .flat_map(|p| options.contenders.iter().map(|c| p.listener(*c, &given)))
        .collect();
    let envoy = Envoy::start(&Setup::new(listeners));
    let bench = Bench { envoy, mesh, key, pool, time: options.time };
    let mut report = report::Report::new(&options.contenders);
    for scenario in &scenarios {
        for round in 0..options.rounds {
            eprintln!("{}: round {} of {}", scenario.name, round + 1, options.rounds);
            // Each round begins with another contender, so that none always follows the same one.
            let mut order = options.contenders.clone();
            order.rotate_left(round % options.contenders.len());
            for contender in order {
                report.add(scenario.name, contender, bench.measure(scenario, contender));
            }
        }
    }
    print!("{}", report.text());
}

struct Options {
    rounds: usize,
    time: Duration,
    only: String,
    contenders: Vec<Contender>,
}

impl Options {
    /// `--rounds N`, `--seconds N` of each measurement, `--only TEXT` (part of a scenario's name),
    /// `--build NAME=PATH` (another build of the filter, compared in the same rounds), `--baselines`
    /// (everything but Lychgate).
    fn read() -> Self {
        let mut options = Self {
            rounds: 9,
            time: Duration::from_secs(1),
            only: String::new(),
            contenders: Contender::ALL.to_vec(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            match name.as_str() {
                "--rounds" => options.rounds = value().parse().expect("a number"),
                "--seconds" => {
                    options.time = Duration::from_secs_f64(value().parse().expect("a number"));
                }
                "--only" => options.only = value(),
                "--build" => options.contenders.push(Contender::build(&value())),
                "--baselines" => options.contenders.retain(|c| !c.is_lychgate()),
                _ => panic!("unknown option {name}"),
            }
        }
        assert!(options.rounds > 0, "at least one round");
        options
    }
}

struct Scenario {
    name: &'static str,
    policies: Policies,
    fresh: bool,
}

impl Scenario {
    fn all() -> [Self; 10] {
        use Differ::{Path, Subject};
        use Wire::{Mutual, Plain};
        let scenario = |name, count, differ, transport, fresh| Self {
            name,
            policies: Policies { count, differ, transport },
            fresh,
        };
        [
            scenario("mTLS, repeated token, 1 policy", 1, Path, Mutual, false),
            scenario("mTLS, new tokens, 1 policy", 1, Path, Mutual, true),
            scenario("mTLS, repeated token, 1000 policies by path", 1000, Path, Mutual, false),
            scenario("repeated token, 1 policy", 1, Path, Plain, false),
            scenario("new tokens, 1 policy", 1, Path, Plain, true),
            scenario("repeated token, 100 policies by path", 100, Path, Plain, false),
            scenario("repeated token, 100 policies by subject", 100, Subject, Plain, false),
            scenario("repeated token, 1000 policies by path", 1000, Path, Plain, false),
            scenario("repeated token, 1000 policies by subject", 1000, Subject, Plain, false),
            scenario("new tokens, 1000 policies by path", 1000, Path, Plain, true),
        ]
    }
}

/// The certificates of the scenarios with mTLS.
struct Mesh {
    authority: Authority,
    client: Identity,
    transport: Transport,
}

impl Mesh {
    fn new(scratch: &Scratch) -> Self {
        let authority = Authority::new("bench");
        let server =
            authority.issue(&["spiffe://cluster.local/ns/bench/sa/server"], &["localhost"]);
        let transport = Transport::Tls {
            server: server.files(scratch, "server"),
            clients: scratch.write("clients.pem", authority.pem()),
            required: true,
        };
        let client = authority.spiffe("spiffe://cluster.local/ns/bench/sa/client");
        Self { authority, client, transport }
    }
}

struct Bench {
    envoy: Envoy,
    mesh: Mesh,
    key: SigningKey,
    pool: Pool,
    time: Duration,
}

impl Bench {
    fn measure(&self, scenario: &Scenario, contender: Contender) -> Measured {
        let policies = scenario.policies;
        let path = policies.path(policies.matching());
        let subject = policies.subject(policies.matching());
        let repeated = tokens::mint(&self.key, &subject, "repeated");
        let mut next = |out: &mut Vec<u8>| {
            let token = if scenario.fresh { self.pool.next() } else { &repeated };
            out.extend_from_slice(b"GET ");
            out.extend_from_slice(path.as_bytes());
            out.extend_from_slice(b" HTTP/1.1\r\nHost: payments.bench.svc.cluster.local\r\n");
            out.extend_from_slice(b"User-Agent: bench/1\r\nAccept: application/json\r\n");
            out.extend_from_slice(b"Authorization: Bearer ");
            out.extend_from_slice(token.as_bytes());
            out.extend_from_slice(b"\r\n\r\n");
        };
        let client = Client::plain(self.envoy.listener(&policies.listener_name(contender)));
        let client = match policies.transport {
            Wire::Plain => client,
            Wire::Mutual => client.with_tls(self.mesh.authority.pem(), Some(&self.mesh.client)),
        };
        let mut load = Load::open(&client);
        load.run(self.time.div_f64(5.0), &mut next);
        let before = cpu(self.envoy.pid());
        let sample = load.run(self.time, &mut next);
        let used = cpu(self.envoy.pid()) - before;
        Measured {
            rate: sample.rate(),
            median: sample.latency(0.5),
            p99: sample.latency(0.99),
            cpu: used * 1e6 / sample.requests as f64,
        }
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
