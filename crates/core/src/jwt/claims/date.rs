//! `NumericDate` (RFC 7519 §2), read exactly from the number's text.

use super::Claim;
use crate::json::Value;
use crate::time::UnixTime;

/// The largest whole number below which every whole number is a double: 2^53.
const LARGEST: u64 = 9_007_199_254_740_992;

/// Seconds since the epoch, perhaps with a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericDate {
    whole: u64,
    fraction: bool,
}

impl NumericDate {
    /// Rounded down.
    #[must_use]
    pub const fn floor(self) -> UnixTime {
        UnixTime::from_seconds(self.whole)
    }

    /// Rounded up.
    #[must_use]
    pub const fn ceil(self) -> UnixTime {
        let up = if self.fraction { 1 } else { 0 };
        UnixTime::from_seconds(self.whole.saturating_add(up))
    }
}

/// Reads a date: digits, and perhaps a fraction.
///
/// Refuses, with every type but number, a minus sign (also on zero), an exponent, and what is more
/// than 2^53. RFC 7519 allows those in principle; no issuer writes times so, and readers disagree
/// about what they mean.
pub(super) fn read(value: Option<Value<'_>>) -> Claim<NumericDate> {
    match value {
        None => Claim::Absent,
        Some(value) => value.as_digits().and_then(parse).map_or(Claim::Malformed, Claim::Present),
    }
}

/// The text already is a JSON number, so digits without a sign can't begin with a plus.
fn parse(text: &[u8]) -> Option<NumericDate> {
    let (mut whole, mut rest) = (0_u64, text);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        // Far from overflow, and checking for that takes WebAssembly a multiplication of 128 bits.
        whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit & 0x0F));
        if whole > LARGEST {
            return None;
        }
        rest = behind;
    }
    let fraction = match rest {
        [] => false,
        [b'.', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            digits.iter().any(|digit| *digit != b'0')
        }
        _ => return None,
    };
    (whole < LARGEST || !fraction).then_some(NumericDate { whole, fraction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_fractions_are_dates() {
        for (text, floor, ceil) in [
            ("0", 0, 0),
            ("1700000000", 1_700_000_000, 1_700_000_000),
            ("1700000000.0", 1_700_000_000, 1_700_000_000),
            ("1700000000.25", 1_700_000_000, 1_700_000_001),
            ("0.00000000000000000000000000001", 0, 1),
            ("9007199254740992", LARGEST, LARGEST),
            ("9007199254740992.00", LARGEST, LARGEST),
            ("9007199254740991.9", LARGEST - 1, LARGEST),
        ] {
            let date = parse(text.as_bytes()).unwrap();
            assert_eq!((date.floor().seconds(), date.ceil().seconds()), (floor, ceil), "{text}");
        }
    }

    #[test]
    fn every_other_form_is_malformed() {
        for text in [
            "-0",
            "-1",
            "-0.0",
            "-1.5",
            "1e3",
            "1E3",
            "1.5e3",
            "1e+3",
            "1e-400",
            "1e400",
            "0e0",
            "1.7e9",
            "9007199254740992.1",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999999999999999",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
