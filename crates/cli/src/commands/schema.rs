//! `lychgate schema`: JSON Schemas of the documents that people write.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::output;
use crate::shape::{Definitions, Shape as _};
use crate::suite::TestFile;

const EXAMPLES: &str = "\
Examples:
  lychgate schema test > policy-test.schema.json

The schemas are also in the repository, under schemas/. An editor with the YAML language server uses
one when the first line of a file says so:

  # yaml-language-server: $schema=policy-test.schema.json";

/// Options of `schema`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Of which document
    #[arg(value_enum)]
    document: Document,
}

/// A document with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    /// A file of table tests
    Test,
}

/// Prints a schema.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let schema = match options.document {
        Document::Test => test(),
    };
    output::answer(&format!("{schema:#}\n"))
}

fn test() -> Value {
    let mut definitions = Definitions::default();
    let root = TestFile::schema(&mut definitions);
    schema("policy-test", "Table tests of Lychgate policies", root, definitions)
}

fn schema(name: &str, title: &str, root: Value, definitions: Definitions) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{}/raw/main/schemas/{name}.schema.json", env!("CARGO_PKG_REPOSITORY")),
        "title": title,
        "$defs": definitions.finish(),
    });
    if let (Some(schema), Value::Object(root)) = (schema.as_object_mut(), root) {
        schema.extend(root);
    }
    schema
}
