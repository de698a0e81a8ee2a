//! `lychgate compile`: policies to one bundle.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::check;
use crate::arguments::{BadArgument, WorkloadOptions};
use crate::bundle::Bundle;
use crate::error::CliError;
use crate::input;
use crate::output;

mod filter;

/// Options of `compile`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Policy files (YAML or JSON), folders of them, or - for standard input
    #[arg(required = true, value_name = "PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
    /// Where to write; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing; refuse if the output file differs from what would be written
    #[arg(long, requires = "output")]
    check: bool,
    /// What to write
    #[arg(long = "as", value_enum, default_value_t = Form::Bundle)]
    form: Form,
    /// Where the proxy finds the filter: a path for envoy, an URL (oci://, https://) for Istio
    #[arg(long, value_name = "PATH|URL")]
    module: Option<String>,
    /// SHA-256 of the module or of the image's manifest, in hex: the proxy takes no other one
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    sha256: Option<String>,
}

fn digest(text: &str) -> Result<String, BadArgument> {
    let hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex { Ok(text.to_ascii_lowercase()) } else { Err(BadArgument("64 hex digits are needed")) }
}

const EXAMPLES: &str = "\
Examples:
  lychgate compile policies --namespace shop --label app=pay -o bundle.json
  lychgate compile policies --namespace shop --label app=pay -o bundle.json --check
  lychgate compile policies --namespace shop --label app=pay --as wasmplugin \\
    --module oci://registry.example/lychgate:0.1.0 | kubectl apply -f -

Only the resources that apply to the workload are written. Policies that leave the workload open to
everybody are refused, unless --allow-unrestricted says that this is meant.

Exit codes: 0 written (or with --check, up to date), 1 refused or stale, 2 wrong usage.";

/// What `compile` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// The bundle
    Bundle,
    /// An entry for an Envoy listener's http_filters, as JSON
    Envoy,
    /// A WasmPlugin resource for Istio, as JSON
    Wasmplugin,
    /// A TrafficExtension resource for Istio 1.30 and newer, as JSON
    Trafficextension,
}

/// Compiles, validates and writes.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let files = input::read_all(&options.paths)?;
    let mut documents = Vec::new();
    for file in &files {
        documents.extend(input::documents(file)?);
    }
    let bundle = Bundle::assemble(&options.workload, documents)?;
    for other in &bundle.others {
        output::note(&other.to_string());
    }
    let loaded = check::load(&bundle)?;
    let text = render(options, &loaded.text)?;
    match &options.output {
        Some(path) if options.check => compare(path, &text),
        path => output::deliver(path.as_deref(), &text),
    }
}

fn render(options: &Options, bundle: &str) -> Result<String, CliError> {
    let module = |example: &str| {
        options.module.as_deref().ok_or_else(|| CliError::Usage {
            message: format!(
                "--module is needed: where the proxy finds the filter, as in {example}"
            ),
        })
    };
    let plugin = |url| filter::Plugin {
        bundle,
        url,
        sha256: options.sha256.as_deref(),
        workload: &options.workload,
    };
    match options.form {
        Form::Bundle => Ok(format!("{bundle}\n")),
        Form::Envoy => Ok(filter::envoy(bundle, module("/etc/envoy/lychgate.wasm")?)),
        Form::Wasmplugin => Ok(plugin(module(IMAGE)?).wasm_plugin()),
        Form::Trafficextension => Ok(plugin(module(IMAGE)?).traffic_extension()),
    }
}

const IMAGE: &str = "oci://registry.example/lychgate:0.1.0";

fn compare(path: &Path, text: &str) -> Result<(), CliError> {
    let limit = text.len().saturating_add(1);
    let same = match input::read_text(path, limit) {
        Ok(found) => found == text,
        Err(CliError::FileTooLarge { .. } | CliError::NotText { .. }) => false,
        Err(error) => return Err(error),
    };
    if same { Ok(()) } else { Err(CliError::Stale { path: path.display().to_string() }) }
}
