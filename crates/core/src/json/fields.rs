//! From a document to typed data, member by member, with a JSON Pointer (RFC 6901) in every error.
//!
//! No generics where they can be helped: a bundle is read once, and code that runs once should be
//! small.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::value::{Object, Value, View};
use super::write::Quoted;

/// Why a document does not have the shape that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    pointer: String,
    message: String,
}

impl DecodeError {
    /// The place, as a JSON Pointer (RFC 6901); empty for the whole document.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What is wrong there.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { pointer: String::new(), message: message.into() }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn below(mut self, segment: &str) -> Self {
        let segment = segment.replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &segment);
        self.pointer.insert(0, '/');
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.message, Quoted(&self.pointer))
    }
}

impl core::error::Error for DecodeError {}

/// How a value becomes a `T`.
pub(crate) type Read<'a, T> = fn(Value<'a>) -> Result<T, DecodeError>;

/// The members of one object.
///
/// `null` is the same as absent only where a member is optional.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(Object<'a>);

impl<'a> Fields<'a> {
    /// An object that has no other members than the `known` ones.
    #[inline(never)]
    pub(crate) fn closed(value: Value<'a>, known: &[&str]) -> Result<Self, DecodeError> {
        let fields = Self::open(value)?;
        for (name, _) in fields.0 {
            if !known.contains(&name) {
                let message = format!("unknown field `{name}`, expected {}", one_of(known));
                return Err(DecodeError::new(message).below(name));
            }
        }
        Ok(fields)
    }

    /// An object of which only some members are read.
    pub(crate) fn open(value: Value<'a>) -> Result<Self, DecodeError> {
        value.as_object().map(Self).ok_or_else(|| value.mismatch("an object"))
    }

    /// Whether the member is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !matches!(value.view(), View::Null))
    }

    /// A member that must be there.
    #[inline(never)]
    pub(crate) fn required<T>(&self, name: &str, read: Read<'a, T>) -> Result<T, DecodeError> {
        match self.member(name, read)? {
            Some(value) => Ok(value),
            None => Err(DecodeError::new(format!("missing field `{name}`"))),
        }
    }

    /// A member that may be absent or `null`.
    #[inline(never)]
    pub(crate) fn optional<T>(
        &self,
        name: &str,
        read: Read<'a, T>,
    ) -> Result<Option<T>, DecodeError> {
        if self.has(name) { self.member(name, read) } else { Ok(None) }
    }

    /// A member that may be absent.
    #[inline(never)]
    pub(crate) fn member<T>(
        &self,
        name: &str,
        read: Read<'a, T>,
    ) -> Result<Option<T>, DecodeError> {
        match self.0.get(name) {
            Some(value) => read(value).map(Some).map_err(|error| error.below(name)),
            None => Ok(None),
        }
    }

    /// A string that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<String, DecodeError> {
        self.required(name, Value::string)
    }

    /// A string, empty when absent.
    pub(crate) fn text_or_empty(&self, name: &str) -> Result<String, DecodeError> {
        Ok(self.member(name, Value::string)?.unwrap_or_default())
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, DecodeError> {
        Ok(self.member(name, Value::flag)?.unwrap_or(default))
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str, default: u64) -> Result<u64, DecodeError> {
        Ok(self.member(name, Value::whole_number)?.unwrap_or(default))
    }

    /// A list of strings, empty when absent.
    #[inline(never)]
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, DecodeError> {
        self.list(name, Value::string)
    }

    /// A list, empty when absent.
    #[inline(never)]
    pub(crate) fn list<T>(&self, name: &str, read: Read<'a, T>) -> Result<Vec<T>, DecodeError> {
        let mut list = Vec::new();
        self.each(name, &mut |element| {
            list.push(read(element)?);
            Ok(())
        })?;
        Ok(list)
    }

    /// Walks a list, for [`list`](Self::list): one copy, whatever the elements become.
    #[inline(never)]
    fn each(
        &self,
        name: &str,
        read: &mut dyn FnMut(Value<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let Some(value) = self.0.get(name) else { return Ok(()) };
        let elements = value.as_array().ok_or_else(|| value.mismatch("a list").below(name))?;
        for (index, element) in elements.enumerate() {
            read(element).map_err(|error| error.below(&index.to_string()).below(name))?;
        }
        Ok(())
    }

    /// A list that may be absent or `null`, which may mean something else than an empty one.
    pub(crate) fn optional_list<T>(
        &self,
        name: &str,
        read: Read<'a, T>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        self.has(name).then(|| self.list(name, read)).transpose()
    }

    /// An object with names of its own, empty when absent.
    #[inline(never)]
    pub(crate) fn map<T>(
        &self,
        name: &str,
        read: Read<'a, T>,
    ) -> Result<Vec<(String, T)>, DecodeError> {
        let Some(value) = self.0.get(name) else { return Ok(Vec::new()) };
        let members = value.as_object();
        let members = members.ok_or_else(|| value.mismatch("an object").below(name))?;
        let mut map = Vec::new();
        for (key, value) in members {
            let value = read(value).map_err(|error| error.below(key).below(name))?;
            map.push((String::from(key), value));
        }
        Ok(map)
    }
}

impl Value<'_> {
    pub(crate) fn string(self) -> Result<String, DecodeError> {
        self.as_str().map(String::from).ok_or_else(|| self.mismatch("a string"))
    }

    pub(crate) fn flag(self) -> Result<bool, DecodeError> {
        match self.view() {
            View::Bool(value) => Ok(value),
            View::Null | View::Number(_) | View::String(_) | View::Array(_) | View::Object(_) => {
                Err(self.mismatch("true or false"))
            }
        }
    }

    pub(crate) fn whole_number(self) -> Result<u64, DecodeError> {
        match self.view() {
            View::Number(number) => number.text().parse().ok(),
            View::Null | View::Bool(_) | View::String(_) | View::Array(_) | View::Object(_) => None,
        }
        .ok_or_else(|| self.mismatch("a whole number, zero or more"))
    }

    /// A number of bytes or of entries.
    pub(crate) fn size(self) -> Result<usize, DecodeError> {
        let number = self.whole_number()?;
        usize::try_from(number).map_err(|_| DecodeError::new("expected a smaller number"))
    }

    /// One of a few words.
    pub(crate) fn variant<T: Copy>(self, known: &[(&str, T)]) -> Result<T, DecodeError> {
        let text = self.as_str().ok_or_else(|| self.mismatch("a string"))?;
        match known.iter().find(|(name, _)| *name == text) {
            Some((_, variant)) => Ok(*variant),
            None => {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let message = format!("unknown variant `{text}`, expected {}", one_of(&names));
                Err(DecodeError::new(message))
            }
        }
    }

    /// Does not repeat what was found: it may be a secret that stands in the wrong place.
    #[cold]
    #[inline(never)]
    fn mismatch(self, wanted: &str) -> DecodeError {
        let found = match self.view() {
            View::Null => "null",
            View::Bool(_) => "true or false",
            View::Number(_) => "a number",
            View::String(_) => "a string",
            View::Array(_) => "a list",
            View::Object(_) => "an object",
        };
        DecodeError::new(format!("expected {wanted}, found {found}"))
    }
}

