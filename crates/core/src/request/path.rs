//! The path of a request, in the one reading that policy is matched against.

mod error;
mod form;

use alloc::borrow::Cow;
use alloc::string::String;

pub use error::{Malformation, PathError};
pub use form::{PathForm, PathForms};

use crate::ascii::Class;
use crate::bytes::holds;
use crate::limits::TARGET_BYTES;
use crate::request::query::escaped;
use crate::request::target::Target;
use crate::request::{Request, host};

/// The path of a request without its query, ready to be matched.
///
/// Percent-encoded unreserved characters are decoded ([RFC 3986 §6.2.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.2)),
/// every other escape stays as it came. A path on which two readers can disagree is no
/// `RequestPath` at all; see [`PathForm`] and [`Malformation`]. So what is accepted is also what
/// each of Istio's normalisations makes of it, and parsing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestPath<'a> {
    /// The request has no path: `*`, `CONNECT`, or no target at all. No path rule matches it.
    Absent,
    /// This path, which begins with a slash and is ASCII.
    Present(Cow<'a, str>),
}

impl<'a> RequestPath<'a> {
    /// The path of a request, which has none if it is a `CONNECT` to an authority.
    ///
    /// # Errors
    /// As [`RequestPath::parse`].
    pub fn of(
        request: &Request<'a>,
        accepted: &PathForms,
        parameter_depth: usize,
    ) -> Result<Self, PathError> {
        if request.method == b"CONNECT" && host::parse(request.target).is_ok() {
            return Ok(Self::Absent);
        }
        Self::parse(request.target, accepted, parameter_depth)
    }

    /// Reads the path of a target in origin, absolute or asterisk form.
    ///
    /// Forms in `accepted` are let through and matched as they came, neither resolved nor folded.
    /// `;` parameters are refused in the first `parameter_depth` segments, those that rules look
    /// at; in later segments they are ordinary characters.
    ///
    /// # Errors
    /// What makes the path ambiguous or malformed; a malformed path is reported first.
    pub fn parse(
        target: &'a [u8],
        accepted: &PathForms,
        parameter_depth: usize,
    ) -> Result<Self, PathError> {
        check_length(target)?;
        // As most targets are: a path, and nothing in it that could break a rule below.
        if target.starts_with(b"/")
            && let Some(path) = plain(target)
        {
            return Ok(Self::Present(Cow::Borrowed(path)));
        }
        check_characters_of_target(target)?;
        let target = Target::split(target).ok_or(PathError::Malformed(Malformation::Form))?;
        let Some(path) = target.path else {
            return Ok(Self::Absent);
        };
        match plain(path) {
            Some(path) => Ok(Self::Present(Cow::Borrowed(path))),
            None => checked(path, accepted, parameter_depth).map(Self::Present),
        }
    }

    /// The path, if there is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Present(path) => Some(path),
        }
    }
}

fn check_length(target: &[u8]) -> Result<(), PathError> {
    let (length, limit) = (target.len(), TARGET_BYTES);
    if length > limit {
        return Err(PathError::Malformed(Malformation::TooLong { length, limit }));
    }
    Ok(())
}

/// What holds for the whole target, its query included.
fn check_characters_of_target(target: &[u8]) -> Result<(), PathError> {
    target.iter().try_for_each(|&byte| match byte {
        b'#' => Err(PathError::Malformed(Malformation::Fragment)),
        b' ' => Err(control(byte)),
        _ if byte.is_ascii_control() => Err(control(byte)),
        _ => Ok(()),
    })
}

const fn control(byte: u8) -> PathError {
    PathError::Malformed(Malformation::ControlCharacter { byte })
}

/// A path in which there is nothing to decode and nothing to doubt, as most are: none of the checks
/// below could find fault with it.
fn plain(path: &[u8]) -> Option<&str> {
    let doubtful = |pair: &[u8; 2]| matches!(pair, b"//" | b"/.");
    if !Class::PLAIN_PATH.has_all(path) || path.array_windows().any(doubtful) {
        return None;
    }
    core::str::from_utf8(path).ok()
}

/// The path with its encoded unreserved characters decoded, after all checks.
fn checked<'a>(
    path: &'a [u8],
    accepted: &PathForms,
    parameter_depth: usize,
) -> Result<Cow<'a, str>, PathError> {
    check_characters(path)?;
    let path = decode_unreserved(path)?;
    check_separators(&path, accepted)?;
    check_double_encoding(&path, accepted)?;
    check_segments(&path, accepted)?;
    check_parameters(&path, accepted, parameter_depth)?;
    Ok(path)
}

