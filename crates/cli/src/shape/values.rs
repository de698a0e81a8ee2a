//! The plain values of documents.

use core::net::IpAddr;

use lychgate_core::json::JsonWriter;
use serde_json::json;

use super::{Definitions, Shape, ShapeError};
use crate::input::{Node, Value};

impl Shape for String {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        node.as_str().map(Self::from).ok_or_else(|| ShapeError::expected(node, "a string"))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string" })
    }
}

impl Shape for bool {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        if let Value::Bool(value) = node.value {
            Ok(value)
        } else {
            Err(ShapeError::expected(node, "true or false"))
        }
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "boolean" })
    }
}

impl Shape for u16 {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        let Value::Number(text) = &node.value else {
            return Err(ShapeError::expected(node, "a whole number up to 65535"));
        };
        text.parse().map_err(|_| ShapeError::new(node, "a whole number up to 65535 is needed here"))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
    }
}

impl Shape for IpAddr {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        let address = node.as_str().and_then(|text| text.parse().ok());
        address.ok_or_else(|| ShapeError::new(node, "an IP address is needed here"))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] })
    }
}

impl<T: Shape> Shape for Option<T> {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        T::read(node).map(Some)
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        T::schema(definitions)
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        if matches!(node.value, Value::Array(_)) {
            node.elements().iter().map(T::read).collect()
        } else {
            Err(ShapeError::expected(node, "a list"))
        }
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "type": "array", "items": T::schema(definitions) })
    }
}

/// An object with names of its own, in the order of the document.
#[derive(Debug, Clone)]
pub(crate) struct Map<T>(pub(crate) Vec<(String, T)>);

impl<T> Map<T> {
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Shape> Shape for Map<T> {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        if !matches!(node.value, Value::Object(_)) {
            return Err(ShapeError::expected(node, "an object"));
        }
        let member = |(name, value): &(String, Node)| Ok((name.clone(), T::read(value)?));
        node.members().iter().map(member).collect::<Result<_, _>>().map(Self)
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }
}

/// A string, or several.
#[derive(Debug, Clone, Default)]
pub(crate) struct OneOrMany(pub(crate) Vec<String>);

impl Shape for OneOrMany {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        match &node.value {
            Value::String(text) => Ok(Self(vec![text.clone()])),
            Value::Array(_) => Vec::read(node).map(Self),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                Err(ShapeError::expected(node, "a string or a list of strings"))
            }
        }
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "oneOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" } },
        ]})
    }
}

/// A value, or `null` for "it is not there".
#[derive(Debug, Clone, Default)]
pub(crate) struct Nullable<T>(pub(crate) Option<T>);

impl<T: Shape> Shape for Nullable<T> {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        if matches!(node.value, Value::Null) {
            Ok(Self(None))
        } else {
            T::read(node).map(|v| Self(Some(v)))
        }
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "oneOf": [T::schema(definitions), { "type": "null" }] })
    }
}

/// Any value, as JSON.
#[derive(Debug, Clone, Default)]
pub(crate) struct Json(pub(crate) serde_json::Value);

impl Shape for Json {
    fn read(node: &Node) -> Result<Self, ShapeError> {
        let mut writer = JsonWriter::new();
        node.write(&mut writer);
        let value = serde_json::from_str(&writer.finish())
            .map_err(|_| ShapeError::new(node, "a JSON value is needed here"))?;
        Ok(Self(value))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({})
    }
}
