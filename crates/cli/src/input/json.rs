//! JSON files, read by core's own strict reader.

use lychgate_core::json::{self, Bounds, Document as Parsed, JsonError, View};

use super::{DEPTH, Document, Mark, Node, Place, SourceFile, Value};
use crate::error::{CliError, Problem};

/// A bundle is itself such a file, with its resources two levels down.
const BOUNDS: Bounds = Bounds {
    bytes: lychgate_core::limits::BUNDLE_BYTES,
    depth: lychgate_core::limits::BUNDLE_JSON.depth,
    members: lychgate_core::limits::BUNDLE_JSON.members,
};

pub(super) fn read(file: &SourceFile) -> Result<Vec<Document>, CliError> {
    let place = Place::whole(file.file.clone());
    let text = &file.file.text;
    let parsed = Parsed::parse(text.as_bytes(), &BOUNDS).map_err(|error| {
        let mark = offset(&error).and_then(|at| mark_at(text, at));
        CliError::input(place.at(mark), Problem::Json(error))
    })?;
    let root = Walk::of(text).value(parsed.root(), DEPTH.saturating_mul(2));
    Ok(vec![Document { place, root }])
}

/// Goes through a text that is known to be JSON, side by side with what was read from it, to say
/// where each value stands.
struct Walk<'a> {
    rest: core::iter::Peekable<core::str::Chars<'a>>,
    line: usize,
    column: usize,
}

impl<'a> Walk<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), line: 1, column: 1 }
    }

    /// Depth is bounded by the reader, so this recursion is, too.
    fn value(&mut self, value: json::Value<'_>, deeper: usize) -> Node {
        self.skip_space();
        let begin = (self.line, self.column);
        let inner = deeper.saturating_sub(1);
        let value = match value.view() {
            View::Array(elements) if deeper > 0 => {
                self.step();
                let element = |element| {
                    let node = self.value(element, inner);
                    self.skip_past(',');
                    node
                };
                let elements = elements.map(element).collect();
                self.skip_past(']');
                Value::Array(elements)
            }
            View::Object(members) if deeper > 0 => {
                self.step();
                let members = members.map(|(name, value)| self.member(name, value, inner));
                let members = members.collect();
                self.skip_past('}');
                Value::Object(members)
            }
            View::Array(_) | View::Object(_) | View::Null => self.scalar(Value::Null),
            View::Bool(value) => self.scalar(Value::Bool(value)),
            View::Number(number) => self.scalar(Value::Number(number.text().to_owned())),
            View::String(text) => self.scalar(Value::String(text.to_owned())),
        };
        Node { mark: self.mark_from(begin), name: None, value }
    }

    fn member(&mut self, name: &str, value: json::Value<'_>, deeper: usize) -> (String, Node) {
        self.skip_space();
        let begin = (self.line, self.column);
        self.skip_scalar();
        let mark = self.mark_from(begin);
        self.skip_past(':');
        let mut node = self.value(value, deeper);
        node.name = Some(mark);
        self.skip_past(',');
        (name.to_owned(), node)
    }

    fn scalar(&mut self, value: Value) -> Value {
        self.skip_scalar();
        value
    }

    /// A string with its quotes, or everything up to the next delimiter.
    fn skip_scalar(&mut self) {
        if self.rest.peek() != Some(&'"') {
            let ends = |c: &char| matches!(c, ',' | ']' | '}' | ':') || c.is_ascii_whitespace();
            while self.rest.peek().is_some_and(|c| !ends(c)) {
                self.step();
            }
            return;
        }
        self.step();
        while let Some(character) = self.step() {
            match character {
                '\\' => {
                    self.step();
                }
                '"' => return,
                _ => {}
            }
        }
    }

    fn skip_space(&mut self) {
        while self.rest.peek().is_some_and(char::is_ascii_whitespace) {
            self.step();
        }
    }

    /// Past a delimiter, if it is next.
    fn skip_past(&mut self, delimiter: char) {
        self.skip_space();
        if self.rest.peek() == Some(&delimiter) {
            self.step();
        }
    }

    fn step(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            self.line = self.line.saturating_add(1);
            self.column = 1;
        } else {
            self.column = self.column.saturating_add(1);
        }
        Some(character)
    }

    fn mark_from(&self, (line, column): (usize, usize)) -> Mark {
        let length = if line == self.line { self.column.saturating_sub(column) } else { 1 };
        Mark { line, column, length }
    }
}

/// The byte that an error is about.
fn offset(error: &JsonError) -> Option<usize> {
    if let JsonError::NotUtf8 { at }
    | JsonError::Syntax { at }
    | JsonError::Duplicate { at }
    | JsonError::TooDeep { at }
    | JsonError::TooWide { at }
    | JsonError::NumberTooLong { at } = error
    {
        Some(*at)
    } else {
        None
    }
}

fn mark_at(text: &str, at: usize) -> Option<Mark> {
    let before = text.get(..at)?;
    let line = before.matches('\n').count().checked_add(1)?;
    let column = before.rsplit('\n').next()?.chars().count().checked_add(1)?;
    Some(Mark { line, column, length: 1 })
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Text};
    use super::*;

    #[test]
    fn every_value_of_a_json_file_has_its_place() {
        let text =
            "{\n  \"a\": [1, {\"b\\\"é\": [ ], \"c\" : \"x,]\"}, [[2]], null],\n\n \"d\":true }";
        let file = Text::new("a.json".into(), text.into());
        let file = SourceFile { format: Format::Json, file: std::rc::Rc::new(file) };
        let documents = read(&file).unwrap();
        let root = &documents.first().unwrap().root;
        let mark = |line, column, length| Mark { line, column, length };
        for (pointer, expected) in [
            ("", mark(1, 1, 1)),
            ("/a", mark(2, 3, 3)),
            ("/a/0", mark(2, 9, 1)),
            ("/a/1", mark(2, 12, 26)),
            ("/a/1/b\"é", mark(2, 13, 6)),
            ("/a/1/c", mark(2, 32, 5)),
            ("/a/2/0/0", mark(2, 42, 1)),
            ("/a/3", mark(2, 47, 4)),
            ("/a/9", mark(2, 3, 3)),
            ("/d", mark(4, 6, 4)),
        ] {
            assert_eq!(root.mark_of(pointer), expected, "{pointer}");
        }
    }
}