/// Checks every character and every escape of a path.
fn check_characters(path: &[u8]) -> Result<(), PathError> {
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' => check_escape(after)?,
            _ if may_stand_plain(byte) => after,
            _ => return Err(PathError::Malformed(Malformation::Character { byte })),
        };
    }
    Ok(())
}

/// Checks what follows a percent sign and returns what follows the character that it begins.
fn check_escape(digits: &[u8]) -> Result<&[u8], PathError> {
    let (byte, rest) = escaped(digits).ok_or(PathError::Malformed(Malformation::InvalidEscape))?;
    match byte {
        0x80.. => check_utf8(byte, rest).ok_or(PathError::Malformed(Malformation::InvalidUtf8)),
        _ if byte.is_ascii_control() => Err(control(byte)),
        _ => Ok(rest),
    }
}

/// Reads the escapes of one character of several bytes and returns what follows them.
fn check_utf8(lead: u8, rest: &[u8]) -> Option<&[u8]> {
    let length = match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut buffer = [lead, 0, 0, 0];
    let bytes = buffer.get_mut(..length)?;
    let mut rest = rest;
    for place in bytes.iter_mut().skip(1) {
        (*place, rest) = escaped(rest.strip_prefix(b"%")?)?;
    }
    core::str::from_utf8(bytes).ok().map(|_| rest)
}

/// The path with its encoded unreserved characters decoded; borrowed if there are none.
fn decode_unreserved(path: &[u8]) -> Result<Cow<'_, str>, PathError> {
    let text = core::str::from_utf8(path);
    let text = text.map_err(|_| PathError::Malformed(Malformation::InvalidUtf8))?;
    let is_plain = |piece: &str| unreserved(piece).is_none();
    if text.split('%').skip(1).all(is_plain) {
        return Ok(Cow::Borrowed(text));
    }
    let mut pieces = text.split('%');
    let mut decoded = String::with_capacity(text.len());
    decoded.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (character, rest) = unreserved(piece).unwrap_or(('%', piece));
        decoded.push(character);
        decoded.push_str(rest);
    }
    Ok(Cow::Owned(decoded))
}

/// The unreserved character (RFC 3986 §2.3) that the digits at the start of a text stand for, and
/// what follows them.
fn unreserved(digits: &str) -> Option<(char, &str)> {
    let (byte, _) = escaped(digits.as_bytes())?;
    if Class::UNRESERVED.has(byte) { Some((char::from(byte), digits.get(2..)?)) } else { None }
}

fn check_separators(path: &str, accepted: &PathForms) -> Result<(), PathError> {
    if holds(path, b'\\') {
        accepted.check(PathForm::Backslashes)?;
    }
    if path.split('%').skip(1).any(|rest| encoded_separator(rest).is_some()) {
        accepted.check(PathForm::EncodedSeparators)?;
    }
    Ok(())
}

/// What follows the digits of an encoded slash or backslash at the start of a text.
fn encoded_separator(digits: &str) -> Option<&str> {
    match escaped(digits.as_bytes()) {
        Some((b'/' | b'\\', _)) => digits.get(2..),
        _ => None,
    }
}

fn check_double_encoding(path: &str, accepted: &PathForms) -> Result<(), PathError> {
    let is_doubled = |rest: &str| {
        rest.as_bytes().strip_prefix(b"25").is_some_and(|digits| escaped(digits).is_some())
    };
    if path.split('%').skip(1).any(is_doubled) {
        accepted.check(PathForm::DoubleEncoding)?;
    }
    Ok(())
}

/// Looks for empty and dot segments, wherever any reader may see a separator: a backslash or an
/// encoded separator that is accepted must not hide a dot segment.
fn check_segments(path: &str, accepted: &PathForms) -> Result<(), PathError> {
    let mut after_empty = false;
    for segment in path.split(['/', '\\']).skip(1).flat_map(pieces) {
        if after_empty {
            accepted.check(PathForm::DoubledSlashes)?;
        }
        if matches!(without_parameters(segment), "." | "..") {
            accepted.check(PathForm::DotSegments)?;
        }
        after_empty = segment.is_empty();
    }
    Ok(())
}

