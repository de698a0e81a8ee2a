//! The string form that most fields share: `*`, `exact`, `prefix*`, `*suffix`.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::error::PolicyError;
use super::index::Key;
use crate::bytes::holds;
use crate::finding::FindingCode;
use crate::json::Quoted;

/// Which way a matcher errs where Lychgate is stricter than Istio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Matches no more than Istio's.
    Narrow,
    /// Matches no less than Istio's.
    Wide,
}

/// One value. A leading star wins over a trailing one, as in Istio: `*a*` is the suffix `a*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Present,
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
}

impl Pattern {
    /// Refuses the empty string and a star in the middle, which Istio takes literally and which
    /// its author surely did not mean so.
    pub(super) fn parse(value: &str) -> Result<Self, PolicyError> {
        refuse_empty(value)?;
        if value == "*" {
            return Ok(Self::Present);
        }
        if let Some(suffix) = value.strip_prefix('*') {
            refuse_star(value, suffix.strip_suffix('*').unwrap_or(suffix))?;
            return Ok(Self::Suffix(suffix.into()));
        }
        let prefix = value.strip_suffix('*');
        let literal = prefix.unwrap_or(value);
        refuse_star(value, literal)?;
        Ok(match prefix {
            Some(prefix) => Self::Prefix(prefix.into()),
            None => Self::Exact(value.into()),
        })
    }

    /// The same for what can never hold a star itself, so that `*a*` would never match.
    pub(super) fn parse_starless(value: &str) -> Result<Self, PolicyError> {
        let pattern = Self::parse(value)?;
        refuse_star(value, pattern.literal())?;
        Ok(pattern)
    }

    /// The text besides the star.
    pub(super) fn literal(&self) -> &str {
        match self {
            Self::Present => "",
            Self::Exact(text) | Self::Prefix(text) | Self::Suffix(text) => text,
        }
    }

    pub(super) fn key(&self) -> Key {
        match self {
            Self::Present => Key::Present,
            Self::Exact(text) => Key::Exact(text.as_bytes().into()),
            Self::Prefix(text) => Key::Prefix(text.as_bytes().into()),
            Self::Suffix(text) => Key::Suffix(text.as_bytes().into()),
        }
    }

    fn map(self, change: impl FnOnce(&str) -> Box<str>) -> Self {
        match self {
            Self::Present => Self::Present,
            Self::Exact(text) => Self::Exact(change(&text)),
            Self::Prefix(text) => Self::Prefix(change(&text)),
            Self::Suffix(text) => Self::Suffix(change(&text)),
        }
    }
}

pub(super) fn refuse_empty(value: &str) -> Result<(), PolicyError> {
    if value.is_empty() {
        return Err(PolicyError::new(FindingCode::EmptyValue, "an empty string is no value"));
    }
    Ok(())
}

fn refuse_star(value: &str, literal: &str) -> Result<(), PolicyError> {
    if !holds(literal, b'*') {
        return Ok(());
    }
    Err(PolicyError::new(
        FindingCode::WildcardInMiddle,
        format!(
            "{} never matches: one star may stand at the start or at the end, and nowhere \
             else (in paths, {{*}} stands for one segment)",
            Quoted(value)
        ),
    ))
}

/// What `*` demands of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Star {
    /// That it is there (Envoy's `present_match`).
    Present,
    /// That it is not empty (Envoy's `.+`, read wide).
    NotEmpty,
    /// That it is one line and not empty (Envoy's `.+`, whose dot is no line feed).
    Line,
}

impl Star {
    /// Envoy's `.+`.
    pub(super) fn regex(sense: Sense) -> Self {
        match sense {
            Sense::Narrow => Self::Line,
            Sense::Wide => Self::NotEmpty,
        }
    }

    fn matches(self, value: &[u8]) -> bool {
        match self {
            Self::Present => true,
            Self::NotEmpty => !value.is_empty(),
            Self::Line => !value.is_empty() && !value.contains(&b'\n'),
        }
    }
}

/// How letters compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    /// ASCII letters compare without regard to case.
    Folded,
}

/// Several values of which one must match.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    case: Case,
    star: Option<Star>,
    /// Sorted.
    exact: Box<[Box<str>]>,
    prefixes: Box<[Box<str>]>,
    suffixes: Box<[Box<str>]>,
    commas: usize,
}

