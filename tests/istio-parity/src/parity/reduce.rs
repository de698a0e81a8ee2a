//! The smallest case that still shows a difference.

use serde_json::Value;

use super::{Case, Comparison, Subject, compare};
use crate::oracle::Oracle;

/// Leaves out whatever can be left out.
#[must_use]
pub fn reduced(case: &Case) -> Case {
    let Some(wanted) = outcome(case) else { return case.clone() };
    let mut document = serde_json::to_value(case).expect("a case is JSON");
    loop {
        let before = document.clone();
        let mut pointers = Vec::new();
        list(&document, &mut String::new(), &mut pointers);
        // From the back, so that what is left keeps its place.
        for pointer in pointers.iter().rev() {
            for shorter in shorter(&document, pointer) {
                if shorter != document
                    && parse(&shorter).and_then(|case| outcome(&case)).as_ref() == Some(&wanted)
                {
                    document = shorter;
                    break;
                }
            }
        }
        if document == before {
            return parse(&document).unwrap_or_else(|| case.clone());
        }
    }
}

fn parse(document: &Value) -> Option<Case> {
    serde_json::from_value(document.clone()).ok()
}

fn outcome(case: &Case) -> Option<Comparison> {
    let oracle = Oracle::new(&case.setup).ok()?;
    let subject = Subject::load(&case.setup).ok()?;
    let outcome = compare(&oracle, &subject, &case.request, case.spelling);
    outcome.is_bug().then_some(outcome)
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

/// The document without that place, and with nothing in it.
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
    let mut null = document.clone();
    if let Some(place) = null.pointer_mut(pointer)
        && !place.is_null()
    {
        *place = Value::Null;
    } else {
        null = Value::Null;
    }
    let mut half = document.clone();
    if let Some(Value::String(text)) = half.pointer_mut(pointer)
        && text.len() > 40
    {
        *text = text.chars().take(text.len() / 2).collect();
    }
    vec![without, null, half]
}
