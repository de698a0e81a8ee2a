//! `lychgate diff`.

use serde_json::Value;

use super::harness::Folder;

const BASE: &str = "\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
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
    - source: {principals: [cluster.local/ns/shop/sa/cart, cluster.local/ns/shop/sa/web]}
    to:
    - operation: {methods: [GET, POST], paths: [/charge, '/orders/*']}
    when:
    - {key: 'request.auth.claims[scope]', values: [pay, admin]}
  - from:
    - source: {namespaces: [ops]}
    to:
    - operation: {methods: [GET], paths: [/metrics], ports: ['9090']}
  - to:
    - operation: {hosts: [public.example], methods: [GET]}
    when:
    - {key: 'request.headers[x-env]', notValues: [test]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ban}
spec:
  action: DENY
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/retired]}
  - to:
    - operation: {paths: ['/admin/*']}
";

/// What changes for somebody.
const CHANGES: [(&str, &str); 27] = [
    ("methods: [GET, POST]", "methods: [GET]"),
    ("methods: [GET, POST]", "methods: [GET, POST, PUT]"),
    ("methods: [GET, POST]", "methods: [GET, 'P*']"),
    ("methods: [GET, POST]", "notMethods: [DELETE]"),
    ("[/charge, '/orders/*']", "[/charge]"),
    ("[/charge, '/orders/*']", "[/charge, '/orders/new/*']"),
    ("[/charge, '/orders/*']", "['/charge*', '/orders/*']"),
    ("[/charge, '/orders/*']", "[/charge, '*/orders']"),
    (", cluster.local/ns/shop/sa/web]", "]"),
    ("cluster.local/ns/shop/sa/web]", "cluster.local/ns/shop/*]"),
    ("cluster.local/ns/shop/sa/web]", "cluster.local/ns/back/sa/web]"),
    ("values: [pay, admin]", "values: [pay]"),
    ("values: [pay, admin]", "values: [pay, admin, root]"),
    ("values: [pay, admin]", "notValues: [pay]"),
    ("claims[scope]", "claims[roles]"),
    ("namespaces: [ops]", "namespaces: [ops, dev]"),
    ("namespaces: [ops]", "notNamespaces: [ops]"),
    ("ports: ['9090']", "ports: ['9090', '9091']"),
    (", ports: ['9090']", ""),
    ("[public.example]", "[public.example, www.example]"),
    ("[public.example]", "['*.example']"),
    ("notValues: [test]", "notValues: [test, dev]"),
    ("notValues: [test]", "values: [prod]"),
    ("sa/retired]", "sa/web]"),
    ("['/admin/*']", "['/orders/admin/*']"),
    (
        "  action: DENY\n  rules:\n  - from:\n    - source: {principals: [cluster.local/ns/shop/sa/retired]}\n",
        "  action: DENY\n  rules:\n",
    ),
    (
        "{key: 'request.headers[x-env]', notValues: [test]}",
        "{key: 'request.auth.principal', values: ['*']}",
    ),
];

