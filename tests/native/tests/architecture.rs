//! The shape of the workspace, checked where a compiler would not: who depends on whom, what may
//! ship, and in which order core's modules may use one another.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::std_instead_of_core,
    reason = "what cannot be run must stop the run with a message"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Core's modules, layer by layer; a file uses what stands in its own layer or before it.
const LAYERS: [&[&str]; 10] = [
    &["time", "order", "ascii", "json", "limits", "base64", "bytes", "finding", "correction"],
    &["spiffe", "request", "jwt"],
    &["authn", "policy"],
    &["upstream"],
    &["ruleset"],
    &["decision"],
    &["reply", "audit"],
    &["config"],
    &["engine"],
    &["lib"],
];

/// Why a request is refused is said in one closed list, which parsers use too.
const EVERYWHERE: &str = "decision";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace())
        .env("CARGO_TARGET_DIR", workspace().join("target/architecture"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}:\n{errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all packages that a package is built from, itself included.
fn packages(package: &str, target: &str) -> BTreeSet<String> {
    let arguments = ["tree", "-p", package, "-e", "normal", "--prefix", "none", "--target", target];
    let tree = cargo(&arguments);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn assert_absent(package: &str, target: &str, unwanted: &[&str]) {
    let packages = packages(package, target);
    assert!(packages.contains(package));
    for name in unwanted {
        assert!(!packages.contains(*name), "{package} is built from {name}");
    }
}

#[test]
fn core_builds_where_there_is_no_standard_library() {
    cargo(&["build", "-q", "-p", "lychgate-core", "--target", "wasm32v1-none"]);
}

#[test]
fn core_depends_on_no_other_crate_of_the_workspace() {
    for name in packages("lychgate-core", "all") {
        assert!(name == "lychgate-core" || !name.starts_with("lychgate"), "core uses {name}");
    }
}

#[test]
fn core_has_no_cryptography_but_hashing_and_no_clock_or_randomness() {
    let unwanted =
        ["rsa", "p256", "p384", "ecdsa", "ed25519-dalek", "hmac", "getrandom", "rand_core", "time"];
    assert_absent("lychgate-core", "all", &unwanted);
}

#[test]
fn crypto_depends_on_core_and_can_neither_sign_nor_draw_random_numbers() {
    let packages = packages("lychgate-crypto", "wasm32-wasip1");
    assert!(packages.contains("lychgate-core"));
    let unwanted = ["lychgate-envoy", "lychgate", "lychgate-harness", "rsa", "getrandom"];
    assert_absent("lychgate-crypto", "wasm32-wasip1", &unwanted);
}

#[test]
fn the_filter_ships_nothing_of_the_tests_or_the_command() {
    let unwanted = ["lychgate", "lychgate-harness", "rsa", "getrandom", "jwt-simple", "rcgen"];
    assert_absent("lychgate-envoy", "wasm32-wasip1", &unwanted);
    assert!(packages("lychgate-envoy", "wasm32-wasip1").contains("lychgate-core"));
}

#[test]
fn modules_of_core_use_only_what_stands_before_them() {
    let source = workspace().join("crates/core/src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let path = file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        wrong.extend(later_uses(&path, &text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_use_of_a_later_module_is_found() {
    let text = "use crate::time::Seconds;\nuse crate::engine::Engine;\n";
    assert_eq!(later_uses("jwt/claims.rs", text).len(), 1);
    assert_eq!(later_uses("engine.rs", text).len(), 0);
    let tests = "use crate::time::Seconds;\n#[cfg(test)]\nmod tests {\n use crate::engine::X;\n}\n";
    assert_eq!(later_uses("jwt/claims.rs", tests).len(), 0);
    assert_eq!(later_uses("jwt/claims.rs", "use crate::{time::X, policy::Y};").len(), 1);
}

/// The uses of later modules in one file of core, as messages.
fn later_uses(path: &str, text: &str) -> Vec<String> {
    let is_test = path.ends_with("tests.rs") || path.ends_with("testing.rs");
    let own = layer(module(path));
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut wrong = Vec::new();
    for used in used_modules(code).into_iter().filter(|_| !is_test) {
        if used != EVERYWHERE && layer(used) > own {
            wrong.push(format!("{path} uses {used}, which stands after it"));
        }
    }
    wrong
}

/// The modules that stand behind `crate::` in some code.
fn used_modules(code: &str) -> BTreeSet<&str> {
    let mut used = BTreeSet::new();
    let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    for rest in lines.flat_map(|line| line.split("crate::").skip(1)) {
        let names = rest.strip_prefix('{').map_or(vec![rest], |group| group.split(", ").collect());
        let name = |text: &'_ str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
        for text in names {
            used.insert(name(text).map_or(text, |end| &text[..end]));
        }
    }
    used
}

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

fn layer(module: &str) -> usize {
    let place = LAYERS.iter().position(|layer| layer.contains(&module));
    place.unwrap_or_else(|| panic!("core's module {module} has no layer: give it one"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
