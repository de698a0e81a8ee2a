//! Showing an explanation: a tree for people, JSON for programs.

use core::fmt::Write as _;

use lychgate_core::decision::{Decision, Verdict};
use lychgate_core::policy::Effect;
use lychgate_core::time::UnixTime;
use serde_json::{Value, json};

use super::record::Recorded;
use super::{Condition, Explanation, Outcome, Rule};
use crate::terminal::{Style, visible};

/// How many rules that do not match are shown, nearest first.
const NEAREST: usize = 3;

/// A tree: steps, rules, conditions.
pub(crate) fn tree(explanation: &Explanation, style: Style, all: bool) -> String {
    let decision = &explanation.decision;
    let mut text = headline(decision, style);
    for step in &explanation.steps {
        let sign = match step.outcome {
            Outcome::Passed => style.good("+"),
            Outcome::Refused => style.bad("x"),
            Outcome::NotReached => "-".to_owned(),
        };
        let said = if step.text.is_empty() { step.outcome.word() } else { &step.text };
        // Writing to a String can't fail, here and below.
        let _ = writeln!(text, "{sign} {:<10}  {}", step.name, visible(said));
    }
    write_rules(&mut text, &explanation.rules, style, all);
    let flip = &explanation.flip;
    let _ = writeln!(text, "\n{}", style.strong(&flip.summary));
    for change in &flip.changes {
        let _ = writeln!(text, "  - {}", visible(change));
    }
    text
}

fn headline(decision: &Decision, style: Style) -> String {
    let word = match decision.verdict() {
        Verdict::Allow => style.good("allow"),
        Verdict::Deny => style.bad("deny"),
    };
    let shadow = if decision.is_shadow() { " (shadow mode: it passes all the same)" } else { "" };
    format!("{word} {} {}{shadow}\n\n", decision.status(), decision.reason().code())
}

/// A record with what the policy makes of it.
pub(crate) fn recorded(recorded: &Recorded, style: Style, all: bool) -> String {
    let Recorded { verdict, reason, other_revision, rules, lacking } = recorded;
    let mut text = format!("recorded: {} {}\n", visible(verdict), visible(reason));
    if let Some(revision) = other_revision {
        let _ = writeln!(
            text,
            "{} the record is of revision {}, and this policy is another one",
            style.warning("note:"),
            visible(revision)
        );
    }
    if rules.is_empty() {
        let _ = writeln!(text, "it was decided before any rule was asked");
    }
    if !lacking.is_empty() {
        let _ = writeln!(
            text,
            "{} the record does not have: {}",
            style.warning("note:"),
            visible(&lacking.join(", "))
        );
    }
    write_rules(&mut text, rules, style, all);
    text
}

/// Every rule that matches, and of the others those that came nearest.
fn write_rules(text: &mut String, rules: &[Rule], style: Style, all: bool) {
    let mut others: Vec<&Rule> = rules.iter().filter(|rule| rule.matched != Some(true)).collect();
    others.sort_by_key(|rule| (rule.effect != Effect::Allow, rule.missing.len()));
    let shown = if all { others.len() } else { NEAREST };
    let left_out = others.len().saturating_sub(shown);
    let matching = rules.iter().filter(|rule| rule.matched == Some(true));
    for rule in matching.chain(others.into_iter().take(shown)) {
        write_rule(text, rule, style);
    }
    if left_out > 0 {
        let _ = writeln!(text, "\n  {left_out} more rules do not match; --all shows them");
    }
}

fn write_rule(text: &mut String, rule: &Rule, style: Style) {
    let place = rule.place.as_ref().map(|place| format!("  ({place})")).unwrap_or_default();
    let matched = match rule.matched {
        Some(true) => "matches",
        Some(false) => "does not match",
        None => "may match",
    };
    let _ = writeln!(
        text,
        "\n  {} {} {matched}{}",
        effect(rule.effect),
        style.strong(&rule.name),
        style.faint(&place)
    );
    let count = rule.conditions.len();
    for (index, condition) in rule.conditions.iter().enumerate() {
        let branch = if index.saturating_add(1) == count { "`-" } else { "|-" };
        let sign = match condition.holds {
            Some(true) => style.good("+"),
            Some(false) => style.bad("x"),
            None => style.warning("?"),
        };
        let Condition { name, values, .. } = condition;
        let _ = writeln!(text, "  {branch} {sign} {name} [{}]", visible(&values.join(", ")));
    }
    if count == 0 {
        let _ = writeln!(text, "  `- no conditions: it matches everything");
    }
}

const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Deny => "DENY",
        Effect::Allow => "ALLOW",
        Effect::Audit => "AUDIT",
        Effect::DryRunDeny => "DENY (dry run)",
        Effect::DryRunAllow => "ALLOW (dry run)",
    }
}

/// The same as JSON, with every rule.
pub(crate) fn json(explanation: &Explanation, now: UnixTime) -> String {
    let Explanation { decision, steps, rules: all, flip } = explanation;
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| json!({ "step": step.name, "outcome": step.outcome.word(), "text": step.text }))
        .collect();
    let audit = decision.audit(now, decision.correlation_id().unwrap_or("explain"));
    let audit: Value = serde_json::from_str(&audit).unwrap_or_default();
    let value = json!({
        "verdict": if decision.verdict() == Verdict::Allow { "allow" } else { "deny" },
        "status": decision.status(),
        "reason": decision.reason().code(),
        "steps": steps,
        "rules": rules(all),
        "flip": { "summary": flip.summary, "changes": flip.changes },
        "audit": audit,
    });
    format!("{value:#}\n")
}

/// A record as JSON.
pub(crate) fn recorded_json(recorded: &Recorded) -> String {
    let value = json!({
        "verdict": recorded.verdict,
        "reason": recorded.reason,
        "otherRevision": recorded.other_revision,
        "lacking": recorded.lacking,
        "rules": rules(&recorded.rules),
    });
    format!("{value:#}\n")
}

fn rules(rules: &[Rule]) -> Vec<Value> {
    let condition = |condition: &Condition| {
        json!({
            "condition": condition.name,
            "holds": condition.holds,
            "values": condition.values,
            "place": condition.place.as_ref().map(ToString::to_string),
        })
    };
    let rule = |rule: &Rule| {
        let missing: Vec<&str> = rule.missing().map(|c| c.name.as_str()).collect();
        json!({
            "rule": rule.name,
            "effect": effect(rule.effect),
            "matched": rule.matched,
            "conditions": rule.conditions.iter().map(condition).collect::<Vec<_>>(),
            "missing": missing,
            "place": rule.place.as_ref().map(ToString::to_string),
        })
    };
    rules.iter().map(rule).collect()
}
