//! Documents that people write, each defined once: [`record!`] and [`words!`] make of one definition
//! the type, the reader that says where a document is wrong, and the JSON Schema for editors.

mod schema;
mod values;

use crate::error::{CliError, Problem};
use crate::input::{Mark, Node, Place, Value};

pub(crate) use schema::{Definitions, Property};
pub(crate) use values::{Json, Map, Nullable, OneOrMany};

/// Something that a document can hold.
pub(crate) trait Shape: Sized {
    /// Reads it; refuses another shape, unknown members and missing ones.
    fn read(node: &Node) -> Result<Self, ShapeError>;

    /// Its JSON Schema (draft 2020-12); named types add themselves to the definitions.
    fn schema(definitions: &mut Definitions) -> serde_json::Value;
}

/// One of some words.
pub(crate) trait Word {
    /// As documents write it.
    fn word(self) -> &'static str;
}

/// Where a document has another shape than it should, and what should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShapeError {
    mark: Mark,
    message: String,
}

impl ShapeError {
    pub(crate) fn new(node: &Node, message: impl Into<String>) -> Self {
        Self { mark: node.mark, message: message.into() }
    }

    pub(crate) fn expected(node: &Node, what: &str) -> Self {
        Self::new(node, format!("{what} is needed here, and this is {}", kind(node)))
    }

    /// The error with the file in which it is.
    pub(crate) fn in_place(self, place: &Place) -> CliError {
        CliError::input(place.at(Some(self.mark)), Problem::Shape(self.message))
    }
}

fn kind(node: &Node) -> &'static str {
    match node.value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The members of one object, none of them unknown.
pub(crate) struct Fields<'a>(&'a Node);

impl<'a> Fields<'a> {
    pub(crate) fn of(node: &'a Node, known: &[&str]) -> Result<Self, ShapeError> {
        if !matches!(node.value, Value::Object(_)) {
            return Err(ShapeError::expected(node, "an object"));
        }
        for (name, value) in node.members() {
            if !known.contains(&name.as_str()) {
                let mark = value.name.unwrap_or(value.mark);
                let message = format!("unknown field `{name}`{}", advice(name, known));
                return Err(ShapeError { mark, message });
            }
        }
        Ok(Self(node))
    }

    pub(crate) fn required<T: Shape>(&self, name: &str) -> Result<T, ShapeError> {
        match self.0.get(name) {
            Some(node) => T::read(node),
            None => Err(ShapeError::new(self.0, format!("the field `{name}` is missing"))),
        }
    }

    /// What is absent or `null` has its default.
    pub(crate) fn optional<T: Shape + Default>(&self, name: &str) -> Result<T, ShapeError> {
        match self.0.get(name) {
            Some(node) if !matches!(node.value, Value::Null) => T::read(node),
            _ => Ok(T::default()),
        }
    }
}

/// The known name that was probably meant, or all of them.
fn advice(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|word| (distance(name, word), word)).min();
    match near {
        Some((distance, word)) if distance <= 2 => format!("; did you mean `{word}`?"),
        _ => format!("; known are {}", known.join(", ")),
    }
}