#[cold]
#[inline(never)]
fn one_of(names: &[&str]) -> String {
    match names {
        [name] => format!("`{name}`"),
        [first, second] => format!("`{first}` or `{second}`"),
        names => format!("one of `{}`", joined(names, "`, `")),
    }
}

/// Names with something between them, for messages.
pub(crate) fn joined(names: &[&str], between: &str) -> String {
    let mut text = String::new();
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            text.push_str(between);
        }
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, Document};
    use alloc::vec;

    #[derive(Debug, PartialEq)]
    struct Outer {
        list_of: Vec<bool>,
        map: Option<Vec<(String, u64)>>,
    }

    fn outer(value: Value<'_>) -> Result<Outer, DecodeError> {
        let fields = Fields::closed(value, &["listOf", "map"])?;
        let inner = |value: Value<'_>| value.variant(&[("ALLOW", true), ("DENY", false)]);
        Ok(Outer {
            list_of: fields.list("listOf", inner)?,
            map: if fields.has("map") {
                Some(fields.map("map", Value::whole_number)?)
            } else {
                None
            },
        })
    }

    fn decode(text: &str) -> Result<Outer, DecodeError> {
        const BOUNDS: Bounds = Bounds { bytes: 1024, depth: 8, members: 16 };
        outer(Document::parse(text.as_bytes(), &BOUNDS).unwrap().root())
    }

    #[test]
    fn typed_data_is_read() {
        let read = decode(r#"{"listOf":["ALLOW","DENY"],"map":{"a/b":7}}"#).unwrap();
        assert_eq!(read.list_of, [true, false]);
        assert_eq!(read.map, Some(vec![("a/b".into(), 7)]));
        assert_eq!(decode("{}").unwrap(), Outer { list_of: Vec::new(), map: None });
    }

    #[test]
    fn an_error_points_to_its_place() {
        for (text, pointer) in [
            (r#"{"listOf":["ALLOW","Deny"]}"#, "/listOf/1"),
            (r#"{"map":{"a/b~":18446744073709551616}}"#, "/map/a~1b~0"),
            (r#"{"map":{"x":1.5}}"#, "/map/x"),
            (r#"{"map":{"x":"1"}}"#, "/map/x"),
            (r#"{"map":{"x":-1}}"#, "/map/x"),
            (r#"{"other":1}"#, "/other"),
            (r#"{"listOf":[3]}"#, "/listOf/0"),
            (r#"{"listOf":null}"#, "/listOf"),
            ("[]", ""),
            (r#"[["ALLOW"],null]"#, ""),
        ] {
            assert_eq!(decode(text).unwrap_err().pointer(), pointer, "{text}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_repeated() {
        for (text, message) in [
            (r#"{"map":"secret"}"#, "expected an object, found a string"),
            (r#"{"map":null,"listOf":12345}"#, "expected a list, found a number"),
            (r#"{"map":{"a":1e5}}"#, "expected a whole number, zero or more, found a number"),
            (r#"["secret"]"#, "expected an object, found a list"),
            ("null", "expected an object, found null"),
        ] {
            assert_eq!(decode(text).unwrap_err().message(), message, "{text}");
        }
    }

    #[test]
    fn an_optional_member_may_be_null_and_no_other() {
        const BOUNDS: Bounds = Bounds { bytes: 1024, depth: 8, members: 16 };
        let document = Document::parse(br#"{"a":null}"#, &BOUNDS).unwrap();
        let fields = Fields::open(document.root()).unwrap();
        assert_eq!(fields.optional("a", Value::string), Ok(None));
        assert_eq!(fields.optional_list("a", Value::string), Ok(None));
        let error = fields.text_or_empty("a").unwrap_err();
        assert_eq!((error.pointer(), error.message()), ("/a", "expected a string, found null"));
        let missing = fields.text("b").unwrap_err();
        assert_eq!((missing.pointer(), missing.message()), ("", "missing field `b`"));
    }
}
