//! The query of a request target.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::request::target::split_query;

/// One parameter of a query, as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// What stands before the first `=`, not decoded; see [`Parameter::is_named`].
    pub name: &'a [u8],
    /// What stands after the first `=`, not decoded; empty if there is none.
    pub value: &'a [u8],
}

impl<'a> Parameter<'a> {
    fn of(piece: &'a [u8]) -> Self {
        let equals = piece.iter().position(|&byte| byte == b'=');
        let split = equals.and_then(|equals| piece.split_at_checked(equals));
        let (name, rest) = split.unwrap_or((piece, b""));
        Self { name, value: rest.get(1..).unwrap_or_default() }
    }

    /// Whether the decoded name is this one, so that `access%5Ftoken` is `access_token`.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        *decode(self.name) == *name.as_bytes()
    }
}

/// A value can't be formatted: it may be a token.
impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter")
            .field("name", &format_args!("{}", self.name.escape_ascii()))
            .finish_non_exhaustive()
    }
}

/// The parameters of a target's query, in their order; empty pieces are parameters without a name.
pub fn parameters(target: &[u8]) -> impl Iterator<Item = Parameter<'_>> {
    let (_, query) = split_query(target);
    query.into_iter().flat_map(pieces).map(Parameter::of)
}

/// Decodes percent-encoding, and `+` as a space, as forms write them
/// ([URL Standard, application/x-www-form-urlencoded](https://url.spec.whatwg.org/#urlencoded-parsing)).
/// A percent sign without two hexadecimal digits stands for itself.
#[must_use]
pub fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        (rest, _) = match (byte, escaped(after)) {
            (b'%', Some((byte, after))) => (after, plain.push(byte)),
            (b'+', _) => (after, plain.push(b' ')),
            _ => (after, plain.push(byte)),
        };
    }
    Cow::Owned(plain)
}

/// The target without any parameter of these (decoded) names; none if it has none of them.
///
/// Every other byte stays as it was. A query of which nothing is left goes with its question mark.
#[must_use]
pub fn without_parameters<N: AsRef<str>>(target: &[u8], names: &[N]) -> Option<Vec<u8>> {
    let (before, query) = split_query(target);
    let query = query?;
    let goes = |piece: &&[u8]| {
        let parameter = Parameter::of(piece);
        names.iter().any(|name| parameter.is_named(name.as_ref()))
    };
    if !pieces(query).any(|piece| goes(&piece)) {
        return None;
    }
    let mut kept = before.to_vec();
    for (piece, mark) in pieces(query).filter(|piece| !goes(piece)).zip(marks()) {
        kept.push(mark);
        kept.extend_from_slice(piece);
    }
    Some(kept)
}

fn pieces(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|&byte| byte == b'&')
}

/// What stands before the first piece of a query, and before each further one.
fn marks() -> impl Iterator<Item = u8> {
    core::iter::once(b'?').chain(core::iter::repeat(b'&'))
}

/// The byte that two hexadecimal digits stand for, and what follows them.
pub(super) fn escaped(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = digits.split_first_chunk::<2>()?;
    let value = hex_digit(high)?.checked_mul(16)?.checked_add(hex_digit(low)?)?;
    Some((value, rest))
}

pub(super) fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a')?.checked_add(10),
        b'A'..=b'F' => digit.checked_sub(b'A')?.checked_add(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn read(target: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        parameters(target.as_bytes()).map(|p| (text(p.name), text(p.value))).collect()
    }

    fn without(target: &str) -> Option<String> {
        let kept = without_parameters(target.as_bytes(), &["access_token", "t"])?;
        Some(String::from_utf8(kept).unwrap())
    }

    #[test]
    fn parameters_are_split_and_not_decoded() {
        let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|&(name, value)| (name.into(), value.into())).collect()
        };
        assert_eq!(read("/p"), []);
        assert_eq!(
            read("/p?a=1&b%20=c%3d&d&=e&f=g=h"),
            pairs(&[("a", "1"), ("b%20", "c%3d"), ("d", ""), ("", "e"), ("f", "g=h"),])
        );
        assert_eq!(read("/p?a=1?b=2"), pairs(&[("a", "1?b=2")]));
    }

    #[test]
    fn names_are_compared_decoded() {
        let named = |name: &[u8], other| Parameter { name, value: b"" }.is_named(other);
        assert!(named(b"access_token", "access_token"));
        assert!(named(b"access%5Ftoken", "access_token"));
        assert!(named(b"%61ccess%5ftoken", "access_token"));
        assert!(named(b"a+b", "a b"));
        assert!(!named(b"Access_token", "access_token"));
        assert!(!named(b"access%255Ftoken", "access_token"));
        assert!(!named(b"access_token%", "access_token"));
    }

    #[test]
    fn an_escape_that_is_none_stands_for_itself() {
        assert_eq!(&*decode(b"%4%zz%+%41"), b"%4%zz% A");
        assert_eq!(&*decode(b"%"), b"%");
    }

    #[test]
    fn removing_parameters_leaves_every_other_byte() {
        for (target, expected) in [
            ("/p?access_token=x", Some("/p")),
            ("/p?access_token", Some("/p")),
            ("/p?a=1&access_token=x&b=%20+", Some("/p?a=1&b=%20+")),
            ("/p?access%5Ftoken=x&a", Some("/p?a")),
            ("/p?access_token=x&access_token=y&t=z", Some("/p")),
            ("/p?&t=1&", Some("/p?&")),
            ("/%7e;x//?t=1&a=b?c", Some("/%7e;x//?a=b?c")),
            ("/p", None),
            ("/p?", None),
            ("/p?a=access_token", None),
            ("/t=1?tt=1", None),
        ] {
            assert_eq!(without(target).as_deref(), expected, "{target}");
        }
    }
}
