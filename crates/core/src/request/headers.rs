//! Looking things up in the header lines of a request.

use core::fmt;

use crate::bytes::is_same_but_for_case;
use crate::limits::HEADER_LINES;
use crate::request::{HeaderLine, Request};

/// The header lines of a request, for looking up. Copies nothing.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a>(&'a [HeaderLine<'a>]);

impl<'a> Headers<'a> {
    /// These lines.
    #[must_use]
    pub const fn new(lines: &'a [HeaderLine<'a>]) -> Self {
        Self(lines)
    }

    /// The lines of a request.
    #[must_use]
    #[inline]
    pub const fn of(request: &Request<'a>) -> Self {
        Self(request.headers)
    }

    /// The values of all lines with this name, in their order.
    pub fn lines<'n>(self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let mut rest = self.0.iter();
        core::iter::from_fn(move || {
            loop {
                let line = rest.next()?;
                if is_named(line, name) {
                    return Some(line.value);
                }
            }
        })
    }

    /// The value of the only line with this name; none if there is no such line or several.
    #[must_use]
    pub fn only_line(self, name: &str) -> Option<&'a [u8]> {
        let mut lines = self.lines(name);
        let line = lines.next()?;
        if lines.next().is_some() { None } else { Some(line) }
    }

    /// As [`only_line`](Self::only_line) for several names, looking at each line once.
    #[inline]
    pub(crate) fn only_lines<const N: usize>(self, names: [&str; N]) -> [Option<&'a [u8]>; N] {
        let mut found = [Found::Nowhere; N];
        // Most lines have a name of another length than all of these.
        let lengths = names.iter().fold(0, |lengths, name| lengths | length_bit(name.len()));
        for line in self.0.iter().filter(|line| lengths & length_bit(line.name.len()) != 0) {
            for (name, found) in names.iter().zip(&mut found) {
                if is_named(line, name) {
                    *found = match found {
                        Found::Nowhere => Found::Once(line.value),
                        Found::Once(_) | Found::Repeatedly => Found::Repeatedly,
                    };
                }
            }
        }
        found.map(|found| match found {
            Found::Once(value) => Some(value),
            Found::Nowhere | Found::Repeatedly => None,
        })
    }

    /// Checks the number of lines against [`HEADER_LINES`] and the bytes of all names and values
    /// against `bytes`.
    ///
    /// # Errors
    /// What was counted; counting stops when a limit is passed.
    #[inline]
    pub fn check_size(self, bytes: usize) -> Result<(), HeadersTooLarge> {
        let (lines, limit) = (self.0.len(), bytes);
        if lines > HEADER_LINES {
            return Err(HeadersTooLarge::Lines { lines, limit: HEADER_LINES });
        }
        let size = |sum: usize, line: &HeaderLine<'_>| {
            sum.saturating_add(line.name.len()).saturating_add(line.value.len())
        };
        let bytes = self.0.iter().fold(0, size);
        if bytes > limit { Err(HeadersTooLarge::Bytes { bytes, limit }) } else { Ok(()) }
    }

    /// The first name in `Connection` that is one of those the caller relies on.
    ///
    /// Such a request is refused: an intermediary would remove the named header as hop-by-hop
    /// before the next one reads it ([RFC 9110 §7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)).
    #[must_use]
    pub fn named_by_connection(self, relies_on: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
        self.lines("connection")
            .flat_map(|line| line.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .find(|name| relies_on(name))
    }

    /// The cookie of this name, over all `Cookie` lines ([RFC 6265 §5.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.4)).
    ///
    /// Names compare with regard to case. One pair of double quotes around a value is taken off,
    /// as Envoy does.
    #[must_use]
    pub fn cookie(self, name: &str) -> Cookie<'a> {
        let mut values = self
            .lines("cookie")
            .flat_map(|line| line.split(|&byte| byte == b';'))
            .filter_map(|pair| cookie_value(pair, name.as_bytes()));
        match (values.next(), values.next()) {
            (None, _) => Cookie::Absent,
            (Some(value), None) => Cookie::Present(value),
            (Some(_), Some(_)) => Cookie::Repeated,
        }
    }
}

/// Most names are told apart by their length, which is looked at without a call.
#[inline(always)]
fn is_named(line: &HeaderLine<'_>, name: &str) -> bool {
    line.name.len() == name.len() && is_same_but_for_case(line.name, name.as_bytes())
}

