use super::harness::Folder;

const POLICY: &str = "\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: web
spec:
  rules:
  - to:
    - operation:
        methods: [GET]
";

#[test]
fn a_policy_compiles_the_same_from_yaml_json_folders_and_standard_input() {
    let folder = Folder::new();
    folder.write("p/web.yaml", POLICY);
    folder.write(
        "web.json",
        "{\"apiVersion\":\"security.istio.io/v1\",\"kind\":\"AuthorizationPolicy\",\
         \"metadata\":{\"name\":\"web\"},\
         \"spec\":{\"rules\":[{\"to\":[{\"operation\":{\"methods\":[\"GET\"]}}]}]}}",
    );
    let bundle = folder.run("compile p --namespace a --label app=web").ok();
    assert!(bundle.starts_with("{\"apiVersion\":\"lychgate.dev/v1alpha1\",\"kind\":\"Bundle\""));
    assert!(bundle.contains("\"labels\":{\"app\":\"web\"}"), "{bundle}");
    let same = |line: &str, stdin: &str| {
        let arguments: Vec<_> = line.split_whitespace().collect();
        assert_eq!(folder.run_with(&arguments, stdin).ok(), bundle, "{line}");
    };
    same("compile p/web.yaml --namespace a --label app=web", "");
    same("compile web.json --namespace a --label app=web", "");
    same("compile - --namespace a --label app=web", POLICY);
}

#[test]
fn what_kubectl_prints_compiles_to_the_same_bundle() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    let indented: String = POLICY.lines().map(|line| format!("  {line}\n")).collect();
    let item = indented.replacen("  apiVersion", "- apiVersion", 1).replace(
        "    name: web",
        "    name: web\n    uid: u\n    resourceVersion: '1'\n    managedFields: []",
    );
    folder
        .write("list.yaml", format!("apiVersion: v1\nkind: List\nitems:\n{item}  status: {{}}\n"));
    assert_eq!(
        folder.run("compile list.yaml --namespace a").ok(),
        folder.run("compile web.yaml --namespace a").ok()
    );
}

#[test]
fn other_kubernetes_resources_are_noted_and_left_out() {
    let folder = Folder::new();
    folder.write("a.yaml", format!("apiVersion: v1\nkind: Service\n---\n{POLICY}"));
    let ran = folder.run("compile a.yaml --namespace a");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("note: a.yaml:1:1: Service"), "{}", ran.err);
    assert!(!ran.out.contains("Service"));
}

#[test]
fn a_document_that_might_be_a_policy_is_never_left_out() {
    let folder = Folder::new();
    let cases = [
        ("kind: AuthorizationPolicy\n", "`apiVersion` and `kind`"),
        ("apiVersion: v1\n", "`apiVersion` and `kind`"),
        ("apiVersion: security.istio.oi/v1\nkind: AuthorizationPolicy\n", "only security.istio.io"),
        ("apiVersion: security.istio.io/v2\nkind: AuthorizationPolicy\n", "only security.istio.io"),
        ("apiVersion: Security.Istio.IO/v1\nkind: Gateway\n", "only security.istio.io"),
        ("apiVersion: security.istio.io/v1\nkind: authorizationpolicy\n", "unknown kind"),
        ("apiVersion: security.istio.io/v1\nkind: AuthorisationPolicy\n", "unknown kind"),
        ("apiVersion: lychgate.dev/v1alpha1\nkind: Bundle\n", "bundle"),
        ("apiVersion: v1\nkind: List\n", "without `items`"),
        ("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List}\n", "inside a list"),
        ("just text\n", "not an object"),
        ("- a\n", "not an object"),
    ];
    for (text, expected) in cases {
        folder.write("bad.yaml", format!("{POLICY}---\n{text}"));
        let ran = folder.run("compile bad.yaml --namespace a");
        ran.refused(&["bad.yaml:", "bad.yaml:1", expected]);
    }
}

