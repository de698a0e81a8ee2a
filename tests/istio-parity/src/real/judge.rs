//! Runs of random policies with Envoy as the judge.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::answer::{Echo, Native, Through};
use super::{Identities, Place, Proxy, carried};
use crate::case::{RequestModel, Setup};
use crate::generate::{self, Group};
use crate::oracle::{Answer, Doubts, Oracle, normalize, shows_its_double};
use crate::parity::{
    Case, Comparison, Ours, Question, REQUESTS, Report, Spelling, Subject, compare, explain,
    shorter_cases,
};
use crate::random::Random;

/// How many sets of policies one Envoy has.
const PLACES: usize = 200;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// How many requests.
    pub requests: usize,
    /// The seed.
    pub seed: u64,
    /// How many Envoys at once.
    pub jobs: usize,
    /// Whether to say on standard error how far it is.
    pub progress: bool,
}

/// The sets of policies of one Envoy, in their groups.
struct Batch {
    groups: Vec<Group>,
    places: Vec<Place>,
}

/// Sends that many requests to Envoy's filters, to Lychgate in Envoy, and to the native core.
#[must_use]
pub fn run(run: Run) -> Report {
    let identities = Identities::default();
    let (next, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let reports: Mutex<BTreeMap<usize, Report>> = Mutex::default();
    let start = Instant::now();
    let work = || {
        while asked.load(Ordering::Relaxed) < run.requests {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let report = Batch::new(run.seed, number).judge(&identities);
            let all = asked.fetch_add(report.requests(), Ordering::Relaxed) + report.requests();
            if run.progress {
                let rate = all as f64 / start.elapsed().as_secs_f64();
                eprintln!("{all} requests, {rate:.0} a second, {} bugs", report.bugs());
            }
            reports.lock().expect("no thread panics").insert(number, report);
        }
    };
    thread::scope(|scope| {
        for _ in 0..run.jobs {
            scope.spawn(work);
        }
    });
    let mut all = Report::default();
    reports.into_inner().expect("no thread panics").into_values().for_each(|one| all.merge(one));
    all
}

/// The same run with the model of Envoy in its place and the native core in the filter's: what a
/// run will exercise, in a fraction of the time.
#[must_use]
pub fn rehearse(run: Run) -> Report {
    let mut report = Report::default();
    for number in 0.. {
        if report.requests() >= run.requests {
            break;
        }
        Batch::new(run.seed, number).rehearse(&mut report);
    }
    report
}

impl Batch {
    /// The batch of that number: the same for the same seed, whoever runs it.
    fn new(seed: u64, number: usize) -> Self {
        let mut random = Random::new(seed.wrapping_mul(1 << 32).wrapping_add(number as u64));
        let first = random.below(generate::TURNS);
        let (mut groups, mut places) = (Vec::new(), Vec::new());
        while places.len() < PLACES {
            let group = generate::group(&mut random, first + groups.len(), REQUESTS);
            let spelling = if random.percent(10) { Spelling::Raw } else { Spelling::Normal };
            let setups = group.setups.iter();
            places.extend(setups.map(|setup| Place { setup: setup.clone(), spelling }));
            groups.push(group);
        }
        Self { groups, places }
    }

    fn rehearse(&self, report: &mut Report) {
        let mut places = self.places.iter();
        for group in &self.groups {
            for (index, place) in places.by_ref().take(group.setups.len()).enumerate() {
                let Place { setup, spelling } = place;
                let subject = match Subject::load(setup) {
                    Ok(subject) => subject,
                    Err(refusal) => {
                        report.refused(&refusal);
                        continue;
                    }
                };
                let oracle = Oracle::new(setup).expect("resources that Istio accepts");
                for request in group.requests.iter().map(|request| carried(setup, request)) {
                    let request = &request;
                    let question =
                        Question { oracle: &oracle, setup, request, spelling: *spelling };
                    let envoy = oracle.answer(request, &Doubts::none());
                    let ours = subject.decide(setup, request, *spelling);
                    report.add(group, index, &question, &compare(&question, envoy, &ours));
                }
                report.end(group, index);
            }
        }
    }

    fn judge(mut self, identities: &Identities) -> Report {
        let mut report = Report::default();
        let mut subjects = Vec::new();
        let mut loaded = Vec::new();
        for place in &self.places {
            subjects.push(match Subject::load(&place.setup) {
                Ok(subject) => {
                    loaded.push(place.clone());
                    Some((subject, loaded.len() - 1))
                }
                Err(refusal) => {
                    report.refused(&refusal);
                    None
                }
            });
        }
        self.places = loaded;
        let proxy = Proxy::start(identities, &self.places)
            .unwrap_or_else(|not| panic!("Envoy does not take the translation: {}", not.log));
        let mut subjects = subjects.iter();
        for group in &self.groups {
            let seats = subjects.by_ref().take(group.setups.len()).enumerate();
            for (index, (subject, place)) in seats.filter_map(|(i, s)| Some((i, s.as_ref()?))) {
                let seat = Seat { place: &self.places[*place], subject, number: *place };
                seat.judge(&proxy, identities, &group.requests, |question, comparison, judged| {
                    report.add(group, index, question, comparison);
                    report.reason(&judged.reason);
                });
                report.end(group, index);
            }
        }
        report
    }
}

/// A set of policies on all three sides.
struct Seat<'a> {
    place: &'a Place,
    subject: &'a Subject,
    number: usize,
}