/// Lengths as a set: the longest share a place.
#[inline(always)]
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Nowhere,
    Once(&'a [u8]),
    Repeatedly,
}

/// What a request says about one cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cookie<'a> {
    /// Nothing.
    Absent,
    /// This value.
    Present(&'a [u8]),
    /// More than one value, equal or not; which of them an application takes is unknown.
    Repeated,
}

/// A value can't be formatted: it may be a token.
impl fmt::Debug for Cookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Present(_) => "Present(redacted)",
            Self::Repeated => "Repeated",
        })
    }
}

/// The headers pass a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadersTooLarge {
    /// Too many lines.
    Lines {
        /// How many there are.
        lines: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Too many bytes.
    Bytes {
        /// How many there are in all names and values.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// The value of a `name=value` pair if it has this name.
fn cookie_value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let equals = pair.iter().position(|&byte| byte == b'=')?;
    let (key, rest) = pair.split_at_checked(equals)?;
    if key.trim_ascii() != name {
        return None;
    }
    let value = rest.get(1..)?.trim_ascii();
    match value {
        [b'"', inner @ .., b'"'] => Some(inner),
        _ => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn line<'a>(name: &'a str, value: &'a str) -> HeaderLine<'a> {
        HeaderLine { name: name.as_bytes(), value: value.as_bytes() }
    }

    #[test]
    fn all_lines_of_a_name_are_found_in_any_case_and_in_order() {
        let lines = [line("X-A", "1"), line("x-b", "2"), line("x-a", "3"), line("x_a", "4")];
        let headers = Headers::new(&lines);
        assert_eq!(headers.lines("x-a").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(headers.lines("x-c").count(), 0);
        assert_eq!(headers.only_line("X-B"), Some(&b"2"[..]));
        assert_eq!(headers.only_line("x-a"), None);
        assert_eq!(headers.only_line("x-c"), None);
    }

    #[test]
    fn there_may_be_1024_lines_and_no_more() {
        let mut lines = vec![line("a", ""); HEADER_LINES];
        assert_eq!(Headers::new(&lines).check_size(HEADER_LINES), Ok(()));
        lines.push(line("", ""));
        let error = HeadersTooLarge::Lines { lines: 1025, limit: 1024 };
        assert_eq!(Headers::new(&lines).check_size(usize::MAX), Err(error));
    }

    #[test]
    fn names_and_values_count_towards_the_limit_of_bytes() {
        let lines = [line("ab", "cd"), line("e", "")];
        assert_eq!(Headers::new(&lines).check_size(5), Ok(()));
        let error = HeadersTooLarge::Bytes { bytes: 5, limit: 4 };
        assert_eq!(Headers::new(&lines).check_size(4), Err(error));
    }

    #[test]
    fn connection_is_searched_over_all_lines_and_elements() {
        let is_auth = |name: &[u8]| name.eq_ignore_ascii_case(b"authorization");
        let found = |values: &[&'static str]| {
            let lines: Vec<_> = values.iter().map(|value| line("connection", value)).collect();
            Headers::new(&lines).named_by_connection(is_auth).map(<[u8]>::to_vec)
        };
        assert_eq!(
            found(&["keep-alive", "close, Authorization ,x"]),
            Some(b"Authorization".into())
        );
        assert_eq!(found(&["keep-alive, Upgrade", ""]), None);
        assert_eq!(found(&["authorization-x"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name() {
        let lines = [line("cookie", "a=1; Token=x; token=\"y=z\""), line("Cookie", "b=;c;d=\"")];
        let headers = Headers::new(&lines);
        assert_eq!(headers.cookie("token"), Cookie::Present(b"y=z"));
        assert_eq!(headers.cookie("Token"), Cookie::Present(b"x"));
        assert_eq!(headers.cookie("b"), Cookie::Present(b""));
        assert_eq!(headers.cookie("c"), Cookie::Absent);
        assert_eq!(headers.cookie("d"), Cookie::Present(b"\""));
        assert_eq!(headers.cookie("oken"), Cookie::Absent);
    }

    #[test]
    fn a_cookie_that_stands_twice_is_repeated_in_one_line_or_two() {
        let one = [line("cookie", "t=1; t=1")];
        assert_eq!(Headers::new(&one).cookie("t"), Cookie::Repeated);
        let two = [line("cookie", "t=1"), line("cookie", "t=2")];
        assert_eq!(Headers::new(&two).cookie("t"), Cookie::Repeated);
    }
}
