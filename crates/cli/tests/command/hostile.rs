//! Inputs that somebody made to hurt: each ends in a clear error, soon, and in little memory.

use core::time::Duration;
use std::process::Command;
use std::time::Instant;

use super::harness::Folder;

/// The commands that read documents, each with what stands behind the path.
const READERS: [(&str, &str); 5] = [
    ("check", ""),
    ("check", "--namespace a"),
    ("compile", "--namespace a"),
    ("explain", "--namespace a"),
    ("test", ""),
];

/// Generous for a machine that builds something else at the same time; alone it is milliseconds.
const SOON: Duration = Duration::from_secs(5);

fn refuses(folder: &Folder, name: &str, expected: &str) {
    for (command, rest) in READERS {
        let start = Instant::now();
        let ran = folder.run(&format!("{command} {name} {rest}"));
        let took = start.elapsed();
        assert_eq!(ran.code, 1, "{command} {name}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(expected), "{command} {name}: {expected:?} is not in {}", ran.err);
        assert!(ran.err.len() < 4096, "{command} {name} says {} bytes", ran.err.len());
        assert!(took < SOON, "{command} {name} took {took:?}");
    }
}

#[test]
fn a_bomb_of_aliases_does_not_go_off() {
    let folder = Folder::new();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let before = level - 1;
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{before}"); 9].join(", ")
        ));
    }
    folder.write("bomb.yaml", bomb);
    refuses(&folder, "bomb.yaml", "anchor");
}

#[test]
fn deep_nesting_is_cut_off() {
    let folder = Folder::new();
    folder.write("deep.yaml", "[".repeat(500_000));
    refuses(&folder, "deep.yaml", "deep.yaml:1");
    folder.write("deep.json", "[".repeat(500_000));
    refuses(&folder, "deep.json", "deep.json:1");
    let blocks: String = (0..1_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    folder.write("blocks.yaml", blocks);
    refuses(&folder, "blocks.yaml", "blocks.yaml:");
}

#[test]
fn huge_files_are_not_read_to_their_end() {
    let folder = Folder::new();
    // A file with a hole: 64 GiB that take no room.
    let file = std::fs::File::create(folder.path("huge.yaml")).unwrap();
    file.set_len(64 << 30).unwrap();
    refuses(&folder, "huge.yaml", "huge.yaml: more than");
}

#[test]
fn what_is_no_text_is_said_to_be_none() {
    let folder = Folder::new();
    folder.write("binary.yaml", [0x7f, b'E', b'L', b'F', 0, 0, 1]);
    refuses(&folder, "binary.yaml", "binary.yaml");
    folder.write("latin.yaml", b"a: caf\xe9\n");
    refuses(&folder, "latin.yaml", "latin.yaml: invalid UTF-8 at byte 6");
    folder.write("half.json", b"{\"a\": \"\xf0\x9f\x98");
    refuses(&folder, "half.json", "invalid UTF-8");
}

#[test]
#[cfg(unix)]
fn loops_of_links_end() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.write("f/a/x.txt", "");
    symlink(folder.path("f"), folder.path("f/a/up")).unwrap();
    symlink("one.yaml", folder.path("two.yaml")).unwrap();
    symlink("two.yaml", folder.path("one.yaml")).unwrap();
    refuses(&folder, "f", "no ");
    refuses(&folder, "one.yaml", "one.yaml: can't be read");
}

#[test]
#[cfg(unix)]
fn devices_and_pipes_without_an_end_are_cut_off() {
    let folder = Folder::new();
    refuses(&folder, "/dev/zero", "more than");
}

#[test]
fn long_lines_and_many_values_stop_at_their_bounds() {
    let folder = Folder::new();
    folder.write("wide.yaml", format!("[{}]", vec!["a"; 300_000].join(",")));
    refuses(&folder, "wide.yaml", "values");
    folder.write("many.yaml", "---\na: b\n".repeat(5_000));
    refuses(&folder, "many.yaml", "documents");
    folder.write("key.yaml", format!("{}: b\n", "k".repeat(900_000)));
    refuses(&folder, "key.yaml", "key.yaml");
}

/// The whole address space of the command, files of 64 GiB or not.
#[test]
#[cfg(target_os = "linux")]
fn memory_stays_small() {
    let folder = Folder::new();
    let file = std::fs::File::create(folder.path("huge.yaml")).unwrap();
    file.set_len(64 << 30).unwrap();
    folder.write("wide.yaml", format!("[{}]", vec!["a"; 199_000].join(",")));
    for name in ["huge.yaml", "wide.yaml"] {
        let command = format!("ulimit -v 262144; {} check {name}", env!("CARGO_BIN_EXE_lychgate"));
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
    }
}
