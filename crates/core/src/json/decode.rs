//! From a document to typed data through serde, with a JSON Pointer (RFC 6901) in every error.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer as _, Visitor};

use super::value::{Array, Object, Value, View};

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

    pub(crate) fn below(mut self, segment: &str) -> Self {
        let segment = segment.replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &format!("/{segment}"));
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.message, self.pointer)
    }
}

impl core::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { pointer: String::new(), message: message.to_string() }
    }

    /// Does not repeat what was found: it may be a secret that stands in the wrong place.
    fn invalid_type(_found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("expected {expected}"))
    }

    /// As [`invalid_type`](de::Error::invalid_type).
    fn invalid_value(_found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("expected {expected}"))
    }
}

impl<'a> Value<'a> {
    /// Reads this value as a `T`; whole numbers are `u64` or `i64`, other numbers are refused.
    ///
    /// # Errors
    /// [`DecodeError`] says what was expected and where.
    pub fn decode<T: de::Deserialize<'a>>(self) -> Result<T, DecodeError> {
        T::deserialize(self)
    }
}

impl<'de> de::Deserializer<'de> for Value<'de> {
    type Error = DecodeError;

    /// For members that are read and left alone; whatever has a shape asks for it below, so that
    /// a type brings in only the code for what it can be.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.view() {
            View::Bool(value) => visitor.visit_bool(value),
            View::Null | View::Number(_) | View::String(_) | View::Array(_) | View::Object(_) => {
                Err(self.mismatch("true or false"))
            }
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_u64(self.whole_number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.as_str() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => Err(self.mismatch("a string")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.as_array() {
            Some(elements) => visitor.visit_seq(Elements { elements, index: 0 }),
            None => Err(self.mismatch("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.as_object() {
            Some(members) => visitor.visit_map(Members { members, value: None }),
            None => Err(self.mismatch("an object")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if matches!(self.view(), View::Null) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.as_str() {
            Some(variant) => visitor.visit_enum(variant.into_deserializer()),
            None => Err(self.mismatch("a string")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_u64(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct
        tuple tuple_struct identifier ignored_any
    }
}

impl Value<'_> {
    fn whole_number(self) -> Result<u64, DecodeError> {
        match self.view() {
            View::Number(number) => number.text().parse().ok(),
            View::Null | View::Bool(_) | View::String(_) | View::Array(_) | View::Object(_) => None,
        }
        .ok_or_else(|| self.mismatch("a whole number, zero or more"))
    }

    fn mismatch(self, wanted: &str) -> DecodeError {
        let found = match self.view() {
            View::Null => "null",
            View::Bool(_) => "true or false",
            View::Number(_) => "a number",
            View::String(_) => "a string",
            View::Array(_) => "a list",
            View::Object(_) => "an object",
        };
        DecodeError { pointer: String::new(), message: format!("expected {wanted}, found {found}") }
    }
}

struct Elements<'de> {
    elements: Array<'de>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(element) = self.elements.next() else { return Ok(None) };
        let index = self.index;
        self.index = index.saturating_add(1);
        seed.deserialize(element).map(Some).map_err(|error| error.below(&index.to_string()))
    }
}

struct Members<'de> {
    members: Object<'de>,
    value: Option<(&'de str, Value<'de>)>,
}

impl<'de> de::MapAccess<'de> for Members<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        self.value = self.members.next();
        let Some((name, _)) = self.value else { return Ok(None) };
        let name: de::value::BorrowedStrDeserializer<'de, DecodeError> =
            de::value::BorrowedStrDeserializer::new(name);
        // An unknown member's place is the member itself.
        seed.deserialize(name).map(Some).map_err(|error| match self.value {
            Some((name, _)) => error.below(name),
            None => error,
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let Some((name, value)) = self.value.take() else {
            return Err(DecodeError {
                pointer: String::new(),
                message: "value without a name".to_owned(),
            });
        };
        seed.deserialize(value).map_err(|error| error.below(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, Document};
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Outer {
        #[serde(default)]
        list_of: Vec<Inner>,
        map: Option<BTreeMap<String, u16>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "UPPERCASE")]
    enum Inner {
        Allow,
        Deny,
    }

    fn decode(text: &str) -> Result<Outer, DecodeError> {
        const BOUNDS: Bounds = Bounds { bytes: 1024, depth: 8, members: 16 };
        Document::parse(text.as_bytes(), &BOUNDS).unwrap().root().decode()
    }

    #[test]
    fn typed_data_is_read() {
        let outer = decode(r#"{"listOf":["ALLOW","DENY"],"map":{"a/b":7}}"#).unwrap();
        assert_eq!(outer.list_of, [Inner::Allow, Inner::Deny]);
        assert_eq!(outer.map.unwrap()["a/b"], 7);
        assert_eq!(decode("{}").unwrap(), Outer { list_of: Vec::new(), map: None });
    }

    #[test]
    fn an_error_points_to_its_place() {
        for (text, pointer) in [
            (r#"{"listOf":["ALLOW","Deny"]}"#, "/listOf/1"),
            (r#"{"map":{"a/b~":70000}}"#, "/map/a~1b~0"),
            (r#"{"map":{"x":1.5}}"#, "/map/x"),
            (r#"{"map":{"x":"1"}}"#, "/map/x"),
            (r#"{"other":1}"#, "/other"),
            (r#"{"listOf":[3]}"#, "/listOf/0"),
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
}
