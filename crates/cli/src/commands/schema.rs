//! `lychgate schema`: JSON Schemas of the documents that people write.

use clap::{Args, ValueEnum};

use crate::error::CliError;
use crate::{output, schema};

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
    /// A compiled bundle
    Bundle,
}

/// Prints a schema.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let schema = match options.document {
        Document::Test => schema::test(),
        Document::Bundle => schema::bundle(),
    };
    output::answer(&format!("{schema:#}\n"))
}
