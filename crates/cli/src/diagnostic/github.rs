//! For GitHub Actions: workflow commands that annotate the lines of a pull request.

use core::fmt::Write as _;

use super::Diagnostic;

pub(crate) fn github(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let Diagnostic { severity, code, risk, fix, .. } = diagnostic;
        let mut place = String::new();
        // Writing to a String can't fail, here and below.
        if let Some(at) = &diagnostic.place {
            let _ = write!(place, "file={},", property(&at.file.name));
            if let Some(mark) = at.mark {
                let _ = write!(place, "line={},col={},", mark.line, mark.column);
            }
        }
        let message = if diagnostic.detail.is_empty() {
            format!("{risk}\nfix: {fix}")
        } else {
            format!("{}\nrisk: {risk}\nfix: {fix}", diagnostic.detail)
        };
        let _ = writeln!(text, "::{} {place}title={code}::{}", severity.name(), escape(&message));
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_command_is_escaped() {
        assert_eq!(escape("50%\nx"), "50%25%0Ax");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
