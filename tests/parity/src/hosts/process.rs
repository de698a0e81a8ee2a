//! A host that is another program: one JSON line in for each group, one out.
//!
//! In: `bundle`, `keys` (by URI), `now` (seconds), `brokenVerifier`, and `requests` as
//! `resolve-vectors` writes them. Out: `answers`, for each request either `{"audit": TEXT, "reply":
//! {"status", "headers", "body"} or null}`, or `{"refused": {"code", "pointer"}}` for a bundle that
//! doesn't load, or `{"notCarried": WHY}`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lychgate_harness::request_json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Host;
use crate::answer::{Answer, Sent};
use crate::lab::Lab;
use crate::question::Group;

/// A host that runs as a child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Decided {
        audit: String,
        reply: Option<Reply>,
    },
    Refused {
        refused: Refused,
    },
    NotCarried {
        #[serde(rename = "notCarried")]
        why: String,
    },
}

#[derive(Deserialize)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
    pointer: String,
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<Line>,
}

impl Process {
    /// Starts `command`, whose parts are separated by spaces, in a folder.
    ///
    /// # Panics
    /// If it can't be started.
    #[must_use]
    pub fn start(name: &str, command: &str, folder: &Path) -> Self {
        let mut parts = command.split(' ');
        let mut child = Command::new(parts.next().unwrap_or_default())
            .args(parts)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command}: {error}"));
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("piped"));
        Self { name: name.to_owned(), child, input, output: BufReader::new(output) }
    }

    fn ask(&mut self, lab: &Lab, group: &Group) -> Vec<Answer> {
        let line = question(lab, group).to_string();
        let input = self.input.as_mut().expect("open until the end");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("the host reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the host writes");
        let Answers { answers } = serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{} answers {answer:?}: {error}", self.name));
        assert_eq!(answers.len(), group.cases.len(), "{} skips a question", self.name);
        answers.into_iter().map(read).collect()
    }
}

impl Host for Process {
    fn name(&self) -> &str {
        &self.name
    }

    fn answers(&mut self, lab: &Lab, groups: &[Group]) -> Vec<Vec<Answer>> {
        groups.iter().map(|group| self.ask(lab, group)).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends when nobody asks any more.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn question(lab: &Lab, group: &Group) -> Value {
    let now = group.now.unwrap_or_else(|| lab.now());
    let request = |case: &crate::question::Case| {
        let request = case.request(lab, now);
        request_json(&request, lab.issued(&request.peer).as_deref())
    };
    json!({
        "bundle": group.bundle,
        "keys": group.keys,
        "now": now,
        "brokenVerifier": group.broken_verifier,
        "requests": group.cases.iter().map(request).collect::<Vec<_>>(),
    })
}

fn read(line: Line) -> Answer {
    match line {
        Line::NotCarried { why } => Answer::NotCarried(why),
        Line::Refused { refused } => Answer::refused(&refused.code, &refused.pointer),
        Line::Decided { audit, reply } => {
            let sent = reply.map(|Reply { status, headers, body }| Sent { status, headers, body });
            Answer::decided(&audit, sent.as_ref())
        }
    }
}
