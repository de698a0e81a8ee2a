//! A number as the text of a header.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::cmp::Ordering;

use crate::json::Number;

/// As Envoy writes it, to whom every number is a double: whole ones below 2^64 without a point,
/// others with six digits behind it. Told without arithmetic of doubles, which is dear in a module:
/// nothing where the double may show, for a fraction above 2^32 or of more than 15 digits.
pub(super) fn text(number: Number<'_>) -> Option<String> {
    let (text, sign) = match number.text().strip_prefix('-') {
        Some(text) => (text, "-"),
        None => (number.text(), ""),
    };
    let (digits, scale) = scaled(text)?;
    if digits == 0 {
        return Some("0".into());
    }
    if scale >= 0 {
        let power = 10_u64.checked_pow(scale.unsigned_abs())?;
        let whole = nearest_double(digits.checked_mul(power)?)?;
        return Some(if sign.is_empty() { whole.to_string() } else { format!("-{whole}.000000") });
    }
    let millionths = in_millionths(digits, scale.unsigned_abs())?;
    Some(format!("{sign}{}.{:06}", millionths / MILLION, millionths % MILLION))
}

const MILLION: u64 = 1_000_000;

/// A number as digits without zeros at their end, and how many zeros belong there.
fn scaled(text: &str) -> Option<(u64, i32)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: u64 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let mut scale = exponent.parse::<i32>().ok()?.checked_sub(places)?;
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
        scale = scale.checked_add(1)?;
    }
    Some((digits, scale))
}

/// The double that is nearest to a whole number, ties to even; nothing if that is 2^64.
fn nearest_double(whole: u64) -> Option<u64> {
    let spare = 11_u32.saturating_sub(whole.leading_zeros());
    let rounded = whole >> spare;
    let rest = whole ^ (rounded << spare);
    let half = (1_u64 << spare) >> 1;
    let goes_up = rest > half || (rest == half && half > 0 && rounded & 1 == 1);
    let rounded = rounded.checked_add(u64::from(goes_up))?;
    (rounded.leading_zeros() >= spare).then_some(rounded << spare)
}

/// A fraction in its sixth place; nothing where that depends on what is behind its last digit.
fn in_millionths(digits: u64, places: u32) -> Option<u64> {
    if digits >= 1_000_000_000_000_000 {
        return None;
    }
    if let Some(missing) = 6_u32.checked_sub(places) {
        let millionths = digits.checked_mul(10_u64.checked_pow(missing)?)?;
        return Some(millionths).filter(|millionths| *millionths >> 32 < MILLION);
    }
    // 10^19 is more than twice any of these digits.
    let unit = 10_u64.checked_pow(places.saturating_sub(6).min(19))?;
    let (below, rest) = (digits.checked_div(unit)?, digits.checked_rem(unit)?);
    match rest.cmp(&unit.checked_sub(rest)?) {
        Ordering::Less => Some(below),
        Ordering::Equal => None,
        Ordering::Greater => below.checked_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, Document, View};

    const BOUNDS: Bounds = Bounds { bytes: 64, depth: 1, members: 1 };

    fn written(json: &str) -> Option<String> {
        let document = Document::parse(json.as_bytes(), &BOUNDS).unwrap();
        let View::Number(number) = document.root().view() else { panic!("{json} is no number") };
        text(number)
    }

    #[test]
    fn a_number_is_written_as_envoy_writes_its_double() {
        for (json, header) in [
            ("9007199254740993", Some("9007199254740992")),
            ("9007199254740995", Some("9007199254740996")),
            ("18446744073709550591", Some("18446744073709549568")),
            ("18446744073709551615", None),
            ("1e19", Some("10000000000000000000")),
            ("1e21", None),
            ("1e3", Some("1000")),
            ("1000.0", Some("1000")),
            ("1.5E+1", Some("15")),
            ("-0", Some("0")),
            ("-3", Some("-3.000000")),
            ("1.5", Some("1.500000")),
            ("1.0000000001", Some("1.000000")),
            ("0.1234567", Some("0.123457")),
            ("-0.00000049", Some("-0.000000")),
            ("1e-30", Some("0.000000")),
            ("0.9999995001", Some("1.000000")),
            ("4294967295.25", Some("4294967295.250000")),
            // In a double these show more digits, or less.
            ("4294967296.3", None),
            ("0.0000005", None),
            ("0.1234567890123456", None),
            ("1e-99999999999", None),
        ] {
            assert_eq!(written(json).as_deref(), header, "{json}");
        }
    }

    #[test]
    fn what_is_written_is_what_the_double_shows() {
        for json in ["1e19", "4294967295.3", "0.1", "123456.7890123", "99999999.9999999", "1.5e-7"]
        {
            let double: f64 = json.parse().unwrap();
            let shown = format!("{double:.6}");
            let whole = shown.strip_suffix(".000000").unwrap_or(&shown);
            assert!([Some(whole), Some(&*shown)].contains(&written(json).as_deref()), "{json}");
        }
    }
}