impl Seat<'_> {
    fn judge(
        &self,
        proxy: &Proxy,
        identities: &Identities,
        requests: &[RequestModel],
        mut tell: impl FnMut(&Question<'_>, &Comparison, &Through),
    ) {
        let Place { setup, spelling } = self.place;
        let requests: Vec<_> = requests.iter().map(|request| carried(setup, request)).collect();
        let answers = proxy.ask(self.number, self.place, &requests, identities);
        let answers = answers.unwrap_or_else(|error| panic!("Envoy is silent: {error}"));
        let oracle = Oracle::new(setup).expect("resources that Istio accepts");
        for (request, (native, through)) in requests.iter().zip(&answers) {
            let question = Question { oracle: &oracle, setup, request, spelling: *spelling };
            let core = self.subject.decide(setup, request, *spelling);
            tell(&question, &verdict(&question, native, through, &core), through);
        }
    }
}

/// What the three answers mean together; the worst of it.
#[must_use]
pub fn verdict(
    question: &Question<'_>,
    native: &Native,
    through: &Through,
    core: &Ours,
) -> Comparison {
    if through.is_malformed() && native.answer == Answer::Malformed {
        return Comparison::Malformed;
    }
    let said = if through.status == 200 { "allow" } else { through.reason.as_str() };
    let core_says = if core.allowed { "allow" } else { core.reason.code() };
    let verdict =
        compare(question, native.answer, &Ours { allowed: through.status == 200, ..*core });
    if matches!(verdict, Comparison::Looser(_)) {
        return verdict;
    }
    if said != core_says {
        return Comparison::Hosts(said.into(), core_says.into());
    }
    let model = question.oracle.answer(question.request, &Doubts::none());
    if explain::is_modelled(question.request)
        && native.answer != Answer::Malformed
        && model != native.answer
    {
        return Comparison::Model(model, native.answer);
    }
    if verdict != Comparison::BothAllow {
        return verdict;
    }
    let (native, ours) = (comparable(question, &native.echo), comparable(question, &through.echo));
    match (difference(&native, &ours), withheld(question, &native, &ours)) {
        (None, _) => verdict,
        (Some(_), Some(name)) => Comparison::Withheld(name),
        (Some(what), None) => Comparison::HandedOn(what),
    }
}

/// What an application receives, with its path in one spelling, and objects in one order.
fn comparable(question: &Question<'_>, echo: &Echo) -> Echo {
    let line = |(name, value): &(String, String)| match name.as_str() {
        ":path" => (name.clone(), comparable_path(question, value)),
        _ => (name.clone(), in_order(value)),
    };
    echo.iter().map(line).collect()
}

/// Lists and objects become headers as base64 of their JSON, in which Envoy's objects have their
/// members in any order, now this and then that.
fn in_order(value: &str) -> String {
    let json = Base64::decode_vec(value).ok();
    let json = json.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    match json {
        Some(mut json @ (Value::Array(_) | Value::Object(_))) => {
            json.sort_all_objects();
            json.to_string()
        }
        _ => value.to_owned(),
    }
}

/// What an application receives of one side only.
fn difference(native: &Echo, ours: &Echo) -> Option<String> {
    let only = |one: &Echo, other: &Echo| one.iter().find(|line| !other.contains(line)).cloned();
    let show = |side: &str, line: (String, String)| format!("{}: {side} {}", line.0, line.1);
    only(native, ours)
        .map(|line| show("Envoy alone", line))
        .or_else(|| only(ours, native).map(|line| show("Lychgate alone", line)))
        .or_else(|| (native.len() != ours.len()).then(|| "lines: not as often".into()))
}

/// The named reason for which applications receive different requests: each line of one side only
/// must have it.
fn withheld(question: &Question<'_>, native: &Echo, ours: &Echo) -> Option<&'static str> {
    // To Envoy that is no token, so it stays, and none of its claims becomes a header.
    if explain::with_usual_scheme(question.request).is_some() {
        return Some("bearer");
    }
    let only_native: Vec<_> = native.iter().filter(|line| !ours.contains(line)).collect();
    let only_ours: Vec<_> = ours.iter().filter(|line| !native.contains(line)).collect();
    let written_by = |is_it: fn(&Value) -> bool| {
        let outputs =
            question.setup.jwt_rules.iter().flat_map(|rule| &rule.output_claim_to_headers);
        let such = outputs.filter(move |output| has_claim(question.request, &output.claim, is_it));
        such.map(|output| output.header.as_str()).collect::<Vec<_>>()
    };
    // Envoy writes such claims as they are.
    let (odd, numbers) = (written_by(is_odd), written_by(shows_its_double));
    let all_in = |names: &[&str]| only_native.iter().all(|line| names.contains(&line.0.as_str()));
    match only_ours.is_empty() && !only_native.is_empty() {
        true if all_in(&odd) => Some("output.control"),
        true if all_in(&[odd, numbers].concat()) => Some("output.number"),
        _ => None,
    }
}

/// Whether a claim has a control character.
fn is_odd(claim: &Value) -> bool {
    claim.as_str().is_some_and(|text| text.chars().any(char::is_control))
}

/// Whether a token has such a claim of that name.
fn has_claim(request: &RequestModel, claim: &str, is_it: fn(&Value) -> bool) -> bool {
    request.tokens.iter().any(|token| {
        let mut parts = claim.split('.');
        let first = parts.next().and_then(|name| token.claims.get(name));
        parts.fold(first, |found, name| found?.get(name)).is_some_and(is_it)
    })
}

/// The path as Istio's listener makes it, and the parameters of the query in one order: Envoy sorts
/// them where it takes a token out.
fn comparable_path(question: &Question<'_>, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match question.spelling {
        Spelling::Raw => normalize(path),
        Spelling::Normal | Spelling::Joined => path.to_owned(),
    };
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}

