//! JSON Schemas of the documents that people and programs write.

#[expect(
    dead_code,
    reason = "a bundle is read by core; these types are what its schema is made of"
)]
mod bundle;

use serde_json::{Value, json};

use crate::shape::{Definitions, Shape};
use crate::suite::TestFile;

/// The schema of a test file.
pub(crate) fn test() -> Value {
    whole::<TestFile>("policy-test", "Table tests of Lychgate policies")
}

/// The schema of a compiled bundle.
pub(crate) fn bundle() -> Value {
    whole::<bundle::Bundle>("bundle", "A compiled Lychgate policy for one workload")
}

fn whole<T: Shape>(name: &str, title: &str) -> Value {
    let mut definitions = Definitions::default();
    let root = T::schema(&mut definitions);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{}/raw/main/schemas/{name}.schema.json", env!("CARGO_PKG_REPOSITORY")),
        "title": title,
        "$defs": definitions.finish(),
    });
    if let (Some(schema), Value::Object(root)) = (schema.as_object_mut(), root) {
        schema.extend(root);
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lychgate_core::engine::Engine;
    use lychgate_crypto::Portable;

    use super::*;

    /// What core says it knows where it refuses a member.
    fn known_to_core(bundle: &Value) -> BTreeSet<String> {
        let error = Engine::load(bundle.to_string().as_bytes(), &Portable).unwrap_err();
        let message = error.problem().to_string();
        let list = message.split("expected ").nth(1).unwrap_or_else(|| panic!("{message}"));
        let list = list.trim_start_matches("one of ").replace(" or ", ", ");
        list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
    }

    fn bundle_with(resource: Value, settings: Value, workload: Value) -> Value {
        json!({
            "apiVersion": "lychgate.dev/v1alpha1",
            "kind": "Bundle",
            "workload": workload,
            "settings": settings,
            "resources": [resource],
        })
    }

    fn resource(kind: &str, spec: Value) -> Value {
        let resource = json!({
            "apiVersion": "security.istio.io/v1",
            "kind": kind,
            "metadata": { "name": "a" },
            "spec": spec,
        });
        bundle_with(resource, json!({}), json!({ "kind": "sidecar", "namespace": "a" }))
    }

    fn settings(settings: Value) -> Value {
        let workload = json!({ "kind": "sidecar", "namespace": "a" });
        bundle_with(json!({}), settings, workload)
    }

    /// Every type of the schema knows the same members as core's reader of it.
    #[test]
    fn the_bundles_schema_knows_what_core_knows_and_nothing_else() {
        let odd = json!({ "odd": 1 });
        let authorization = |spec| resource("AuthorizationPolicy", spec);
        let rule = |rule: Value| authorization(json!({ "rules": [rule] }));
        let jwt = |spec: Value| {
            let mut rule = json!({ "issuer": "i" });
            rule.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
            resource("RequestAuthentication", json!({ "jwtRules": [rule] }))
        };
        let peer = |spec| resource("PeerAuthentication", spec);
        let schema = bundle();
        for (name, bundle) in [
            ("Settings", settings(odd.clone())),
            ("TrustedHop", settings(json!({ "trustedHops": [odd] }))),
            ("SymmetricKey", settings(json!({ "symmetricKeys": [odd] }))),
            ("JwtSvid", settings(json!({ "jwtSvid": [odd] }))),
            ("Jwks", settings(json!({ "jwks": [odd] }))),
            ("KeyRefresh", settings(json!({ "keyRefresh": odd }))),
            ("Limits", settings(json!({ "limits": odd }))),
            ("Workload", bundle_with(json!({}), json!({}), odd.clone())),
            (
                "Target",
                bundle_with(
                    json!({}),
                    json!({}),
                    json!({ "kind": "gateway", "namespace": "a", "targets": [odd] }),
                ),
            ),
            ("Selector", authorization(json!({ "selector": odd }))),
            ("TargetRef", authorization(json!({ "targetRef": odd }))),
            ("AuthorizationPolicySpec", authorization(odd.clone())),
            ("Provider", authorization(json!({ "provider": odd }))),
            ("Rule", rule(odd.clone())),
            ("From", rule(json!({ "from": [odd] }))),
            ("Source", rule(json!({ "from": [{ "source": odd }] }))),
            ("To", rule(json!({ "to": [odd] }))),
            ("Operation", rule(json!({ "to": [{ "operation": odd }] }))),
            ("When", rule(json!({ "when": [odd] }))),
            ("RequestAuthenticationSpec", resource("RequestAuthentication", odd.clone())),
            ("JwtRule", jwt(odd.clone())),
            ("FromHeader", jwt(json!({ "fromHeaders": [odd] }))),
            ("ClaimToHeader", jwt(json!({ "outputClaimToHeaders": [odd] }))),
            ("PeerAuthenticationSpec", peer(odd.clone())),
            ("MutualTls", peer(json!({ "mtls": odd }))),
        ] {
            let properties = schema["$defs"][name]["properties"].as_object();
            let properties = properties.unwrap_or_else(|| panic!("{name} is not in the schema"));
            let ours: BTreeSet<String> = properties.keys().cloned().collect();
            let mut cores = known_to_core(&bundle);
            // The old spelling is read, and nobody should write it.
            cores.remove("jwks_uri");
            assert_eq!(ours, cores, "{name}");
        }
    }

    #[test]
    fn the_published_schemas_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        for (name, schema) in [("policy-test", test()), ("bundle", bundle())] {
            let path = folder.join(format!("{name}.schema.json"));
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                published == format!("{schema:#}\n"),
                "{}: write it anew with `lychgate schema`",
                path.display()
            );
        }
    }
}