/// What only looks different.
const REWRITES: [(&str, &str); 26] = [
    ("methods: [GET, POST]", "methods: [POST, GET]"),
    ("methods: [GET, POST]", "methods: [GET, POST, GET]"),
    ("[/charge, '/orders/*']", "['/orders/*', /charge]"),
    ("[/charge, '/orders/*']", "[/charge, '/orders/*', /orders/7]"),
    ("[/charge, '/orders/*']", "[/charge, '/orders/*', '/orders/new/*']"),
    (
        "- source: {principals: [cluster.local/ns/shop/sa/cart, cluster.local/ns/shop/sa/web]}",
        "- source: {principals: [cluster.local/ns/shop/sa/web]}\n    - source: {principals: [cluster.local/ns/shop/sa/cart]}",
    ),
    (
        "- source: {principals: [cluster.local/ns/shop/sa/cart, cluster.local/ns/shop/sa/web]}",
        "- source: {serviceAccounts: [shop/cart, web], trustDomains: [cluster.local]}",
    ),
    (
        "- source: {principals: [cluster.local/ns/shop/sa/cart, cluster.local/ns/shop/sa/web]}",
        "- source: {principals: [cluster.local/ns/shop/sa/cart, cluster.local/ns/shop/sa/web], namespaces: [shop]}",
    ),
    ("values: [pay, admin]", "values: [admin, pay]"),
    ("values: [pay, admin]", "values: [pay, admin, admin]"),
    (
        "    - {key: 'request.auth.claims[scope]', values: [pay, admin]}\n",
        "    - {key: 'request.auth.claims[scope]', values: [pay, admin]}\n    - {key: 'request.auth.claims[scope]', values: ['*']}\n",
    ),
    ("namespaces: [ops]", "namespaces: [ops, ops]"),
    ("ports: ['9090']}", "ports: ['9090'], hosts: ['*']}"),
    (
        "ports: ['9090']}\n",
        "ports: ['9090']}\n    - operation: {methods: [GET], paths: [/metrics], ports: ['9090'], notMethods: [POST]}\n",
    ),
    ("{hosts: [public.example], methods: [GET]}", "{hosts: [PUBLIC.example], methods: [GET]}"),
    (
        "{hosts: [public.example], methods: [GET]}",
        "{hosts: [public.example], methods: [GET], notPaths: ['/admin/*']}",
    ),
    ("notValues: [test]", "notValues: [test, test]"),
    ("sa/retired]", "sa/retired, cluster.local/ns/shop/sa/retired]"),
    ("paths: ['/admin/*']", "paths: ['/admin/*', /admin/x]"),
    ("metadata: {name: pay}", "metadata: {name: renamed}"),
    ("metadata: {name: ban}", "metadata: {name: a-ban}"),
    (
        "  - to:\n    - operation: {paths: ['/admin/*']}\n",
        "  - to:\n    - operation: {paths: ['/admin/*']}\n  - to:\n    - operation: {methods: [GET], paths: [/admin/x]}\n",
    ),
    (
        "  - to:\n    - operation: {paths: ['/admin/*']}\n",
        "  - to:\n    - operation: {paths: ['/admin/*'], methods: [GET]}\n  - to:\n    - operation: {paths: ['/admin/*'], notMethods: [GET]}\n",
    ),
    (
        "  rules:\n  - from:\n    - source: {principals: [cluster.local/ns/shop/sa/cart",
        "  action: ALLOW\n  rules:\n  - from:\n    - source: {principals: [cluster.local/ns/shop/sa/cart",
    ),
    (
        "  - from:\n    - source: {namespaces: [ops]}\n",
        "  - from:\n    - source: {namespaces: [ops]}\n    to:\n    - operation: {methods: [GET], paths: [/metrics], ports: ['9090'], hosts: [x]}\n  - from:\n    - source: {namespaces: [ops]}\n",
    ),
    ("methods: [GET], paths: [/metrics]", "methods: [GET, GET], paths: [/metrics, /metrics]"),
];

fn diff(folder: &Folder, old: &str, new: &str) -> (i32, Value) {
    folder.write("old.yaml", old);
    folder.write("new.yaml", new);
    let ran = folder.run("diff old.yaml new.yaml --namespace shop --format json");
    let found = serde_json::from_str(&ran.out);
    (ran.code, found.unwrap_or_else(|_| panic!("{}", ran.err)))
}

fn variant((from, to): (&str, &str)) -> String {
    let text = BASE.replacen(from, to, 1);
    assert_ne!(text, BASE, "{from}");
    text
}

#[test]
fn a_request_is_found_wherever_something_changes_for_callers() {
    let folder = Folder::new();
    for change in CHANGES {
        let other = variant(change);
        for (old, new) in [(BASE, other.as_str()), (other.as_str(), BASE)] {
            let (code, found) = diff(&folder, old, new);
            let differences = found["differences"].as_array().unwrap();
            assert_eq!(code, 1, "{change:?}: {found}");
            assert!(!differences.is_empty(), "{change:?}: {found}");
            for difference in differences {
                assert_ne!(difference["old"]["allows"], difference["new"]["allows"], "{change:?}");
            }
        }
    }
}

#[test]
fn nothing_is_found_where_a_policy_is_only_written_differently() {
    let folder = Folder::new();
    for rewrite in REWRITES {
        let other = variant(rewrite);
        for (old, new) in [(BASE, other.as_str()), (other.as_str(), BASE)] {
            let (code, found) = diff(&folder, old, new);
            assert_eq!(
                (code, &found["differences"]),
                (0, &serde_json::json!([])),
                "{rewrite:?}: {found}"
            );
        }
    }
}

#[test]
fn the_report_names_the_request_both_verdicts_and_how_far_it_looked() {
    let folder = Folder::new();
    folder.write("old.yaml", BASE);
    folder.write("new.yaml", variant(("methods: [GET, POST]", "methods: [GET]")));
    let ran = folder.run("diff old.yaml new.yaml --namespace shop");
    assert_eq!(ran.code, 1);
    for part in [
        "shop/pay#0 (as it stands in the old policy)",
        "POST /charge",
        "old: allow allowed_by_rule by shop/pay#0",
        "new: deny  no_rule_matched",
        "the search is complete",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in {}", ran.out);
    }
    let same = folder.run("diff old.yaml old.yaml --namespace shop").ok();
    assert_eq!(same, "no difference\nthe search is complete\n");
    folder.write("new.yaml", BASE.replace("audiences: [pay]", "audiences: [other]"));
    let ran = folder.run("diff old.yaml new.yaml --namespace shop");
    assert!(
        ran.out.contains("the search is bounded: RequestAuthentication differs"),
        "{}",
        ran.out
    );
}
