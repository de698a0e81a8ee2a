//! For continuous integration: JUnit's XML, as Jenkins and GitLab read it.

use core::fmt::Write as _;
use core::time::Duration;

use super::Report;
use crate::shape::Word as _;
use crate::suite::Observed;
use crate::suite::run::{CaseResult, FileResult, Outcome};

/// One `testsuite` for each file.
pub(crate) fn junit(report: &Report<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String can't fail, here and below.
    let _ = writeln!(
        xml,
        "<testsuites name=\"lychgate\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{}\">",
        report.all(),
        report.failed(),
        seconds(report.took)
    );
    for file in report.files {
        write_file(&mut xml, file);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn write_file(xml: &mut String, file: &FileResult) {
    let name = escape(&file.document.place.file.name);
    let failed = file.cases.iter().filter(|case| !case.passed()).count();
    let took: Duration = file.cases.iter().map(|case| case.took).sum();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{}\">",
        file.cases.len(),
        seconds(took)
    );
    for case in &file.cases {
        write_case(xml, case, &name);
    }
    xml.push_str("  </testsuite>\n");
}

fn write_case(xml: &mut String, case: &CaseResult, file: &str) {
    let _ = write!(
        xml,
        "    <testcase name=\"{}\" classname=\"{file}\" time=\"{}\"",
        escape(&case.name),
        seconds(case.took)
    );
    let (message, text) = match &case.outcome {
        Outcome::Passed => {
            xml.push_str("/>\n");
            return;
        }
        Outcome::Failed { observed, mismatches } => {
            let lines = mismatches.iter().map(|mismatch| {
                let name = mismatch.pointer.trim_start_matches('/');
                format!("{name}: expected {}, found {}", mismatch.expected, mismatch.found)
            });
            let lines: Vec<String> = lines.collect();
            (
                lines.first().cloned().unwrap_or_default(),
                format!("{}\n{}", lines.join("\n"), found(observed)),
            )
        }
        Outcome::Unexpected { observed } => ("nothing is expected".to_owned(), found(observed)),
        Outcome::Broken { message } => (message.clone(), message.clone()),
    };
    let _ = writeln!(
        xml,
        ">\n      <failure message=\"{}\" type=\"policy\">{}</failure>\n    </testcase>",
        escape(&message),
        escape(&format!("{}\n{text}", case.place))
    );
}

fn found(observed: &Observed) -> String {
    let rule = observed.rule.as_deref().unwrap_or("none");
    let mut text = format!(
        "found {} {} {}, rule {rule}",
        observed.verdict.word(),
        observed.status,
        observed.reason
    );
    if let Some((rule, missing)) = &observed.nearest {
        let _ = write!(text, "\nthe nearest rule, {rule}, lacks {}", missing.join(", "));
    }
    text
}

fn seconds(duration: Duration) -> String {
    format!("{:.6}", duration.as_secs_f64())
}

/// Text for an attribute or an element. XML 1.0 has no way to write most controls, so they become
/// the replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
