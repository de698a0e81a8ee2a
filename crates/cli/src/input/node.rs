//! A document as it was written: values with the lines they stand on.

use core::fmt;
use std::rc::Rc;

use lychgate_core::json::{Bounds, JsonWriter};

use super::Text;

/// One document of a file.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) place: Place,
    pub(crate) root: Node,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Where the value is.
    pub(crate) mark: Mark,
    /// Where the name is under which an object has it; nowhere else is there one.
    pub(crate) name: Option<Mark>,
    pub(crate) value: Value,
}

/// A stretch of one line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in characters.
    pub(crate) column: usize,
    /// In characters; a value of several lines ends with its first.
    pub(crate) length: usize,
}

/// What a value is.
#[derive(Debug, Clone)]
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

    /// Where to look for what a JSON pointer (RFC 6901) names, or for the nearest value around it.
    pub(crate) fn mark_of(&self, pointer: &str) -> Mark {
        self.nearest(pointer).display_mark()
    }

    /// What a JSON pointer names, if it is there.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |node, token| node.child(&unescape(token)))
    }

    fn nearest(&self, pointer: &str) -> &Self {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            match node.child(&unescape(token)) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    /// A scalar is shown itself; a member that holds more is shown by its name.
    fn display_mark(&self) -> Mark {
        let holds_more = matches!(self.value, Value::Array(_) | Value::Object(_));
        match self.name {
            Some(name) if holds_more || name.line != self.mark.line => name,
            _ => self.mark,
        }
    }

    /// The elements, if this is a list.
    pub(crate) fn elements(&self) -> &[Self] {
        if let Value::Array(elements) = &self.value { elements } else { &[] }
    }

    /// The members, if this is an object.
    pub(crate) fn members(&self) -> &[(String, Self)] {
        if let Value::Object(members) = &self.value { members } else { &[] }
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

/// Where something stands: file, document of the file, line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Rc<Text>,
    /// Counted from 1; absent in files with one document.
    pub(crate) document: Option<usize>,
    pub(crate) mark: Option<Mark>,
}

impl Place {
    /// The whole of a file.
    pub(crate) fn whole(file: Rc<Text>) -> Self {
        Self { file, document: None, mark: None }
    }

    /// A place in something that is no file.
    pub(crate) fn unwritten(name: &str) -> Self {
        Self::whole(Rc::new(Text::new(name.to_owned(), String::new())))
    }

    /// The same file and document, at that mark if there is one.
    pub(crate) fn at(&self, mark: Option<Mark>) -> Self {
        let mark = mark.filter(|mark| mark.line > 0);
        Self { mark: mark.or(self.mark), ..self.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file.name)?;
        if let Some(mark) = self.mark {
            write!(f, ":{}", mark.line)?;
            if mark.column > 0 {
                write!(f, ":{}", mark.column)?;
            }
        }
        if let (Some(document), None) = (self.document, self.mark) {
            write!(f, " (document {document})")?;
        }
        Ok(())
    }
}
