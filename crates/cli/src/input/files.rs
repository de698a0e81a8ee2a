//! Files, folders and standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Text;
use crate::error::CliError;

/// Most bytes of one file; a thousand ordinary policies fit.
const FILE_BYTES: usize = 1024 * 1024;

/// Most bytes of a file that may hold a whole bundle.
const BUNDLE_FILE_BYTES: usize = lychgate_core::limits::BUNDLE_BYTES;

/// Most files of one command.
const FILES: usize = 10_000;

/// Most folders inside one another.
const FOLDERS_DEEP: usize = 32;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Yaml,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) format: Format,
    pub(crate) file: Rc<Text>,
}

/// Reads files, the YAML and JSON files of folders (in the order of their names), and `-` for
/// standard input. Symbolic links inside folders are not followed; hidden files are left out.
///
/// # Errors
/// Refuses a folder without policies: a wrong path must not look like an empty policy. Nor must what
/// is in it and is not read: pipes and devices, and folders below the bound.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<SourceFile>, CliError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = found.len();
            walk(path, FOLDERS_DEEP, &mut found)?;
            if found.len() == before {
                return Err(CliError::NoFiles { path: path.display().to_string() });
            }
        } else {
            found.push(path.clone());
        }
    }
    if found.len() > FILES {
        return Err(CliError::TooManyFiles { found: found.len(), limit: FILES });
    }
    found.iter().map(|path| read_one(path)).collect()
}

/// Reads one file, or standard input for `-`.
pub(crate) fn read_one(path: &Path) -> Result<SourceFile, CliError> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "standard input".into() } else { path.display().to_string() };
    let limit = if extension(path) == Some("json") { BUNDLE_FILE_BYTES } else { FILE_BYTES };
    let text = read_text(path, limit)?;
    let format = match extension(path) {
        Some("json") => Format::Json,
        Some("yaml" | "yml") => Format::Yaml,
        // A JSON text begins with a brace; a YAML policy written that way is JSON in all but name.
        _ if text.trim_start().starts_with('{') => Format::Json,
        _ => Format::Yaml,
    };
    Ok(SourceFile { format, file: Rc::new(Text::new(name, text)) })
}

/// Reads at most `limit` bytes of UTF-8 text from a file, or from standard input for `-`.
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String, CliError> {
    let name = || path.display().to_string();
    let failed = |error| CliError::Read { path: name(), error };
    let bytes = if path.as_os_str() == "-" {
        read_bounded(io::stdin().lock(), limit)
    } else {
        fs::File::open(path).and_then(|file| read_bounded(file, limit))
    };
    let bytes = bytes.map_err(failed)?;
    if bytes.len() > limit {
        return Err(CliError::FileTooLarge { path: name(), limit });
    }
    String::from_utf8(bytes)
        .map_err(|error| CliError::NotText { path: name(), at: error.utf8_error().valid_up_to() })
}

/// Reads up to one byte past the limit, so that the caller can tell.
fn read_bounded(reader: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The YAML and JSON files of a folder and the folders inside it, in the order of their names.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    walk(folder, FOLDERS_DEEP, &mut found)?;
    if found.len() > FILES {
        return Err(CliError::TooManyFiles { found: found.len(), limit: FILES });
    }
    Ok(found)
}

fn walk(folder: &Path, deeper: usize, found: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let failed = |error| CliError::Read { path: folder.display().to_string(), error };
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        let kind = path.symlink_metadata().map_err(failed)?.file_type();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            let deeper = deeper.checked_sub(1).ok_or_else(|| too_deep(&path))?;
            walk(&path, deeper, found)?;
        } else if matches!(extension(&path), Some("yaml" | "yml" | "json")) {
            // Opening a pipe would wait for somebody who writes into it.
            if !kind.is_file() {
                return Err(CliError::NotAFile { path: path.display().to_string() });
            }
            found.push(path);
        }
    }
    Ok(())
}

fn too_deep(path: &Path) -> CliError {
    CliError::TooDeep { path: path.display().to_string(), limit: FOLDERS_DEEP }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}
