use super::harness::Folder;

#[test]
fn help_and_version_are_answers() {
    let folder = Folder::new();
    assert!(folder.run("--help").ok().contains("compile"));
    assert!(folder.run("--version").ok().starts_with("lychgate "));
    for command in ["compile", "check", "token mint", "svid x509"] {
        assert!(folder.run(&format!("{command} --help")).ok().contains("Usage"), "{command}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::new();
    folder.write("a.yaml", "");
    for line in [
        "",
        "nonsense",
        "compile",
        "compile a.yaml",
        "compile a.yaml --namespace a --label app",
        "compile a.yaml --namespace a --kind mesh",
        "compile a.yaml --namespace a --check",
        "token keygen --alg none --kid a",
        "token keygen --alg RS256 --kid a --bits 1024",
        "token mint --key k --expires-in tomorrow",
        "token mint --key k --claim a",
        "svid jwt --spiffe-id spiffe://a/b --key k",
        "svid x509 --ca ca --spiffe-id http://a/b -o leaf",
        "svid x509 --ca ca --spiffe-id spiffe://A/b -o leaf",
        "svid ca --trust-domain UPPER -o ca",
    ] {
        let ran = folder.run(line);
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.out.is_empty(), "{line}");
    }
}
