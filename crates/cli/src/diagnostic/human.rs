//! For people: the place, the line with a caret under it, the risk and the fix.

use core::fmt::Write as _;

use lychgate_core::Severity;

use super::{Correction, Diagnostic};
use crate::input::Place;
use crate::terminal::{Style, visible};

/// Longest part of a line that is shown, in characters.
const SHOWN: usize = 120;

pub(crate) fn human(diagnostic: &Diagnostic, style: Style) -> String {
    let Diagnostic { severity, code, risk, fix, place, pointer, .. } = diagnostic;
    let kind = format!("{}[{code}]", severity.name());
    let kind = match severity {
        Severity::Error => style.bad(&kind),
        Severity::Warning => style.warning(&kind),
    };
    let mut text = format!("{kind}: {}\n", style.strong(&visible(diagnostic.headline())));
    // Writing to a String can't fail, here and below.
    match place {
        Some(place) => {
            let at = if pointer.is_empty() {
                String::new()
            } else {
                format!(" at {}", visible(pointer))
            };
            let _ = writeln!(text, " {} {place}{at}", style.faint("-->"));
            text.push_str(&excerpt(place, style).unwrap_or_default());
        }
        None if !pointer.is_empty() => {
            let _ = writeln!(text, " {} {}", style.faint("-->"), visible(pointer));
        }
        None => {}
    }
    if !diagnostic.detail.is_empty() {
        let _ = writeln!(text, "  {} {risk}", style.faint("= risk:"));
    }
    let _ = writeln!(text, "  {} {fix}", style.faint("= fix:"));
    if let Some(Correction { pointer, value }) = &diagnostic.correction {
        let instead = style.faint("= instead");
        let _ = writeln!(text, "  {instead} at {}: {}", visible(pointer), visible(value));
    }
    text
}

/// The line with a caret under what is meant.
fn excerpt(place: &Place, style: Style) -> Option<String> {
    let mark = place.mark?;
    // Of a long line, such as a bundle of one line, the part around the mark.
    let start = if mark.column > SHOWN / 2 { mark.column.saturating_sub(20) } else { 1 };
    let shown = |column: usize, most: usize| -> Option<String> {
        let line = place.file.from(mark.line, column)?.chars();
        Some(line.take(most).take_while(|c| !matches!(c, '\n' | '\r')).collect())
    };
    let before = shown(start, mark.column.checked_sub(start)?)?;
    let rest = shown(mark.column, SHOWN)?;
    let width = mark.length.clamp(1, rest.chars().count().max(1));
    let before = visible(&before.replace('\t', " "));
    let rest = visible(&rest.replace('\t', " "));
    let number = mark.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = style.faint("|");
    let carets = style.warning(&"^".repeat(width));
    let indent = " ".repeat(before.chars().count());
    Some(format!(
        "{margin} {bar}\n{} {bar} {before}{rest}\n{margin} {bar} {indent}{carets}\n",
        style.faint(&number)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Mark, Text};

    fn shown(text: &str, mark: Mark) -> String {
        let file = Text::new("a.yaml".into(), text.into());
        let place = Place { file: std::rc::Rc::new(file), document: None, mark: Some(mark) };
        excerpt(&place, Style::PLAIN).unwrap_or_default()
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let text = "a: b\n\tcdé: fgh\n";
        let mark = |line, column, length| Mark { line, column, length };
        assert_eq!(shown(text, mark(1, 4, 1)), "  |\n1 | a: b\n  |    ^\n");
        assert_eq!(shown(text, mark(2, 7, 3)), "  |\n2 |  cdé: fgh\n  |       ^^^\n");
        assert_eq!(shown(text, mark(3, 1, 1)), "", "there is no such line");
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        let text = format!("{}needle{}", "x".repeat(10_000), "y".repeat(10_000));
        let shown = shown(&text, Mark { line: 1, column: 10_001, length: 6 });
        assert!(shown.len() < 500 && shown.contains("xneedley"), "{shown}");
        assert!(shown.ends_with("^^^^^^\n") && !shown.contains("^^^^^^^"), "{shown}");
    }

    #[test]
    fn a_file_cannot_command_the_terminal() {
        let shown = shown("a: \"\u{1b}[2J\"", Mark { line: 1, column: 1, length: 1 });
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}
