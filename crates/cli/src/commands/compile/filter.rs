//! Configuration for the proxies that run the filter.

use serde_json::{Map, Value, json};

use crate::arguments::WorkloadOptions;

/// An entry for a listener's `http_filters`.
///
/// A fault makes a new VM after 10 ms and refuses the request that met it; never FAIL_OPEN.
pub(super) fn envoy(bundle: &str, module: &str) -> String {
    let configuration = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": bundle,
    });
    pretty(&json!({
        "name": "lychgate",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "lychgate",
                "root_id": "lychgate",
                "failure_policy": "FAIL_RELOAD",
                "reload_config": { "backoff": { "base_interval": "0.01s" } },
                "vm_config": {
                    "vm_id": "lychgate",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                },
                "configuration": configuration,
            },
        },
    }))
}

/// A WasmPlugin for the workload, in phase AUTHN: Istio's own jwt_authn would strip the token.
///
/// It selects by the workload's labels, or by its first target where that is what it has.
pub(super) fn wasm_plugin(bundle: &str, module: &str, workload: &WorkloadOptions) -> String {
    let mut spec = Map::new();
    if let Some(target) = workload.targets.first() {
        let reference = json!({ "group": target.group, "kind": target.kind, "name": target.name });
        spec.insert("targetRefs".to_owned(), json!([reference]));
    } else {
        let labels: Map<String, Value> =
            workload.labels.iter().map(|pair| (pair.key.clone(), json!(pair.value))).collect();
        spec.insert("selector".to_owned(), json!({ "matchLabels": labels }));
    }
    let configuration: Value = serde_json::from_str(bundle).unwrap_or(Value::Null);
    // Requests to the workload only, not those that it makes itself.
    spec.insert("match".to_owned(), json!([{ "mode": "SERVER" }]));
    spec.insert("url".to_owned(), json!(module));
    spec.insert("phase".to_owned(), json!("AUTHN"));
    spec.insert("failStrategy".to_owned(), json!("FAIL_CLOSE"));
    spec.insert("pluginConfig".to_owned(), configuration);
    pretty(&json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": { "name": "lychgate", "namespace": workload.namespace },
        "spec": spec,
    }))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
