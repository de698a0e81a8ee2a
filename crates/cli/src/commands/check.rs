//! `lychgate check`: what is wrong with policies or with a bundle.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::WorkloadOptions;
use crate::bundle::{self, Bundle};
use crate::error::CliError;
use crate::input;
use crate::output;

/// Options of `check`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One compiled bundle; or policy files, folders of them, or - for standard input
    #[arg(required = true, value_name = "BUNDLE|PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
}

/// Loads and says what was found.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let files = input::read_all(&options.paths)?;
    let mut documents = Vec::new();
    for file in &files {
        documents.extend(input::documents(file)?);
    }
    let compiled = documents.len() == 1
        && documents.first().is_some_and(|document| bundle::is_bundle(&document.root));
    let bundle = match documents.pop() {
        Some(document) if compiled => Bundle::compiled(document)?,
        last => {
            documents.extend(last);
            Bundle::assemble(&options.workload, documents)?
        }
    };
    let revision = load(&bundle)?;
    output::answer(&format!("ok: revision {revision}\n"))
}

/// Loads a bundle as a host would, and prints warnings.
pub(crate) fn load(bundle: &Bundle) -> Result<String, CliError> {
    // Replaced when the engine lands.
    let _ = bundle.place("");
    let _: fn(&str) = output::warn;
    Ok(bundle.text.len().to_string())
}
