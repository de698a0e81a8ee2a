//! Answers: what must be the same from all hosts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The reply's headers that are Lychgate's; a server adds its own.
pub const HEADERS: [&str; 4] = ["cache-control", "content-type", "retry-after", "www-authenticate"];

/// What a host says to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The record as canonical JSON.
    Record(String),
    /// The host can't carry the case, and why.
    NotCarried(String),
}

/// What is sent to a caller that is refused.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A decision: its audit record, and what was sent if it was refused. An answer to HEAD has no
    /// body on the wire.
    ///
    /// # Panics
    /// If the record is no JSON object.
    #[must_use]
    pub fn decided(audit: &str, sent: Option<&Sent>) -> Self {
        let mut audit: Map<String, Value> = serde_json::from_str(audit).expect("an audit record");
        // The hosts are asked one after the other.
        audit.remove("time").expect("time of an audit record");
        if let Some(Value::String(path)) = audit.get_mut("path") {
            without_token(path);
        }
        let is_head = audit.get("method").is_some_and(|method| method == "HEAD");
        let record = json!({ "audit": audit, "reply": sent.map(|sent| sent.json(!is_head)) });
        Self::Record(canonical(&record))
    }

    /// A bundle that was refused.
    #[must_use]
    pub fn refused(code: &str, pointer: &str) -> Self {
        Self::Record(canonical(&json!({ "refused": { "code": code, "pointer": pointer } })))
    }
}

impl Sent {
    fn json(&self, has_body: bool) -> Value {
        let ours = self.headers.iter().filter(|(name, _)| HEADERS.contains(&name.as_str()));
        let mut headers: Vec<_> = ours.collect();
        headers.sort();
        json!({ "status": self.status, "headers": headers, "body": has_body.then_some(&self.body) })
    }
}

/// A token in the path, which is none to a policy, was made for the moment at which its host was
/// asked.
fn without_token(path: &mut String) {
    if let Some(start) = path.find("eyJ") {
        path.replace_range(start.., "{token}");
    }
}

/// The JSON text with members in order and no white space.
#[must_use]
pub fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().collect();
            let sort = |(name, value): (&String, &Value)| (name.clone(), sorted(value));
            Value::Object(members.into_iter().map(|(n, v)| sort((n, v))).collect())
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_and_the_time_make_no_difference_and_all_else_does() {
        let one = Answer::decided(r#"{"time":1,"verdict":"allow","rule":0}"#, None);
        let other = |text: &str| Answer::decided(text, None);
        assert_eq!(one, other(r#"{"rule":0,"verdict":"allow","time":2}"#));
        assert_ne!(one, other(r#"{"time":1,"verdict":"allow","rule":1}"#));
        assert_ne!(one, other(r#"{"time":1,"verdict":"allow","rule":0,"peer":"x"}"#));
    }

    #[test]
    fn the_headers_that_a_server_adds_are_not_compared() {
        let sent = |headers: &[(&str, &str)]| Sent {
            status: 403,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: "{}".into(),
        };
        let audit = r#"{"time":1}"#;
        let answer = |headers| Answer::decided(audit, Some(&sent(headers)));
        let usual = answer(&[("cache-control", "no-store"), ("content-type", "a")]);
        let more = [("content-type", "a"), ("server", "envoy"), ("cache-control", "no-store")];
        assert_eq!(usual, answer(&more));
        assert_ne!(usual, answer(&more[..1]));
        assert_ne!(usual, Answer::decided(audit, None));
    }
}