#[test]
fn the_same_policy_twice_is_refused_with_both_places() {
    let folder = Folder::new();
    folder.write("p/1.yaml", POLICY);
    folder.write("p/2.yaml", POLICY.replace("name: web", "name: web\n  namespace: a"));
    folder.run("compile p --namespace a").refused(&["2.yaml:1", "a/web a second time", "1.yaml:1"]);
    folder.run("compile p --namespace b").ok();
}

#[test]
fn hostile_yaml_is_refused_with_its_line() {
    let folder = Folder::new();
    let deep = format!("a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&str, &str); 12] = [
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "anchor"),
        ("a: *b\n", "alias"),
        ("<<: {a: b}\n", "merge key"),
        ("a: !!binary aGk=\n", "tag"),
        ("a: no\n", "quote it"),
        ("a: 0777\n", "quote it"),
        ("a: .nan\n", "quote it"),
        ("a: 1\na: 2\n", "duplicate key"),
        ("%YAML 1.1\n---\na: b\n", "invalid YAML"),
        ("a: \u{feff}b\n", "U+FEFF"),
        ("a: \u{1}b\n", "U+0001"),
        (&deep, "bad.yaml:1"),
    ];
    for (text, expected) in cases {
        folder.write("bad.yaml", text);
        folder.run("compile bad.yaml --namespace a").refused(&["bad.yaml:", expected]);
    }
    folder.write("bad.json", "{\"a\":1,\n\"a\":2}");
    folder.run("compile bad.json --namespace a").refused(&["bad.json:2", "duplicate"]);
}

#[test]
fn files_stop_at_their_bounds() {
    let folder = Folder::new();
    folder.write("big.yaml", format!("# {}\n{POLICY}", "x".repeat(1024 * 1024)));
    folder.run("compile big.yaml --namespace a").refused(&["big.yaml", "1048576"]);
    let fits = 1024 * 1024 - POLICY.len() - 3;
    folder.write("big.yaml", format!("# {}\n{POLICY}", "x".repeat(fits)));
    folder.run("compile big.yaml --namespace a").ok();
    folder.write("latin.yaml", b"a: \xe9\n");
    folder.run("compile latin.yaml --namespace a").refused(&["latin.yaml", "UTF-8 at byte 3"]);
}

#[test]
fn a_wrong_path_is_not_an_empty_policy() {
    let folder = Folder::new();
    folder.write("empty/readme.txt", "");
    folder.run("compile empty --namespace a").refused(&["empty", "no .yaml"]);
    folder.run("compile nowhere --namespace a").refused(&["nowhere", "can't be read"]);
}

#[test]
fn check_finds_a_bundle_that_differs_from_its_sources() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    let line = "compile web.yaml --namespace a -o bundle.json";
    folder.run(line).ok();
    folder.run(&format!("{line} --check")).ok();
    folder.write("web.yaml", POLICY.replace("GET", "POST"));
    folder.run(&format!("{line} --check")).refused(&["bundle.json", "differs"]);
    folder.write("bundle.json", b"\xff");
    folder.run(&format!("{line} --check")).refused(&["bundle.json", "differs"]);
    std::fs::remove_file(folder.path("bundle.json")).unwrap();
    folder.run(&format!("{line} --check")).refused(&["bundle.json", "can't be read"]);
}

#[test]
fn settings_become_part_of_the_bundle() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    folder.write("settings.yaml", "clockSkewSeconds: 5\nrealm: shop\n");
    let bundle = folder.run("compile web.yaml --namespace a --settings settings.yaml").ok();
    assert!(
        bundle.contains("\"settings\":{\"clockSkewSeconds\":5,\"realm\":\"shop\"}"),
        "{bundle}"
    );
    for bad in ["- a\n", "", "a: b\n---\nc: d\n"] {
        folder.write("settings.yaml", bad);
        folder
            .run("compile web.yaml --namespace a --settings settings.yaml")
            .refused(&["settings.yaml", "not an object"]);
    }
}

