//! What the command makes is what the engine accepts: key, set, token and bundle together.

use lychgate_core::authn::refresh::Keys;
use lychgate_core::decision::Reason;
use lychgate_core::engine::{Cache, Engine};
use lychgate_core::request::{Connection, HeaderLine, Lines, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;

use super::harness::Folder;

const POLICY: &str = "\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: web}
spec:
  jwtRules:
  - issuer: i
    audiences: [web]
    jwks: |
      @JWKS@
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web}
spec:
  rules:
  - from:
    - source: {requestPrincipals: [i/alice]}
    when:
    - {key: 'request.auth.claims[scope]', values: [read]}
";

fn decide(bundle: &str, token: &str) -> Reason {
    let engine = Engine::load(bundle.as_bytes(), &Portable).unwrap();
    let value = format!("Bearer {}", token.trim());
    let headers = [HeaderLine { name: b"authorization", value: value.as_bytes() }];
    let request = Request {
        method: b"GET",
        target: b"/",
        authority: Some(b"web"),
        headers: &headers,
        lines: Lines::Separate,
        peer: &Peer::Absent,
        connection: Connection::default(),
        metadata: &[],
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = UnixTime::from_seconds(now.as_secs());
    let keys = Keys::new(engine.key_sources(), 1);
    let mut cache = Cache::new(4, 1 << 16);
    engine.decide(&request, now, &keys, &mut cache, &Portable).reason()
}

#[test]
fn tokens_of_every_algorithm_pass_under_a_compiled_policy_and_only_under_their_key() {
    let folder = Folder::new();
    for alg in ["RS256", "RS512", "PS256", "PS512", "ES256", "ES384", "EdDSA"] {
        for name in ["good", "rogue"] {
            folder.run(&format!("token keygen --alg {alg} --kid k -o {name}.json --force")).ok();
        }
        let set = folder.run("token jwks good.json").ok().replace('\n', " ");
        folder.write("web.yaml", POLICY.replace("@JWKS@", &set));
        let bundle = folder.run("compile web.yaml --namespace a").ok();
        let mint = |key: &str, rest: &str| {
            let line = format!("token mint --key {key}.json --issuer i --subject alice {rest}");
            folder.run(&line).ok()
        };
        let good = "--audience web --claim scope=read";
        for (token, expected) in [
            (mint("good", good), Reason::AllowedByRule),
            (mint("rogue", good), Reason::SignatureInvalid),
            (mint("good", &format!("{good} --expires-in -2m")), Reason::TokenExpired),
            (mint("good", &format!("{good} --not-before-in 2m")), Reason::TokenNotYetValid),
            (mint("good", &format!("{good} --no-expiry")), Reason::ClaimMissing),
            (mint("good", "--audience api --claim scope=read"), Reason::AudienceMismatch),
            (mint("good", "--audience web --claim scope=write"), Reason::ScopeMissing),
        ] {
            assert_eq!(decide(&bundle, &token), expected, "{alg}");
        }
    }
}

#[test]
fn a_secret_works_only_through_the_settings() {
    let folder = Folder::new();
    folder.run("token keygen --alg HS256 --kid k -o k.json").ok();
    let file = folder.read("k.json");
    let secret = file.split("\"k\": \"").nth(1).unwrap().split('"').next().unwrap();
    let policy = POLICY.replace("    jwks: |\n      @JWKS@\n", "");
    folder.write("web.yaml", &policy);
    folder.run("compile web.yaml --namespace a").refused(&["web.yaml:", "/spec/jwtRules/0"]);
    folder.write(
        "settings.yaml",
        format!("symmetricKeys:\n- {{issuer: i, kid: k, alg: HS256, k: '{secret}'}}\n"),
    );
    let bundle = folder.run("compile web.yaml --namespace a --settings settings.yaml").ok();
    let mint = "token mint --key k.json --issuer i --subject alice --audience web";
    let token = folder.run(&format!("{mint} --claim scope=read")).ok();
    assert_eq!(decide(&bundle, &token), Reason::AllowedByRule);
    let set = format!("{{\"keys\":[{{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"{secret}\"}}]}}");
    folder.write("web.yaml", POLICY.replace("@JWKS@", &set));
    folder.run("compile web.yaml --namespace a").refused(&["web.yaml:", "jwks"]);
}
