//! `lychgate graph`.

use super::harness::Folder;

const POLICIES: &str = "\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: pay, namespace: shop}
spec:
  selector: {matchLabels: {app: pay}}
  rules:
  - from:
    - source: {principals: [cluster.local/ns/edge/sa/gateway]}
    - source: {namespaces: [back-office]}
    to:
    - operation: {methods: [POST], paths: ['/a\"b<c>']}
    when:
    - {key: 'request.auth.claims[scope]', values: ['pay:write']}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ban, namespace: shop}
spec:
  selector: {matchLabels: {app: pay}}
  action: DENY
  rules:
  - to:
    - operation: {ports: ['9090']}
";

#[test]
fn every_form_shows_zones_crossings_and_refusals() {
    let folder = Folder::new();
    folder.write("p.yaml", POLICIES);
    let mermaid = folder.run("graph p.yaml").ok();
    assert_eq!(
        mermaid,
        "flowchart LR
  subgraph z0[\"back-office\"]
    n0[\"everybody\"]
  end
  subgraph z1[\"edge\"]
    n1[\"gateway\"]
  end
  subgraph z2[\"outside\"]
    n2[\"anybody\"]
  end
  subgraph z3[\"shop\"]
    n3[\"pay\"]
  end
  n0 -- \"POST /a#34;b#60;c#62;#59; scope=pay:write\" --> n3
  n1 -- \"POST /a#34;b#60;c#62;#59; scope=pay:write\" --> n3
  n2 -. \":9090\" .-x n3
"
    );
    let dot = folder.run("graph p.yaml --format dot").ok();
    assert!(
        dot.contains(
            "\"edge/gateway\" -> \"shop/pay\" [label=\"POST /a\\\"b<c>; scope=pay:write\"];"
        ),
        "{dot}"
    );
    assert!(dot.contains("style=dashed"), "{dot}");
    let svg = folder.run("graph p.yaml --format svg").ok();
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("POST /a&quot;b&lt;c&gt;; scope=pay:write"), "{svg}");
    assert!(!svg.contains("href") && !svg.contains("<script"), "it needs nothing else");
    assert_eq!(svg.matches("<path class=\"allow\"").count(), 2);
    assert_eq!(svg.matches("<path class=\"deny\"").count(), 1);
}

#[test]
fn the_order_of_files_and_documents_changes_nothing() {
    let folder = Folder::new();
    let (first, second) = POLICIES.split_once("---\n").unwrap();
    folder.write("a.yaml", POLICIES);
    folder.write("b.yaml", format!("{second}---\n{first}"));
    for form in ["mermaid", "dot", "svg"] {
        let one = folder.run(&format!("graph a.yaml --format {form}")).ok();
        assert_eq!(folder.run(&format!("graph b.yaml --format {form}")).ok(), one, "{form}");
    }
}
