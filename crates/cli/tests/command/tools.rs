//! What stands beside the commands: schemas, completions, man pages, other manifests.

use serde_json::Value;

use super::harness::Folder;

const POLICY: &str = "\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: web}
spec:
  jwtRules:
  - {issuer: 'https://i', audiences: [web], jwksUri: 'https://i/keys'}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web}
spec:
  rules:
  - to:
    - operation: {methods: [GET]}
";

#[test]
fn completions_and_man_pages_name_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.run(&format!("completions {shell}")).ok();
        for command in ["check", "compile", "explain", "test", "token"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
    std::fs::create_dir(folder.path("man")).unwrap();
    folder.run("man man").ok();
    for page in
        ["lychgate", "lychgate-check", "lychgate-explain", "lychgate-test", "lychgate-token-mint"]
    {
        let text = folder.read(&format!("man/{page}.1"));
        assert!(text.starts_with(".ie") && text.contains(".SH NAME"), "{page}");
    }
    assert!(folder.run("man").ok().contains(".TH"));
}

#[test]
fn every_help_text_has_examples_or_explains_its_commands() {
    let folder = Folder::new();
    for command in ["check", "compile", "explain", "schema", "test", "completions", "token inspect"]
    {
        let help = folder.run(&format!("{command} --help")).ok();
        assert!(help.contains("Examples:"), "{command}");
    }
}

#[test]
fn istio_gets_manifests_that_fail_closed() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    let digest = "ab".repeat(32);
    let rest =
        format!("web.yaml --namespace a --label app=web --module oci://r/l:1 --sha256 {digest}");
    let plugin = folder.run(&format!("compile {rest} --as wasmplugin")).ok();
    let plugin: Value = serde_json::from_str(&plugin).unwrap();
    assert_eq!(plugin["kind"], "WasmPlugin");
    assert_eq!(plugin["spec"]["failStrategy"], "FAIL_CLOSE");
    assert_eq!(plugin["spec"]["sha256"], digest.as_str());
    let extension = folder.run(&format!("compile {rest} --as trafficextension")).ok();
    let extension: Value = serde_json::from_str(&extension).unwrap();
    assert_eq!(extension["kind"], "TrafficExtension");
    assert_eq!(extension["spec"]["selector"]["matchLabels"]["app"], "web");
    assert_eq!(extension["spec"]["phase"], "AUTHN");
    let wasm = &extension["spec"]["wasm"];
    assert_eq!(wasm["failStrategy"], "FAIL_CLOSE");
    assert_eq!(wasm["pluginConfig"]["kind"], "Bundle");
    let target = "compile web.yaml --namespace a --kind gateway --as trafficextension --module oci://r/l:1 \
                  --target gateway.networking.k8s.io/Gateway/edge";
    let attached: Value = serde_json::from_str(&folder.run(target).ok()).unwrap();
    assert_eq!(attached["spec"]["targetRefs"][0]["name"], "edge");
    let short = folder.run("compile web.yaml --namespace a --sha256 abc");
    assert_eq!(short.code, 2, "{}", short.err);
}

#[test]
fn a_policy_says_what_it_thinks_of_a_token() {
    let folder = Folder::new();
    folder.write("web.yaml", POLICY);
    for name in ["good", "rogue"] {
        folder.run(&format!("token keygen --kid k -o {name}.json")).ok();
    }
    folder.run("token jwks good.json -o set.json").ok();
    let inspect =
        "token inspect - --policy web.yaml --namespace default --jwks https://i/keys=set.json";
    for (key, rest, expected) in [
        (
            "good",
            "--issuer https://i --subject alice --audience web",
            "the policy accepts it as alice of https://i",
        ),
        (
            "rogue",
            "--issuer https://i --audience web",
            "the policy refuses it: 401 signature_invalid",
        ),
        (
            "good",
            "--issuer https://i --audience api",
            "the policy refuses it: 403 audience_mismatch",
        ),
        ("good", "--issuer https://j --audience web", "the policy refuses it: 401 issuer_unknown"),
    ] {
        let token = folder.run(&format!("token mint --key {key}.json {rest}")).ok();
        let arguments: Vec<&str> = inspect.split(' ').collect();
        let ran = folder.run_with(&arguments, &token);
        assert!(ran.out.contains(expected), "{expected:?} is not in {} {}", ran.out, ran.err);
    }
}
