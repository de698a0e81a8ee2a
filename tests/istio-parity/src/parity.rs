//! Both sides, compared.

mod reduce;
mod report;
mod subject;

use lychgate_core::decision::{Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::case::{RequestModel, Setup};
use crate::generate;
use crate::oracle::{Answer, Doubts, Oracle, Strictness};
use crate::random::Random;
pub use reduce::reduced;
pub use report::Report;
pub use subject::{Spelling, Subject};

/// How many requests each set of policies answers.
const REQUESTS: usize = 40;

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
    /// Lychgate denies, for this named reason.
    Stricter(String),
    /// Lychgate allows `bearer` in lower case, which is the one point where it may.
    Bearer,
    /// Lychgate denies, and no name explains it.
    Unexplained(Reason),
    /// Lychgate allows what Envoy denies.
    Looser(Answer),
}

impl Comparison {
    /// Whether this must not happen.
    #[must_use]
    pub fn is_bug(&self) -> bool {
        matches!(self, Self::Looser(_) | Self::Unexplained(_))
    }
}

/// Runs that many requests.
#[must_use]
pub fn run(seed: u64, requests: usize) -> Report {
    let mut random = Random::new(seed);
    let mut report = Report::default();
    while report.requests < requests {
        let setup = generate::setup(&mut random);
        let oracle = Oracle::new(&setup).expect("resources that Istio accepts");
        let subject = match Subject::load(&setup) {
            Ok(subject) => subject,
            Err(code) => {
                report.refused(&code, &setup);
                continue;
            }
        };
        let mut outcomes = Vec::new();
        for _ in 0..REQUESTS {
            let request = generate::request(&mut random, &setup);
            for spelling in Spelling::ALL {
                let comparison = compare(&oracle, &subject, &request, spelling);
                if comparison.is_bug() && outcomes.last() != Some(&comparison) {
                    let case = Case { setup: setup.clone(), request: request.clone(), spelling };
                    report.bug(case, &comparison);
                }
                outcomes.push(comparison);
            }
        }
        report.count(&setup, &outcomes);
    }
    report
}

/// Compares the answers to one request.
#[must_use]
pub fn compare(
    oracle: &Oracle<'_>,
    subject: &Subject,
    request: &RequestModel,
    spelling: Spelling,
) -> Comparison {
    let envoy = oracle.answer(request, &Doubts::none());
    let (verdict, reason, detail) = subject.decide(request, spelling);
    match (envoy, verdict) {
        (Answer::Allow, Verdict::Allow) => Comparison::BothAllow,
        (Answer::Forbidden | Answer::BadToken, Verdict::Deny) => Comparison::BothDeny,
        (Answer::Allow, Verdict::Deny) => {
            match explain(oracle, request, spelling, (reason, detail)) {
                Some(name) => Comparison::Stricter(name),
                None => Comparison::Unexplained(reason),
            }
        }
        (answer, Verdict::Allow) => {
            let usual = with_usual_scheme(request);
            match usual.map(|request| oracle.answer(&request, &Doubts::none())) {
                Some(Answer::Allow) => Comparison::Bearer,
                _ => Comparison::Looser(answer),
            }
        }
    }
}

/// The strictness for which Lychgate denies what Envoy allows.
fn explain(
    oracle: &Oracle<'_>,
    request: &RequestModel,
    spelling: Spelling,
    (reason, detail): (Reason, Option<&str>),
) -> Option<String> {
    let usual = with_usual_scheme(request);
    let judged = usual.as_ref().unwrap_or(request);
    if usual.is_some() && oracle.answer(judged, &Doubts::none()) != Answer::Allow {
        return Some("bearer in any case".into());
    }
    match reason {
        Reason::PathAmbiguous | Reason::PathMalformed => path_strictness(detail?).map(Into::into),
        Reason::CredentialMalformed => {
            has_odd_credential(judged).then(|| "credential.position or credential.rest".into())
        }
        Reason::CredentialMultiple => (request.headers.len() > 1 || request.tokens.len() > 1)
            .then(|| "credential.single".into()),
        Reason::PeerMalformed => {
            let id = request.peer.as_deref()?.strip_prefix("spiffe://")?;
            (!id.contains('/')).then(|| "peer.spiffe (an ID without a path)".into())
        }
        Reason::AudienceMismatch => Some("claim.audience".into()),
        Reason::NoRuleMatched
        | Reason::DeniedByRule
        | Reason::CredentialMissing
        | Reason::ScopeMissing => policy_strictness(oracle, judged, spelling),
        _ => None,
    }
}

fn path_strictness(detail: &str) -> Option<&'static str> {
    Some(match detail {
        "dot_segments" => "path.dot-segments",
        "doubled_slashes" => "path.doubled-slashes",
        "backslashes" => "path.backslash",
        "encoded_separators" => "path.encoded-separator",
        "double_encoding" => "path.double-encoding",
        "path_parameters" => "path.parameters",
        "control_character" => "path.control",
        "invalid_escape" => "path.escape",
        "invalid_utf8" => "path.utf8",
        _ => return None,
    })
}

fn has_odd_credential(request: &RequestModel) -> bool {
    let names = |name: &str| request.headers.iter().filter(|line| line.0 == name).count();
    names("authorization") > 1
        || names("x-token") > 1
        || request.headers.iter().any(|(_, value)| match value.split_once("{token:") {
            Some((before, after)) => {
                !["", "Bearer ", "JWT "].contains(&before) || after.contains(' ')
            }
            None => value.trim() == "Bearer",
        })
}

/// The strictnesses of matchers that, each alone or all together, make Envoy deny as well.
fn policy_strictness(
    oracle: &Oracle<'_>,
    request: &RequestModel,
    spelling: Spelling,
) -> Option<String> {
    let joined = spelling == Spelling::Joined;
    let denies = |doubts: Doubts| oracle.answer(request, &doubts.joined(joined)) != Answer::Allow;
    if let Some(one) = Strictness::ALL.iter().find(|one| denies(Doubts::only(**one))) {
        return Some(one.id().into());
    }
    denies(Doubts::all()).then(|| "several matchers at once".into())
}

/// The request with the scheme as Envoy knows it; nothing if it has that already.
fn with_usual_scheme(request: &RequestModel) -> Option<RequestModel> {
    let mut usual = request.clone();
    let mut changed = false;
    for (_, value) in &mut usual.headers {
        if let Some(rest) = value.strip_prefix("bearer ") {
            *value = format!("Bearer {rest}");
            changed = true;
        }
    }
    changed.then_some(usual)
}
