//! `RequestAuthentication` as `envoy.filters.http.jwt_authn`.

use serde_json::{Map, Value, json};

use crate::resource::JwtRule;

/// The filter for the rules of all selected resources; nothing without rules.
///
/// Rules stand in the order of their issuers. A token may be absent, but one that is there must be
/// good for some provider.
#[must_use]
pub fn jwt_authn(rules: &[JwtRule]) -> Option<Value> {
    if rules.is_empty() {
        return None;
    }
    let sorted = sorted(rules);
    let name = |index: usize| format!("origins-{index}");
    let providers = sorted.iter().enumerate();
    let providers: Map<String, Value> =
        providers.map(|(index, rule)| (name(index), provider(rule))).collect();
    let mut any: Vec<Value> =
        (0..sorted.len()).map(|index| json!({ "providerName": name(index) })).collect();
    let or_missing = |index| {
        let provider = json!({ "providerName": name(index) });
        json!({ "requiresAny": { "requirements": [provider, { "allowMissing": {} }] } })
    };
    any.push(match sorted.len() {
        1 => json!({ "allowMissing": {} }),
        count => {
            let all: Value = (0..count).map(or_missing).collect();
            json!({ "requiresAll": { "requirements": all } })
        }
    });
    Some(json!({
        "name": "envoy.filters.http.jwt_authn",
        "typedConfig": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "bypassCorsPreflight": true,
            "providers": providers,
            "rules": [{
                "match": { "prefix": "/" },
                "requires": { "requiresAny": { "requirements": any } },
            }],
        },
    }))
}

/// By issuer; rules of the same issuer keep their order.
pub(crate) fn sorted(rules: &[JwtRule]) -> Vec<&JwtRule> {
    let mut rules: Vec<&JwtRule> = rules.iter().collect();
    rules.sort_by(|one, other| one.issuer.cmp(&other.issuer));
    rules
}

fn provider(rule: &JwtRule) -> Value {
    let mut provider = Map::new();
    let mut set = |name: &str, value: Value| drop(provider.insert(name.into(), value));
    set("issuer", rule.issuer.as_str().into());
    if !rule.audiences.is_empty() {
        set("audiences", rule.audiences.clone().into());
    }
    if let Some(jwks) = &rule.jwks {
        set("localJwks", json!({ "inlineString": jwks }));
    }
    if !rule.from_headers.is_empty() {
        let headers = rule.from_headers.iter();
        let header = headers.map(|header| match header.prefix.as_str() {
            "" => json!({ "name": header.name }),
            prefix => json!({ "name": header.name, "valuePrefix": prefix }),
        });
        set("fromHeaders", header.collect());
    }
    if !rule.from_params.is_empty() {
        set("fromParams", rule.from_params.clone().into());
    }
    if !rule.from_cookies.is_empty() {
        set("fromCookies", rule.from_cookies.clone().into());
    }
    set("payloadInMetadata", "payload".into());
    let usual = ["permission".to_owned(), "scope".to_owned()];
    let words: Vec<_> = usual.iter().chain(&rule.space_delimited_claims).cloned().collect();
    set("normalizePayloadInMetadata", json!({ "spaceDelimitedClaims": words }));
    if rule.forward_original_token {
        set("forward", true.into());
    }
    if let Some(header) = &rule.output_payload_to_header {
        set("forwardPayloadHeader", header.as_str().into());
    }
    if !rule.output_claim_to_headers.is_empty() {
        let headers = rule.output_claim_to_headers.iter();
        let headers =
            headers.map(|output| json!({ "headerName": output.header, "claimName": output.claim }));
        set("claimToHeaders", headers.collect());
    }
    provider.into()
}
