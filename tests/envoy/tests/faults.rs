//! What must not take the filter down: odd bytes, many headers, bad configurations.

use lychgate_tests_envoy::policy::{allow_tokens, authentication, bundle, claims};
use lychgate_tests_envoy::{Client, Envoy, Listener, Setup, SigningKey, Upstream};
use serde_json::{Value, json};

fn tokens_only(key: &SigningKey) -> Value {
    bundle(&json!({}), &[authentication(&json!({ "jwks": key.jwks() })), allow_tokens()])
}

#[test]
fn odd_bytes_and_many_headers_are_decided_like_any_others() {
    let key = SigningKey::named("rsa-1");
    let token = key.sign(&claims("alice"));
    let upstream = Upstream::start();
    let listener = Listener::lychgate("main", &tokens_only(&key));
    let setup = Setup::new(vec![listener]).cluster("upstream", upstream.address());
    let envoy = Envoy::start(&setup);
    let client = Client::plain(envoy.listener("main"));
    let good = format!("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n");
    let send = |extra: &[u8]| {
        client.raw(&[good.as_bytes(), extra, b"Connection: close\r\n\r\n"].concat()).status
    };

    assert_eq!(send(b""), 200);
    for value in [&b"\xff"[..], b"\x80\xfe\xff", b"\xc3\x28", b"\xed\xa0\x80"] {
        assert_eq!(send(&[b"X-Odd: ", value, b"\r\n"].concat()), 200, "{value:?}");
        assert_eq!(send(&[b"Cookie: ", value, b"\r\n"].concat()), 200, "{value:?}");
    }
    assert_eq!(
        client.raw(b"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xff\r\n\r\n").status,
        401
    );
    assert_eq!(
        client.raw(b"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\r\n\r\n").status,
        401
    );

    let lines = |count: usize| {
        (0..count).flat_map(|n| format!("x-h{n}: {n}\r\n").into_bytes()).collect::<Vec<_>>()
    };
    assert_eq!(send(&lines(1000)), 200, "1,000 lines are within the limit");
    assert_eq!(send(&lines(1100)), 431, "1,100 are not, and more than the host hands over");
    assert_eq!(send(&lines(3000)), 431);
    assert_eq!(send(b""), 200, "the VM lives");
    assert_eq!(envoy.stat("wasm.envoy.wasm.runtime.v8.crash"), 0);
}

#[test]
fn more_lines_than_can_be_seen_are_refused_even_in_shadow_mode() {
    let key = SigningKey::named("rsa-1");
    let resources = [authentication(&json!({ "jwks": key.jwks() })), allow_tokens()];
    let upstream = Upstream::start();
    let listener = Listener::lychgate("main", &bundle(&json!({ "shadow": true }), &resources));
    let setup = Setup::new(vec![listener]).cluster("upstream", upstream.address());
    let envoy = Envoy::start(&setup);
    let client = Client::plain(envoy.listener("main"));
    let send = |count: usize| {
        let lines: String = (0..count).map(|n| format!("x-h{n}: {n}\r\n")).collect();
        let head = "GET /a HTTP/1.1\r\nHost: x\r\nX-Lychgate-Subject: mallory\r\n";
        client.raw(format!("{head}{lines}Connection: close\r\n\r\n").as_bytes()).status
    };
    assert_eq!(send(0), 200, "no token, and nobody is refused");
    assert_eq!(send(1100), 431);
    envoy.wait("the counter", |e| e.stat("wasmcustom.lychgate.deny") == 1);
}

#[test]
fn a_plugin_without_a_good_bundle_does_not_start() {
    for (configuration, message) in [
        ("", "no configuration"),
        ("{", "bundle refused"),
        ("{\"apiVersion\":\"lychgate.dev/v1alpha1\"}", "bundle refused"),
    ] {
        let mut listener = Listener::lychgate("main", &json!({}));
        listener.filters = vec![lychgate_tests_envoy::Filter::Lychgate(configuration.to_owned())];
        let refused = Envoy::try_start(
            &Setup::new(vec![listener]).cluster("upstream", ([127, 0, 0, 1], 9).into()),
        );
        let refused = refused.expect_err("Envoy exits");
        assert_eq!(refused.code, Some(1));
        assert!(refused.log.contains(message), "{configuration}: {}", refused.log);
    }
}

#[test]
fn a_bad_bundle_leaves_the_old_one_in_force() {
    let key = SigningKey::named("rsa-1");
    let token = key.sign(&claims("alice"));
    let bearer = format!("Bearer {token}");
    let upstream = Upstream::start();
    let setup = |bundle: &Value| {
        let mut setup = Setup::new(vec![Listener::lychgate("main", bundle)])
            .cluster("upstream", upstream.address());
        setup.dynamic = true;
        setup
    };
    let good = tokens_only(&key);
    let envoy = Envoy::start(&setup(&good));
    let status = |path: &str, headers: &[(&str, &str)]| {
        Client::plain(envoy.listener("main")).request("GET", path, headers).status
    };
    assert_eq!(status("/", &[("authorization", &bearer)]), 200);
    assert_eq!(status("/", &[]), 401);

    let mut bad = good.clone();
    bad["resources"][1]["spec"]["rules"][0]["frmo"] = json!([]);
    envoy.replace_listeners(&setup(&bad));
    envoy.wait("the refusal", |envoy| envoy.stat("listener_manager.lds.update_rejected") > 0);
    assert!(envoy.log().contains("/resources/1/spec/rules/0"), "the log says where");
    for _ in 0..20 {
        assert_eq!(status("/", &[("authorization", &bearer)]), 200);
        assert_eq!(status("/", &[]), 401);
    }
    assert_eq!(envoy.stat("wasmcustom.lychgate.config.refused"), 1);

    let mut other = good;
    other["resources"][1]["spec"]["action"] = json!("DENY");
    other["settings"]["allowUnrestricted"] = json!(true);
    envoy.replace_listeners(&setup(&other));
    envoy.wait("the new policy", |_| status("/", &[("authorization", &bearer)]) == 403);
}
