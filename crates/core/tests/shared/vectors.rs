//! The test data of others, which lies in `shared/vectors` beside the repository where it is there.

use std::path::Path;

use serde_json::Value;

/// Reads a JSON file below `shared/vectors`, found by walking up from this crate; a worktree lies
/// deeper than a clone. Says so where it is not there.
pub(crate) fn read(file: &str) -> Option<Value> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/vectors").join(file))
        .find(|path| path.is_file());
    let Some(path) = found else {
        println!("skipped: no ../shared/vectors");
        return None;
    };
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}
