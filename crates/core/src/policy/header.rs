//! Request headers: several lines, and lists in one line.

use alloc::boxed::Box;
use alloc::format;

use super::error::PolicyError;
use super::facts::View;
use super::pattern::{Patterns, Sense};
use crate::finding::FindingCode;
use crate::json::Quoted;
use crate::request::Lines;

/// Checks the name of a header, and returns it in lower case.
///
/// Refuses what is no token (RFC 9110 §5.6.2), pseudo-headers, and `host`, which a host may report
/// as the authority alone.
pub(super) fn parse_name(key: &str, name: &str) -> Result<Box<str>, PolicyError> {
    let bad = |message: &str| {
        Err(PolicyError::new(FindingCode::BadKey, format!("{}: {message}", Quoted(key))))
    };
    match name.to_ascii_lowercase().as_str() {
        ":authority" | "host" => return bad("use to.operation.hosts"),
        ":method" => return bad("use to.operation.methods"),
        ":path" => return bad("use to.operation.paths"),
        _ => {}
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return bad("should have the form request.headers[name]");
    }
    Ok(name.to_ascii_lowercase().into())
}

/// Values of a header.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// In lower case.
    pub(super) name: Box<str>,
    pub(super) patterns: Patterns,
    pub(super) sense: Sense,
}

impl Header {
    /// Narrow: there is a line, and every line matches. Wide: a line matches, or an element of a
    /// line that is read as a list.
    ///
    /// A header that can't be told matches where that refuses.
    ///
    /// Where the host has joined lines, a line may be several: a grant then needs the whole and
    /// every element to match, and a refusal takes any run of elements that may have been a line.
    pub(super) fn matches(&self, view: &View<'_>) -> bool {
        let facts = view.facts;
        if facts.unclear_headers.iter().any(|name| **name == *self.name) {
            return self.sense == Sense::Wide;
        }
        let mut lines = facts
            .headers
            .iter()
            .filter(|line| line.name.eq_ignore_ascii_case(self.name.as_bytes()))
            .map(|line| line.value)
            .peekable();
        let matches = |value: &[u8]| self.patterns.matches(value);
        match self.sense {
            Sense::Narrow => {
                lines.peek().is_some()
                    && lines.all(|line| {
                        let whole = facts.lines == Lines::Separate;
                        matches(line) && (whole || elements(line).all(matches))
                    })
            }
            Sense::Wide => {
                let commas = match facts.lines {
                    Lines::Separate => 0,
                    Lines::Joined => self.patterns.commas(),
                };
                lines.any(|line| matches(line) || runs(line, commas).any(matches))
            }
        }
    }
}

fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Every run of elements with at most that many commas between them.
fn runs(line: &[u8], commas: usize) -> impl Iterator<Item = &[u8]> {
    let starts = core::iter::once(0).chain(after_commas(line));
    starts.flat_map(move |start| {
        let rest = line.get(start..).unwrap_or_default();
        let ends = after_commas(rest).map(|after| after.saturating_sub(1));
        let ends = ends.chain(core::iter::once(rest.len())).take(commas.saturating_add(1));
        ends.filter_map(move |end| rest.get(..end)).map(<[u8]>::trim_ascii)
    })
}

fn after_commas(text: &[u8]) -> impl Iterator<Item = usize> {
    let commas = text.iter().enumerate().filter(|(_, byte)| **byte == b',');
    commas.map(|(at, _)| at.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::facts::tests_support::facts;
    use crate::policy::pattern::{Case, Pattern, Star};
    use crate::request::HeaderLine;
    use alloc::vec::Vec;

    fn matches(values: &[&str], lines: &[&str], joined: Lines, sense: Sense) -> bool {
        let mut headers = Vec::from([HeaderLine { name: b"other", value: b"v" }]);
        headers
            .extend(lines.iter().map(|line| HeaderLine { name: b"X-H", value: line.as_bytes() }));
        let facts = crate::policy::Facts { headers: &headers, lines: joined, ..facts() };
        let patterns = values.iter().map(|value| Pattern::parse(value).unwrap()).collect();
        let patterns = Patterns::new(patterns, Star::Present, Case::Sensitive);
        Header { name: "x-h".into(), patterns, sense }.matches(&View::of(&facts))
    }

    #[test]
    fn a_grant_needs_every_line_and_a_refusal_any_line_or_element() {
        for (values, lines, narrow, wide) in [
            (&["v"][..], &["v"][..], true, true),
            (&["v"], &[], false, false),
            (&["v"], &["V"], false, false),
            (&["v"], &["v", "w"], false, true),
            (&["v", "w"], &["v", "w"], true, true),
            (&["v"], &["v, w"], false, true),
            (&["v"], &["w,v"], false, true),
            (&["v, w"], &["v, w"], true, true),
            (&["v*"], &["v, w"], true, true),
            (&["*"], &[""], true, true),
            (&["*"], &[], false, false),
        ] {
            let separate = |sense| matches(values, lines, Lines::Separate, sense);
            assert_eq!(separate(Sense::Narrow), narrow, "{values:?} {lines:?}");
            assert_eq!(separate(Sense::Wide), wide, "{values:?} {lines:?}");
        }
    }

    #[test]
    fn where_lines_were_joined_a_grant_needs_the_whole_and_every_element() {
        for (values, line, expected) in [
            (&["v"][..], "v", true),
            (&["v"], "v,v", false),
            (&["v", "w"], "v, w", false),
            (&["v*"], "v1, v2", true),
            (&["v*"], "v1, w", false),
            (&["*"], "v, w", true),
        ] {
            assert_eq!(matches(values, &[line], Lines::Joined, Sense::Narrow), expected, "{line}");
        }
    }

    #[test]
    fn where_lines_were_joined_a_refusal_takes_any_run_of_elements() {
        for (values, line, expected) in [
            (&["v"][..], "u, v, w", true),
            (&["v"], "u, vw", false),
            (&["u, v"], "u, v, w", true),
            (&["v, w"], "u, v, w", true),
            (&["u, w"], "u, v, w", false),
            (&["v, *"], "u, v, w", true),
            (&["*u, v"], "xu, v, w", true),
            (&["u,v"], "u, v, w", false),
            (&["a", "u, v, w"], "t, u, v, w, x", true),
            (&["u, v"], "u", false),
        ] {
            assert_eq!(matches(values, &[line], Lines::Joined, Sense::Wide), expected, "{line}");
        }
        assert!(!matches(&["u, v"], &["u, v, w"], Lines::Separate, Sense::Wide));
    }

    #[test]
    fn what_is_no_header_name_is_refused() {
        for name in ["", "a b", "a:b", ":method", ":path", "Host", ":authority", "é", "a]"] {
            assert_eq!(parse_name("k", name).unwrap_err().code.name(), "bad_key", "{name}");
        }
        assert_eq!(&*parse_name("k", "X-Forwarded-For").unwrap(), "x-forwarded-for");
    }
}
