//! The identifier under which a request is found again in logs and traces.

use crate::ascii::Class;
use crate::request::Headers;

/// The correlation id that a request brings along: the trace id of `traceparent`, else that of B3,
/// else `x-request-id`.
///
/// A header that stands twice or breaks its grammar counts as absent, so that nothing else can
/// reach a log. The id says nothing about who sent it.
#[must_use]
#[inline]
pub fn correlation_id(headers: Headers<'_>) -> Option<&str> {
    let lines = headers.only_lines(["traceparent", "b3", "x-b3-traceid", "x-request-id"]);
    let [parent, single, trace, request] = lines;
    let read = |value: Option<_>, parse: fn(&str) -> Option<&str>| {
        value.and_then(|value| core::str::from_utf8(value).ok()).and_then(parse)
    };
    read(parent, traceparent)
        .or_else(|| read(single, b3))
        .or_else(|| read(trace, trace_id))
        .or_else(|| read(request, request_id))
}

/// The trace id of [W3C Trace Context §3.2](https://www.w3.org/TR/trace-context/#traceparent-header);
/// later versions may add fields at the end.
fn traceparent(value: &str) -> Option<&str> {
    let mut fields = value.splitn(5, '-');
    let version = fields.next().filter(|field| is_hex(field, 2) && *field != "ff")?;
    let trace = fields.next().filter(|field| is_hex(field, 32) && !is_zero(field))?;
    fields.next().filter(|field| is_hex(field, 16) && !is_zero(field))?;
    fields.next().filter(|field| is_hex(field, 2))?;
    if version == "00" && fields.next().is_some() { None } else { Some(trace) }
}

/// The trace id of the [single B3 header](https://github.com/openzipkin/b3-propagation#single-header):
/// trace, span, and optionally a sampling state and the parent span.
fn b3(value: &str) -> Option<&str> {
    let mut fields = value.split('-');
    let trace = fields.next().and_then(trace_id)?;
    fields.next().filter(|field| is_hex(field, 16))?;
    let state = fields.next().is_none_or(|field| matches!(field, "0" | "1" | "d"));
    let parent = fields.next().is_none_or(|field| is_hex(field, 16));
    if state && parent && fields.next().is_none() { Some(trace) } else { None }
}

/// A trace id of 64 or 128 bits.
fn trace_id(value: &str) -> Option<&str> {
    let is_id = (is_hex(value, 32) || is_hex(value, 16)) && !is_zero(value);
    is_id.then_some(value)
}

/// An identifier of 1 to 128 letters, digits, dots, dashes, underscores and colons.
#[inline]
fn request_id(value: &str) -> Option<&str> {
    let fits = (1..=128).contains(&value.len()) && Class::REQUEST_ID.has_all(value.as_bytes());
    fits.then_some(value)
}

fn is_hex(field: &str, length: usize) -> bool {
    field.len() == length && Class::LOWER_HEX.has_all(field.as_bytes())
}

fn is_zero(field: &str) -> bool {
    field.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;
    use crate::request::HeaderLine;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn id(lines: &[(&str, &str)]) -> Option<String> {
        let lines: Vec<_> = lines
            .iter()
            .map(|(name, value)| HeaderLine { name: name.as_bytes(), value: value.as_bytes() })
            .collect();
        correlation_id(Headers::new(&lines)).map(String::from)
    }

    #[test]
    fn traceparent_goes_before_b3_and_b3_before_the_request_id() {
        let parent = alloc::format!("00-{TRACE}-{SPAN}-01");
        let single = alloc::format!("{SPAN}-{SPAN}");
        let all = [
            ("x-request-id", "r"),
            ("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"),
            ("b3", &single),
            ("traceparent", &parent),
        ];
        assert_eq!(id(&all).as_deref(), Some(TRACE));
        assert_eq!(id(&all[..3]).as_deref(), Some(SPAN));
        assert_eq!(id(&all[..2]).as_deref(), Some("463ac35c9f6413ad48485a3953bb6124"));
        assert_eq!(id(&all[..1]).as_deref(), Some("r"));
        assert_eq!(id(&[]), None);
    }

    #[test]
    fn a_traceparent_that_breaks_its_grammar_is_absent() {
        let zeros = "0".repeat(32);
        let upper = TRACE.to_ascii_uppercase();
        for value in [
            String::new(),
            alloc::format!("00-{TRACE}-{SPAN}"),
            alloc::format!("00-{TRACE}-{SPAN}-1"),
            alloc::format!("00-{TRACE}-{SPAN}-01-x"),
            alloc::format!("ff-{TRACE}-{SPAN}-01"),
            alloc::format!("0-{TRACE}-{SPAN}-01"),
            alloc::format!("00-{zeros}-{SPAN}-01"),
            alloc::format!("00-{TRACE}-0000000000000000-01"),
            alloc::format!("00-{upper}-{SPAN}-01"),
            alloc::format!("00-{TRACE}a-{SPAN}-01"),
        ] {
            assert_eq!(id(&[("traceparent", &value)]), None, "{value}");
        }
        let later = alloc::format!("01-{TRACE}-{SPAN}-01-more");
        assert_eq!(id(&[("traceparent", &later)]).as_deref(), Some(TRACE));
    }

    #[test]
    fn b3_has_two_to_four_fields() {
        for (value, is_id) in [
            (alloc::format!("{TRACE}-{SPAN}-1-{SPAN}"), true),
            (alloc::format!("{TRACE}-{SPAN}-d"), true),
            (alloc::format!("{TRACE}-{SPAN}"), true),
            (String::from(TRACE), false),
            (String::from("0"), false),
            (alloc::format!("{TRACE}-{SPAN}-2"), false),
            (alloc::format!("{TRACE}-{SPAN}-1-{SPAN}-x"), false),
            (alloc::format!("{TRACE}-x"), false),
            (alloc::format!("0000000000000000-{SPAN}"), false),
        ] {
            assert_eq!(id(&[("b3", &value)]).is_some(), is_id, "{value}");
        }
    }

    #[test]
    fn a_request_id_has_1_to_128_harmless_characters() {
        assert!(id(&[("x-request-id", "a.B_0:-")]).is_some());
        assert!(id(&[("x-request-id", &"a".repeat(128))]).is_some());
        let long = "a".repeat(129);
        for value in ["", "a b", "a\nb", "a\"b", "ä", &long] {
            assert_eq!(id(&[("x-request-id", value)]), None, "{value:?}");
        }
    }

    #[test]
    fn a_header_that_stands_twice_is_absent() {
        assert_eq!(id(&[("x-request-id", "a"), ("x-request-id", "a")]), None);
    }
}
