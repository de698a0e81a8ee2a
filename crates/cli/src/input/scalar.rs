//! What a plain YAML scalar is.
//!
//! YAML 1.1 and 1.2 read some words differently, and kubectl reads 1.1: `no` is false there, and
//! `010` is 8. A policy must not mean one thing here and another in the cluster, so such a word is
//! refused and the message says to quote it. Whatever both read alike is read as both do.

use super::Value;
use crate::error::Problem;

/// The value of a plain (unquoted) scalar.
///
/// # Errors
/// [`Problem::Ambiguous`] for a word that YAML 1.1 and 1.2 read differently.
pub(super) fn plain(text: &str) -> Result<Value, Problem> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Ok(Value::Null),
        "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
        "=" => Err(ambiguous(text, "YAML 1.1 reads it as a default value")),
        _ if is_old_boolean(text) => Err(ambiguous(text, "YAML 1.1 reads it as a boolean")),
        _ if is_number(text) => Ok(Value::Number(text.to_owned())),
        _ if looks_numeric(text) => Err(ambiguous(
            text,
            "YAML 1.1 reads it as another number, or as one where 1.2 does not",
        )),
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn ambiguous(text: &str, why: &'static str) -> Problem {
    Problem::Ambiguous { text: text.to_owned(), why }
}

fn is_old_boolean(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether the text is a number in the grammar of JSON (RFC 8259 §6), which both versions share.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|digits| digits.strip_prefix(['+', '-']).unwrap_or(digits));
    (whole == "0" || (is_digits(whole) && !whole.starts_with('0')))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}

/// Whether some version of YAML may take the text for a number although JSON does not.
fn looks_numeric(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let word = unsigned.to_ascii_lowercase();
    if matches!(word.as_str(), ".inf" | ".nan") {
        return true;
    }
    let digits = |rest: &str, radix: u32| {
        !rest.is_empty() && rest.chars().all(|c| c == '_' || c.is_digit(radix))
    };
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    if radix
        .iter()
        .any(|(prefix, radix)| word.strip_prefix(prefix).is_some_and(|rest| digits(rest, *radix)))
    {
        return true;
    }
    is_loose_decimal(&word) || is_sexagesimal(&word)
}

/// `010`, `1_000`, `.5`, `5.`, `+1`, `1_0.5e+3`.
fn is_loose_decimal(word: &str) -> bool {
    let (mantissa, exponent) = word.split_once('e').unwrap_or((word, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let mut points = 0_usize;
    let fits = mantissa.chars().all(|c| {
        points = points.saturating_add(usize::from(c == '.'));
        c.is_ascii_digit() || c == '_' || c == '.'
    });
    let begins = mantissa.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    begins
        && fits
        && points <= 1
        && mantissa.contains(|c: char| c.is_ascii_digit())
        && is_digits(exponent)
}

/// `12:30:45`, which YAML 1.1 reads to the base of 60.
fn is_sexagesimal(word: &str) -> bool {
    let mut parts = word.split(':');
    let first = parts.next().unwrap_or("");
    let mut more = false;
    let fits = parts.all(|part| {
        more = true;
        !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'))
    });
    fits && more && is_digits(&first.replace('_', ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_versions_read_alike_is_read() {
        for text in ["", "~", "null"] {
            assert!(matches!(plain(text), Ok(Value::Null)), "{text}");
        }
        assert!(matches!(plain("true"), Ok(Value::Bool(true))));
        assert!(matches!(plain("FALSE"), Ok(Value::Bool(false))));
        for text in ["0", "-1", "8080", "1.5", "1e3", "-0.1E-2"] {
            assert!(matches!(plain(text), Ok(Value::Number(number)) if number == text), "{text}");
        }
    }

    #[test]
    fn words_are_strings() {
        for text in [
            "GET",
            "/api/*",
            "*",
            "cluster.local/ns/a/sa/b",
            "nothing",
            "yesterday",
            "tRue",
            "10.0.0.0/8",
            "2001:db8::/32",
            "::1",
            "example.com:8080",
            "2026-11-22",
            "0xyz",
            "1.2.3",
            "e3",
            "-",
            "a=b",
            "_1",
            "1h",
            "v1",
        ] {
            assert!(matches!(plain(text), Ok(Value::String(word)) if word == text), "{text}");
        }
    }

    #[test]
    fn words_that_two_versions_read_differently_are_refused() {
        for text in [
            "y", "N", "yes", "No", "ON", "off", "010", "-007", "0o17", "0x1F", "0b11", "1_000",
            "+1", ".5", "5.", "1:30", "12:30:45", ".inf", "-.INF", ".NaN", "=", "1_0e3", "00",
            "+.5",
        ] {
            assert!(matches!(plain(text), Err(Problem::Ambiguous { .. })), "{text}");
        }
    }
}
