use super::harness::Folder;

#[test]
fn a_minted_token_says_what_was_asked_for() {
    let folder = Folder::new();
    for alg in ["RS256", "PS384", "ES256", "ES384", "EdDSA", "HS256"] {
        folder.run(&format!("token keygen --alg {alg} --kid k-{alg} -o {alg}.json")).ok();
        let token = folder
            .run(&format!(
                "token mint --key {alg}.json --issuer i --subject s --audience x --audience y \
                 --claim n=5 --claim roles=[\"a\"] --claim scope=payments:write --not-before-in -1m"
            ))
            .ok();
        let shown = folder.run_with(&["token", "inspect"], &token).ok();
        for part in [
            &format!("alg \"{alg}\""),
            &format!("kid \"k-{alg}\""),
            "iss \"i\"",
            "sub \"s\"",
            "aud [\"x\",\"y\"]",
            "n 5",
            "roles [\"a\"]",
            "scope \"payments:write\"",
            "nbf was",
            "exp is in",
        ] {
            assert!(shown.contains(part), "{alg}: {part} is not in {shown}");
        }
    }
}

#[test]
fn claims_can_be_wrong_on_purpose() {
    let folder = Folder::new();
    folder.run("token keygen --kid k -o k.json").ok();
    let mint = |rest: &str| {
        let token = folder.run(&format!("token mint --key k.json {rest}")).ok();
        folder.run_with(&["token", "inspect"], &token).ok()
    };
    assert!(mint("--expires-in -10m").contains("exp was 600 seconds ago"));
    assert!(!mint("--no-expiry").contains("exp"));
    assert!(mint("--claim exp=\"soon\"").contains("exp \"soon\""));
    assert!(!mint("--claim iat=null").contains("iat"));
    assert!(mint("--typ at+jwt").contains("typ \"at+jwt\""));
}

#[test]
fn a_public_set_holds_no_private_member_and_no_secret() {
    let folder = Folder::new();
    folder.run("token keygen --alg RS256 --kid a -o a.json").ok();
    folder.run("token keygen --alg ES256 --kid b -o b.json").ok();
    folder.run("token keygen --alg HS256 --kid c -o c.json").ok();
    let set = folder.run("token jwks a.json b.json").ok();
    for part in ["\"kid\": \"a\"", "\"kid\": \"b\"", "\"use\": \"sig\"", "\"alg\": \"ES256\""] {
        assert!(set.contains(part), "{part} is not in {set}");
    }
    for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"qi\"", "\"k\""] {
        assert!(!set.contains(private), "{private} is in {set}");
    }
    folder.run("token jwks a.json c.json").refused(&["c.json", "symmetricKeys"]);
}

#[test]
fn private_keys_are_marked_closed_to_others_and_never_overwritten() {
    let folder = Folder::new();
    folder.run("token keygen --kid k -o k.json").ok();
    let before = folder.read("k.json");
    assert!(before.contains("development only"));
    folder.run("token keygen --kid k -o k.json").refused(&["k.json", "--force"]);
    assert_eq!(folder.read("k.json"), before);
    folder.run("token keygen --kid k -o k.json --force").ok();
    assert_ne!(folder.read("k.json"), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path("k.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_is_no_key_or_no_token_is_refused() {
    let folder = Folder::new();
    folder.write("bad.json", "{\"kty\":\"RSA\",\"alg\":\"RS256\"}");
    folder.run("token mint --key bad.json").refused(&["bad.json", "private key"]);
    folder.run("token mint --key none.json").refused(&["none.json", "can't be read"]);
    folder.run("token inspect a.b").refused(&["three parts"]);
    let long = "a".repeat(20_000);
    folder.run_with(&["token", "inspect", &long], "").refused(&["16384"]);
    folder.run_with(&["token", "inspect", "-"], &long).refused(&["16384"]);
}