/// A segment cut at its encoded separators.
fn pieces(segment: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(segment);
    core::iter::from_fn(move || {
        let text = rest?;
        let cut = text.match_indices('%').find_map(|(at, _)| {
            let (piece, digits) = text.split_at_checked(at)?;
            Some((piece, encoded_separator(digits.strip_prefix('%')?)?))
        });
        rest = cut.map(|(_, after)| after);
        Some(cut.map_or(text, |(piece, _)| piece))
    })
}

/// A segment up to its first `;`, plain or encoded.
fn without_parameters(segment: &str) -> &str {
    let name = segment.split(';').next().unwrap_or_default();
    match name.split_once('%') {
        Some((before, digits)) if is_encoded_semicolon(digits) => before,
        _ => name,
    }
}

fn is_encoded_semicolon(digits: &str) -> bool {
    matches!(escaped(digits.as_bytes()), Some((b';', _)))
}

fn check_parameters(path: &str, accepted: &PathForms, depth: usize) -> Result<(), PathError> {
    let has_parameters = |segment: &str| {
        holds(segment, b';') || segment.split('%').skip(1).any(is_encoded_semicolon)
    };
    if path.split('/').skip(1).take(depth).any(has_parameters) {
        accepted.check(PathForm::PathParameters)?;
    }
    Ok(())
}

