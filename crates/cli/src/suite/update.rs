//! Writing what was found into test files, without touching anything else in them.

use super::run::{CaseResult, FileResult, Outcome};
use super::{Mismatch, Observed};
use crate::input::{Mark, Node, Value};
use crate::shape::Word as _;

/// A change of a text: some characters of a line become others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    mark: Mark,
    text: String,
}

/// The text of a test file in which every test expects what was found; none if it already does.
///
/// Returns how many tests changed. A mismatch in a list is left for the author.
pub(crate) fn updated(result: &FileResult) -> Option<(String, usize)> {
    let nodes = result.document.root.get("tests").map(Node::elements).unwrap_or_default();
    let mut edits = Vec::new();
    let mut changed = 0_usize;
    for (case, node) in result.cases.iter().zip(nodes) {
        let before = edits.len();
        edits.extend(edits_of(case, node, &result.document.place.file.text));
        changed = changed.saturating_add(usize::from(edits.len() > before));
    }
    (changed > 0).then(|| (apply(&result.document.place.file.text, edits), changed))
}

fn edits_of(case: &CaseResult, node: &Node, text: &str) -> Vec<Edit> {
    match &case.outcome {
        Outcome::Passed | Outcome::Broken { .. } => Vec::new(),
        Outcome::Failed { mismatches, .. } => {
            let expect = node.get("expect");
            mismatches.iter().filter_map(|mismatch| replace(expect?, mismatch)).collect()
        }
        Outcome::Unexpected { observed } => insert(node, observed, text).into_iter().collect(),
    }
}

fn replace(expect: &Node, mismatch: &Mismatch) -> Option<Edit> {
    let node = expect.at(&mismatch.pointer)?;
    let found = match (mismatch.pointer.as_str(), mismatch.found.as_str()) {
        (_, "none") => "null".to_owned(),
        ("/status", status) => status.to_owned(),
        (_, text) => quoted(text),
    };
    let is_scalar = !matches!(node.value, Value::Object(_) | Value::Array(_));
    (is_scalar && node.mark.length > 0).then_some(Edit { mark: node.mark, text: found })
}

/// Puts `expect` behind the name of the test: in the same braces, or on a line of its own.
fn insert(case: &Node, observed: &Observed, text: &str) -> Option<Edit> {
    if let Some(expect) = case.get("expect") {
        return fill(expect, observed, text);
    }
    let name = case.get("name")?;
    let key = name.name?;
    let end =
        Mark { column: name.mark.column.saturating_add(name.mark.length), length: 0, ..name.mark };
    let text = if is_flow(case) {
        format!(", expect: {}", expectation(observed))
    } else {
        let indent = " ".repeat(key.column.saturating_sub(1));
        format!("\n{indent}expect: {}", expectation(observed))
    };
    Some(Edit { mark: end, text })
}

/// Fills `expect: {}`, or `expect:` with nothing behind it.
fn fill(expect: &Node, observed: &Observed, text: &str) -> Option<Edit> {
    let found = expectation(observed);
    if matches!(expect.value, Value::Null) {
        let name = expect.name?;
        let column = name.column.saturating_add(name.length).saturating_add(1);
        return Some(Edit { mark: Mark { column, length: 0, ..name }, text: format!(" {found}") });
    }
    let line = text.lines().nth(expect.mark.line.checked_sub(1)?)?;
    let rest: String = line.chars().skip(expect.mark.column.checked_sub(1)?).collect();
    let empty = rest.starts_with("{}");
    empty.then_some(Edit { mark: Mark { length: 2, ..expect.mark }, text: found })
}

/// A block mapping begins where its first name does; one in braces begins at its brace.
fn is_flow(case: &Node) -> bool {
    let first = case.members().first().and_then(|(_, first)| first.name);
    first.is_some_and(|first| (first.line, first.column) != (case.mark.line, case.mark.column))
}

fn expectation(observed: &Observed) -> String {
    let rule = observed.rule.as_ref().map(|rule| format!(", rule: {}", quoted(rule)));
    format!(
        "{{verdict: {}, status: {}, reason: {}{}}}",
        observed.verdict.word(),
        observed.status,
        observed.reason,
        rule.unwrap_or_default()
    )
}

/// A word as it is, anything else between quotes.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && text.chars().all(plain) && !matches!(text, "null" | "true" | "false") {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Applies edits from the last to the first, so that their places stay right.
fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| core::cmp::Reverse((edit.mark.line, edit.mark.column)));
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for Edit { mark, text } in edits {
        let Some(line) = lines.get_mut(mark.line.saturating_sub(1)) else { continue };
        let start = mark.column.saturating_sub(1);
        let kept: String = line.chars().take(start).collect();
        let rest: String = line.chars().skip(start.saturating_add(mark.length)).collect();
        *line = format!("{kept}{text}{rest}");
    }
    lines.join("\n")
}
