//! `lychgate graph`: the trust boundaries as a picture.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::{Kind, WorkloadOptions};
use crate::check::Cluster;
use crate::error::CliError;
use crate::input;
use crate::map::{self, TrustMap};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lychgate graph manifests > trust.mmd
  lychgate graph manifests --format svg --output trust.svg
  lychgate graph manifests --format dot | dot -Tpng > trust.png

Namespaces are zones, arrows are what ALLOW rules let through, dashed arrows what DENY rules refuse.
The same manifests always give the same picture, so it can be committed and compared.";

/// Options of `graph`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Policies and other manifests: files, folders, or - for standard input
    #[arg(required = true, value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
    /// Namespace of resources that name none
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Where to write; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Mermaid
    Mermaid,
    /// Graphviz DOT
    Dot,
    /// A self-contained SVG
    Svg,
}

/// Draws.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let mut documents = Vec::new();
    for file in &input::read_all(&options.paths)? {
        documents.extend(input::documents(file)?);
    }
    let workload = WorkloadOptions {
        namespace: Some(options.namespace.clone()),
        labels: Vec::new(),
        kind: Kind::Sidecar,
        targets: Vec::new(),
        trust_domain: None,
        trust_domain_aliases: Vec::new(),
        root_namespace: None,
        settings: None,
        allow_unrestricted: false,
    };
    let map = TrustMap::of(&Cluster::of(&documents, &workload));
    output::deliver(
        options.output.as_deref(),
        &match options.format {
            Format::Mermaid => map::mermaid(&map),
            Format::Dot => map::dot(&map),
            Format::Svg => map::svg(&map),
        },
    )
}
