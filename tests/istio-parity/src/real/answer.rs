//! What came back.

use serde_json::Value;

use crate::oracle::Answer;

/// A response.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Whether Envoy closes the connection after it.
    pub closes: bool,
}

/// What an application received: header lines in lower case and in order, pseudo-headers included.
pub type Echo = Vec<(String, String)>;

/// The answer of Envoy's own filters.
#[derive(Debug, Clone)]
pub struct Native {
    /// The answer.
    pub answer: Answer,
    /// What it says.
    pub text: String,
    /// What was handed on.
    pub echo: Echo,
}

/// The answer through Lychgate's filter.
#[derive(Debug, Clone)]
pub struct Through {
    /// The status.
    pub status: u16,
    /// The code of the reason; empty where Envoy answered, or the request passed.
    pub reason: String,
    /// What was handed on.
    pub echo: Echo,
}

impl Native {
    /// # Panics
    /// If it is no answer that these filters give.
    #[must_use]
    pub fn of(reply: Reply) -> Self {
        let answer = match (reply.status, reply.body.as_slice()) {
            (200, _) => Answer::Allow,
            (400, _) => Answer::Malformed,
            (403, b"RBAC: access denied") => Answer::Forbidden,
            (401 | 403, _) => Answer::BadToken,
            (status, body) => panic!("Envoy answers {status}: {}", String::from_utf8_lossy(body)),
        };
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        Self { answer, text, echo: echo(&reply) }
    }
}

impl Through {
    /// Reads the reply.
    #[must_use]
    pub fn of(reply: Reply) -> Self {
        let problem: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let reason = problem["reason"].as_str().unwrap_or_default().to_owned();
        Self { status: reply.status, reason, echo: echo(&reply) }
    }

    /// Whether Envoy itself refused the request, before the filter.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        self.status == 400 && self.reason.is_empty()
    }
}

fn echo(reply: &Reply) -> Echo {
    if reply.status != 200 {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let mut lines: Echo = text.lines().filter_map(line).collect();
    lines.sort();
    lines
}

/// A line of the echo; the name of a pseudo-header begins with a colon.
fn line(line: &str) -> Option<(String, String)> {
    let colon = if line.starts_with(':') { ":" } else { "" };
    let (name, value) = line.strip_prefix(colon)?.split_once(": ")?;
    Some((format!("{colon}{name}"), value.into()))
}
