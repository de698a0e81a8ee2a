//! A number as the text of a header.

use alloc::format;
use alloc::string::{String, ToString as _};

use crate::json::Number;

/// As Envoy writes it, to whom every number is a double: whole ones without a point, others and
/// those below zero with six digits behind it.
///
/// Nothing where the double may show: from 2^53 on, in fractions from 2^32 on or of more than six
/// places, and with an exponent, which would take a double's arithmetic to tell.
pub(super) fn text(number: Number<'_>) -> Option<String> {
    let (digits, sign) = match number.text().strip_prefix('-') {
        Some(digits) => (digits, "-"),
        None => (number.text(), ""),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let is_short = fraction.len() <= 6 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let (bits, is_whole) = if fraction.is_empty() { (53, true) } else { (32, false) };
    if !is_short || whole >> bits != 0 {
        return None;
    }
    let is_plain = is_whole && (sign.is_empty() || whole == 0);
    Some(if is_plain { whole.to_string() } else { format!("{sign}{whole}.{fraction:0<6}") })
}

/// Whether a number is whole and JSON has one text for it, in a double too.
pub(super) fn is_plain(number: Number<'_>) -> bool {
    let digits = number.text().strip_prefix('-').unwrap_or(number.text());
    digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()) && number.text() != "-0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, Document, View};

    const BOUNDS: Bounds = Bounds { bytes: 64, depth: 1, members: 1 };

    fn with_number<T>(json: &str, look: impl FnOnce(Number<'_>) -> T) -> T {
        let document = Document::parse(json.as_bytes(), &BOUNDS).unwrap();
        let View::Number(number) = document.root().view() else { panic!("{json} is no number") };
        look(number)
    }

    #[test]
    fn a_number_is_written_as_envoy_writes_its_double() {
        for (json, header) in [
            ("7", "7"),
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("9007199254740991", "9007199254740991"),
            ("1000.000", "1000"),
            ("-3", "-3.000000"),
            ("1.5", "1.500000"),
            ("-0.25", "-0.250000"),
            ("4294967295.3", "4294967295.300000"),
            ("123456.789012", "123456.789012"),
        ] {
            assert_eq!(with_number(json, text).as_deref(), Some(header), "{json}");
            let double: f64 = json.parse().unwrap();
            assert!([format!("{double:.6}"), format!("{}", double.abs())].contains(&header.into()));
        }
    }

    #[test]
    fn what_a_double_may_show_otherwise_is_not_written() {
        for json in [
            "9007199254740992",
            "18446744073709551616",
            "4294967296.3",
            "0.1234567",
            "1e3",
            "1.5E-1",
        ] {
            assert_eq!(with_number(json, text), None, "{json}");
        }
    }

    #[test]
    fn plain_numbers_are_whole_and_have_one_text() {
        for (json, plain) in
            [("5", true), ("-5", true), ("-0", false), ("1.5", false), ("1e3", false)]
        {
            assert_eq!(with_number(json, is_plain), plain, "{json}");
        }
        assert!(!with_number("9007199254740993", is_plain));
    }
}
