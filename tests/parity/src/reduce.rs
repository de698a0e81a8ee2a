//! The smallest question that still shows a difference.

use serde_json::Value;

use crate::random::RandomGroup;

/// Leaves out whatever can be left out while `differs` holds, asking at most so many times.
pub fn reduced(
    group: &RandomGroup,
    mut attempts: usize,
    mut differs: impl FnMut(&RandomGroup) -> bool,
) -> RandomGroup {
    let mut best = group.clone();
    let mut document = serde_json::to_value(group).expect("a group is JSON");
    loop {
        let mut has_shrunk = false;
        for pointer in pointers(&document).iter().rev() {
            let Some((smaller, group)) = without(&document, pointer) else { continue };
            if attempts == 0 {
                return best;
            }
            attempts -= 1;
            if differs(&group) {
                (document, best, has_shrunk) = (smaller, group, true);
            }
        }
        if !has_shrunk {
            return best;
        }
    }
}

/// The document without that place, if it is still a group with a request.
fn without(document: &Value, pointer: &str) -> Option<(Value, RandomGroup)> {
    let mut smaller = document.clone();
    let (parent, name) = pointer.rsplit_once('/')?;
    match smaller.pointer_mut(parent)? {
        Value::Array(members) => {
            let index: usize = name.parse().ok()?;
            (index < members.len()).then(|| members.remove(index))?;
        }
        Value::Object(members) => {
            members.remove(&name.replace("~1", "/").replace("~0", "~"))?;
        }
        _ => return None,
    }
    let group: RandomGroup = serde_json::from_value(smaller.clone()).ok()?;
    let is_whole = |request: &crate::random::RandomRequest| {
        request.signers.len() == request.model.tokens.len()
    };
    (!group.requests.is_empty() && group.requests.iter().all(is_whole)).then_some((smaller, group))
}

/// Pointers to everything, the outside first.
fn pointers(document: &Value) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), vec![String::new()]);
    while let Some(pointer) = next.pop() {
        let below: Vec<String> = match document.pointer(&pointer) {
            Some(Value::Array(members)) => (0..members.len()).map(|i| i.to_string()).collect(),
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let escape = |name: &String| name.replace('~', "~0").replace('/', "~1");
        let below: Vec<_> =
            below.iter().map(|name| format!("{pointer}/{}", escape(name))).collect();
        found.extend(below.iter().cloned());
        next.extend(below);
    }
    found
}