/// The smallest case for which Envoy still shows a difference of that kind. What the model made
/// smaller is a good start, if Envoy agrees.
#[must_use]
pub fn minimised(small: &Case, case: &Case, kind: &str) -> (Case, Option<Comparison>) {
    let identities = Identities::default();
    let is_it = |found: &Option<Comparison>| found.as_ref().is_some_and(|c| c.kind() == kind);
    let both = [small.clone(), case.clone()];
    let first = outcomes(&both, &identities);
    let mut found = both.into_iter().zip(first).filter(|(_, found)| is_it(found));
    let Some(mut best) = found.next() else { return (case.clone(), None) };
    loop {
        let shorter = shorter_cases(&best.0);
        let outcomes = outcomes(&shorter, &identities);
        let found = shorter.into_iter().zip(outcomes).filter(|(_, found)| is_it(found));
        let size = |case: &Case| serde_json::to_string(case).map_or(usize::MAX, |text| text.len());
        match found.min_by_key(|(case, _)| size(case)) {
            Some(smaller) if size(&smaller.0) < size(&best.0) => best = smaller,
            _ => return best,
        }
    }
}

/// What all sides say of one case, in words.
///
/// # Panics
/// If one of the sides does not take it.
#[must_use]
pub fn replayed(case: &Case) -> String {
    let identities = Identities::default();
    let place = Place { setup: case.setup.clone(), spelling: case.spelling };
    let proxy = Proxy::start(&identities, std::slice::from_ref(&place))
        .unwrap_or_else(|not| panic!("Envoy does not take the translation: {}", not.log));
    let request = carried(&case.setup, &case.request);
    let requests = std::slice::from_ref(&request);
    let answers = proxy.ask(0, &place, requests, &identities).expect("Envoy answers");
    let oracle = Oracle::new(&case.setup).expect("resources that Istio accepts");
    let model = oracle.answer(&request, &Doubts::none());
    let core = Subject::load(&case.setup).expect("a bundle that loads");
    let core = core.decide(&case.setup, &request, case.spelling);
    let (native, through) = &answers[0];
    format!("Envoy: {native:#?}\nLychgate in Envoy: {through:#?}\ncore: {core:?}\nmodel: {model:?}")
}

/// What Envoy says of each case; nothing where one of the sides does not take it.
fn outcomes(cases: &[Case], identities: &Identities) -> Vec<Option<Comparison>> {
    let subjects: Vec<_> = cases.iter().map(|case| loadable(&case.setup)).collect();
    let chosen: Vec<usize> = (0..cases.len()).filter(|index| subjects[*index].is_some()).collect();
    let mut outcomes = vec![None; cases.len()];
    for some in chosen.chunks(PLACES) {
        ask(some, cases, &subjects, identities, &mut outcomes);
    }
    outcomes
}

fn loadable(setup: &Setup) -> Option<Subject> {
    Oracle::new(setup).ok()?;
    Subject::load(setup).ok()
}

fn ask(
    chosen: &[usize],
    cases: &[Case],
    subjects: &[Option<Subject>],
    identities: &Identities,
    outcomes: &mut [Option<Comparison>],
) {
    let place = |index: &usize| Place {
        setup: cases[*index].setup.clone(),
        spelling: cases[*index].spelling,
    };
    let places: Vec<Place> = chosen.iter().map(place).collect();
    let Ok(proxy) = Proxy::start(identities, &places) else {
        // Envoy refuses one of them: which one?
        if chosen.len() > 1 {
            let (one, other) = chosen.split_at(chosen.len() / 2);
            ask(one, cases, subjects, identities, outcomes);
            ask(other, cases, subjects, identities, outcomes);
        }
        return;
    };
    for (number, index) in chosen.iter().enumerate() {
        let Some(subject) = &subjects[*index] else { continue };
        let seat = Seat { place: &places[number], subject, number };
        let request = std::slice::from_ref(&cases[*index].request);
        seat.judge(&proxy, identities, request, |_, comparison, _| {
            outcomes[*index] = Some(comparison.clone());
        });
    }
}
