//! Where the built filter and Envoy are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The project's folder.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two levels down").to_path_buf()
}

/// The filter as it ships: `LYCHGATE_WASM`, else built now, once.
#[must_use]
pub fn filter() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("LYCHGATE_WASM") {
        Some(path) => PathBuf::from(path),
        None => build(),
    })
}

fn build() -> PathBuf {
    let status = Command::new(project().join("scripts/build-filter")).status();
    let built = status.is_ok_and(|status| status.success());
    assert!(built, "the filter does not build: run `make setup`, or set LYCHGATE_WASM");
    target().join("wasm32-wasip1/release/lychgate_envoy.wasm")
}

/// Cargo's target folder.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from)
}

/// Envoy's binary: `LYCHGATE_ENVOY`, else what `make setup` installed.
#[must_use]
pub fn envoy() -> PathBuf {
    if let Some(path) = std::env::var_os("LYCHGATE_ENVOY") {
        return PathBuf::from(path);
    }
    let libraries = project().join(".tools/venv/lib");
    let found = std::fs::read_dir(&libraries).ok().and_then(|entries| {
        entries
            .flatten()
            .map(|entry| entry.path().join("site-packages/envoy/_bin/envoy"))
            .find(|path| path.is_file())
    });
    found.expect("no Envoy: run `make setup`, or set LYCHGATE_ENVOY")
}
