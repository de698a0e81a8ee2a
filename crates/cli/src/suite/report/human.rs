//! For people.

use core::fmt::Write as _;

use super::Report;
use crate::shape::Word as _;
use crate::suite::coverage::{Gap, Summary};
use crate::suite::run::{CaseResult, FileResult, Outcome};
use crate::suite::{Mismatch, Observed};
use crate::terminal::Style;

/// Failures with what was expected and what was found; with `verbose`, every test.
pub(crate) fn human(report: &Report<'_>, style: Style, verbose: bool) -> String {
    let mut text = String::new();
    for file in report.files {
        write_file(&mut text, file, style, verbose);
    }
    for summary in &report.coverage {
        write_coverage(&mut text, summary, style);
    }
    let (all, failed) = (report.all(), report.failed());
    let passed = all.saturating_sub(failed);
    let seconds = report.took.as_secs_f64();
    let verdict = if failed == 0 { style.good("ok") } else { style.bad("FAILED") };
    // Writing to a String can't fail, here and below.
    let _ = writeln!(text, "{verdict}: {passed} passed, {failed} failed ({seconds:.2} s)");
    text
}

fn write_file(text: &mut String, file: &FileResult, style: Style, verbose: bool) {
    let failed = file.cases.iter().filter(|case| !case.passed()).count();
    if failed == 0 && !verbose {
        return;
    }
    let description = file.description.as_ref().map(|text| format!(": {text}"));
    let name = style.strong(&file.document.place.file.name);
    let _ = writeln!(text, "{name}{}", description.unwrap_or_default());
    for case in &file.cases {
        write_case(text, case, style, verbose);
    }
}

fn write_case(text: &mut String, case: &CaseResult, style: Style, verbose: bool) {
    match &case.outcome {
        Outcome::Passed => {
            if verbose {
                let _ = writeln!(text, "  {} {}", style.good("ok  "), case.name);
            }
        }
        Outcome::Failed { observed, mismatches } => {
            let _ = writeln!(text, "  {} {}  ({})", style.bad("FAIL"), case.name, case.place);
            for mismatch in mismatches {
                write_mismatch(text, mismatch, style);
            }
            write_reason(text, observed);
        }
        Outcome::Unexpected { observed } => {
            let _ = writeln!(text, "  {} {}  ({})", style.bad("FAIL"), case.name, case.place);
            let _ = writeln!(
                text,
                "         nothing is expected; --update writes down what was found: {} {} {}",
                observed.verdict.word(),
                observed.status,
                observed.reason
            );
        }
        Outcome::Broken { message } => {
            let _ = writeln!(text, "  {} {}  ({})", style.bad("FAIL"), case.name, case.place);
            let _ = writeln!(text, "         {message}");
        }
    }
}

fn write_mismatch(text: &mut String, mismatch: &Mismatch, style: Style) {
    let name = mismatch.pointer.trim_start_matches('/').replace('/', " ");
    let _ = writeln!(text, "         {name}");
    let _ = writeln!(text, "           expected {}", style.good(&mismatch.expected));
    let _ = writeln!(text, "           found    {}", style.bad(&mismatch.found));
}

fn write_reason(text: &mut String, observed: &Observed) {
    if let Some(rule) = &observed.rule {
        let _ = writeln!(text, "         {} by {rule}", observed.reason);
    }
    if let Some((rule, missing)) = &observed.nearest {
        let _ = writeln!(text, "         the nearest rule, {rule}, lacks {}", missing.join(", "));
    }
}

fn write_coverage(text: &mut String, summary: &Summary, style: Style) {
    let Summary { policies, rules, conditions, gaps } = summary;
    let _ = writeln!(
        text,
        "{}: {} of {} policies, {} of {} rules, {} of {} conditions both true and false",
        style.strong("coverage"),
        policies.reached,
        policies.all,
        rules.reached,
        rules.all,
        conditions.reached,
        conditions.all
    );
    for gap in gaps {
        let _ = writeln!(text, "  {}", line(gap));
    }
}

fn line(gap: &Gap) -> String {
    let place = gap.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    match &gap.condition {
        None => format!("{place}{} never {}", gap.rule, gap.never),
        Some(condition) => format!("{place}{condition} of {} never {}", gap.rule, gap.never),
    }
}
