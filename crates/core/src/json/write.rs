//! Writing JSON: the canonical text of a document, and records member by member.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::scan;
use super::value::{Value, View};
use crate::order;

// Texts, since a character would be encoded for each of the many that a record has.
const QUOTE: &str = "\"";
const COMMA: &str = ",";

/// Writes one JSON object or array at a time into a string, in the order of the calls.
///
/// Strings are escaped as RFC 8785 §3.2.2.2 does, so equal records are equal bytes.
#[derive(Debug, Default)]
pub struct JsonWriter {
    out: String,
    comma: bool,
}

impl JsonWriter {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty text with room for `bytes`.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), comma: false }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// Writes an object whose members `members` writes.
    pub fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.nested("{", "}", members);
    }

    /// Writes an array whose elements `elements` writes.
    pub fn array(&mut self, elements: impl FnOnce(&mut Self)) {
        self.nested("[", "]", elements);
    }

    /// Writes the name of a member; its value must follow.
    pub fn name(&mut self, name: &str) {
        self.separate();
        write_string(&mut self.out, name);
        self.out.push(':');
        self.comma = false;
    }

    /// Writes an array of strings, in as few pieces as there can be.
    pub fn strings<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        self.separate();
        let mut before = "[\"";
        for value in values {
            self.out.push_str(before);
            write_escaped(&mut self.out, value);
            before = "\",\"";
        }
        self.out.push_str(if before == "[\"" { "[]" } else { "\"]" });
    }

    /// Writes a string.
    pub fn string(&mut self, value: &str) {
        self.separate();
        write_string(&mut self.out, value);
    }

    /// Writes a whole number.
    #[inline(never)]
    pub fn number(&mut self, value: u64) {
        self.separate();
        write_number(&mut self.out, value);
    }

    /// Writes `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// Writes the name of a record's member, which needs no escape; its value must follow.
    #[inline(never)]
    pub fn label(&mut self, name: &'static str) {
        self.out.push_str(if self.comma { ",\"" } else { "\"" });
        self.out.push_str(name);
        self.out.push_str("\":");
        self.comma = false;
    }

    /// Writes a record's member that is a string.
    #[inline(never)]
    pub fn member(&mut self, name: &'static str, value: &str) {
        self.label(name);
        self.string(value);
    }

    /// Writes members that another writer wrote.
    pub(crate) fn members(&mut self, members: &str) {
        self.raw(members);
    }

    /// Writes a value of a document in its canonical form.
    pub fn value(&mut self, value: Value<'_>) {
        self.raw(&canonical(value));
    }

    /// One copy for the many places that write records.
    #[inline(never)]
    fn raw(&mut self, text: &str) {
        self.separate();
        self.out.push_str(text);
    }

    fn nested(&mut self, open: &str, close: &str, inside: impl FnOnce(&mut Self)) {
        self.raw(open);
        self.comma = false;
        inside(self);
        self.comma = false;
        self.raw(close);
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push_str(COMMA);
        }
        self.comma = true;
    }
}

/// Work that is left while a canonical text is written: a stack of its own, so nothing recurses.
enum Task<'a> {
    Value(Value<'a>),
    Name(&'a str),
    Text(&'static str),
}

/// A text as JSON writes it, for messages: Rust's own way would bring tables of all characters along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_string(&mut text, self.0);
        f.write_str(&text)
    }
}

pub(super) fn canonical(root: Value<'_>) -> String {
    let mut out = String::new();
    let mut tasks = Vec::from([Task::Value(root)]);
    while let Some(task) = tasks.pop() {
        match task {
            Task::Text(text) => out.push_str(text),
            Task::Name(name) => {
                write_string(&mut out, name);
                out.push(':');
            }
            Task::Value(value) => match value.view() {
                View::Null => out.push_str("null"),
                View::Bool(true) => out.push_str("true"),
                View::Bool(false) => out.push_str("false"),
                View::Number(number) => out.push_str(number.text()),
                View::String(text) => write_string(&mut out, text),
                View::Array(elements) => {
                    out.push('[');
                    tasks.push(Task::Text("]"));
                    let elements: Vec<_> = elements.collect();
                    for (index, element) in elements.into_iter().enumerate().rev() {
                        tasks.push(Task::Value(element));
                        if index > 0 {
                            tasks.push(Task::Text(","));
                        }
                    }
                }
                View::Object(members) => {
                    out.push('{');
                    tasks.push(Task::Text("}"));
                    let mut members: Vec<_> = members.collect();
                    order::sort_by(&mut members, |(a, _), (b, _)| a < b);
                    for (index, (name, value)) in members.into_iter().enumerate().rev() {
                        tasks.push(Task::Value(value));
                        tasks.push(Task::Name(name));
                        if index > 0 {
                            tasks.push(Task::Text(","));
                        }
                    }
                }
            },
        }
    }
    out
}

fn write_string(out: &mut String, text: &str) {
    out.push_str(QUOTE);
    write_escaped(out, text);
    out.push_str(QUOTE);
}

fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    // What needs an escape is ASCII, so a byte that does is a whole character.
    while let Some((plain, from)) = rest.split_at_checked(scan::plain_length(rest.as_bytes())) {
        out.push_str(plain);
        let mut characters = from.chars();
        let Some(character) = characters.next() else { break };
        write_escape(out, character);
        rest = characters.as_str();
    }
}

/// In decimal. Two numbers in each record are not worth the machinery of `fmt`.
fn write_number(out: &mut String, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' | (value % 10).to_le_bytes()[0];
        value /= 10;
        start = place;
        if value == 0 {
            break;
        }
    }
    let written = digits.get(start..).unwrap_or_default();
    out.push_str(core::str::from_utf8(written).unwrap_or_default());
}

fn write_escape(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        control => {
            // Writing to a String can't fail.
            let _ = write!(out, "\\u{:04x}", u32::from(control));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn a_number_is_written_in_decimal() {
        for number in [0, 9, 10, 99, 100, 1_763_820_000, u64::MAX / 10, u64::MAX] {
            let mut text = String::new();
            write_number(&mut text, number);
            assert_eq!(text, number.to_string());
        }
    }
}
