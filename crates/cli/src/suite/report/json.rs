//! For programs.

use serde_json::{Value, json};

use super::Report;
use crate::shape::Word as _;
use crate::suite::coverage::{Counted, Gap, Summary};
use crate::suite::run::{CaseResult, Outcome};
use crate::suite::{Mismatch, Observed};

/// One object: every test, the counts, and coverage where it was asked for.
pub(crate) fn json(report: &Report<'_>) -> String {
    let files: Vec<Value> = report
        .files
        .iter()
        .map(|file| {
            let tests: Vec<Value> = file.cases.iter().map(case).collect();
            json!({
                "file": file.document.place.file.name,
                "description": file.description,
                "tests": tests,
            })
        })
        .collect();
    let coverage: Vec<Value> = report.coverage.iter().map(summary).collect();
    let passed = report.all().saturating_sub(report.failed());
    let value = json!({
        "files": files,
        "passed": passed,
        "failed": report.failed(),
        "seconds": report.took.as_secs_f64(),
        "coverage": coverage,
    });
    format!("{value:#}\n")
}

fn case(case: &CaseResult) -> Value {
    let mark = case.place.mark.unwrap_or_default();
    let mut value = json!({
        "name": case.name,
        "line": mark.line,
        "column": mark.column,
        "passed": case.passed(),
    });
    let more = match &case.outcome {
        Outcome::Passed => json!({}),
        Outcome::Failed { observed: found, mismatches } => {
            let differing: Vec<Value> = mismatches.iter().map(mismatch).collect();
            json!({ "mismatches": differing, "found": observed(found) })
        }
        Outcome::Unexpected { observed: found } => json!({ "found": observed(found) }),
        Outcome::Broken { message } => json!({ "error": message }),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn mismatch(mismatch: &Mismatch) -> Value {
    let field = mismatch.pointer.trim_start_matches('/');
    json!({ "field": field, "expected": mismatch.expected, "found": mismatch.found })
}

fn observed(observed: &Observed) -> Value {
    json!({
        "verdict": observed.verdict.word(),
        "status": observed.status,
        "reason": observed.reason,
        "detail": observed.detail,
        "rule": observed.rule,
        "nearest": observed.nearest.as_ref().map(|(rule, missing)| json!({ "rule": rule, "missing": missing })),
    })
}

fn summary(summary: &Summary) -> Value {
    let counted = |counted: Counted| json!({ "reached": counted.reached, "all": counted.all });
    let gaps: Vec<Value> = summary.gaps.iter().map(gap).collect();
    json!({
        "policies": counted(summary.policies),
        "rules": counted(summary.rules),
        "conditions": counted(summary.conditions),
        "gaps": gaps,
    })
}

fn gap(gap: &Gap) -> Value {
    json!({
        "rule": gap.rule,
        "condition": gap.condition,
        "never": gap.never,
        "place": gap.place.as_ref().map(ToString::to_string),
    })
}
