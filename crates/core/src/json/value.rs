//! A document that has been read, and views into it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::read::{self, Bounds, JsonError};
use super::write;

/// One JSON text, read whole. Owns its bytes; cheap to move, flat to drop.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) text: Box<str>,
    pub(super) unescaped: String,
    pub(super) tape: Vec<Node>,
}

/// A node of the tape. Children follow their parent; `end` is the index behind the last of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) end: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Span),
    String(Span),
    Unescaped(Span),
    Array,
    Object,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    fn length(self) -> usize {
        usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(usize::MAX)
    }

    fn bytes_of(self, text: &str) -> &[u8] {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let end = usize::try_from(self.end).unwrap_or(usize::MAX);
        text.as_bytes().get(start..end).unwrap_or_default()
    }

    #[inline(always)]
    fn of(self, text: &str) -> &str {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let end = usize::try_from(self.end).unwrap_or(usize::MAX);
        text.get(start..end).unwrap_or("")
    }
}

impl Document {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// [`JsonError`] says what was wrong and at which byte.
    pub fn parse(text: &[u8], bounds: &Bounds) -> Result<Self, JsonError> {
        read::check_size(text, bounds)?;
        read::read(text.to_vec(), bounds)
    }

    /// Reads one JSON text and keeps it.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn from_bytes(text: Vec<u8>, bounds: &Bounds) -> Result<Self, JsonError> {
        read::check_size(&text, bounds)?;
        read::read(text, bounds)
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// The value at a place that a value of this document had.
    pub(crate) fn at(&self, place: Place) -> Value<'_> {
        Value { document: self, index: place.0 }
    }

    /// The canonical text: members in byte order of their names, no white space, shortest escapes.
    #[must_use]
    pub fn canonical(&self) -> String {
        write::canonical(self.root())
    }

    /// How much memory the document has on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let tape = self.tape.capacity().saturating_mul(size_of::<Node>());
        self.text.len().saturating_add(self.unescaped.capacity()).saturating_add(tape)
    }

    /// Whether a node is this string.
    fn is_text(&self, kind: Kind, text: &str) -> bool {
        let (span, source) = match kind {
            Kind::String(span) => (span, &*self.text),
            Kind::Unescaped(span) => (span, &*self.unescaped),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array | Kind::Object => {
                return false;
            }
        };
        span.length() == text.len() && span.bytes_of(source) == text.as_bytes()
    }

    /// The bytes of a node that is a string, or none.
    #[inline(always)]
    fn bytes_of(&self, kind: Kind) -> &[u8] {
        match kind {
            Kind::String(span) => span.bytes_of(&self.text),
            Kind::Unescaped(span) => span.bytes_of(&self.unescaped),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array | Kind::Object => b"",
        }
    }

    /// The text of a node that is a string.
    #[inline(always)]
    fn text_of(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::String(span) => Some(span.of(&self.text)),
            Kind::Unescaped(span) => Some(span.of(&self.unescaped)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array | Kind::Object => None,
        }
    }

    #[inline(always)]
    fn node(&self, index: u32) -> Node {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.tape.get(index).copied().unwrap_or(Node { kind: Kind::Null, end: u32::MAX })
    }

    /// A member of an object by the index of its name; the name has no children, so its value is
    /// the next node.
    #[inline(always)]
    fn member(&self, index: u32) -> Option<&[Node; 2]> {
        self.tape.get(usize::try_from(index).ok()?..)?.first_chunk()
    }
}

/// A value inside a document.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    document: &'a Document,
    index: u32,
}

/// The place of a value in its document, for finding it again without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as text.
    Number(Number<'a>),
    /// A string, unescaped.
    String(&'a str),
    /// An array.
    Array(Array<'a>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// Where it is in its document.
    pub(crate) fn place(self) -> Place {
        Place(self.index)
    }

    /// What this value is.
    #[must_use]
    pub fn view(self) -> View<'a> {
        let node = self.document.node(self.index);
        let children = self.children(node);
        match node.kind {
            Kind::Null => View::Null,
            Kind::Bool(value) => View::Bool(value),
            Kind::Number(span) => View::Number(Number(span.of(&self.document.text))),
            Kind::String(span) => View::String(span.of(&self.document.text)),
            Kind::Unescaped(span) => View::String(span.of(&self.document.unescaped)),
            Kind::Array => View::Array(Array(children)),
            Kind::Object => View::Object(Object(children)),
        }
    }

    /// The string, if this is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        self.document.text_of(self.document.node(self.index).kind)
    }

    /// The object, if this is one.
    #[must_use]
    pub fn as_object(self) -> Option<Object<'a>> {
        let node = self.document.node(self.index);
        matches!(node.kind, Kind::Object).then(|| Object(self.children(node)))
    }

    /// The array, if this is one.
    #[must_use]
    pub fn as_array(self) -> Option<Array<'a>> {
        let node = self.document.node(self.index);
        matches!(node.kind, Kind::Array).then(|| Array(self.children(node)))
    }

    /// The text of the number, if this is one.
    pub(crate) fn as_digits(self) -> Option<&'a [u8]> {
        match self.document.node(self.index).kind {
            Kind::Number(span) => Some(span.bytes_of(&self.document.text)),
            Kind::Null
            | Kind::Bool(_)
            | Kind::String(_)
            | Kind::Unescaped(_)
            | Kind::Array
            | Kind::Object => None,
        }
    }

    #[inline(always)]
    fn children(self, node: Node) -> Children<'a> {
        Children { document: self.document, next: self.index.saturating_add(1), end: node.end }
    }
}

/// A number's text, already checked against the grammar of RFC 8259 §6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(pub(super) &'a str);

impl<'a> Number<'a> {
    /// The text as it was written.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.0
    }
}

#[derive(Debug, Clone, Copy)]
struct Children<'a> {
    document: &'a Document,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value { document: self.document, index: self.next };
        self.next = self.document.node(self.next).end;
        Some(value)
    }
}

/// The elements of an array, in order.
#[derive(Debug, Clone, Copy)]
pub struct Array<'a>(Children<'a>);

impl<'a> Iterator for Array<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.0.next()
    }
}

/// The members of an object, in the order of the text; names are unique.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a>(Children<'a>);

impl<'a> Object<'a> {
    /// The member of that exact name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        let Children { document, mut next, end } = self.0;
        while next < end {
            let [member, value] = document.member(next)?;
            if document.is_text(member.kind, name) {
                return Some(Value { document, index: next.saturating_add(1) });
            }
            next = value.end;
        }
        None
    }

    /// Shows each member, its name as bytes.
    pub(crate) fn each(mut self, mut look: impl FnMut(&'a [u8], Value<'a>)) {
        while let Some((name, value)) = self.step() {
            look(value.document.bytes_of(name), value);
        }
    }

    #[inline(always)]
    fn step(&mut self) -> Option<(Kind, Value<'a>)> {
        let Children { document, next, end } = &mut self.0;
        if *next >= *end {
            return None;
        }
        let [name, value] = document.member(*next)?;
        let index = next.saturating_add(1);
        *next = value.end;
        Some((name.kind, Value { document, index }))
    }
}

impl<'a> Iterator for Object<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.step()?;
        Some((value.document.text_of(name).unwrap_or(""), value))
    }
}
