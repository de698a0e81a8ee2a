//! Inputs that somebody made to hurt: each ends in a clear error, soon, and in little memory.

use core::time::Duration;

use serde_json::{Value, json};

use super::harness::{Folder, Limits};

/// The commands that read documents, each with what stands behind the path.
const READERS: [(&str, &str); 6] = [
    ("check", ""),
    ("check", "--namespace a"),
    ("compile", "--namespace a"),
    ("explain", "--namespace a"),
    ("graph", ""),
    ("test", ""),
];

/// Runs within a second of processor time, 256 MiB of address space and half a minute on the clock.
/// The system ends what takes more: then there is no exit code, and no test expects that. Processor
/// time, since a machine that also does something else does not change it much.
fn run(folder: &Folder, line: &str) -> (i32, String) {
    let limits = Limits { processor_seconds: 1, memory: 256 * 1024, patience: PATIENCE };
    let (code, err) = folder.run_within(&line.split_whitespace().collect::<Vec<_>>(), limits);
    (code.unwrap_or_else(|| panic!("{line} was ended: {err:.500}")), err)
}

const PATIENCE: Duration = Duration::from_secs(30);

fn refuses(folder: &Folder, name: &str, expected: &str) {
    for (command, rest) in READERS {
        let (code, err) = run(folder, &format!("{command} {name} {rest}"));
        assert_eq!(code, 1, "{command} {name}: {err}");
        assert!(err.contains(expected), "{command} {name}: {expected:?} is not in {err}");
        assert!(err.len() < 4096, "{command} {name} says {} bytes", err.len());
    }
}

/// A policy of the namespace `a`.
fn policy(number: usize, spec: Value) -> Value {
    let metadata = json!({ "name": format!("p{number}"), "namespace": "a" });
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": metadata, "spec": spec,
    })
}

/// All on one line.
fn list(items: Vec<Value>) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
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
fn a_pipe_in_a_folder_is_refused_and_not_waited_for() {
    let folder = Folder::new();
    folder.write("f/a.yaml", "");
    let made = std::process::Command::new("mkfifo").arg(folder.path("f/p.test.yaml")).status();
    if made.is_ok_and(|status| status.success()) {
        refuses(&folder, "f", "p.test.yaml: no file but a pipe or a device");
    }
}

#[test]
fn folders_below_the_bound_are_not_passed_over() {
    let folder = Folder::new();
    folder.write(&format!("f/{}a.yaml", "d/".repeat(40)), "a: b");
    refuses(&folder, "f", "folders deep");
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

#[test]
fn many_findings_on_one_line_of_a_megabyte_cost_no_more_than_their_number() {
    let folder = Folder::new();
    let wide = (0..8_000).map(|number| policy(number, json!({ "rules": [{}] })));
    folder.write("warnings.json", list(wide.collect()));
    let broken = (0..8_000).map(|number| policy(number, json!({ "rulez": [{}] })));
    folder.write("errors.json", list(broken.collect()));
    for (name, code, finding) in [("warnings", 0, "allow_everything"), ("errors", 1, "error[")] {
        for options in ["", "--namespace a", "--format sarif", "--format github"] {
            let (ended, err) = run(&folder, &format!("check {name}.json {options}"));
            assert_eq!(ended, code, "{name} {options}");
            assert!(options.starts_with("--format") || err.contains(finding), "{name} {options}");
        }
    }
}

#[test]
fn many_workloads_times_many_policies_are_not_multiplied() {
    let folder = Folder::new();
    let workload = |number: usize| {
        let labels = json!({ "app": format!("n{number}") });
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": format!("n{number}"), "namespace": "a" },
            "spec": { "template": { "metadata": { "labels": labels } } },
        })
    };
    let own = |number: usize| {
        let labels = json!({ "app": format!("n{number}") });
        policy(number, json!({ "selector": { "matchLabels": labels }, "rules": [{}] }))
    };
    let all = (0..2_500).flat_map(|number| [workload(number), own(number)]);
    folder.write("own.json", list(all.collect()));
    assert_eq!(run(&folder, "check own.json").0, 0);
    // Each has another set of policies, and each set is large.
    let shared = (5_000..7_000).map(|number| policy(number, json!({ "rules": [{}] })));
    folder.write("sets.json", list(shared.chain((0..2_000).map(own)).collect()));
    let (code, err) = run(&folder, "check sets.json");
    assert!(code == 1 && err.contains("too many different sets of policies"), "{code}");
    let namespaces = (0..10_000).map(|number| {
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": format!("n{number}") } })
    });
    folder.write("namespaces.json", list(namespaces.collect()));
    assert_eq!(run(&folder, "check namespaces.json").0, 0);
}

#[test]
fn a_mapping_with_many_members_is_read_in_one_go() {
    let folder = Folder::new();
    let members: Vec<String> = (0..60_000).map(|number| format!("k{number}: 1")).collect();
    folder.write("twice.yaml", format!("{{{}, k0: 2}}", members.join(", ")));
    refuses(&folder, "twice.yaml", "duplicate key `k0`");
    folder.write("twice.json", format!("{{{}\"k\":1}}", "\"k\":1,".repeat(60_000)));
    refuses(&folder, "twice.json", "duplicate");
    let spec = (0..60_000).map(|number| (format!("k{number}"), json!(1)));
    folder.write("spec.yaml", policy(1, Value::Object(spec.collect())).to_string());
    assert_eq!(run(&folder, "check spec.yaml").0, 1);
    assert_eq!(run(&folder, "compile spec.yaml --namespace a").0, 1);
}