/// What this module treats by itself, the slash and the backslash, is among it.
fn may_stand_plain(byte: u8) -> bool {
    Class::PLAIN_PATH.has(byte) || matches!(byte, b';' | b'\\')
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::decision::Reason;
    use crate::request::{Connection, Lines};
    use crate::spiffe::Peer;
    use proptest::prelude::*;

    fn parse(target: &str) -> Result<RequestPath<'_>, PathError> {
        RequestPath::parse(target.as_bytes(), &PathForms::NONE, usize::MAX)
    }

    fn code(target: &str) -> &'static str {
        parse(target).unwrap_err().code()
    }

    fn with(target: &str, form: PathForm) -> Result<Option<String>, &'static str> {
        let accepted = PathForms::NONE.with(form);
        let path = RequestPath::parse(target.as_bytes(), &accepted, usize::MAX);
        path.map(|path| path.as_str().map(String::from)).map_err(PathError::code)
    }

    #[test]
    fn an_ordinary_path_is_borrowed_as_it_is() {
        for path in [
            "/",
            "/a",
            "/a/b/",
            "/a.b/..c/...",
            "/a:b@c,d=e!$&'()*+",
            "/ADMIN",
            "/[x]",
            "/%20%7Cx%3f%23",
        ] {
            let Ok(RequestPath::Present(Cow::Borrowed(read))) = parse(path) else {
                panic!("{path} is not borrowed");
            };
            assert_eq!(read, path);
        }
    }

    #[test]
    fn the_query_is_no_part_of_the_path() {
        for target in ["/a?b", "/a?", "/a??b", "/a?../%00%zz//\\", "/a?\u{e4}"] {
            assert_eq!(parse(target).unwrap().as_str(), Some("/a"), "{target}");
        }
        assert_eq!(parse("/a%3fb").unwrap().as_str(), Some("/a%3fb"));
    }

    #[test]
    fn encoded_unreserved_characters_are_decoded() {
        assert_eq!(parse("/%61dm%69n/%7e%2D%5f").unwrap().as_str(), Some("/admin/~-_"));
        assert_eq!(parse("/%2e%2e%2e").unwrap().as_str(), Some("/..."));
        assert_eq!(
            parse("/%C3%a4%e2%82%ac%F0%9f%98%80").unwrap().as_str(),
            Some("/%C3%a4%e2%82%ac%F0%9f%98%80")
        );
    }

    #[test]
    fn absolute_targets_have_a_path_and_some_targets_have_none() {
        assert_eq!(parse("http://h/a?b").unwrap().as_str(), Some("/a"));
        assert_eq!(parse("HTTPS://h?b").unwrap().as_str(), Some("/"));
        assert_eq!(parse("*"), Ok(RequestPath::Absent));
        assert_eq!(parse(""), Ok(RequestPath::Absent));
        assert_eq!(code("http://h//a"), "doubled_slashes");
        assert_eq!(code("//h/a"), "doubled_slashes");
        for target in ["a", "h:80", "ftp://h/a", "?a"] {
            assert_eq!(code(target), "target_form", "{target}");
        }
    }

    #[test]
    fn connect_to_an_authority_has_no_path() {
        let path = |method, target| {
            let request = Request {
                method,
                target,
                authority: None,
                headers: &[],
                lines: Lines::Separate,
                peer: &Peer::Absent,
                connection: Connection::default(),
                metadata: &[],
            };
            RequestPath::of(&request, &PathForms::NONE, usize::MAX).map_err(PathError::code)
        };
        assert_eq!(path(b"CONNECT", b"h:80"), Ok(RequestPath::Absent));
        assert_eq!(path(b"CONNECT", b""), Ok(RequestPath::Absent));
        assert_eq!(path(b"CONNECT", b"/chat"), Ok(RequestPath::Present("/chat".into())));
        assert_eq!(path(b"CONNECT", b"/a/../b"), Err("dot_segments"));
        assert_eq!(path(b"CONNECT", b"a/b"), Err("target_form"));
        assert_eq!(path(b"GET", b"h:80"), Err("target_form"));
    }

    #[test]
    fn each_ambiguous_form_is_refused_and_can_be_accepted_as_it_came() {
        use PathForm as F;
        for (form, target) in [
            (F::DotSegments, "/a/../b"),
            (F::DotSegments, "/./b"),
            (F::DotSegments, "/a/.."),
            (F::DotSegments, "/a/."),
            (F::DoubledSlashes, "//a"),
            (F::DoubledSlashes, "/a//b"),
            (F::DoubledSlashes, "/a//"),
            (F::Backslashes, "/a\\b"),
            (F::EncodedSeparators, "/a%2fb"),
            (F::EncodedSeparators, "/a%2Fb"),
            (F::EncodedSeparators, "/a%5cb"),
            (F::EncodedSeparators, "/a%5C"),
            (F::DoubleEncoding, "/a%2541"),
            (F::DoubleEncoding, "/%252e%252e"),
            (F::PathParameters, "/a;b"),
            (F::PathParameters, "/a/b;c=d/e"),
            (F::PathParameters, "/a%3bb"),
            (F::PathParameters, "/a%3B"),
        ] {
            assert_eq!(parse(target), Err(PathError::Ambiguous(form)), "{target}");
            assert_eq!(parse(target).unwrap_err().reason(), Reason::PathAmbiguous);
            assert_eq!(with(target, form), Ok(Some(target.into())), "{target}");
            for other in F::ALL.into_iter().filter(|other| *other != form) {
                assert!(with(target, other).is_err(), "{target} with {other:?}");
            }
        }
    }

    #[test]
    fn dot_segments_are_seen_encoded_and_before_parameters() {
        for target in [
            "/%2e%2e/a",
            "/.%2E/a",
            "/a/%2e",
            "/..;/a",
            "/.;x=y/a",
            "/..;x;y",
            "/..%3b/a",
            "/%2e%2e%3Bx/a",
        ] {
            assert_eq!(code(target), "dot_segments", "{target}");
        }
        assert_eq!(code("/..a;b"), "path_parameters");
    }

    #[test]
    fn an_accepted_separator_hides_no_dot_segment() {
        for target in ["/a/..%2fb", "/a%2F%2e%2e", "/a%5c.;x%5cb", "/..%5Cb"] {
            assert_eq!(with(target, PathForm::EncodedSeparators), Err("dot_segments"), "{target}");
        }
        assert_eq!(with("/a/..\\b", PathForm::Backslashes), Err("dot_segments"));
        assert_eq!(with("/a/\\b", PathForm::Backslashes), Err("doubled_slashes"));
        assert_eq!(with("/a%2f/b", PathForm::EncodedSeparators), Err("doubled_slashes"));
        assert_eq!(with("/a%2f", PathForm::EncodedSeparators), Ok(Some("/a%2f".into())));
    }

    #[test]
    fn decoding_cannot_make_a_double_encoding() {
        assert_eq!(code("/%25%34%31"), "double_encoding");
        assert_eq!(code("/%254%31"), "double_encoding");
        assert_eq!(parse("/100%25").unwrap().as_str(), Some("/100%25"));
        assert_eq!(parse("/%25a/%25zz").unwrap().as_str(), Some("/%25a/%25zz"));
    }

    #[test]
    fn parameters_are_refused_in_the_segments_that_rules_look_at() {
        let depth = |target: &'static [u8], depth| {
            RequestPath::parse(target, &PathForms::NONE, depth).is_ok()
        };
        assert!(depth(b"/a/b;c", 1));
        assert!(!depth(b"/a/b;c", 2));
        assert!(depth(b"/a;b", 0));
        assert!(!depth(b"/a;b", 1));
        assert!(!depth(b"/a%3bb", 1));
        assert!(!depth(b"/..;/b", 0), "a dot segment is one at every depth");
    }

    #[test]
    fn each_malformation_has_its_error() {
        for (target, expected) in [
            ("/a#b", "fragment"),
            ("/a?b#c", "fragment"),
            ("/a b", "control_character"),
            ("/a\0", "control_character"),
            ("/a?b\n", "control_character"),
            ("/a\x7f", "control_character"),
            ("/a%00", "control_character"),
            ("/a%0a", "control_character"),
            ("/a%1F", "control_character"),
            ("/a%7f", "control_character"),
            ("/a%", "invalid_escape"),
            ("/a%2", "invalid_escape"),
            ("/a%zz", "invalid_escape"),
            ("/a%%41", "invalid_escape"),
            ("/a%u0041", "invalid_escape"),
            ("/%ff", "invalid_utf8"),
            ("/%80", "invalid_utf8"),
            ("/%c0%ae", "invalid_utf8"),
            ("/%c3", "invalid_utf8"),
            ("/%c3a", "invalid_utf8"),
            ("/%c3%41", "invalid_utf8"),
            ("/%ed%a0%80", "invalid_utf8"),
            ("/%f4%90%80%80", "invalid_utf8"),
            ("/%e2%82", "invalid_utf8"),
            ("/a|b", "path_character"),
            ("/\u{e4}", "path_character"),
            ("/\u{ff0f}", "path_character"),
            ("/a\"<>^`{}", "path_character"),
        ] {
            assert_eq!(code(target), expected, "{target:?}");
            assert_eq!(parse(target).unwrap_err().reason(), Reason::PathMalformed);
        }
        let error = RequestPath::parse(b"/\xff", &PathForms::NONE, 0).unwrap_err();
        assert_eq!(error.code(), "path_character");
    }

    #[test]
    fn a_target_may_have_16_kib_and_no_more() {
        let longest = format!("/{}", "a".repeat(TARGET_BYTES - 1));
        assert!(parse(&longest).is_ok());
        assert_eq!(code(&format!("{longest}a")), "target_too_long");
    }

    #[test]
    fn forms_are_known_by_their_names() {
        for form in PathForm::ALL {
            let acceptable = PathForm::ACCEPTABLE.contains(&form);
            assert_eq!(PathForm::parse(form.name()), acceptable.then_some(form));
            assert!(PathForms::from_iter([form]).contains(form));
            assert!(!PathForms::NONE.contains(form));
        }
        assert_eq!(PathForm::parse("DotSegments"), None);
    }

    fn any_forms() -> impl Strategy<Value = PathForms> {
        proptest::collection::vec(proptest::sample::select(&PathForm::ALL), 0..6)
            .prop_map(PathForms::from_iter)
    }

    fn any_target() -> impl Strategy<Value = Vec<u8>> {
        let piece = proptest::sample::select(vec![
            "/", "/", ".", "..", ";", "\\", "%2f", "%5C", "%2e", "%25", "%41", "%7e", "%3B",
            "%c3%a4", "%34", "%31", "a", "2e", "b", "?", "%", "#", "%00", "http://", "h", "*", " ",
            "\u{e4}",
        ]);
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(target: Vec<u8>, forms in any_forms(), depth: usize) {
            let _ = RequestPath::parse(&target, &forms, depth);
        }

        #[test]
        fn reading_a_path_again_changes_nothing(target in any_target(), forms in any_forms(), depth in 0usize..4) {
            if let Ok(RequestPath::Present(path)) = RequestPath::parse(&target, &forms, depth) {
                let again = RequestPath::parse(path.as_bytes(), &forms, depth);
                prop_assert_eq!(again, Ok(RequestPath::Present(Cow::Borrowed(&*path))));
            }
        }

        #[test]
        fn a_plain_path_passes_every_check(target in any_target(), depth in 0usize..4) {
            if target.starts_with(b"/") && let Some(path) = plain(&target) {
                let checked = checked(&target, &PathForms::NONE, depth);
                prop_assert_eq!(checked, Ok(Cow::Borrowed(path)));
            }
        }

        #[test]
        fn what_is_accepted_strictly_has_no_second_reading(target in any_target()) {
            let path = RequestPath::parse(&target, &PathForms::NONE, usize::MAX);
            if let Ok(RequestPath::Present(path)) = path {
                prop_assert!(path.is_ascii());
                prop_assert!(!path.contains(['\\', ';', '?', '#']));
                prop_assert!(!path.contains("//"));
                prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }
    }
}