#[test]
fn proxies_get_a_configuration_that_fails_closed() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    let line = "compile web.yaml --namespace a --label app=web";
    let envoy = folder.run(&format!("{line} --as envoy --module /f.wasm")).ok();
    for part in ["FAIL_RELOAD", "\"0.01s\"", "\"/f.wasm\"", "StringValue"] {
        assert!(envoy.contains(part), "{part} is not in {envoy}");
    }
    let plugin = folder.run(&format!("{line} --as wasmplugin --module oci://r/l:1")).ok();
    for part in ["FAIL_CLOSE", "\"AUTHN\"", "\"oci://r/l:1\"", "\"matchLabels\"", "\"Bundle\""] {
        assert!(plugin.contains(part), "{part} is not in {plugin}");
    }
    assert!(plugin.contains("\"SERVER\""), "what the workload is sent: {plugin}");
    let gateway = format!("{line} --kind gateway --as trafficextension --module oci://r/l:1");
    let gateway = folder.run(&gateway).ok();
    assert!(gateway.contains("\"CLIENT\""), "all at a gateway is what it sends: {gateway}");
    assert_eq!(folder.run(&format!("{line} --as envoy")).code, 2);
}

#[test]
fn a_mistake_is_reported_with_file_line_and_pointer() {
    let folder = Folder::new();
    folder.write("p/a.yaml", POLICY.replace("name: web", "name: a"));
    folder.write(
        "p/web.yaml",
        format!("kind: Pod\napiVersion: v1\n---\n{}", POLICY.replace("methods", "method")),
    );
    folder.run("compile p --namespace a").refused(&[
        "p/web.yaml:12:",
        "[shape]",
        "/spec/rules/0/to/0/operation/method",
    ]);
    folder.write("settings.yaml", "# skew\nclockSkewSeconds: 301\n");
    folder
        .run("compile p/a.yaml --namespace a --settings settings.yaml")
        .refused(&["settings.yaml:2", "/clockSkewSeconds"]);
    folder.write("settings.yaml", "clockSkew: 5\n");
    folder
        .run("compile p/a.yaml --namespace a --settings settings.yaml")
        .refused(&["settings.yaml:1", "clockSkew"]);
}

#[test]
fn only_what_applies_to_the_workload_is_written() {
    let folder = Folder::new();
    let other = POLICY
        .replace("name: web", "name: other")
        .replace("spec:\n", "spec:\n  selector:\n    matchLabels:\n      app: other\n");
    folder.write("web.yaml", POLICY);
    folder.write("other.yaml", &other);
    let only = folder.run("compile web.yaml --namespace a --label app=web").ok();
    let both = folder.run("compile web.yaml other.yaml --namespace a --label app=web").ok();
    assert_eq!(only, both);
    let labelled = folder.run("compile web.yaml other.yaml --namespace a --label app=other").ok();
    assert!(labelled.contains("\"other\"") && labelled.contains("\"web\""), "{labelled}");
}

#[test]
fn a_workload_without_a_policy_is_refused_unless_that_is_meant() {
    let folder = Folder::new();
    let elsewhere = POLICY.replace("name: web", "name: web\n  namespace: elsewhere");
    folder.write("web.yaml", elsewhere);
    folder.run("compile web.yaml --namespace a").refused(&["[unrestricted]"]);
    folder.run("compile web.yaml --namespace a --allow-unrestricted").ok();
    folder.run("compile web.yaml --namespace elsewhere").ok();
}

#[test]
fn check_says_ok_with_the_revision_or_what_is_wrong() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    folder.run("compile web.yaml --namespace a -o bundle.json").ok();
    let of_bundle = folder.run("check bundle.json").ok();
    assert!(of_bundle.starts_with("ok: 0 warnings, revision "), "{of_bundle}");
    assert_eq!(folder.run("check web.yaml --namespace a").ok(), of_bundle);
    assert!(folder.run("check web.yaml").ok().contains("1 workload"));
    let broken = folder.read("bundle.json").replace("methods", "method");
    folder.write("bundle.json", broken);
    folder.run("check bundle.json").refused(&["bundle.json:1:", "/resources/0/spec/rules/0"]);
}
