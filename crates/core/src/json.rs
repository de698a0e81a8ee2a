//! Strict JSON (RFC 8259) for text from outside: no duplicate members, bounded depth and size.
//!
//! The reader is iterative and writes a flat tape, so neither reading nor dropping a document
//! recurses. Numbers stay text: what a number means is decided by whoever reads it.

mod fields;
mod read;
mod scan;
mod value;
mod write;

pub use fields::DecodeError;
pub(crate) use fields::{Fields, joined};
pub use read::{Bounds, JsonError};
pub(crate) use value::Place;
pub use value::{Array, Document, Number, Object, Value, View};
pub use write::JsonWriter;
pub(crate) use write::Quoted;
