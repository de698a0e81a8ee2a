//! `lychgate test`: table tests of policies.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::error::CliError;
use crate::output::{self, Access, Existing};
use crate::suite::coverage::Summary;
use crate::suite::report::{self, Report};
use crate::suite::{self, FileResult, Runner};
use crate::terminal::Colour;

const EXAMPLES: &str = "\
Examples:
  lychgate test payments.test.yaml
  lychgate test policies --coverage
  lychgate test policies --format junit --output report.xml
  lychgate test policies --update

A test file names policies and a workload, then requests with what must become of them:

  apiVersion: lychgate.dev/v1alpha1
  kind: PolicyTest
  policies: [payments.yaml]
  workload: {namespace: shop, labels: {app: payments}}
  tests:
  - name: the cart may charge
    request: {method: POST, path: /charge}
    peer: cluster.local/ns/shop/sa/cart
    expect: {verdict: allow}

Exit codes: 0 all tests passed, 1 a test failed or a file can't be read, 2 wrong usage.";

/// Options of `test`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Test files, or folders: of those, whatever ends with .test.yaml, .test.yml or .test.json
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Where to write the report; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Say which policies, rules and conditions no test reaches
    #[arg(long)]
    coverage: bool,
    /// Write what was found into the test files, instead of what was expected
    #[arg(long)]
    update: bool,
    /// List the tests that passed, too
    #[arg(short, long)]
    verbose: bool,
    /// Colours in the report
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

/// How results are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// JUnit's XML
    Junit,
    /// JSON
    Json,
}

/// Runs the tests.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let start = Instant::now();
    let paths = suite::find(&options.paths)?;
    let mut runner = Runner::new(options.coverage);
    let mut progress = output::Progress::new("testing", paths.len());
    let mut files = Vec::with_capacity(paths.len());
    for path in &paths {
        files.push(runner.run(path)?);
        progress.step();
    }
    progress.finish();
    if options.update {
        return update(&files);
    }
    let coverage = runner.coverage().filter(|_| options.coverage);
    let coverage = coverage.map(|(subject, coverage)| Summary::of(subject, coverage)).collect();
    let report = Report { files: &files, coverage, took: start.elapsed() };
    let text = match options.format {
        Format::Human => {
            report::human(&report, options.color.style(&std::io::stdout()), options.verbose)
        }
        Format::Junit => report::junit(&report),
        Format::Json => report::json(&report),
    };
    output::deliver(options.output.as_deref(), &text)?;
    match report.failed() {
        0 => Ok(()),
        failed => Err(CliError::TestsFailed { failed, all: report.all() }),
    }
}

/// Writes what was found; a test that can't be run stays an error.
fn update(files: &[FileResult]) -> Result<(), CliError> {
    let mut broken = None;
    for file in files {
        let name = &file.document.place.file.name;
        if let Some((text, changed)) = suite::update::updated(file) {
            let path = PathBuf::from(name);
            output::write_file(&path, &text, Access::Public, Existing::Replace)?;
            output::answer(&format!("{name}: {changed} tests updated\n"))?;
        }
        for case in &file.cases {
            if let suite::Outcome::Broken { message } = &case.outcome {
                broken = Some(format!("{}: {message}", case.place));
            }
        }
    }
    broken.map_or(Ok(()), |message| Err(CliError::Refused { message }))
}