impl Patterns {
    pub(super) fn new(patterns: Vec<Pattern>, star: Star, case: Case) -> Self {
        let (mut exact, mut prefixes, mut suffixes) = (Vec::new(), Vec::new(), Vec::new());
        let (mut present, mut commas) = (false, 0);
        for pattern in patterns {
            commas = commas.max(pattern.literal().matches(',').count());
            let pattern = match case {
                Case::Sensitive => pattern,
                Case::Folded => pattern.map(|text| text.to_ascii_lowercase().into()),
            };
            match pattern {
                Pattern::Present => present = true,
                Pattern::Exact(text) => exact.push(text),
                Pattern::Prefix(text) => prefixes.push(text),
                Pattern::Suffix(text) => suffixes.push(text),
            }
        }
        crate::order::sort_by(&mut exact, |a, b| a < b);
        exact.dedup();
        Self {
            case,
            star: present.then_some(star),
            exact: exact.into(),
            prefixes: prefixes.into(),
            suffixes: suffixes.into(),
            commas,
        }
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        self.star.is_some_and(|star| star.matches(value))
            || self.exact.binary_search_by(|text| self.compare(text.as_bytes(), value)).is_ok()
            || self.prefixes.iter().any(|text| {
                value.get(..text.len()).is_some_and(|start| self.equal(text.as_bytes(), start))
            })
            || self.suffixes.iter().any(|text| {
                let start = value.len().checked_sub(text.len());
                let end = start.and_then(|start| value.get(start..));
                end.is_some_and(|end| self.equal(text.as_bytes(), end))
            })
    }

    /// How many commas stand in the value that has most of them.
    pub(super) fn commas(&self) -> usize {
        self.commas
    }

    fn equal(&self, text: &[u8], value: &[u8]) -> bool {
        match self.case {
            Case::Sensitive => text == value,
            Case::Folded => text.eq_ignore_ascii_case(value),
        }
    }

    fn compare(&self, text: &[u8], value: &[u8]) -> Ordering {
        match self.case {
            Case::Sensitive => text.cmp(value),
            Case::Folded => text.iter().copied().cmp(value.iter().map(u8::to_ascii_lowercase)),
        }
    }

    /// The values without stars.
    pub(super) fn exact(&self) -> impl Iterator<Item = &str> {
        self.exact.iter().map(AsRef::as_ref)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        let bytes = |text: &str| Box::from(text.as_bytes());
        let exact = self.exact.iter().map(|text| Key::Exact(bytes(text)));
        let prefixes = self.prefixes.iter().map(|text| Key::Prefix(bytes(text)));
        let suffixes = self.suffixes.iter().map(|text| Key::Suffix(bytes(text)));
        let star = self.star.map(|_| Key::Present);
        exact.chain(prefixes).chain(suffixes).chain(star).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(values: &[&str], star: Star, case: Case) -> Patterns {
        let parsed = values.iter().map(|value| Pattern::parse(value).unwrap()).collect();
        Patterns::new(parsed, star, case)
    }

    #[test]
    fn every_form_matches_what_it_says_and_nothing_else() {
        for (pattern, yes, no) in [
            ("ab", &["ab"][..], &["", "a", "abc", "AB", "xab"][..]),
            ("ab*", &["ab", "abc"], &["a", "xab", "Ab"]),
            ("*ab", &["ab", "xab"], &["b", "abx", "xAB"]),
            ("*", &["a", "*"], &[""]),
            ("*a*", &["a*", "xa*"], &["a", "ab", "xaz"]),
        ] {
            let patterns = patterns(&[pattern], Star::Line, Case::Sensitive);
            for value in yes {
                assert!(patterns.matches(value.as_bytes()), "{pattern} {value}");
            }
            for value in no {
                assert!(!patterns.matches(value.as_bytes()), "{pattern} {value}");
            }
        }
    }

    #[test]
    fn a_star_in_the_middle_or_an_empty_value_is_refused() {
        for (value, code) in [
            ("", "empty_value"),
            ("a*b", "wildcard_in_middle"),
            ("*a*b", "wildcard_in_middle"),
            ("a**", "wildcard_in_middle"),
            ("***", "wildcard_in_middle"),
        ] {
            assert_eq!(Pattern::parse(value).unwrap_err().code.name(), code, "{value}");
        }
        assert!(Pattern::parse("*a*").is_ok());
        assert_eq!(Pattern::parse_starless("*a*").unwrap_err().code.name(), "wildcard_in_middle");
    }

    #[test]
    fn one_of_many_values_suffices() {
        let many = patterns(&["z", "a", "m", "p*", "*q"], Star::Line, Case::Sensitive);
        for value in ["a", "m", "z", "p1", "1q"] {
            assert!(many.matches(value.as_bytes()), "{value}");
        }
        assert!(!many.matches(b"b"));
    }

    #[test]
    fn folded_letters_compare_without_case_and_only_ascii_ones_fold() {
        let hosts = patterns(&["Ex.com", "*.Sub.com", "PRE.*", "É"], Star::Present, Case::Folded);
        for value in ["ex.COM", "a.sUB.com", "Pre.x", "É"] {
            assert!(hosts.matches(value.as_bytes()), "{value}");
        }
        for value in ["ex.com:80", "sub.com", "é"] {
            assert!(!hosts.matches(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn the_star_differs_in_what_it_demands() {
        for (star, empty, two_lines) in
            [(Star::Present, true, true), (Star::NotEmpty, false, true), (Star::Line, false, false)]
        {
            let any = patterns(&["*"], star, Case::Sensitive);
            assert_eq!(any.matches(b""), empty);
            assert_eq!(any.matches(b"a\nb"), two_lines);
            assert!(any.matches(b"a"));
        }
    }
}
