//! Who the peer is: every way in which a certificate can be no identity.

use lychgate_tests_envoy::policy::{allow, bundle, resource};
use lychgate_tests_envoy::{
    Authority, Client, Envoy, Identity, Listener, Scratch, Setup, Transport, Upstream,
};
use serde_json::{Value, json};

const ORDERS: &str = "spiffe://cluster.local/ns/production/sa/order-service";

struct Bench {
    envoy: Envoy,
    mesh: Authority,
    _upstream: Upstream,
    _scratch: Scratch,
}

fn start() -> Bench {
    let mesh = Authority::new("mesh");
    let scratch = Scratch::new("peers");
    let rules = json!([{ "from": [{ "source": { "principals": ["cluster.local/ns/production/sa/order-service"] } }] }]);
    let policy = bundle(&json!({}), &[allow("orders", &rules)]);
    let strict = resource("PeerAuthentication", "strict", &json!({ "mtls": { "mode": "STRICT" } }));
    let strict = bundle(&json!({}), &[strict, allow("anybody", &json!([{}]))]);
    let server = mesh.issue(&["spiffe://cluster.local/ns/production/sa/payments"], &["localhost"]);
    let transport = Transport::Tls {
        server: server.files(&scratch, "server"),
        clients: scratch.write("mesh.pem", mesh.pem()),
        required: false,
    };
    let listener = |name: &str, policy: &Value, transport: &Transport| Listener {
        transport: transport.clone(),
        ..Listener::lychgate(name, policy)
    };
    let upstream = Upstream::start();
    let listeners = vec![
        listener("tls", &policy, &transport),
        listener("plain", &policy, &Transport::Plain),
        listener("strict-tls", &strict, &transport),
        listener("strict-plain", &strict, &Transport::Plain),
    ];
    let setup = Setup::new(listeners).cluster("upstream", upstream.address());
    Bench { envoy: Envoy::start(&setup), mesh, _upstream: upstream, _scratch: scratch }
}

impl Bench {
    fn status(&self, listener: &str, identity: Option<&Identity>) -> u16 {
        let address = self.envoy.listener(listener);
        Client::tls(address, self.mesh.pem(), identity).get("/").status
    }
}

#[test]
fn one_spiffe_id_is_an_identity() {
    let bench = start();
    let orders = bench.mesh.spiffe(ORDERS);
    for _ in 0..3 {
        assert_eq!(bench.status("tls", Some(&orders)), 200);
    }
    let both = bench.mesh.issue(&[ORDERS], &["orders.example"]);
    assert_eq!(bench.status("tls", Some(&both)), 200, "a DNS name beside it changes nothing");
    let other = bench.mesh.spiffe("spiffe://cluster.local/ns/production/sa/other");
    assert_eq!(bench.status("tls", Some(&other)), 403);
    assert_eq!(bench.status("tls", None), 403, "no certificate, no identity");
    let forged =
        [("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/production/sa/order-service")];
    let plain = Client::plain(bench.envoy.listener("plain")).request("GET", "/", &forged);
    assert_eq!(plain.status, 403, "a header is no identity");
}

#[test]
fn anything_else_is_a_malformed_peer() {
    let bench = start();
    let mesh = &bench.mesh;
    let long = format!("{ORDERS}/{}", "a".repeat(3000));
    let odd: [(&str, Identity); 7] = [
        ("no name", mesh.issue(&[], &[])),
        ("a DNS name only", mesh.issue(&[], &["order-service.production.svc"])),
        ("two SPIFFE IDs", mesh.issue(&[ORDERS, "spiffe://cluster.local/ns/a/sa/b"], &[])),
        ("another URI before it", mesh.issue(&["https://a.example/", ORDERS], &[])),
        ("another URI", mesh.issue(&["https://a.example/"], &[])),
        ("upper case", mesh.issue(&["spiffe://Cluster.local/ns/production/sa/order-service"], &[])),
        ("too long", mesh.issue(&[&long], &[])),
    ];
    for (what, identity) in &odd {
        let id = format!("peer-{}", what.replace(' ', "-"));
        let client = Client::tls(bench.envoy.listener("strict-tls"), mesh.pem(), Some(identity));
        let response = client.request("GET", "/", &[("x-request-id", id.as_str())]);
        assert_eq!(response.status, 403, "{what}");
        assert_eq!(bench.envoy.audit_of(&id)["reason"], "peer_malformed", "{what}");
    }
}

#[test]
fn strict_needs_a_peer() {
    let bench = start();
    let anybody = bench.mesh.spiffe("spiffe://cluster.local/ns/x/sa/y");
    assert_eq!(bench.status("strict-tls", Some(&anybody)), 200);
    assert_eq!(bench.status("strict-tls", None), 403);
    assert_eq!(Client::plain(bench.envoy.listener("strict-plain")).get("/").status, 403);
}

#[test]
fn a_certificate_of_somebody_else_ends_the_connection() {
    let bench = start();
    let stranger = Authority::new("mesh").spiffe(ORDERS);
    assert_eq!(bench.status("tls", Some(&stranger)), 0);
}
