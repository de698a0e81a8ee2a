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
    - source: {serviceAccounts: [cart]}
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
    n3[\"cart\"]
    n4[\"pay\"]
  end
  n0 -- \"POST /a#34;b#60;c#62;#59; scope=pay:write\" --> n4
  n1 -- \"POST /a#34;b#60;c#62;#59; scope=pay:write\" --> n4
  n2 -. \":9090\" .-x n4
  n3 -- \"POST /a#34;b#60;c#62;#59; scope=pay:write\" --> n4
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
    assert_eq!(svg.matches("<path class=\"allow\"").count(), 3);
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

/// Each text of the picture has a place of its own, and a refusal is seen without colours too.
#[test]
fn no_text_lies_on_another_one() {
    let folder = Folder::new();
    folder.write("p.yaml", POLICIES);
    let svg = folder.run("graph p.yaml --format svg").ok();
    let attribute = |line: &str, name: &str| -> String {
        let rest = line.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let texts: Vec<_> = svg.lines().filter(|line| line.starts_with("<text")).collect();
    let mut places: Vec<_> =
        texts.iter().map(|line| (attribute(line, "x"), attribute(line, "y"))).collect();
    places.sort();
    let all = places.len();
    places.dedup();
    assert_eq!(places.len(), all, "{svg}");
    assert!(svg.contains("stroke-dasharray") && svg.contains("prefers-color-scheme:dark"), "{svg}");
}

/// A text of half a megabyte at ten thousand arrows.
#[test]
fn long_texts_are_cut() {
    let folder = Folder::new();
    let callers: Vec<String> = (0..1_000).map(|n| format!("cluster.local/ns/n{n}/sa/p")).collect();
    folder.write(
        "p.yaml",
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec:\n  rules:\n  - from: [{{source: {{principals: [{}]}}}}]\n    to: [{{operation: {{paths: [/{}]}}}}]\n",
            callers.join(", "),
            "x".repeat(100_000)
        ),
    );
    for form in ["mermaid", "dot", "svg"] {
        let picture = folder.run(&format!("graph p.yaml --format {form}")).ok();
        assert!(picture.len() < 2_000_000 && picture.contains('…'), "{form}: {}", picture.len());
    }
}
