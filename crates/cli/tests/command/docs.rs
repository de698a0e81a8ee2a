//! What the documents say, done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::Folder;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The pages about the command, and the cook book.
fn pages() -> Vec<PathBuf> {
    let docs = repository().join("docs");
    let mut pages: Vec<PathBuf> = fs::read_dir(docs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.ends_with(".md") && (name.starts_with("cli") || name == "cookbook.md")
        })
        .collect();
    pages.sort();
    pages
}

/// The lines of blocks that are marked as `sh`.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect()
}

/// A line runs in a shell, in a folder where the examples are; `# exit 1` says how it ends.
#[test]
#[cfg(unix)]
fn every_command_line_of_the_documents_does_what_it_says() {
    let program = Path::new(env!("CARGO_BIN_EXE_lychgate")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut count = 0;
    for page in pages() {
        let folder = Folder::new();
        std::os::unix::fs::symlink(repository().join("examples"), folder.path("examples")).unwrap();
        for line in commands(&fs::read_to_string(&page).unwrap()) {
            let expected =
                line.rsplit_once("# exit ").map_or(0, |(_, code)| code.trim().parse().unwrap());
            let output = Command::new("sh")
                .args(["-c", line])
                .current_dir(folder.path(""))
                .env("PATH", &path)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(expected), "{}: {line}\n{said}", page.display());
            count += 1;
        }
    }
    assert!(count > 40, "{count} lines were found");
}

#[test]
fn the_cook_book_shows_the_policies_that_are_tested() {
    let book = fs::read_to_string(repository().join("docs/cookbook.md")).unwrap();
    let recipes: Vec<&str> = book.split("\n## ").skip(1).collect();
    assert!(recipes.len() >= 20, "{}", recipes.len());
    for recipe in &recipes {
        let name =
            recipe.split("../examples/cookbook/").nth(1).unwrap().split(".yaml").next().unwrap();
        let folder = repository().join("examples/cookbook");
        let policy = fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
        assert!(recipe.contains(policy.trim()), "{name} differs from the cook book");
        let tests = fs::read_to_string(folder.join(format!("{name}.test.yaml"))).unwrap();
        assert!(tests.contains(&format!("policies: [{name}.yaml]")), "{name}");
    }
    let files = fs::read_dir(repository().join("examples/cookbook")).unwrap().count();
    assert_eq!(files, recipes.len() * 2, "every file is in the book");
}

#[test]
fn every_command_has_its_place_in_the_documents() {
    let text: String = pages().iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    for command in [
        "check",
        "compile",
        "completions",
        "diff",
        "explain",
        "graph",
        "man",
        "schema",
        "serve",
        "svid",
        "test",
        "token",
    ] {
        assert!(text.contains(&format!("lychgate {command}")), "{command}");
    }
}
