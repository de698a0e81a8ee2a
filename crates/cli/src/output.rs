//! Where answers go: standard output and files; notes and complaints go to standard error.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::CliError;

/// Who may read a file that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// As the user's umask says.
    Public,
    /// Only its owner (mode 0600): the file holds a private key.
    Private,
}

/// Whether a file that is already there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It may.
    Replace,
    /// It may not: a lost private key can't be made again.
    Keep,
}

/// Writes an answer to standard output.
pub(crate) fn answer(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader had enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::Write { path: "standard output".into(), error }),
        Ok(()) => Ok(()),
    }
}

/// Tells the user something on standard error.
pub(crate) fn note(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "note: {text}");
}

/// Tells the user about something that works and should be looked at.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {text}");
}

/// Tells the user what was refused.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "error: {text}");
}

/// Writes an answer to `path`, or to standard output if there is none.
pub(crate) fn deliver(path: Option<&Path>, text: &str) -> Result<(), CliError> {
    match path {
        Some(path) => write_file(path, text, Access::Public, Existing::Replace),
        None => answer(text),
    }
}

/// Writes a file whole or not at all: readers see the old text or the new one.
pub(crate) fn write_file(
    path: &Path,
    text: &str,
    access: Access,
    existing: Existing,
) -> Result<(), CliError> {
    let failed = |error| CliError::Write { path: path.display().to_string(), error };
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(CliError::Exists { path: path.display().to_string() });
    }
    let draft = draft_path(path);
    let written = create(&draft, access)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| {
        // The draft may never have come into being.
        let _ = fs::remove_file(&draft);
        failed(error)
    })
}

fn draft_path(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.draft", std::process::id()));
    path.with_file_name(name)
}

fn create(path: &Path, access: Access) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Tells people at a terminal how far long work is; nobody else.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    all: usize,
    done: usize,
    start: std::time::Instant,
    shown: bool,
}

/// Work that takes less is not long.
const LONG: core::time::Duration = core::time::Duration::from_millis(500);

impl Progress {
    pub(crate) fn new(what: &'static str, all: usize) -> Self {
        Self { what, all, done: 0, start: std::time::Instant::now(), shown: false }
    }

    pub(crate) fn step(&mut self) {
        use std::io::IsTerminal as _;
        self.done = self.done.saturating_add(1);
        let mut stderr = io::stderr().lock();
        if self.start.elapsed() > LONG && stderr.is_terminal() {
            self.shown = true;
            let _ = write!(stderr, "\r{}: {} of {}", self.what, self.done, self.all);
        }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn finish(self) {
        if self.shown {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
