//! Request principals: issuer and subject of a token, compared as a pair.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::error::PolicyError;
use super::index::Key;
use super::pattern::{Pattern, Sense};
use crate::finding::FindingCode;
use crate::json::Quoted;

/// Most slashes of a value that is found by what stands behind each of them.
const SPLITS: usize = 8;

/// Values of `requestPrincipals`.
#[derive(Debug, Clone)]
pub(super) struct RequestPrincipals {
    values: Box<[RequestPrincipal]>,
    sense: Sense,
}

impl RequestPrincipals {
    pub(super) fn new(values: Vec<RequestPrincipal>, sense: Sense) -> Self {
        Self { values: values.into(), sense }
    }

    pub(super) fn matches(&self, issuer: &str, subject: &str) -> bool {
        self.values.iter().any(|value| match self.sense {
            Sense::Narrow => value.matches_pair(issuer, subject),
            Sense::Wide => {
                value.matches_pair(issuer, subject) || value.matches_joined(issuer, subject)
            }
        })
    }

    /// What the subject of a token that matches is like.
    pub(super) fn subject_keys(&self) -> Option<Vec<Key>> {
        let mut keys = Vec::new();
        for value in &self.values {
            match self.sense {
                Sense::Narrow => keys.push(value.subject.key()),
                Sense::Wide => keys.extend(value.possible_subjects()?),
            }
        }
        Some(keys)
    }

    /// What the issuer of a token that matches is like.
    pub(super) fn issuer_keys(&self) -> Option<Vec<Key>> {
        match self.sense {
            Sense::Narrow => Some(self.values.iter().map(|value| value.issuer.key()).collect()),
            Sense::Wide => None,
        }
    }
}

/// One value, split at its last slash as Istio does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestPrincipal {
    issuer: Pattern,
    subject: Pattern,
    /// The value unsplit: an issuer and a subject may both hold slashes, so a refusal also compares
    /// them joined, wherever the slash between them stands.
    joined: Pattern,
}

impl RequestPrincipal {
    /// Refuses a value without an issuer or without a subject: a token without a subject has no
    /// request principal, so Istio's reading of such a value never matches.
    pub(super) fn parse(value: &str) -> Result<Self, PolicyError> {
        let joined = Pattern::parse_starless(value)?;
        let exact = |text: &str| Pattern::Exact(text.into());
        let (issuer, subject) = match (&joined, value.rsplit_once('/')) {
            (Pattern::Present, _) => (Pattern::Present, Pattern::Present),
            (Pattern::Exact(_), Some((issuer, subject))) => (exact(issuer), exact(subject)),
            (Pattern::Exact(_), None) => return Err(incomplete(value, &format!("{value}/*"))),
            (Pattern::Prefix(_), Some((issuer, subject))) => {
                (exact(issuer), Pattern::parse(subject)?)
            }
            (Pattern::Prefix(issuer), None) => (Pattern::Prefix(issuer.clone()), Pattern::Present),
            (Pattern::Suffix(_), Some((issuer, subject))) => {
                (Pattern::parse(issuer)?, exact(subject))
            }
            (Pattern::Suffix(subject), None) => {
                (Pattern::Present, Pattern::Suffix(subject.clone()))
            }
        };
        for part in [&issuer, &subject] {
            if *part != Pattern::Present && part.literal().is_empty() {
                return Err(incomplete(value, "issuer/subject"));
            }
        }
        Ok(Self { issuer, subject, joined })
    }

    fn matches_pair(&self, issuer: &str, subject: &str) -> bool {
        matches_part(&self.issuer, issuer) && matches_part(&self.subject, subject)
    }

    fn matches_joined(&self, issuer: &str, subject: &str) -> bool {
        match &self.joined {
            Pattern::Present => true,
            Pattern::Exact(text) => {
                let rest = text.strip_prefix(issuer).and_then(|rest| rest.strip_prefix('/'));
                rest == Some(subject)
            }
            Pattern::Prefix(text) => {
                let rest = text.strip_prefix(issuer).and_then(|rest| rest.strip_prefix('/'));
                issuer.starts_with(&**text) || rest.is_some_and(|rest| subject.starts_with(rest))
            }
            Pattern::Suffix(text) => {
                let rest = text.strip_suffix(subject).and_then(|rest| rest.strip_suffix('/'));
                subject.ends_with(&**text) || rest.is_some_and(|rest| issuer.ends_with(rest))
            }
        }
    }

