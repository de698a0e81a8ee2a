//! Configuration for the proxies that run the filter.

use serde_json::{Map, Value, json};

use crate::arguments::{Kind, WorkloadOptions};

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

/// What a resource for Istio says besides the bundle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plugin<'a> {
    pub(super) bundle: &'a str,
    /// Where the proxy finds the filter.
    pub(super) url: &'a str,
    /// The digest of the module, so that nobody can replace it.
    pub(super) sha256: Option<&'a str>,
    pub(super) workload: &'a WorkloadOptions,
}

impl Plugin<'_> {
    /// A WasmPlugin for the workload, in phase AUTHN: Istio's own jwt_authn would strip the token.
    pub(super) fn wasm_plugin(&self) -> String {
        let mut spec = self.place();
        spec.insert("phase".to_owned(), json!("AUTHN"));
        spec.extend(self.module());
        self.resource("WasmPlugin", &spec)
    }

    /// A TrafficExtension, which takes the place of WasmPlugin from Istio 1.30 on.
    pub(super) fn traffic_extension(&self) -> String {
        let mut spec = self.place();
        spec.insert("phase".to_owned(), json!("AUTHN"));
        spec.insert("wasm".to_owned(), Value::Object(self.module()));
        self.resource("TrafficExtension", &spec)
    }

    /// It selects by the workload's targets, or by its labels where it has none.
    fn place(&self) -> Map<String, Value> {
        let mut spec = Map::new();
        let targets = self.workload.targets.iter();
        let references: Vec<Value> = targets
            .map(
                |target| json!({ "group": target.group, "kind": target.kind, "name": target.name }),
            )
            .collect();
        if references.is_empty() {
            let labels = self.workload.labels.iter();
            let labels: Map<String, Value> =
                labels.map(|pair| (pair.key.clone(), json!(pair.value))).collect();
            spec.insert("selector".to_owned(), json!({ "matchLabels": labels }));
        } else {
            spec.insert("targetRefs".to_owned(), json!(references));
        }
        // Requests to the workload only, not those that it makes itself. For Istio all that passes
        // a gateway is what the gateway itself sends.
        let mode = match self.workload.kind {
            Kind::Sidecar | Kind::Waypoint => "SERVER",
            Kind::Gateway => "CLIENT",
        };
        spec.insert("match".to_owned(), json!([{ "mode": mode }]));
        spec
    }

    fn module(&self) -> Map<String, Value> {
        let mut module = Map::new();
        module.insert("url".to_owned(), json!(self.url));
        if let Some(digest) = self.sha256 {
            module.insert("sha256".to_owned(), json!(digest));
        }
        module.insert("failStrategy".to_owned(), json!("FAIL_CLOSE"));
        let configuration: Value = serde_json::from_str(self.bundle).unwrap_or(Value::Null);
        module.insert("pluginConfig".to_owned(), configuration);
        module
    }

    fn resource(&self, kind: &str, spec: &Map<String, Value>) -> String {
        pretty(&json!({
            "apiVersion": "extensions.istio.io/v1alpha1",
            "kind": kind,
            "metadata": { "name": "lychgate", "namespace": self.workload.namespace },
            "spec": spec,
        }))
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
