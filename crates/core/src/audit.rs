//! The record that every crossing leaves: one JSON object, with nothing secret in it.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::decision::{Crossing, Decision, Judgment, Prepared, RuleName, Verdict};
use crate::json::JsonWriter;
use crate::time::UnixTime;

impl Decision {
    /// The audit record: one JSON object on one line, its members in a fixed order.
    #[must_use]
    pub fn audit(&self, now: UnixTime, correlation_id: &str) -> String {
        record(self, now, correlation_id)
    }
}

impl Judgment {
    /// The same, to be shared by many decisions.
    pub(crate) fn prepared(self) -> Self {
        let mut record = JsonWriter::with_capacity(512);
        write_shared(&mut record, &self);
        let prepared = Prepared { changes: self.changes(), record: record.finish() };
        Self { prepared: Some(prepared), ..self }
    }
}

fn record(decision: &Decision, now: UnixTime, correlation_id: &str) -> String {
    let mut record = JsonWriter::with_capacity(512);
    record.object(|record| {
        record.label("time");
        record.number(now.seconds());
        match &decision.judgment().prepared {
            Some(prepared) => record.members(&prepared.record),
            None => write_shared(record, decision.judgment()),
        }
        record.member("correlation_id", correlation_id);
        record.label("shadow");
        record.boolean(decision.is_shadow());
    });
    record.finish()
}

/// The members that are the same for all decisions that share a judgment.
fn write_shared(record: &mut JsonWriter, judgment: &Judgment) {
    record.member("revision", &judgment.ruleset.revision);
    write_reason(record, judgment);
    write_crossing(record, &judgment.crossing);
}

/// What was decided, and why.
fn write_reason(record: &mut JsonWriter, judgment: &Judgment) {
    let reason = judgment.reason;
    record.member(
        "verdict",
        match reason.verdict() {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        },
    );
    record.member("reason", reason.code());
    record.label("status");
    record.number(reason.status().into());
    if let Some(detail) = judgment.detail {
        record.member("detail", detail);
    }
    let findings = &judgment.findings;
    if let Some(rule) = &findings.rule {
        write_rule(record, rule);
    }
    if let Some((rule, conditions)) = &findings.nearest {
        record.label("missing");
        record.object(|record| {
            write_rule(record, rule);
            record.label("conditions");
            record.array(|record| conditions.iter().for_each(|condition| record.string(condition)));
        });
    }
    if let Some(rule) = &findings.audited {
        record.label("audit");
        record.object(|record| write_rule(record, rule));
    }
    if let Some((reason, rule)) = &findings.dry_run {
        record.label("dry_run");
        record.object(|record| {
            record.member("reason", reason.code());
            if let Some(rule) = rule {
                write_rule(record, rule);
            }
        });
    }
}

fn write_rule(record: &mut JsonWriter, rule: &RuleName) {
    record.member("policy", &rule.policy);
    record.label("rule");
    record.number(rule.rule.into());
}

/// Who crossed, and where to.
fn write_crossing(record: &mut JsonWriter, crossing: &Crossing) {
    for (name, value) in [
        ("subject", crossing.subject().map(Cow::Borrowed)),
        ("issuer", crossing.issuer().map(Cow::Borrowed)),
        ("peer", crossing.peer().map(Cow::Borrowed)),
        ("method", crossing.method()),
        ("host", crossing.host()),
        ("path", crossing.path()),
    ] {
        if let Some(value) = value {
            record.member(name, &value);
        }
    }
}
