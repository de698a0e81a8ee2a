//! Paths: the common string forms, and Istio's path templates.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::error::PolicyError;
use super::index::Key;
use super::pattern::{Case, Pattern, Patterns, Sense, Star, refuse_empty};
use crate::bytes::place_of;
use crate::finding::FindingCode;
use crate::json::Quoted;
use crate::limits;

/// Values of `paths` or `notPaths`.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    patterns: Patterns,
    templates: Box<[Template]>,
    depth: usize,
}

impl Paths {
    pub(super) fn new(values: Vec<PathValue>, sense: Sense) -> Self {
        let depth = values.iter().map(PathValue::depth).max().unwrap_or(0);
        let (mut patterns, mut templates) = (Vec::new(), Vec::new());
        for value in values {
            match value {
                PathValue::Pattern(pattern) => patterns.push(pattern),
                PathValue::Template(template) => templates.push(Template { sense, ..template }),
            }
        }
        let patterns = Patterns::new(patterns, Star::regex(sense), Case::Sensitive);
        Self { patterns, templates: templates.into(), depth }
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.patterns.matches(path.as_bytes())
            || self.templates.iter().any(|template| template.matches(path))
    }

    /// How many segments of a path these values look at.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys = self.patterns.keys();
        keys.extend(self.templates.iter().map(Template::key));
        keys
    }
}

/// One value.
#[derive(Debug, Clone)]
pub(super) enum PathValue {
    Pattern(Pattern),
    Template(Template),
}

impl PathValue {
    /// Refuses what no path can be: no slash at the start, a query, a fragment, an escape that is
    /// decoded before matching; and a template that Envoy would refuse.
    pub(super) fn parse(value: &str) -> Result<Self, PolicyError> {
        refuse_empty(value)?;
        refuse_escapes(value)?;
        let has = |operator| place_of(value.as_bytes(), operator).is_some();
        if has(b"{*}") || has(b"{**}") {
            return Template::parse(value).map(Self::Template);
        }
        let bad = |message: String| Err(PolicyError::new(FindingCode::BadPath, message));
        if value.contains(['{', '}']) {
            return bad(format!(
                "{} never matches: write {{*}} for one segment or {{**}} for any number",
                Quoted(value)
            ));
        }
        if !value.starts_with(['/', '*']) {
            return bad(format!(
                "{} never matches: paths begin with a slash: \"/{value}\"",
                Quoted(value)
            ));
        }
        if let Some(at) = value.find(['?', '#']) {
            let path = value.get(..at).unwrap_or("");
            return bad(format!(
                "{} never matches: only the path is compared: {}",
                Quoted(value),
                Quoted(path)
            ));
        }
        Pattern::parse(value).map(Self::Pattern)
    }

    /// A parameter (`;x`) behind these segments can't change whether the value matches.
    fn depth(&self) -> usize {
        let slashes = |text: &str| text.matches('/').count();
        match self {
            Self::Pattern(Pattern::Present) => 0,
            Self::Pattern(Pattern::Exact(text)) => slashes(text),
            Self::Pattern(Pattern::Prefix(text)) => slashes(text.strip_suffix('/').unwrap_or(text)),
            Self::Pattern(Pattern::Suffix(_)) => usize::MAX,
            Self::Template(template) => template.depth(),
        }
    }
}

/// Percent-encoded unreserved characters are decoded before matching (RFC 3986 §6.2.2.2).
fn refuse_escapes(value: &str) -> Result<(), PolicyError> {
    let mut decoded = String::new();
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('%') {
        decoded.push_str(before);
        let byte = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.map(char::from).filter(|letter| is_unreserved(*letter)) {
            Some(letter) => {
                decoded.push(letter);
                rest = behind.get(2..).unwrap_or("");
            }
            None => {
                decoded.push('%');
                rest = behind;
            }
        }
    }
    decoded.push_str(rest);
    if decoded == value {
        return Ok(());
    }
    let message = format!(
        "{} never matches: such escapes are decoded first: {}",
        Quoted(value),
        Quoted(&decoded)
    );
    Err(PolicyError::new(FindingCode::BadPath, message))
}

