//! The smallest case that still shows a difference.

use serde_json::Value;

use super::{Case, Comparison, Question, Subject, compare};
use crate::oracle::{Doubts, Oracle};

/// Leaves out whatever can be left out, by the model of Envoy; the case itself where the model sees
/// no difference.
#[must_use]
pub fn reduced(case: &Case) -> Case {
    let mut best = case.clone();
    let Some(wanted) = outcome(case) else { return best };
    let is_it = |case: &Case| outcome(case).is_some_and(|found| found.kind() == wanted.kind());
    while let Some(shorter) = shorter_cases(&best).into_iter().find(is_it) {
        best = shorter;
    }
    best
}

fn outcome(case: &Case) -> Option<Comparison> {
    let Case { setup, request, spelling } = case;
    let oracle = Oracle::new(setup).ok()?;
    let ours = Subject::load(setup).ok()?.decide(setup, request, *spelling);
    let question = Question { oracle: &oracle, setup, request, spelling: *spelling };
    let outcome = compare(&question, oracle.answer(request, &Doubts::none()), &ours);
    outcome.is_bug().then_some(outcome)
}

/// The case without each of its parts, the outside first.
#[must_use]
pub fn shorter_cases(case: &Case) -> Vec<Case> {
    let document = serde_json::to_value(case).expect("a case is JSON");
    let mut pointers = Vec::new();
    list(&document, &mut String::new(), &mut pointers);
    let shorter = pointers.iter().flat_map(|pointer| shorter(&document, pointer));
    shorter
        .filter(|shorter| *shorter != document)
        .filter_map(|shorter| serde_json::from_value(shorter).ok())
        .collect()
}

/// Pointers to everything, the outside first.
fn list(value: &Value, pointer: &mut String, pointers: &mut Vec<String>) {
    let mut below = |name: &str, value: &Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        pointers.push(pointer.clone());
        list(value, pointer, pointers);
        pointer.truncate(length);
    };
    match value {
        Value::Array(members) => {
            members.iter().enumerate().for_each(|(index, value)| below(&index.to_string(), value));
        }
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name, value)),
        _ => {}
    }
}

/// The document without that place, with nothing in it, and with half of its text.
fn shorter(document: &Value, pointer: &str) -> Vec<Value> {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return Vec::new() };
    let mut without = document.clone();
    let removed = match without.pointer_mut(parent) {
        Some(Value::Array(members)) => {
            let index: usize = name.parse().unwrap_or(usize::MAX);
            (index < members.len()).then(|| members.remove(index)).is_some()
        }
        Some(Value::Object(members)) => {
            members.remove(&name.replace("~1", "/").replace("~0", "~")).is_some()
        }
        _ => false,
    };
    if !removed {
        return Vec::new();
    }
    let mut shorter = vec![without];
    let mut with = |value: Value| {
        let mut other = document.clone();
        if let Some(place) = other.pointer_mut(pointer)
            && !place.is_null()
        {
            *place = value;
            shorter.push(other);
        }
    };
    with(Value::Null);
    if let Some(Value::String(text)) = document.pointer(pointer)
        && text.len() > 40
    {
        with(text.chars().take(text.len() / 2).collect::<String>().into());
    }
    shorter
}
