//! The JSON reader against JSONTestSuite, which lies in `shared/vectors` beside the repository.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use lychgate_core::json::{Bounds, Document};

const BOUNDS: Bounds = Bounds { bytes: 1 << 20, depth: 32, members: 1024 };

/// Valid JSON that we refuse, each with the reason.
const STRICTER: [(&str, &str); 3] = [
    ("y_number_double_close_to_zero.json", "a number of more than 32 characters"),
    ("y_object_duplicated_key.json", "the same member twice"),
    ("y_object_duplicated_key_and_value.json", "the same member twice"),
];

/// Where RFC 8259 leaves the answer open and ours is yes: numbers of up to 32 characters stay text.
const OPEN_AND_ACCEPTED: [&str; 8] = [
    "i_number_double_huge_neg_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
];

/// The files of a folder of the suite; says so where it is not there.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new("shared/vectors/JSONTestSuite").join(folder);
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|ancestor| ancestor.join(&path))
        .find(|path| path.is_dir());
    let Some(found) = found else {
        println!("skipped: no ../shared/vectors");
        return Vec::new();
    };
    fs::read_dir(found).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn is_accepted(path: &Path) -> bool {
    Document::parse(&fs::read(path).unwrap(), &BOUNDS).is_ok()
}

#[test]
fn every_text_is_read_or_refused_as_it_is_labelled() {
    let mut wrong = Vec::new();
    for path in files("test_parsing") {
        let name = name(&path);
        let is_stricter = STRICTER.iter().any(|(stricter, _)| *stricter == name);
        let expected = match name.split_once('_').unwrap().0 {
            "y" => !is_stricter,
            "n" => false,
            _ => OPEN_AND_ACCEPTED.contains(&name),
        };
        if is_accepted(&path) != expected {
            wrong.push(name.to_owned());
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_is_read_is_written_so_that_it_reads_the_same() {
    for path in files("test_parsing").into_iter().chain(files("test_transform")) {
        if let Ok(document) = Document::parse(&fs::read(&path).unwrap(), &BOUNDS) {
            let canonical = document.canonical();
            let again = Document::parse(canonical.as_bytes(), &BOUNDS).unwrap();
            assert_eq!(again.canonical(), canonical, "{}", name(&path));
        }
    }
}
