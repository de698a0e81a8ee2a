//! Paths against Istio's and Envoy's own cases: what is accepted has one reading in all of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "shared/vectors.rs"]
mod vectors;

use lychgate_core::request::{PathForms, RequestPath};
use serde_json::Value;

/// What Istio passes on and we refuse, with the code of the refusal; the lines of each mode. The
/// 255 cases `/admin%01` to `/admin%ff` are in [`refusal_of_escape`].
const STRICTER_THAN_ISTIO: &[(&str, &str)] = &[
    ("/app#foo", "fragment"),
    ("/app/../admin", "dot_segments"),
    ("/app//", "doubled_slashes"),
    ("/app/%2f", "encoded_separators"),
    ("/app%2f/", "encoded_separators"),
    ("/xyz%30..//abc", "doubled_slashes"),
    ("/app/%2E./admin", "dot_segments"),
    ("/app\\admin", "backslashes"),
    ("/app/\\/\\/\\admin", "backslashes"),
    ("/%2Fapp%5cadmin%5Cabc", "encoded_separators"),
    ("/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc", "backslashes"),
    ("/app//../admin", "doubled_slashes"),
    ("/app//../../admin", "doubled_slashes"),
    ("/%c0%2e%c0%2e/admin", "invalid_utf8"),
    ("/%c0%2fadmin", "invalid_utf8"),
    ("/%25c0%25ae%25c1%259cadmin", "double_encoding"),
    ("/%25c0%25ae%25c0%25ae/admin", "double_encoding"),
    ("/%25c0%25afadmin", "double_encoding"),
    ("/%25c1%259cadmin", "double_encoding"),
    ("/%252e%252e/admin", "double_encoding"),
    ("/%252e%252e%252fadmin", "double_encoding"),
    ("/%c1%9cadmin", "invalid_utf8"),
    ("/%c0%ae%c0%ae/admin", "invalid_utf8"),
    ("/%c0%afadmin", "invalid_utf8"),
    ("/..;/admin", "dot_segments"),
    ("/;/admin", "path_parameters"),
    ("/admin;a=b", "path_parameters"),
    ("/admin;a=b/xyz", "path_parameters"),
];

/// What Envoy passes on and we refuse.
const STRICTER_THAN_ENVOY: &[(&str, &str)] = &[
    ("/a/b/../c", "dot_segments"),
    ("/a/b/./c", "dot_segments"),
    ("a/b/../c", "target_form"),
    ("/a/b/../../../../c", "dot_segments"),
    ("/a/..\\c", "backslashes"),
    ("/%c0%af", "invalid_utf8"),
    ("/%5c%25", "encoded_separators"),
    ("/a/b/%2E%2E/c", "dot_segments"),
    ("/a/b/%2e%2e/c", "dot_segments"),
    ("/a/%2F%2f/c", "encoded_separators"),
    ("/root/child?x=1#anchor", "fragment"),
    ("/root/child#anchor", "fragment"),
    ("/dir1/../dir2", "dot_segments"),
    ("/dir1/./dir2", "dot_segments"),
    ("/dir1/..", "dot_segments"),
    ("/dir1/%2e./dir2", "dot_segments"),
    ("/dir1/.", "dot_segments"),
    ("///root///child//", "doubled_slashes"),
    ("/%ff", "invalid_utf8"),
    ("//root//child//", "doubled_slashes"),
    ("/root%2f/child/%2f", "encoded_separators"),
    ("/dir1%2fdir2%2f/dir3%5Cdeleted%5C%2F..%2F%5cdir4", "encoded_separators"),
    ("/dir1%2fdir2%5cdir3", "encoded_separators"),
    ("/dir1%2fdir2", "encoded_separators"),
    ("/path%Z%30with%xYbad%7Jencoding%A", "invalid_escape"),
    ("/path\\with/back\\/slash%5c?key=val\\ue", "backslashes"),
    ("/path\\with/back\\/slash%5C", "backslashes"),
    ("/dir1%Abdir2%3a%fF%5a", "invalid_utf8"),
];

/// How `/admin%XX` is refused that Istio passes on.
fn refusal_of_escape(path: &str) -> Option<&'static str> {
    match u8::from_str_radix(path.strip_prefix("/admin%")?, 16).ok()? {
        0x00..=0x1f | 0x7f => Some("control_character"),
        b'/' | b'\\' => Some("encoded_separators"),
        b';' => Some("path_parameters"),
        0x80.. => Some("invalid_utf8"),
        _ => None,
    }
}

/// Our reading, where rules look at every segment; the code of the refusal where there is none.
fn read(path: &str) -> Result<String, &'static str> {
    RequestPath::parse(path.as_bytes(), &PathForms::NONE, usize::MAX)
        .map(|path| path.as_str().unwrap_or_default().to_owned())
        .map_err(|error| error.code())
}

fn listed(list: &[(&str, &'static str)], path: &str) -> Option<&'static str> {
    list.iter().find(|(listed, _)| *listed == path).map(|(_, code)| *code)
}

#[test]
fn what_is_accepted_is_what_every_normalisation_of_istio_makes_of_it() {
    let Some(cases) = vectors::read("istio/extracted/path_normalization.json") else { return };
    let cases = cases["cases"].as_array().unwrap();
    let (mut equal, mut stricter) = (0, 0);
    for case in cases {
        let (path, theirs) = (case["in"].as_str().unwrap(), case["out"].as_str().unwrap());
        let expected = listed(STRICTER_THAN_ISTIO, path).or_else(|| refusal_of_escape(path));
        match (read(path), expected) {
            (Err(code), Some(expected)) => {
                assert_eq!(code, expected, "{path}");
                stricter += 1;
            }
            (Ok(ours), None) => {
                assert_eq!(ours, theirs, "{path} in mode {}", case["mode"]);
                equal += 1;
            }
            (ours, expected) => panic!("{path}: {ours:?} where {expected:?} is listed"),
        }
    }
    println!("{equal} paths are read as Istio reads them, {stricter} are refused as listed");
    assert_eq!(cases.len(), 345, "the number of cases has changed");
}

#[test]
fn what_is_accepted_is_what_envoy_makes_of_it() {
    let Some(utility) = vectors::read("envoy/extracted/path_utility.json") else { return };
    let Some(normalizer) = vectors::read("envoy/extracted/uhv_path_normalizer.json") else {
        return;
    };
    let canonical = utility["cases"].as_array().unwrap().iter();
    let canonical = canonical.filter(|case| case["op"] == "canonicalPath");
    // An empty path is that of CONNECT, which has none here.
    let normalized = normalizer["cases"].as_array().unwrap().iter();
    let normalized = normalized.filter(|case| case["in"] != "" && case["in"] != "*");
    for case in canonical.chain(normalized) {
        check_against_envoy(case);
    }
}

fn check_against_envoy(case: &Value) {
    let path = case["in"].as_str().unwrap();
    match (read(path), case["out"].as_str(), listed(STRICTER_THAN_ENVOY, path)) {
        (Ok(ours), Some(theirs), None) => assert_eq!(ours, theirs, "{path}"),
        (Err(code), _, Some(expected)) => assert_eq!(code, expected, "{path}"),
        (Err(_), None, None) => {}
        // The normaliser refuses `/` only because the method is CONNECT.
        (Ok(ours), None, None) if case["method"] == "CONNECT" => assert_eq!(ours, "/"),
        (ours, theirs, listed) => panic!("{path}: {ours:?}, Envoy {theirs:?}, listed {listed:?}"),
    }
}
