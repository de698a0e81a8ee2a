//! How long an answer may be kept, as far as its `Cache-Control` says.

use crate::time::Seconds;

/// The `max-age` of a `Cache-Control` value; lines of the same name joined with commas.
///
/// The first one counts, and one that is no number says nothing. Other directives say nothing
/// either: how long keys serve is for the policy to say, and `max-age` can only shorten it.
///
/// See [RFC 9111 §5.2.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1).
#[must_use]
pub fn max_age(cache_control: &[u8]) -> Option<Seconds> {
    let mut in_quotes = false;
    let mut directives = cache_control.split(|byte| {
        in_quotes ^= *byte == b'"';
        *byte == b',' && !in_quotes
    });
    let value = directives.find_map(|directive| {
        let (name, value) = split_at(directive, b'=')?;
        name.trim_ascii().eq_ignore_ascii_case(b"max-age").then_some(value.trim_ascii())
    })?;
    let digits = match value {
        [b'"', digits @ .., b'"'] => digits,
        digits => digits,
    };
    seconds(digits)
}

fn split_at(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == separator)?;
    let (before, after) = text.split_at_checked(place)?;
    Some((before, after.get(1..)?))
}

/// A number too large to hold is as large as can be (RFC 9111 §1.2.2).
fn seconds(digits: &[u8]) -> Option<Seconds> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = core::str::from_utf8(digits).ok().filter(|_| is_number)?;
    Some(Seconds(number.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_is_found_among_other_directives() {
        for (value, seconds) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=\"0\", s-maxage=5", Some(0)),
            ("public , max-age = 7 ,x", Some(7)),
            ("private=\"a, max-age=5\", max-age=6", Some(6)),
            ("max-age=1, max-age=2", Some(1)),
            ("max-age=99999999999999999999", Some(u64::MAX)),
        ] {
            assert_eq!(max_age(value.as_bytes()), seconds.map(Seconds), "{value}");
        }
    }

    #[test]
    fn what_is_no_number_says_nothing() {
        for value in [
            "",
            "no-store",
            "s-maxage=5",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=+1",
            "max-age=1.5",
            "max-age=x, max-age=5",
            "private=\"a, max-age=5",
        ] {
            assert_eq!(max_age(value.as_bytes()), None, "{value}");
        }
        assert_eq!(max_age(b"max-age=\xff"), None);
    }
}
