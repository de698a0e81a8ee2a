//! `lychgate serve`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::harness::Folder;

const POLICY: &str = "\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: pay}
spec:
  jwtRules:
  - {issuer: 'https://i', audiences: [pay], jwksUri: 'https://i/keys'}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: pay}
spec:
  rules:
  - from:
    - source: {requestPrincipals: ['https://i/alice']}
    to:
    - operation: {methods: [GET], paths: ['/orders/*']}
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/cart]}
";

/// The command while it serves; it ends with the test.
struct Server {
    child: Child,
    address: String,
    _folder: Folder,
}

impl Server {
    fn start() -> Self {
        let folder = Folder::new();
        folder.write("pay.yaml", POLICY);
        let mut child = Command::new(env!("CARGO_BIN_EXE_lychgate"))
            .args(["serve", "pay.yaml", "--namespace", "shop", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path(""))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address, _folder: folder }
    }

    /// Status, head and body of the answer to these bytes.
    fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let status = answer.split(' ').nth(1).unwrap_or("0").parse().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (status, head.to_owned(), body.to_owned())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let length = body.len();
        let (status, _, body) = self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        (status, serde_json::from_str(&body).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn user(id: &str, method: &str, path: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": id, "properties": { "aud": "pay" } },
        "action": { "name": method },
        "resource": { "type": "route", "id": path },
    })
}

#[test]
fn authzen_asks_one_question_or_several() {
    let server = Server::start();
    let one = "/access/v1/evaluation";
    let (status, answer) = server.post(one, &user("alice", "GET", "/orders/1"));
    assert_eq!((status, &answer["decision"]), (200, &json!(true)), "{answer}");
    assert_eq!(answer["context"]["rule"], "shop/pay#0");
    let (status, answer) = server.post(one, &user("bob", "GET", "/orders/1"));
    assert_eq!((status, &answer["decision"]), (200, &json!(false)), "{answer}");
    assert_eq!(answer["context"]["missing"], json!(["from.source.requestPrincipals"]));
    let workload = json!({
        "subject": { "type": "workload", "id": "spiffe://cluster.local/ns/shop/sa/cart" },
        "action": { "name": "DELETE" },
        "resource": { "type": "route", "id": "x", "properties": { "path": "/anything" } },
    });
    assert_eq!(server.post(one, &workload).1["decision"], json!(true));

    let several = "/access/v1/evaluations";
    let mut batch = user("alice", "GET", "/orders/1");
    batch["evaluations"] = json!([
        {},
        { "action": { "name": "POST" } },
        { "resource": { "type": "route", "id": "/orders/2" } },
        { "action": {} },
    ]);
    let decisions = |answer: &Value| -> Vec<bool> {
        let list = answer["evaluations"].as_array().unwrap().iter();
        list.map(|answer| answer["decision"].as_bool().unwrap()).collect()
    };
    assert_eq!(decisions(&server.post(several, &batch).1), [true, false, true, false]);
    batch["options"] = json!({ "evaluations_semantic": "deny_on_first_deny" });
    assert_eq!(decisions(&server.post(several, &batch).1), [true, false]);
    batch["options"] = json!({ "evaluations_semantic": "permit_on_first_permit" });
    assert_eq!(decisions(&server.post(several, &batch).1), [true]);
    let (_, single) = server.post(several, &user("alice", "GET", "/orders/1"));
    assert_eq!(single["decision"], json!(true), "without evaluations it is one question");
}

#[test]
fn a_question_that_is_none_is_refused() {
    let server = Server::start();
    for body in [
        json!([]),
        json!({}),
        json!({ "subject": { "type": "user" }, "action": { "name": "GET" }, "resource": {} }),
        json!({ "subject": { "type": "workload", "id": "x/" }, "action": { "name": "GET" },
                "resource": { "type": "route", "id": "/" } }),
    ] {
        assert_eq!(server.post("/access/v1/evaluation", &body).0, 400, "{body}");
    }
    let (status, _, body) =
        server.send("GET /.well-known/authzen-configuration HTTP/1.1\r\nconnection: close\r\n\r\n");
    let configuration: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    let endpoint = configuration["access_evaluation_endpoint"].as_str().unwrap();
    assert_eq!(endpoint, format!("http://{}/access/v1/evaluation", server.address));
}

#[test]
fn envoy_gets_200_or_the_answer_for_the_caller() {
    let server = Server::start();
    let (status, head, body) = server.send(
        "GET /ext-authz/orders/1 HTTP/1.1\r\nhost: pay\r\nx-lychgate-peer: spiffe://cluster.local/ns/shop/sa/cart\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(status, 401, "a header is no peer");
    assert!(head.contains("www-authenticate: Bearer realm=\"lychgate\""), "{head}");
    assert!(body.contains("credential_required"), "{body}");
    let (status, _, _) =
        server.send("GET /ext-authz/a//b HTTP/1.1\r\nhost: pay\r\nconnection: close\r\n\r\n");
    assert_eq!(status, 400);
}

#[test]
fn hostile_connections_are_refused_and_the_next_one_is_served() {
    let server = Server::start();
    for (request, expected) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), 501),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx".to_owned(), 400),
        ("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n".to_owned(), 413),
        ("GET / HTTP/1.1\r\na b: c\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(66_000)), 431),
    ] {
        let (status, _, _) = server.send(&request);
        // A refusal may also reset a connection that still sends.
        assert!(status == expected || status == 0, "{status} for {:.60}", request);
    }
    let (status, _, _) = server.send("GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n");
    assert_eq!(status, 200);
}

#[test]
fn others_can_reach_it_only_where_that_is_meant() {
    let folder = Folder::new();
    folder.write("pay.yaml", POLICY);
    let ran = folder.run("serve pay.yaml --namespace shop --listen 0.0.0.0:0");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--allow-remote"), "{}", ran.err);
}
