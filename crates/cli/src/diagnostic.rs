//! What is wrong or doubtful in what people wrote, with its place, and how that is shown.

mod github;
mod human;
mod json;
mod sarif;

use lychgate_core::{Finding, Severity};

use crate::bundle::Bundle;
use crate::error::{CliError, Problem};
use crate::input::Place;

pub(crate) use github::github;
pub(crate) use human::human;
pub(crate) use json::json;
pub(crate) use sarif::sarif;

/// Something that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    /// The stable code.
    pub(crate) code: &'static str,
    /// What stands there; may be empty.
    pub(crate) detail: String,
    /// What may go wrong.
    pub(crate) risk: &'static str,
    /// What to write instead.
    pub(crate) fix: &'static str,
    /// Where; none for what no file says.
    pub(crate) place: Option<Place>,
    /// Where inside the document, as a JSON pointer.
    pub(crate) pointer: String,
    /// What to write, where one value is right.
    pub(crate) correction: Option<Correction>,
}

/// A value to write in place of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Correction {
    /// Where inside the document, as a JSON pointer.
    pub(crate) pointer: String,
    /// The value, as JSON, which is YAML too.
    pub(crate) value: String,
}

impl Diagnostic {
    /// What core found in a bundle.
    pub(crate) fn of_finding(finding: &Finding, bundle: &Bundle) -> Self {
        let origin = bundle.origin(&finding.pointer);
        let (place, pointer) = match origin {
            Some((place, rest)) => (Some(place), rest),
            None => (None, finding.pointer.as_str()),
        };
        Self {
            severity: finding.severity(),
            code: finding.code.name(),
            detail: finding.detail.clone(),
            risk: finding.risk(),
            fix: finding.fix(),
            place,
            pointer: pointer.to_owned(),
            correction: None,
        }
    }

    /// The same with what to write in its place, if one value is right.
    pub(crate) fn corrected(mut self, finding: &Finding, bundle: &Bundle) -> Self {
        let correction = lychgate_core::correction(bundle.text.as_bytes(), finding);
        self.correction = correction.map(|correction| {
            let rest = bundle.origin(&correction.pointer).map(|(_, rest)| rest.to_owned());
            Correction { pointer: rest.unwrap_or(correction.pointer), value: correction.value }
        });
        self
    }

    /// Why a file can't be read as what it should be.
    pub(crate) fn of_error(error: &CliError) -> Self {
        let (code, place, risk, fix) = if let CliError::Input { place, problem } = error {
            let (code, risk, fix) = explain(problem);
            (code, Some((**place).clone()), risk, fix)
        } else {
            (
                "unreadable",
                None,
                "what can't be read is not enforced",
                "correct the path or the file",
            )
        };
        let detail = if let CliError::Input { problem, .. } = error {
            problem.to_string()
        } else {
            error.to_string()
        };
        let pointer = String::new();
        let correction = None;
        Self { severity: Severity::Error, code, detail, risk, fix, place, pointer, correction }
    }

    /// The detail, or what may go wrong where there is none.
    pub(crate) fn headline(&self) -> &str {
        if self.detail.is_empty() { self.risk } else { &self.detail }
    }
}

/// Code, risk and fix of what is wrong with a text.
fn explain(problem: &Problem) -> (&'static str, &'static str, &'static str) {
    match problem {
        Problem::Json(_) | Problem::Yaml(_) | Problem::NotAValue => (
            "syntax",
            "two readers could take the text for two policies",
            "correct the text at the place that is named",
        ),
        Problem::Ambiguous { .. }
        | Problem::Anchor
        | Problem::Alias
        | Problem::MergeKey
        | Problem::Tag
        | Problem::Duplicate { .. }
        | Problem::KeyNotString
        | Problem::Character { .. } => (
            "ambiguous_yaml",
            "kubectl and this program could read it differently",
            "write the value out, and quote words that are not plain text",
        ),
        Problem::TooDeep(_) | Problem::TooManyValues(_) | Problem::TooManyDocuments(_) => {
            ("too_large", "a text of this size can't be read in bounded time", "split the file")
        }
        Problem::NotAnObject
        | Problem::NoKind
        | Problem::WrongGroup { .. }
        | Problem::UnknownKind { .. }
        | Problem::NoItems
        | Problem::NestedList
        | Problem::UnexpectedBundle
        | Problem::Shape(_) => (
            "unknown_document",
            "a document that might be a policy would not be enforced",
            "correct apiVersion and kind, or take the file out of the folder",
        ),
        Problem::Twice { .. } => (
            "twice",
            "only one of the two would be enforced",
            "remove one, or give it another name",
        ),
    }
}
