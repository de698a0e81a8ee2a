//! JSON files, read by core's own strict reader.

use lychgate_core::json::{self, Bounds, Document as Parsed, JsonError, View};

use super::{DEPTH, Document, Node, Place, SourceFile, Value};
use crate::error::{CliError, Problem};

/// A bundle is itself such a file, with its resources two levels down.
const BOUNDS: Bounds = Bounds {
    bytes: lychgate_core::limits::BUNDLE_BYTES,
    depth: lychgate_core::limits::BUNDLE_JSON.depth,
    members: lychgate_core::limits::BUNDLE_JSON.members,
};

pub(super) fn read(file: &SourceFile) -> Result<Vec<Document>, CliError> {
    let place = Place { file: file.name.clone(), document: None, line: None };
    let parsed = Parsed::parse(file.text.as_bytes(), &BOUNDS).map_err(|error| {
        let line = offset(&error).and_then(|at| line_at(&file.text, at));
        CliError::input(place.at(line), Problem::Json(error))
    })?;
    let root = convert(parsed.root(), DEPTH.saturating_mul(2));
    Ok(vec![Document { place, root }])
}

/// Depth is bounded by the reader, so this recursion is, too.
fn convert(value: json::Value<'_>, deeper: usize) -> Node {
    let inner = deeper.saturating_sub(1);
    let value = match value.view() {
        View::Bool(value) => Value::Bool(value),
        View::Number(number) => Value::Number(number.text().to_owned()),
        View::String(text) => Value::String(text.to_owned()),
        View::Array(elements) if deeper > 0 => {
            Value::Array(elements.map(|element| convert(element, inner)).collect())
        }
        View::Object(members) if deeper > 0 => Value::Object(
            members.map(|(name, value)| (name.to_owned(), convert(value, inner))).collect(),
        ),
        View::Null | View::Array(_) | View::Object(_) => Value::Null,
    };
    Node { line: None, value }
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

fn line_at(text: &str, at: usize) -> Option<usize> {
    let before = text.as_bytes().get(..at)?;
    before.iter().filter(|byte| **byte == b'\n').count().checked_add(1)
}
