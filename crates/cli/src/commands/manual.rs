//! `lychgate completions` and `lychgate man`: what packages install beside the command.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::error::CliError;
use crate::output::{self, Access, Existing};

const SHELLS: &str = "\
Examples:
  lychgate completions bash > /etc/bash_completion.d/lychgate
  lychgate completions zsh > \"${fpath[1]}/_lychgate\"
  lychgate completions fish > ~/.config/fish/completions/lychgate.fish";

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(after_help = SHELLS)]
pub(crate) struct Completions {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// Folder to write a page for each command into; without it the main page is printed
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Prints a completion script.
pub(crate) fn completions(options: &Completions) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "lychgate", &mut script);
    output::answer(&String::from_utf8_lossy(&script))
}

/// Writes man pages.
pub(crate) fn manual(options: &Manual) -> Result<(), CliError> {
    let mut command = Arguments::command();
    command.build();
    match &options.folder {
        None => output::answer(&page(&command, "lychgate")?),
        Some(folder) => write_pages(folder, &command, "lychgate"),
    }
}

fn write_pages(folder: &std::path::Path, command: &Command, name: &str) -> Result<(), CliError> {
    let path = folder.join(format!("{name}.1"));
    output::write_file(&path, &page(command, name)?, Access::Public, Existing::Replace)?;
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        write_pages(folder, inner, &format!("{name}-{}", inner.get_name()))?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> Result<String, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut page)
        .map_err(|error| CliError::Write { path: format!("{name}.1"), error })?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