/// How many letters to insert, remove or replace (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().take(64).enumerate() {
        let mut next = vec![i.saturating_add(1)];
        for ((same, above), diagonal) in
            other.iter().map(|c| *c == letter).zip(row.iter().skip(1)).zip(&row)
        {
            let left = next.last().copied().unwrap_or_default();
            let step = left.min(*above).saturating_add(1);
            next.push(step.min(diagonal.saturating_add(usize::from(!same))));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// An object with named members: `field: Type = required "name"` or `= optional "name"`.
macro_rules! record {
    (
        $(#[doc = $doc:literal])+
        $vis:vis struct $type:ident {
            $(
                $(#[doc = $field_doc:literal])+
                $field:ident: $field_type:ty = $presence:ident $name:literal,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default)]
        $vis struct $type {
            $(
                $(#[doc = $field_doc])+
                $vis $field: $field_type,
            )+
        }

        impl $crate::shape::Shape for $type {
            fn read(node: &$crate::input::Node) -> Result<Self, $crate::shape::ShapeError> {
                let fields = $crate::shape::Fields::of(node, &[$($name),+])?;
                Ok(Self { $($field: fields.$presence($name)?,)+ })
            }

            fn schema(definitions: &mut $crate::shape::Definitions) -> serde_json::Value {
                definitions.record(stringify!($type), &[$($doc),+], |definitions| {
                    vec![$($crate::shape::Property {
                        name: $name,
                        doc: &[$($field_doc),+],
                        required: stringify!($presence) == "required",
                        schema: <$field_type as $crate::shape::Shape>::schema(definitions),
                    }),+]
                })
            }
        }
    };
}

/// One of some words.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $vis:vis enum $type:ident {
            $(
                $(#[doc = $word_doc:literal])+
                $variant:ident = $word:literal,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $type {
            $(
                $(#[doc = $word_doc])+
                $variant,
            )+
        }

        impl $crate::shape::Word for $type {
            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::shape::Shape for $type {
            fn read(node: &$crate::input::Node) -> Result<Self, $crate::shape::ShapeError> {
                match node.as_str() {
                    $(Some($word) => Ok(Self::$variant),)+
                    _ => Err($crate::shape::ShapeError::new(
                        node,
                        concat!("one of" $(, " `", $word, "`")+, " is needed here"),
                    )),
                }
            }

            fn schema(definitions: &mut $crate::shape::Definitions) -> serde_json::Value {
                definitions.words(
                    stringify!($type),
                    &[$($doc),+],
                    &[$(($word, &[$($word_doc),+])),+],
                )
            }
        }
    };
}

pub(crate) use {record, words};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Format, SourceFile, Text};

    record! {
        /// A thing.
        struct Thing {
            /// Its name.
            name: String = required "name",
            /// How many.
            count: Option<u16> = optional "count",
            /// Of which sort.
            sorts: Vec<Sort> = optional "sorts",
        }
    }

    words! {
        /// A sort.
        enum Sort {
            /// The one.
            One = "one",
            /// The other.
            Other = "other",
        }
    }

    fn read(text: &str) -> Result<Thing, String> {
        let file = Text::new("a.yaml".into(), text.into());
        let file = SourceFile { format: Format::Yaml, file: std::rc::Rc::new(file) };
        let document = input::documents(&file).unwrap().pop().unwrap();
        Thing::read(&document.root).map_err(|error| error.in_place(&document.place).to_string())
    }

    #[test]
    fn a_record_reads_what_it_defines() {
        let thing = read("name: x\nsorts: [one, other]\n").unwrap();
        assert_eq!((thing.name.as_str(), thing.count), ("x", None));
        assert_eq!(
            thing.sorts.iter().map(|sort| sort.word()).collect::<Vec<_>>(),
            ["one", "other"]
        );
        assert_eq!(read("name: x\ncount: 65535\nsorts:\n").unwrap().count, Some(65535));
    }

    #[test]
    fn another_shape_is_refused_with_its_place() {
        for (text, expected) in [
            ("[]", "a.yaml:1:1: an object is needed here, and this is a list"),
            ("count: 1\n", "the field `name` is missing"),
            ("name: 1\n", "a.yaml:1:7: a string is needed here, and this is a number"),
            ("name: x\ncount: 65536\n", "a.yaml:2:8: a whole number up to 65535"),
            ("name: x\ncount: -1\n", "whole number"),
            ("name: x\nsort: []\n", "a.yaml:2:1: unknown field `sort`; did you mean `sorts`?"),
            ("name: x\ncolour: red\n", "known are name, count, sorts"),
            ("name: x\nsorts: [one,\n  two]\n", "a.yaml:3:3: one of `one` `other` is needed here"),
        ] {
            let message = read(text).map(|thing| thing.name).unwrap_err();
            assert!(message.contains(expected), "{text:?} gave {message}");
        }
    }

    #[test]
    fn the_schema_says_the_same_as_the_reader() {
        let mut definitions = Definitions::default();
        let root = Thing::schema(&mut definitions);
        assert_eq!(root, serde_json::json!({ "$ref": "#/$defs/Thing" }));
        let all = definitions.finish();
        assert_eq!(all["Thing"]["required"], serde_json::json!(["name"]));
        assert_eq!(all["Thing"]["additionalProperties"], serde_json::json!(false));
        assert_eq!(all["Thing"]["properties"]["count"]["maximum"], serde_json::json!(65535));
        assert_eq!(all["Thing"]["properties"]["name"]["description"], "Its name.");
        assert_eq!(all["Sort"]["enum"], serde_json::json!(["one", "other"]));
    }
}
