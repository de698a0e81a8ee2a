//! What comes from elsewhere: earlier filters, other plugins in the VM, the shipped example.

use std::process::Command;

use lychgate_tests_envoy::config::typed;
use lychgate_tests_envoy::jwks::Behaviour;
use lychgate_tests_envoy::policy::{allow, allow_tokens, authentication, bundle, claims};
use lychgate_tests_envoy::{
    Authority, Client, Envoy, Filter, JwksServer, Listener, Scratch, Setup, SigningKey, Upstream,
    wasm,
};
use serde_json::{Value, json};

/// The identity that Istio's tunnel verified, as it leaves it for later filters.
fn tunnelled(principal: &str) -> Filter {
    let value = json!({
        "object_key": "io.istio.peer_principal",
        "factory_key": "envoy.string",
        "format_string": { "text_format_source": { "inline_string": principal } },
    });
    let config = json!({ "on_request_headers": [value] });
    let kind = "http.set_filter_state.v3.Config";
    Filter::Other(typed("envoy.filters.http.set_filter_state", kind, config))
}

#[test]
fn a_waypoint_takes_the_peer_from_its_tunnel() {
    let target = json!({ "group": "", "kind": "Service", "name": "payments" });
    let rules =
        json!([{ "from": [{ "source": { "principals": ["cluster.local/ns/a/sa/orders"] } }] }]);
    let mut policy = allow("orders", &rules);
    policy["spec"]["targetRefs"] = json!([target]);
    let mut waypoint = bundle(&json!({}), &[policy]);
    waypoint["workload"] =
        json!({ "kind": "waypoint", "namespace": "production", "targets": [target] });
    let cases = [
        ("spiffe://cluster.local/ns/a/sa/orders", 200),
        ("spiffe://cluster.local/ns/a/sa/other", 403),
        ("spiffe://cluster.local/ns/a/sa/orders/../other", 403),
        ("no identity", 403),
    ];
    let upstream = Upstream::start();
    let mut listeners = vec![Listener::lychgate("none", &waypoint)];
    for (principal, _) in cases {
        let mut listener = Listener::lychgate(principal, &waypoint);
        listener.filters.insert(0, tunnelled(principal));
        listeners.push(listener);
    }
    let envoy = Envoy::start(&Setup::new(listeners).cluster("upstream", upstream.address()));
    for (principal, status) in cases.into_iter().chain([("none", 403)]) {
        let answer = Client::plain(envoy.listener(principal)).get("/");
        assert_eq!(answer.status, status, "{principal}");
    }
}

#[test]
fn metadata_that_is_no_text_is_absent() {
    let rules =
        json!([{ "when": [{ "key": "experimental.envoy.filters.a[tier]", "values": ["*"] }] }]);
    let policy = bundle(&json!({}), &[allow("tier", &rules)]);
    let upstream = Upstream::start();
    let cases = [
        ("text", json!("gold"), 200),
        ("number", json!(5), 403),
        // Its eight bytes spell "platform".
        ("number like a text", json!(f64::from_le_bytes(*b"platform")), 403),
        ("text like a number", json!("platform"), 200),
        ("text with a line feed", json!("a\nb"), 403),
        ("truth", json!(true), 403),
        ("nothing", Value::Null, 403),
        ("members", json!({ "a": "b" }), 403),
        ("empty", json!(""), 403),
    ];
    let listener = |(name, value, _): &(&str, Value, u16)| {
        let entry = json!({ "metadata_namespace": "envoy.filters.a", "value": { "tier": value } });
        let config = json!({ "metadata": [entry] });
        let kind = "http.set_metadata.v3.Config";
        let mut listener = Listener::lychgate(name, &policy);
        let filter = typed("envoy.filters.http.set_metadata", kind, config);
        listener.filters.insert(0, Filter::Other(filter));
        listener
    };
    let listeners = cases.iter().map(listener).collect();
    let envoy = Envoy::start(&Setup::new(listeners).cluster("upstream", upstream.address()));
    for (name, _, status) in &cases {
        assert_eq!(Client::plain(envoy.listener(name)).get("/").status, *status, "{name}");
    }
}

#[test]
fn a_new_configuration_begins_with_the_keys_that_the_old_one_fetched() {
    let (key, uri) = (SigningKey::named("ec-1"), "http://keys.example/jwks");
    let server = JwksServer::start(Behaviour::Answer(200, key.jwks().into_bytes()));
    let upstream = Upstream::start();
    let setup = |realm: &str| {
        let settings = json!({ "realm": realm, "jwks": [{ "uri": uri, "cluster": "keys" }] });
        let resources = [authentication(&json!({ "jwksUri": uri })), allow_tokens()];
        let mut setup =
            Setup::new(vec![Listener::lychgate("main", &bundle(&settings, &resources))])
                .cluster("upstream", upstream.address())
                .cluster("keys", server.address());
        setup.dynamic = true;
        setup
    };
    let envoy = Envoy::start(&setup("first"));
    envoy.wait("keys", |envoy| envoy.stat("wasmcustom.lychgate.keys.fetched") == 1);
    server.behave(Behaviour::HangUp);
    envoy.replace_listeners(&setup("second"));
    let client = || Client::plain(envoy.listener("main"));
    envoy.wait("the new configuration", |_| {
        let challenge = client().get("/").header("www-authenticate").map(str::to_owned);
        challenge.is_some_and(|challenge| challenge.contains("second"))
    });
    let bearer = format!("Bearer {}", key.sign(&claims("alice")));
    for _ in 0..10 {
        let answer = client().request("GET", "/", &[("authorization", &bearer)]);
        assert_eq!(answer.status, 200, "the keys are there before the first request");
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn the_shipped_example_is_a_configuration_that_envoy_accepts() {
    let (scratch, authority) = (Scratch::new("example"), Authority::new("mesh"));
    let identity = authority.spiffe("spiffe://cluster.local/ns/production/sa/payments");
    let text = std::fs::read_to_string(wasm::project().join("examples/envoy/envoy.yaml")).unwrap();
    assert!(text.contains("failure_policy: FAIL_RELOAD"));
    let files = [
        ("/etc/envoy/lychgate.wasm", wasm::filter().to_path_buf()),
        ("/etc/envoy/tls/workload.pem", scratch.write("workload.pem", &identity.chain)),
        ("/etc/envoy/tls/workload.key", scratch.write("workload.key", &identity.key)),
        ("/etc/envoy/tls/mesh-ca.pem", scratch.write("mesh-ca.pem", authority.pem())),
        ("/etc/ssl/certs/ca-certificates.crt", scratch.write("roots.pem", authority.pem())),
    ];
    let here = |text: String, (name, path): &(&str, std::path::PathBuf)| {
        assert!(text.contains(name), "{name}");
        text.replace(name, path.to_str().unwrap())
    };
    let config = scratch.write("envoy.yaml", files.iter().fold(text, here));
    let output = Command::new(wasm::envoy())
        .args(["--mode", "validate", "--use-dynamic-base-id", "--config-path"])
        .arg(config)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
