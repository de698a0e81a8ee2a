//! `lychgate check`: what is wrong with policies, with a bundle, or with the manifests around them.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lychgate_core::LoadError;
use lychgate_core::engine::Engine;
use lychgate_crypto::Portable;

use crate::arguments::WorkloadOptions;
use crate::bundle::{self, Bundle};
use crate::check::Checked;
use crate::diagnostic::{self, Diagnostic};
use crate::error::CliError;
use crate::input::{self, SourceFile};
use crate::output;
use crate::terminal::Colour;

const EXAMPLES: &str = "\
Examples:
  lychgate check manifests
  lychgate check policies --namespace shop --label app=payments
  lychgate check bundle.json
  kubectl get authorizationpolicies -A -o yaml | lychgate check -
  lychgate check manifests --format sarif > lychgate.sarif

With --namespace the policies are checked for one workload, as compile does it. Without it every
policy is checked for the workloads that it applies to, and the rest of the manifests for gaps:
namespaces without a default-deny NetworkPolicy, mTLS that is not strict, workloads without a sidecar
or without an AuthorizationPolicy.

Exit codes: 0 nothing refused, 1 an error (or with --deny warnings, a warning), 2 wrong usage.";

/// Options of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// One compiled bundle; or policy files, folders of them, or - for standard input
    #[arg(required = true, value_name = "BUNDLE|PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// What else counts as an error
    #[arg(long, value_name = "KIND")]
    deny: Option<Denied>,
    /// Colours in the report
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

/// How findings are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// JSON
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// What counts as an error besides errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Denied {
    /// Warnings
    Warnings,
}

/// Loads and says what was found.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let files = input::read_all(&options.paths)?;
    let checked = check(options, &files)?;
    match options.format {
        Format::Human => tell(options, &checked)?,
        Format::Json => output::answer(&diagnostic::json(&checked.diagnostics))?,
        Format::Sarif => output::answer(&diagnostic::sarif(&checked.diagnostics))?,
        Format::Github => output::answer(&diagnostic::github(&checked.diagnostics))?,
    }
    let errors = checked.errors();
    let warnings = checked.diagnostics.len().saturating_sub(errors);
    if errors > 0 || (options.deny == Some(Denied::Warnings) && warnings > 0) {
        return Err(CliError::Found { errors, warnings });
    }
    Ok(())
}

fn check(options: &Options, files: &[SourceFile]) -> Result<Checked, CliError> {
    let mut single = None;
    if let [file] = files {
        let documents = input::documents(file);
        single = documents.ok().and_then(|mut documents| {
            let only = documents.pop().filter(|_| documents.is_empty());
            only.filter(|document| bundle::is_bundle(&document.root))
        });
    }
    if let Some(document) = single {
        return Checked::bundle(Bundle::compiled(document)?);
    }
    if options.workload.namespace.is_none() {
        return Ok(Checked::everything(files, &options.workload));
    }
    let mut documents = Vec::new();
    for file in files {
        match input::documents(file) {
            Ok(found) => documents.extend(found),
            Err(error) => return Ok(Checked::unreadable(&error)),
        }
    }
    match Bundle::assemble(&options.workload, documents) {
        Ok(bundle) => Checked::bundle(bundle),
        Err(error @ CliError::Input { .. }) => Ok(Checked::unreadable(&error)),
        Err(error) => Err(error),
    }
}

fn tell(options: &Options, checked: &Checked) -> Result<(), CliError> {
    let style = options.color.style(&std::io::stderr());
    let mut stderr = BufWriter::new(std::io::stderr().lock());
    for found in &checked.diagnostics {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(stderr, "{}", diagnostic::human(found, style));
    }
    let _ = stderr.flush();
    drop(stderr);
    if checked.has_errors() {
        return Ok(());
    }
    let warnings = checked.diagnostics.len();
    let what = match (&checked.revision, checked.workloads) {
        (Some(revision), _) => format!("revision {revision}"),
        (None, 1) => "1 workload".to_owned(),
        (None, several) => format!("{several} workloads"),
    };
    output::answer(&format!("ok: {warnings} warnings, {what}\n"))
}

/// A bundle that hosts will accept.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The canonical text with only what applies to the workload.
    pub(crate) text: String,
}

/// Loads a bundle as a host would, and prints warnings.
///
/// The whole is loaded first: only its pointers lead back to what was written.
pub(crate) fn load(bundle: &Bundle) -> Result<Loaded, CliError> {
    let refused = |error: &LoadError| refuse(bundle, error);
    let whole = Engine::load(bundle.text.as_bytes(), &Portable).map_err(|error| refused(&error))?;
    for warning in whole.warnings() {
        let found = Diagnostic::of_finding(warning, bundle);
        let place = found.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let detail =
            if found.detail.is_empty() { String::new() } else { format!("{}: ", found.detail) };
        output::warn(&format!("{place}{detail}{}; {} [{}]", found.risk, found.fix, found.code));
    }
    let text = lychgate_core::select(bundle.text.as_bytes()).map_err(|error| refused(&error))?;
    Engine::load(text.as_bytes(), &Portable).map_err(|error| refused(&error))?;
    Ok(Loaded { text })
}

/// Why core refuses a bundle, with the place where that was written.
pub(crate) fn refuse(bundle: &Bundle, error: &LoadError) -> CliError {
    let message = error.problem().to_string();
    CliError::Refused { message: locate(bundle, error.pointer(), &message, error.code()) }
}

/// A message with the place it is about, as far as that is known.
fn locate(bundle: &Bundle, pointer: &str, message: &str, code: &str) -> String {
    let (place, pointer) = match bundle.origin(pointer) {
        Some((place, rest)) => (format!("{place}: "), rest),
        None => (String::new(), pointer),
    };
    let at = if pointer.is_empty() { String::new() } else { format!(", at {pointer}") };
    format!("{place}{message} [{code}]{at}")
}
