//! The translation reproduces every configuration that Istio publishes for its own tests.
#![allow(
    clippy::std_instead_of_core,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops at what it can't read"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lychgate_istio_parity::rbac::{Layer, PeerForm};
use lychgate_istio_parity::resource::{Action, AuthorizationPolicy, JwtRule};
use lychgate_istio_parity::translate::{Options, filters, jwt_authn};
use serde_json::{Value, json};

/// CUSTOM asks somebody else, which is not what is compared here. The last two are inputs only.
const CUSTOM: [&str; 8] = [
    "custom-bad",
    "custom-bad-multiple-providers",
    "custom-both-http-tcp",
    "custom-grpc-provider",
    "custom-grpc-provider-no-namespace",
    "custom-http-provider",
    "custom-only-http",
    "custom-simple-http",
];

#[test]
fn every_published_pair_is_reproduced() {
    let Some(folder) = golden() else {
        println!("skipped: no ../shared/vectors");
        return;
    };
    let mut compared = BTreeSet::new();
    let mut custom = BTreeSet::new();
    for (layer, name) in [(Layer::Http, "http"), (Layer::Tcp, "tcp")] {
        for file in names(&folder.join(name)) {
            let Some(case) = case(&file) else { continue };
            if CUSTOM.contains(&case) {
                custom.insert(case.to_owned());
                continue;
            }
            assert_same(&folder.join(name), &file, case, layer);
            compared.insert((name, file));
        }
    }
    assert_eq!(custom.len(), CUSTOM.len() - 2, "{custom:?}");
    println!("{} outputs are reproduced; left out: {custom:?}", compared.len());
    assert_eq!(compared.len(), 44, "{compared:?}");
}

/// The case that an output belongs to; nothing for an input.
fn case(file: &str) -> Option<&str> {
    let file = file.strip_prefix("extended-").unwrap_or(file).strip_suffix(".yaml")?;
    file.trim_end_matches(['1', '2']).strip_suffix("-out")
}

fn assert_same(folder: &Path, file: &str, case: &str, layer: Layer) {
    let documents = documents(&folder.join(format!("{case}-in.yaml")));
    let policies: Vec<AuthorizationPolicy> =
        documents.into_iter().map(|policy| serde_json::from_value(policy).unwrap()).collect();
    assert!(policies.iter().all(|policy| policy.spec.action != Action::Custom), "{case}");
    let filters = filters(&policies, &options(case, layer)).unwrap();
    let index = usize::from(file.ends_with("-out2.yaml"));
    let expected = documents_one(&folder.join(file));
    let ours = filters[index].to_json();
    // Compared as values: another crate of the build may have members keep their order as text.
    assert!(
        ours == expected,
        "{file}: ours\n{}\nIstio's\n{}",
        serde_json::to_string_pretty(&ours).unwrap(),
        serde_json::to_string_pretty(&expected).unwrap()
    );
    let outputs = if file.contains("-out.") { 1 } else { 2 };
    assert_eq!(filters.len(), outputs, "{file}");
}

/// What the cases say of the mesh that their resources don't.
fn options(case: &str, layer: Layer) -> Options {
    let domains = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Options {
        layer,
        trust_domains: match case {
            "simple-policy-td-aliases" => domains(&["td1", "cluster.local"]),
            "simple-policy-multiple-td-aliases" => domains(&["td1", "cluster.local", "some-td"]),
            "simple-policy-principal-with-wildcard" => domains(&["td1", "foobar"]),
            "td-aliases-source-principal" => domains(&["new-td", "some-trustdomain"]),
            _ => domains(&["cluster.local"]),
        },
        old_hosts: case == "allow-host-before-111",
        ..Options::default()
    }
}

fn golden() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = |folder: &Path| folder.join("shared/vectors/istio/authz-golden");
    here.ancestors().map(beside).find(|folder| folder.is_dir())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn documents_one(path: &Path) -> Value {
    let documents = documents(path);
    assert_eq!(documents.len(), 1, "{}", path.display());
    documents.into_iter().next().unwrap()
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let documents = text.split("\n---").filter(|document| !document.trim().is_empty());
    documents.map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

#[test]
fn a_waypoint_compares_the_peer_that_the_filter_state_holds() {
    let policy = r#"{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy",
        "metadata":{"name":"p","namespace":"n"},
        "spec":{"rules":[{"from":[{"source":{"principals":["cluster.local/ns/a/sa/b"]}}]}]}}"#;
    let policies = [serde_json::from_str(policy).unwrap()];
    let options = Options { peer: PeerForm::FilterState, ..Options::default() };
    let config = filters(&policies, &options).unwrap()[0].to_json();
    let policy = &config["typedConfig"]["rules"]["policies"]["ns[n]-policy[p]-rule[0]"];
    assert_eq!(
        policy["principals"][0]["andIds"]["ids"][0]["orIds"]["ids"],
        json!([{ "filterState": {
            "key": "io.istio.peer_principal",
            "stringMatch": { "exact": "spiffe://cluster.local/ns/a/sa/b" },
        }}])
    );
}

#[test]
fn a_token_may_be_absent_but_one_that_is_there_must_be_good_for_some_provider() {
    let rule = |issuer: &str| JwtRule { issuer: issuer.to_owned(), ..JwtRule::default() };
    let requirements = |rules: &[JwtRule]| {
        let config = jwt_authn(rules).unwrap()["typedConfig"].take();
        config["rules"][0]["requires"]["requiresAny"]["requirements"].clone()
    };
    let or_missing = |name: &str| {
        let provider = json!({ "providerName": name });
        json!({ "requiresAny": { "requirements": [provider, { "allowMissing": {} }] } })
    };
    assert!(jwt_authn(&[]).is_none());
    assert_eq!(
        requirements(&[rule("a")]),
        json!([{ "providerName": "origins-0" }, { "allowMissing": {} }])
    );
    assert_eq!(
        requirements(&[rule("b"), rule("a")]),
        json!([
            { "providerName": "origins-0" },
            { "providerName": "origins-1" },
            { "requiresAll": {
                "requirements": [or_missing("origins-0"), or_missing("origins-1")],
            }},
        ])
    );
    let sorted = jwt_authn(&[rule("b"), rule("a")]).unwrap();
    assert_eq!(sorted["typedConfig"]["providers"]["origins-0"]["issuer"], "a");
}
