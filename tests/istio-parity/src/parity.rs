//! Both sides, compared.

mod coverage;
mod direction;
pub mod explain;
mod reduce;
mod report;
mod subject;
pub mod vector;

use lychgate_core::decision::Reason;
use serde::{Deserialize, Serialize};

use crate::case::{RequestModel, Setup};
use crate::generate::{self, Group};
use crate::oracle::{Answer, Doubts, Oracle};
use crate::random::Random;
pub use reduce::{reduced, shorter_cases};
pub use report::{Report, Side};
pub use subject::{Ours, Spelling, Subject};

/// How many requests each set of policies answers in Envoy, where a set costs more than a request.
pub const REQUESTS: usize = 100;

/// How many each answers in the model, in every spelling.
const MODEL_REQUESTS: usize = 20;

/// Resources and a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// The resources.
    pub setup: Setup,
    /// The request.
    pub request: RequestModel,
    /// Who normalises the path.
    pub spelling: Spelling,
}

/// How Lychgate's answer compares with Envoy's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Both allow.
    BothAllow,
    /// Both deny.
    BothDeny,
    /// The proxy itself refuses the request on both sides, before any filter.
    Malformed,
    /// Lychgate denies, for reasons that the list of strictnesses names.
    Stricter(Vec<&'static str>),
    /// Lychgate allows `bearer` in lower case, which is the one point where it may.
    Bearer,
    /// Lychgate denies, and no name explains it.
    Unexplained(Reason),
    /// Lychgate allows what Envoy denies.
    Looser(Answer),
    /// Both allow, and hand on different requests for a reason with a name.
    Withheld(&'static str),
    /// Both allow, and hand on different requests; what differs.
    HandedOn(String),
    /// Lychgate in Envoy and the native core disagree; what each says.
    Hosts(String, String),
    /// The model of Envoy is wrong about Envoy: its answer, and Envoy's.
    Model(Answer, Answer),
}

impl Comparison {
    /// Whether this must not happen.
    #[must_use]
    pub const fn is_bug(&self) -> bool {
        !matches!(
            self,
            Self::BothAllow
                | Self::BothDeny
                | Self::Malformed
                | Self::Stricter(_)
                | Self::Bearer
                | Self::Withheld(_)
        )
    }

    /// The same for all differences that are of one kind.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::HandedOn(what) => {
                format!("handed on: {}", what.split_once(": ").map_or("", |(name, _)| name))
            }
            Self::Unexplained(reason) => format!("unexplained: {}", reason.code()),
            Self::Stricter(_) => "stricter".into(),
            other => format!("{other:?}").to_lowercase(),
        }
    }
}

/// Runs that many requests through the native core and the model of Envoy, until a bug if `stop`.
#[must_use]
pub fn run(seed: u64, requests: usize, stop: bool) -> Report {
    let mut random = Random::new(seed);
    let mut report = Report::default();
    for turn in 0.. {
        if report.requests() >= requests || (stop && !report.is_clean()) {
            break;
        }
        answer(&generate::group(&mut random, turn, MODEL_REQUESTS), &mut report);
    }
    report
}

fn answer(group: &Group, report: &mut Report) {
    for (index, setup) in group.setups.iter().enumerate() {
        let oracle = Oracle::new(setup).expect("resources that Istio accepts");
        let subject = match Subject::load(setup) {
            Ok(subject) => subject,
            Err(refusal) => {
                report.refused(&refusal);
                continue;
            }
        };
        for request in &group.requests {
            for spelling in Spelling::ALL {
                let ours = subject.decide(setup, request, spelling);
                let envoy = oracle.answer(request, &Doubts::none());
                let question = Question { oracle: &oracle, setup, request, spelling };
                let comparison = compare(&question, envoy, &ours);
                report.add(group, index, &question, &comparison);
            }
        }
        report.end(group, index);
    }
}

/// What both sides are asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The model of Envoy.
    pub oracle: &'a Oracle<'a>,
    /// The resources.
    pub setup: &'a Setup,
    /// The request.
    pub request: &'a RequestModel,
    /// Who normalises its path.
    pub spelling: Spelling,
}

impl Question<'_> {
    /// The question with its answer's circumstances, to be kept.
    #[must_use]
    pub fn case(&self) -> Case {
        let (setup, request) = (self.setup.clone(), self.request.clone());
        Case { setup, request, spelling: self.spelling }
    }
}

/// Compares Envoy's answer with ours.
#[must_use]
pub fn compare(question: &Question<'_>, envoy: Answer, ours: &Ours) -> Comparison {
    match (envoy, ours.allowed) {
        (Answer::Allow, true) => Comparison::BothAllow,
        (Answer::Forbidden | Answer::BadToken | Answer::Malformed, false) => Comparison::BothDeny,
        (Answer::Allow, false) => match explain::explain(question, ours) {
            Some(names) => Comparison::Stricter(names),
            None => Comparison::Unexplained(ours.reason),
        },
        (answer, true) => match explain::with_usual_scheme(question.request) {
            Some(usual) if question.oracle.answer(&usual, &Doubts::none()) == Answer::Allow => {
                Comparison::Bearer
            }
            _ => Comparison::Looser(answer),
        },
    }
}
