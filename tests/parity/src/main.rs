//! `lychgate-parity [--vectors] [--cases N] [--seed S] [--envoy N] [--folder F] [--host NAME=COMMAND]..`
//!
//! Asks native, Envoy (at most N random cases of it) and every host given by a command, which
//! runs in that folder, the same questions: those of the vectors, N from a seed, or both. Prints what was compared and what could
//! not be carried; the first difference ends the run with 1, made as small as it can be.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::std_instead_of_core,
    reason = "a command for tests"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use lychgate_istio_parity::random::Random;
use lychgate_parity::answer::Answer;
use lychgate_parity::compare::{Tally, differs};
use lychgate_parity::hosts::{EnvoyHost, Host, Native, Process};
use lychgate_parity::lab::Lab;
use lychgate_parity::question::Group;
use lychgate_parity::random::{REQUESTS, RandomGroup};
use lychgate_parity::{reduce, vectors};

/// How many groups are asked at once: as many as an Envoy has listeners for.
const CHUNK: usize = 150;

/// How often a host is asked to make a difference smaller.
const ATTEMPTS: usize = 2_000;
const ENVOY_ATTEMPTS: usize = 60;

#[derive(Default)]
struct Arguments {
    vectors: bool,
    cases: usize,
    seed: u64,
    envoy: usize,
    folder: PathBuf,
    hosts: Vec<(String, String)>,
}

fn main() -> ExitCode {
    let arguments = arguments();
    let lab = Lab::default();
    let mut run = Run::new(&arguments);
    if arguments.vectors {
        run.vectors(&lab);
    }
    if arguments.cases > 0 {
        run.random(&lab, &arguments);
    }
    if run.is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn arguments() -> Arguments {
    let mut arguments =
        Arguments { seed: 1, envoy: usize::MAX, folder: ".".into(), ..Arguments::default() };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("{name} wants a value"));
        match name.as_str() {
            "--vectors" => arguments.vectors = true,
            "--cases" => arguments.cases = value().parse().expect("a number"),
            "--seed" => arguments.seed = value().parse().expect("a number"),
            "--envoy" => arguments.envoy = value().parse().expect("a number"),
            "--folder" => arguments.folder = value().into(),
            "--host" => {
                let value = value();
                let (name, command) = value.split_once('=').expect("NAME=COMMAND");
                arguments.hosts.push((name.to_owned(), command.to_owned()));
            }
            other => panic!("unknown argument {other}"),
        }
    }
    arguments
}

struct Run {
    native: Native,
    hosts: Vec<Box<dyn Host>>,
    /// Random cases that Envoy may still be asked.
    envoy_left: usize,
    is_clean: bool,
}

impl Run {
    fn new(arguments: &Arguments) -> Self {
        let start = |(name, command): &(String, String)| -> Box<dyn Host> {
            Box::new(Process::start(name, command, &arguments.folder))
        };
        let mut hosts: Vec<_> = arguments.hosts.iter().map(start).collect();
        if arguments.envoy > 0 {
            hosts.push(Box::new(EnvoyHost::default()));
        }
        Self { native: Native, hosts, envoy_left: arguments.envoy, is_clean: true }
    }

    fn vectors(&mut self, lab: &Lab) {
        lab.catch_up();
        let (start, groups) = (Instant::now(), vectors::groups(lab));
        let total: usize = groups.iter().map(|group| group.cases.len()).sum();
        let native = self.native.answers(lab, &groups);
        println!("{total} vectors, native first ({:.1?})", start.elapsed());
        for host in &mut self.hosts {
            let (start, mut tally) = (Instant::now(), Tally::of(host.as_ref()));
            tally.add(&groups, &native, &host.answers(lab, &groups));
            println!("{:>10}: {tally} ({:.1?})", host.name(), start.elapsed());
            for difference in &tally.different {
                self.is_clean = false;
                println!("{}, {}", difference.name, difference.tell(host.name()));
            }
        }
    }

    fn random(&mut self, lab: &Lab, arguments: &Arguments) {
        let (start, mut random) = (Instant::now(), Random::new(arguments.seed));
        let mut tallies: Vec<Tally> =
            self.hosts.iter().map(|host| Tally::of(host.as_ref())).collect();
        let (mut asked, mut refused, mut number) = (0, 0, 0);
        while asked < arguments.cases && tallies.iter().all(|tally| tally.different.is_empty()) {
            lab.catch_up();
            let count = (arguments.cases - asked).div_ceil(REQUESTS).min(CHUNK);
            let first = number;
            let mut drawn: Vec<_> =
                (0..count).map(|index| RandomGroup::next(&mut random, first + index)).collect();
            let group = |(index, drawn): (usize, &RandomGroup)| drawn.group(lab, first + index);
            let mut groups: Vec<Group> = drawn.iter().enumerate().map(group).collect();
            number += count;
            refused += leave_one_of_refused(&mut groups, &mut drawn);
            self.chunk(lab, &groups, &drawn, &mut tallies);
            asked += groups.iter().map(|group| group.cases.len()).sum::<usize>();
            println!("{asked} cases after {:.1?}", start.elapsed());
        }
        println!("seed {}: {asked} random cases; {refused} bundles were refused", arguments.seed);
        for (host, tally) in self.hosts.iter().zip(&tallies) {
            println!("{:>10}: {tally}", host.name());
        }
    }

    fn chunk(&mut self, lab: &Lab, groups: &[Group], drawn: &[RandomGroup], tallies: &mut [Tally]) {
        let native = self.native.answers(lab, groups);
        for (host, tally) in self.hosts.iter_mut().zip(tallies) {
            let is_envoy = host.name() == EnvoyHost::NAME;
            let answers = if is_envoy && self.envoy_left == 0 {
                let enough = || Answer::NotCarried("enough of them already".into());
                groups.iter().map(|g| g.cases.iter().map(|_| enough()).collect()).collect()
            } else {
                host.answers(lab, groups)
            };
            let before = tally.same;
            tally.add(groups, &native, &answers);
            if is_envoy {
                self.envoy_left = self.envoy_left.saturating_sub(tally.same - before);
            }
            if let Some(difference) = tally.different.first() {
                self.is_clean = false;
                let attempts = if is_envoy { ENVOY_ATTEMPTS } else { ATTEMPTS };
                let drawn = &drawn[difference.group];
                let one = RandomGroup {
                    requests: vec![drawn.requests[difference.case].clone()],
                    ..drawn.clone()
                };
                println!("{}, {}", difference.name, difference.tell(host.name()));
                let small = reduce::reduced(&one, attempts, |one| {
                    differs(lab, &mut self.native, host.as_mut(), &one.group(lab, 0)).is_some()
                });
                let told = differs(lab, &mut self.native, host.as_mut(), &small.group(lab, 0));
                let text = serde_json::to_string(&small).expect("a group is JSON");
                println!("smallest: {text}");
                println!("bundle: {}", small.group(lab, 0).bundle);
                println!("{}", told.map_or_else(String::new, |told| told.tell(host.name())));
            }
        }
    }
}

/// A bundle that does not load answers all requests alike.
fn leave_one_of_refused(groups: &mut [Group], drawn: &mut [RandomGroup]) -> usize {
    let mut refused = 0;
    for (group, drawn) in groups.iter_mut().zip(drawn) {
        if !Native::loads(group) {
            group.cases.truncate(1);
            drawn.requests.truncate(1);
            refused += 1;
        }
    }
    refused
}