    /// The subjects that a wide match may have; `None` where they can't be listed.
    fn possible_subjects(&self) -> Option<Vec<Key>> {
        let Pattern::Exact(text) = &self.joined else { return None };
        if text.matches('/').count() > SPLITS {
            return None;
        }
        let behind = text
            .match_indices('/')
            .filter_map(|(at, slash)| text.split_at_checked(at)?.1.strip_prefix(slash));
        Some(behind.map(|subject| Key::Exact(subject.as_bytes().into())).collect())
    }
}

fn incomplete(value: &str, instead: &str) -> PolicyError {
    let message = format!(
        "{} never matches: a request principal has an issuer and a subject: {}",
        Quoted(value),
        Quoted(instead)
    );
    PolicyError::new(FindingCode::NeverMatches, message)
}

fn matches_part(pattern: &Pattern, text: &str) -> bool {
    match pattern {
        Pattern::Present => !text.is_empty(),
        Pattern::Exact(exact) => text == &**exact,
        Pattern::Prefix(prefix) => text.starts_with(&**prefix),
        Pattern::Suffix(suffix) => text.ends_with(&**suffix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(value: &str, sense: Sense, issuer: &str, subject: &str) -> bool {
        let value = RequestPrincipal::parse(value).unwrap();
        RequestPrincipals::new([value].into(), sense).matches(issuer, subject)
    }

    #[test]
    fn every_form_reads_as_istio_reads_it() {
        for (value, issuer, subject, expected) in [
            ("*", "i", "s", true),
            ("i/s", "i", "s", true),
            ("i/s", "i", "s2", false),
            ("i/s", "j", "s", false),
            ("https://i/s", "https://i", "s", true),
            ("*/s", "https://any", "s", true),
            ("*/s", "i", "xs", false),
            ("*i/s", "https://i", "s", true),
            ("*i/s", "https://ij", "s", false),
            ("i/*", "i", "any", true),
            ("i/*", "i2", "any", false),
            ("i/p*", "i", "pq", true),
            ("i/p*", "i", "qp", false),
            ("i*", "issuer", "any", true),
            ("i*", "other", "i", false),
            ("*s", "any", "xs", true),
            ("*s", "xs", "any", false),
        ] {
            for sense in [Sense::Narrow, Sense::Wide] {
                assert_eq!(
                    matches(value, sense, issuer, subject),
                    expected,
                    "{value} {issuer} {subject}"
                );
            }
        }
    }

    #[test]
    fn a_grant_compares_the_pair_and_a_refusal_also_the_joined_text() {
        for (value, issuer, subject) in [
            ("a/b/c", "a", "b/c"),
            ("a/b/c*", "a", "b/cd"),
            ("a/b*", "a/bc", "d"),
            ("*b/c/d", "a/b", "c/d"),
        ] {
            assert!(!matches(value, Sense::Narrow, issuer, subject), "{value}");
            assert!(matches(value, Sense::Wide, issuer, subject), "{value}");
        }
        assert!(!matches("a/b/c", Sense::Wide, "ab", "c"));
    }

    #[test]
    fn a_value_without_issuer_or_subject_is_refused() {
        for value in ["issuer", "issuer/", "/subject", "*/", "/*", "/"] {
            let error = RequestPrincipal::parse(value).unwrap_err();
            assert_eq!(error.code.name(), "never_matches", "{value}");
        }
        for value in ["*/*", "a*/b", "*a/b*"] {
            let error = RequestPrincipal::parse(value).unwrap_err();
            assert_eq!(error.code.name(), "wildcard_in_middle", "{value}");
        }
        assert!(RequestPrincipal::parse("issuer").unwrap_err().message.contains("\"issuer/*\""));
    }

    #[test]
    fn every_subject_of_a_wide_match_is_listed() {
        let value = RequestPrincipal::parse("https://i/a/b").unwrap();
        let subjects = value.possible_subjects().unwrap();
        for subject in ["b", "a/b", "i/a/b"] {
            assert!(subjects.contains(&Key::Exact(subject.as_bytes().into())), "{subject}");
        }
        for (slashes, listed) in [(SPLITS, true), (SPLITS + 1, false)] {
            let value = alloc::vec!["a"; slashes + 1].join("/");
            let subjects = RequestPrincipal::parse(&value).unwrap().possible_subjects();
            assert_eq!(subjects.is_some(), listed, "{value}");
        }
    }
}
