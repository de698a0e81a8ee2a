//! `lychgate diff`: what changes for callers.

use core::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::arguments::WorkloadOptions;
use crate::compare::{self, Comparison, Said, Which};
use crate::error::CliError;
use crate::output;
use crate::scenario::KeyRing;
use crate::subject::{self, Subject};
use crate::terminal::{Colour, Style, visible};

const EXAMPLES: &str = "\
Examples:
  lychgate diff old.json new.json
  lychgate diff main/policies branch/policies --namespace shop --label app=pay
  git show main:bundle.json > old.json && lychgate diff old.json bundle.json --format json

Each difference is a request that one of the two allows and the other refuses, decided by both. The
last line says whether the search was complete, or what bounds it.

Exit codes: 0 no difference, 1 a difference (or a policy that is refused), 2 wrong usage.";

/// Options of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The policy before: a compiled bundle, a file, or a folder
    old: PathBuf,
    /// The policy after
    new: PathBuf,
    #[command(flatten)]
    workload: WorkloadOptions,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Colours in the report
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

/// How differences are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// JSON
    Json,
}

/// Compares.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let mut old = load(options, &options.old)?;
    let mut new = load(options, &options.new)?;
    let comparison = compare::compare(&mut old, &mut new);
    output::answer(&match options.format {
        Format::Human => human(&comparison, options.color.style(&std::io::stdout())),
        Format::Json => json(&comparison),
    })?;
    match comparison.differences.len() {
        0 => Ok(()),
        requests => Err(CliError::Differ { requests }),
    }
}

fn load(options: &Options, path: &Path) -> Result<Subject, CliError> {
    let settings = options.workload.settings.as_deref().map(crate::bundle::read_settings);
    let paths = [path.to_owned()];
    let bundle = subject::read_bundle(&paths, &options.workload, settings.transpose()?)?;
    Subject::new(bundle, &KeyRing::DEFAULT.into(), &[])
}

const fn name(which: Which) -> &'static str {
    match which {
        Which::Old => "old",
        Which::New => "new",
    }
}

fn human(comparison: &Comparison, style: Style) -> String {
    let mut text = String::new();
    let mut last = None;
    for found in &comparison.differences {
        let group = (found.rule.as_str(), found.only_in);
        if last != Some(group) {
            let only = name(found.only_in);
            // Writing to a String can't fail, here and below.
            let _ =
                writeln!(text, "{} (as it stands in the {only} policy)", style.strong(&found.rule));
            last = Some(group);
        }
        let _ = writeln!(text, "  {}", visible(&found.witness.to_string()));
        for (which, said) in [("old", &found.old), ("new", &found.new)] {
            let word = if said.allows { style.good("allow") } else { style.bad("deny ") };
            let rule = said.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
            let _ = writeln!(text, "    {which}: {word} {}{rule}", said.reason);
        }
    }
    if comparison.differences.is_empty() {
        text.push_str("no difference\n");
    }
    if comparison.is_complete() {
        text.push_str("the search is complete\n");
    } else {
        let _ = writeln!(text, "the search is bounded: {}", visible(&comparison.bounds.join("; ")));
    }
    text
}

fn json(comparison: &Comparison) -> String {
    let said =
        |said: &Said| json!({ "allows": said.allows, "reason": said.reason, "rule": said.rule });
    let difference = |found: &compare::Difference| {
        json!({
            "rule": found.rule,
            "onlyIn": name(found.only_in),
            "request": found.witness.to_string(),
            "old": said(&found.old),
            "new": said(&found.new),
        })
    };
    let differences: Vec<Value> = comparison.differences.iter().map(difference).collect();
    let value = json!({
        "differences": differences,
        "complete": comparison.is_complete(),
        "bounds": comparison.bounds,
    });
    format!("{value:#}\n")
}
