//! A document as it was written: values with the lines they stand on.

use core::fmt;
use std::rc::Rc;

use lychgate_core::json::{Bounds, JsonWriter};

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) place: Place,
    pub(crate) root: Node,
}

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    /// Counted from 1; JSON files have no lines.
    pub(crate) line: Option<usize>,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number in the grammar of JSON, as text.
    Number(String),
    String(String),
    Array(Vec<Node>),
    /// Members in the order of the text; names are unique.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The member of that name, if this is an object that has one.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Value::Object(members) = &self.value else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The string, if this is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text) } else { None }
    }

    /// The line of what a JSON pointer (RFC 6901) names, or of the nearest value around it.
    pub(crate) fn line_of(&self, pointer: &str) -> Option<usize> {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            match node.child(&unescape(token)) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.line
    }

    fn child(&self, token: &str) -> Option<&Self> {
        match &self.value {
            Value::Object(_) => self.get(token),
            Value::Array(elements) => elements.get(token.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    /// Writes this value as JSON.
    pub(crate) fn write(&self, writer: &mut JsonWriter) {
        match &self.value {
            Value::Null => writer.null(),
            Value::Bool(value) => writer.boolean(*value),
            Value::Number(text) => write_number(writer, text),
            Value::String(text) => writer.string(text),
            Value::Array(elements) => writer.array(|writer| {
                for element in elements {
                    element.write(writer);
                }
            }),
            Value::Object(members) => writer.object(|writer| {
                for (name, value) in members {
                    writer.name(name);
                    value.write(writer);
                }
            }),
        }
    }
}

/// Writes a number as it was written; a text that is none can't be here, and would be `null`.
fn write_number(writer: &mut JsonWriter, text: &str) {
    match lychgate_core::json::Document::parse(text.as_bytes(), &NUMBER) {
        Ok(document) => writer.value(document.root()),
        Err(_) => writer.null(),
    }
}

/// One number.
const NUMBER: Bounds = Bounds { bytes: 32, depth: 1, members: 1 };

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Where something stands: file, document of the file, line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Rc<str>,
    /// Counted from 1; absent in files with one document.
    pub(crate) document: Option<usize>,
    pub(crate) line: Option<usize>,
}

impl Place {
    /// The same file and document, at that line if it is known.
    pub(crate) fn at(&self, line: Option<usize>) -> Self {
        Self { line: line.or(self.line), ..self.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(document) = self.document {
            write!(f, " (document {document})")?;
        }
        Ok(())
    }
}