fn is_unreserved(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')
}

/// RFC 3986 §3.3, a percent sign for an escape.
fn is_pchar(letter: char) -> bool {
    is_unreserved(letter) || b"%!$&'()*+,;=:@".iter().any(|other| char::from(*other) == letter)
}

/// A path template: `{*}` stands for one segment, `{**}` for any text, slashes included.
#[derive(Debug, Clone)]
pub(super) struct Template {
    sense: Sense,
    pieces: Box<[Piece]>,
    /// What stands behind `{**}`; absent where there is no `{**}`.
    rest: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Segment,
}

impl Template {
    fn parse(value: &str) -> Result<Self, PolicyError> {
        let bad = |message: &str| {
            PolicyError::new(
                FindingCode::BadPathTemplate,
                format!("path template {}: {message}", Quoted(value)),
            )
        };
        let body = value.strip_prefix('/').ok_or_else(|| bad("must begin with a slash"))?;
        if value.as_bytes().windows(2).filter(|at| at == b"{*").count() > limits::TEMPLATE_OPERATORS
        {
            return Err(bad("at most five of {*} and {**}"));
        }
        let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), None);
        let mut segments = body.split('/').peekable();
        while let Some(segment) = segments.next() {
            // Behind {**} everything is literal, and collected as what the path must end with.
            let behind_text = rest.is_some();
            let literal = rest.as_mut().unwrap_or(&mut text);
            literal.push('/');
            match segment {
                "{*}" | "{**}" if behind_text => {
                    return Err(bad("nothing but literal text may follow {**}"));
                }
                "{**}" => rest = Some(String::new()),
                "{*}" => {
                    pieces.push(Piece::Text(core::mem::take(&mut text).into()));
                    pieces.push(Piece::Segment);
                }
                "" if segments.peek().is_some() => return Err(bad("has an empty segment")),
                _ if !segment.chars().all(|letter| is_pchar(letter) && letter != '*') => {
                    return Err(bad(
                        "a segment is {*}, {**} or literal text; names, bare stars and mixtures \
                         are not supported",
                    ));
                }
                _ => literal.push_str(segment),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into()));
        }
        Ok(Self { sense: Sense::Narrow, pieces: pieces.into(), rest: rest.map(Into::into) })
    }

    /// Segments and literal text alternate, so there is nothing to try twice.
    fn matches(&self, path: &str) -> bool {
        let mut path = path;
        for piece in &self.pieces {
            let behind = match piece {
                Piece::Text(text) => path.strip_prefix(&**text),
                Piece::Segment => {
                    let end = path.find('/').unwrap_or(path.len());
                    path.split_at_checked(end)
                        .filter(|(segment, _)| !segment.is_empty() && self.accepts(segment))
                        .map(|(_, behind)| behind)
                }
            };
            match behind {
                Some(behind) => path = behind,
                None => return false,
            }
        }
        match &self.rest {
            None => path.is_empty(),
            Some(rest) => path.ends_with(&**rest) && self.accepts(path),
        }
    }

    /// Envoy's wildcards match no other characters than those of a path.
    fn accepts(&self, text: &str) -> bool {
        match self.sense {
            Sense::Narrow => text.chars().all(|letter| letter == '/' || is_pchar(letter)),
            Sense::Wide => true,
        }
    }

    fn depth(&self) -> usize {
        match self.rest.as_deref() {
            Some("") | None => {}
            Some(_) => return usize::MAX,
        }
        let slashes = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.matches('/').count(),
            Piece::Segment => 0,
        });
        let slashes: usize = slashes.sum();
        if self.rest.is_some() { slashes.saturating_sub(1) } else { slashes }
    }

    fn key(&self) -> Key {
        match self.pieces.first() {
            Some(Piece::Text(text)) => Key::Prefix(text.to_string().into_bytes().into()),
            Some(Piece::Segment) | None => Key::Present,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(value: &str, sense: Sense, path: &str) -> bool {
        Paths::new([PathValue::parse(value).unwrap()].into(), sense).matches(path)
    }

    #[test]
    fn templates_match_whole_segments() {
        for (template, yes, no) in [
            (
                "/a/{*}",
                &["/a/b", "/a/*", "/a/x=y", "/a/%20"][..],
                &["/a", "/a/", "/a/b/", "/a/b/c"][..],
            ),
            ("/a/{*}/c", &["/a/b/c"], &["/a//c", "/a/c", "/a/b/c/", "/a/b/b/c"]),
            ("/a/{*}/", &["/a/b/"], &["/a/b"]),
            ("/a/{**}", &["/a/", "/a/b", "/a/b/c"], &["/a", "/b/"]),
            ("/a/{**}/z", &["/a//z", "/a/b/z", "/a/b/c/z"], &["/a/z", "/a/b/z/", "/z"]),
            ("/{*}/b/{**}", &["/a/b/", "/a/b/c"], &["/a/b", "//b/"]),
            ("/{**}", &["/", "/a"], &[]),
            ("/{*}/{*}", &["/a/b"], &["/a", "/a/b/c"]),
        ] {
            for sense in [Sense::Narrow, Sense::Wide] {
                for path in yes {
                    assert!(matches(template, sense, path), "{template} {path}");
                }
                for path in no {
                    assert!(!matches(template, sense, path), "{template} {path}");
                }
            }
        }
    }

    #[test]
    fn only_a_wide_wildcard_takes_characters_that_no_path_has() {
        for (template, path) in [("/a/{*}", "/a/|"), ("/a/{**}", "/a/b/ü"), ("/{*}/b", "/\"/b")] {
            assert!(!matches(template, Sense::Narrow, path), "{template} {path}");
            assert!(matches(template, Sense::Wide, path), "{template} {path}");
        }
    }

    #[test]
    fn values_that_no_path_can_be_are_refused() {
        for (value, code) in [
            ("admin", "bad_path"),
            ("/a?x=1", "bad_path"),
            ("/a#x", "bad_path"),
            ("/a/{id}", "bad_path"),
            ("/%61dmin", "bad_path"),
            ("*/%7Euser", "bad_path"),
            ("/a/*/b", "wildcard_in_middle"),
            ("", "empty_value"),
            ("a/{*}", "bad_path_template"),
            ("/{*}/{id}", "bad_path_template"),
            ("/{*}.html", "bad_path_template"),
            ("/{*}/*", "bad_path_template"),
            ("/{**}/{*}", "bad_path_template"),
            ("/a//{*}", "bad_path_template"),
            ("/a b/{*}", "bad_path_template"),
            ("/{*}/{*}/{*}/{*}/{*}/{*}", "bad_path_template"),
        ] {
            assert_eq!(PathValue::parse(value).unwrap_err().code.name(), code, "{value}");
        }
        for value in ["/a%20b", "/a%2Fb", "*.php", "/%", "/{*}/{*}/{*}/{*}/{*}", "/a/{**}/"] {
            assert!(PathValue::parse(value).is_ok(), "{value}");
        }
    }

    #[test]
    fn a_refused_escape_comes_with_the_value_to_write() {
        let error = PathValue::parse("/%61dmin%2Fx").unwrap_err();
        assert!(error.message.contains("\"/admin%2Fx\""), "{}", error.message);
    }

    #[test]
    fn depth_is_how_many_segments_a_value_looks_at() {
        for (value, depth) in [
            ("*", 0),
            ("/", 1),
            ("/*", 0),
            ("/a", 1),
            ("/a/", 2),
            ("/a/b", 2),
            ("/a/*", 1),
            ("/a/b*", 2),
            ("*.php", usize::MAX),
            ("/a/{*}", 2),
            ("/a/{*}/b", 3),
            ("/a/{**}", 1),
            ("/{*}/a/{**}", 2),
            ("/a/{**}/b", usize::MAX),
        ] {
            let paths = Paths::new([PathValue::parse(value).unwrap()].into(), Sense::Narrow);
            assert_eq!(paths.depth(), depth, "{value}");
        }
    }
}
