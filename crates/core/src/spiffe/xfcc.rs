//! The grammar of `X-Forwarded-Client-Cert`, as Envoy writes it.
//!
//! `element *( "," element )`, each of `key=value *( ";" key=value )`, where a value may stand in
//! double quotes and a backslash inside them takes the next byte as it is. Each proxy adds an
//! element at the end.
//!
//! Stricter than Envoy's reader: a quote opens only right after `=` and closes only at the end of a
//! value, and there is no backslash outside of quotes. So a forged element at the front cannot
//! shift which quotes of a later, genuine element open and which close.
//!
//! See [Envoy's documentation of the header](https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert).

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// One `key=value` of a header line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    element: usize,
    key: &'a [u8],
    value: &'a [u8],
}

impl<'a> Pair<'a> {
    /// Which element of the line it belongs to, counted from the left and from zero.
    #[must_use]
    pub const fn element(&self) -> usize {
        self.element
    }

    /// Whether this is its key, in any case of letters.
    #[must_use]
    pub const fn has_key(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key.as_bytes())
    }

    /// The value without quotes and escapes.
    #[must_use]
    pub fn value(&self) -> Cow<'a, [u8]> {
        if !self.value.contains(&b'\\') {
            return Cow::Borrowed(self.value);
        }
        let mut bytes = self.value.iter().copied();
        let mut plain = Vec::with_capacity(self.value.len());
        while let Some(byte) = bytes.next() {
            plain.extend(if byte == b'\\' { bytes.next() } else { Some(byte) });
        }
        Cow::Owned(plain)
    }
}

/// The line does not follow the grammar: an unclosed or misplaced quote, an empty element, a pair
/// without `=`, a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxError;

/// All pairs of one header line, from the left. Nothing follows an error.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    element: usize,
    /// What is still to be read; absent at the end.
    rest: Option<&'a [u8]>,
}

impl<'a> Pairs<'a> {
    /// The pairs of this line.
    #[must_use]
    pub const fn of(line: &'a [u8]) -> Self {
        Self { element: 0, rest: Some(line) }
    }

    fn pair(&mut self, text: &'a [u8]) -> Result<Pair<'a>, SyntaxError> {
        let equals = text.iter().position(|&byte| byte == b'=').ok_or(SyntaxError)?;
        let (key, rest) = text.split_at_checked(equals).ok_or(SyntaxError)?;
        let key = key.trim_ascii();
        if key.is_empty() || !key.iter().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SyntaxError);
        }
        let rest = rest.get(1..).unwrap_or_default();
        let (value, rest) = match rest.strip_prefix(b"\"") {
            Some(rest) => quoted(rest)?,
            None => plain(rest)?,
        };
        let pair = Pair { element: self.element, key, value };
        self.rest = match rest.split_first() {
            None => None,
            Some((b';', rest)) => Some(rest),
            Some((b',', rest)) => {
                self.element = self.element.saturating_add(1);
                Some(rest)
            }
            Some(_) => return Err(SyntaxError),
        };
        Ok(pair)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<Pair<'a>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.take()?;
        Some(self.pair(text))
    }
}

/// A value in quotes, still with its escapes, and what follows the closing quote.
fn quoted(text: &[u8]) -> Result<(&[u8], &[u8]), SyntaxError> {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', after @ ..] => {
                let length = text.len().saturating_sub(rest.len());
                return Ok((text.get(..length).ok_or(SyntaxError)?, after.trim_ascii_start()));
            }
            [b'\\', byte, after @ ..] | [byte, after @ ..] if is_text(*byte) => after,
            _ => return Err(SyntaxError),
        }
    }
}

/// A value without quotes, and what follows it.
fn plain(text: &[u8]) -> Result<(&[u8], &[u8]), SyntaxError> {
    let end = text.iter().position(|byte| matches!(byte, b';' | b',')).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end).ok_or(SyntaxError)?;
    if value.iter().all(|&byte| is_text(byte) && !matches!(byte, b'"' | b'\\')) {
        Ok((value.trim_ascii(), rest))
    } else {
        Err(SyntaxError)
    }
}

const fn is_text(byte: u8) -> bool {
    !byte.is_ascii_control() || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn read(line: &str) -> Result<Vec<(usize, String, String)>, SyntaxError> {
        let owned = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Pairs::of(line.as_bytes())
            .map(|pair| pair.map(|pair| (pair.element(), owned(pair.key), owned(&pair.value()))))
            .collect()
    }

    #[test]
    fn elements_and_pairs_are_told_apart() {
        let pairs = read("By=a;URI=b, Hash=1;Subject=\"CN=x,O=y;z\";uri=c").unwrap();
        let expected = [
            (0, "By", "a"),
            (0, "URI", "b"),
            (1, "Hash", "1"),
            (1, "Subject", "CN=x,O=y;z"),
            (1, "uri", "c"),
        ];
        let expected = expected.map(|(element, key, value)| (element, key.into(), value.into()));
        assert_eq!(pairs, expected);
    }

    #[test]
    fn a_backslash_in_quotes_takes_the_next_byte_as_it_is() {
        let pairs = read(r#"Subject="a\"b\\c\,d";URI=x"#).unwrap();
        assert_eq!(pairs[0].2, r#"a"b\c,d"#);
        assert_eq!(pairs[1].2, "x");
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!(read("URI=;By=\"\"").unwrap().len(), 2);
    }

    #[test]
    fn keys_compare_without_regard_to_case() {
        let pair = Pairs::of(b"uRi=x").next().unwrap().unwrap();
        assert!(pair.has_key("URI"));
        assert!(!pair.has_key("URL"));
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for line in [
            "",
            ",",
            "URI",
            "=x",
            "URI=x,",
            "URI=x;",
            ",URI=x",
            "URI=x,,By=y",
            "URI=\"x",
            "URI=\"x\\",
            "URI=\"x\\\"",
            "URI=\"x\"y",
            "URI=x\"y\"",
            "URI=x\\y",
            "URI=x\0",
            "URI=\"\0\"",
            "UR I=x",
            "URI=\"\\\0\"",
        ] {
            assert_eq!(read(line), Err(SyntaxError), "{line:?}");
        }
    }

    #[test]
    fn nothing_follows_an_error() {
        let mut pairs = Pairs::of(b"URI=\"x,URI=y");
        assert_eq!(pairs.next(), Some(Err(SyntaxError)));
        assert_eq!(pairs.next(), None);
    }
}
