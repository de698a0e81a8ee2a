//! What people write: YAML and JSON files, folders and standard input, as documents with places.

mod files;
mod json;
mod node;
mod scalar;
mod yaml;

pub(crate) use files::{Format, SourceFile, read_all, read_one, read_text};
pub(crate) use node::{Document, Node, Place, Value};

use crate::error::CliError;

/// Nesting of a document; policies nest ten deep.
pub(crate) const DEPTH: usize = 32;

/// Reads the documents of one file, in order. Empty documents are left out.
pub(crate) fn documents(file: &SourceFile) -> Result<Vec<Document>, CliError> {
    match file.format {
        Format::Json => json::read(file),
        Format::Yaml => yaml::read(file),
    }
}
