//! What must become of a request, and what became of it.

use lychgate_core::decision::{Decision, RuleName, Verdict};

use crate::scenario::Scenario;
use crate::shape::{Map, Nullable, Word as _, record, words};

record! {
    /// What must become of a request. What is not named may be anything.
    pub(crate) struct Expectation {
        /// Whether it passes.
        verdict: Option<Ruling> = optional "verdict",
        /// The HTTP status of the answer; 200 stands for "passed on".
        status: Option<u16> = optional "status",
        /// Why, as the code in docs/reasons.md.
        reason: Option<String> = optional "reason",
        /// The kind of mistake within the reason, as in the audit record.
        detail: Option<String> = optional "detail",
        /// The rule that decided: `namespace/name#index`.
        rule: Option<String> = optional "rule",
        /// The conditions that the nearest ALLOW rule lacked, as in the audit record.
        missing: Option<Vec<String>> = optional "missing",
        /// Headers of the answer, by name in lower case; `null` for one that must not be there.
        headers: Map<Nullable<String>> = optional "headers",
        /// Headers as the application gets them; `null` for one that must not arrive.
        upstream: Map<Nullable<String>> = optional "upstream",
    }
}

words! {
    /// Whether a request passes.
    pub(crate) enum Ruling {
        /// It does.
        Allow = "allow",
        /// It does not.
        Deny = "deny",
    }
}

/// What became of a request, as texts that can be compared and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) verdict: Ruling,
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) detail: Option<&'static str>,
    pub(crate) rule: Option<String>,
    /// The nearest ALLOW rule and what it lacks.
    pub(crate) nearest: Option<(String, Vec<String>)>,
    /// The headers of the answer, if there is one.
    pub(crate) headers: Vec<(String, String)>,
    /// The headers that the application gets.
    pub(crate) upstream: Vec<(String, String)>,
}

impl Observed {
    pub(crate) fn of(decision: &Decision, scenario: &Scenario) -> Self {
        let findings = decision.findings();
        let denied = decision.verdict() == Verdict::Deny;
        let reply = if denied { decision.reply("test").headers } else { Vec::new() };
        Self {
            verdict: if denied { Ruling::Deny } else { Ruling::Allow },
            status: decision.status(),
            reason: decision.reason().code(),
            detail: decision.detail(),
            rule: findings.rule.as_ref().map(rule_text),
            nearest: findings.nearest.clone().map(|(rule, missing)| (rule_text(&rule), missing)),
            headers: reply.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            upstream: if denied { Vec::new() } else { handed_on(decision, scenario) },
        }
    }
}

/// `namespace/name#index`.
pub(crate) fn rule_text(rule: &RuleName) -> String {
    format!("{}#{}", rule.policy, rule.rule)
}

fn handed_on(decision: &Decision, scenario: &Scenario) -> Vec<(String, String)> {
    let changes = decision.upstream();
    let lower = scenario.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let kept = lower.filter(|(name, _)| !changes.remove.contains(name));
    let kept = kept.map(|(name, value)| (name, value.clone()));
    let set = changes.set.iter().map(|(name, value)| (name.to_string(), value.clone()));
    kept.chain(set).collect()
}

/// Where what became of a request is not what must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The field, as a JSON pointer from `expect` on.
    pub(crate) pointer: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Expectation {
    /// Whether nothing is expected.
    pub(crate) fn is_empty(&self) -> bool {
        let texts = [&self.reason, &self.detail, &self.rule];
        self.verdict.is_none()
            && self.status.is_none()
            && texts.iter().all(|text| text.is_none())
            && self.missing.is_none()
            && self.headers.0.is_empty()
            && self.upstream.0.is_empty()
    }

    /// Everything that differs.
    pub(crate) fn compare(&self, observed: &Observed) -> Vec<Mismatch> {
        let missing = |list: &[String]| format!("[{}]", list.join(", "));
        let lacked = observed.nearest.as_ref().map(|(_, lacked)| missing(lacked));
        let status = observed.status.to_string();
        let mut differing = Vec::new();
        for (name, expected, found) in [
            ("verdict", self.verdict.map(|v| v.word().to_owned()), Some(observed.verdict.word())),
            ("status", self.status.map(|status| status.to_string()), Some(status.as_str())),
            ("reason", self.reason.clone(), Some(observed.reason)),
            ("detail", self.detail.clone(), observed.detail),
            ("rule", self.rule.clone(), observed.rule.as_deref()),
            ("missing", self.missing.as_deref().map(missing), lacked.as_deref()),
        ] {
            if let Some(expected) = expected.filter(|expected| Some(expected.as_str()) != found) {
                let found = found.unwrap_or("none").to_owned();
                differing.push(Mismatch { pointer: format!("/{name}"), expected, found });
            }
        }
        differing.extend(compare_headers("headers", &self.headers, &observed.headers));
        differing.extend(compare_headers("upstream", &self.upstream, &observed.upstream));
        differing
    }
}

fn compare_headers(
    field: &str,
    expected: &Map<Nullable<String>>,
    found: &[(String, String)],
) -> Vec<Mismatch> {
    let none = || "none".to_owned();
    let compare = |(name, expected): &(String, Nullable<String>)| {
        let lines = found.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let lines: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
        let found = (!lines.is_empty()).then(|| lines.join(", "));
        (found != expected.0).then(|| Mismatch {
            pointer: format!("/{field}/{}", name.replace('~', "~0").replace('/', "~1")),
            expected: expected.0.clone().unwrap_or_else(none),
            found: found.unwrap_or_else(none),
        })
    };
    expected.0.iter().filter_map(compare).collect()
}
