//! Policies and requests that nearly match each other.

mod pool;
mod request;

use serde_json::json;

use crate::case::{NAMESPACE, Setup};
use crate::random::Random;
use crate::resource::{
    Action, AuthorizationPolicy, ClaimToHeader, Condition, Fields, From, FromHeader, JwtRule,
    Metadata, Rule, Spec, To,
};
use crate::translate::negation;
use pool::{HEADERS, ISSUERS, KEYS, OPERATION_FIELDS, SOURCE_FIELDS, value};
pub use request::request;

/// Resources of one workload.
pub fn setup(random: &mut Random) -> Setup {
    let count = [1, 2, 3, 5, 0, 10][random.weighted(&[40, 30, 15, 8, 4, 3])];
    let trust_domains: &[&str] = [
        &["cluster.local"][..],
        &["cluster.local", "old-td"],
        &["td2", "old-td", "cluster.local"],
        &["td2"],
    ][random.weighted(&[50, 25, 15, 10])];
    Setup {
        policies: (0..count).map(|index| policy(random, index)).collect(),
        jwt_rules: jwt_rules(random),
        trust_domains: trust_domains.iter().map(|domain| (*domain).to_owned()).collect(),
    }
}

fn policy(random: &mut Random, index: usize) -> AuthorizationPolicy {
    let action = [Action::Allow, Action::Deny, Action::Audit][random.weighted(&[55, 42, 3])];
    let mut metadata =
        Metadata { name: format!("p{index}"), namespace: NAMESPACE.into(), ..Metadata::default() };
    if random.percent(4) {
        metadata.annotations.insert("istio.io/dry-run".into(), "true".into());
    }
    let count = [1, 2, 3, 6, 30, 0][random.weighted(&[55, 25, 10, 6, 1, 3])];
    let mut rules = Some((0..count).map(|_| rule(random)).collect::<Vec<_>>());
    if count == 0 && action == Action::Deny {
        rules = Some(vec![Rule::default()]);
    } else if count == 0 && random.percent(50) {
        rules = None;
    }
    AuthorizationPolicy {
        api_version: "security.istio.io/v1".into(),
        kind: "AuthorizationPolicy".into(),
        metadata,
        spec: Spec { action, rules },
    }
}

fn rule(random: &mut Random) -> Rule {
    let sources = [0, 1, 2][random.weighted(&[45, 45, 10])];
    let operations = [0, 1, 2][random.weighted(&[40, 50, 10])];
    let conditions = [0, 1, 2][random.weighted(&[55, 35, 10])];
    Rule {
        from: (0..sources).map(|_| From { source: fields(random, &SOURCE_FIELDS) }).collect(),
        to: (0..operations).map(|_| To { operation: fields(random, &OPERATION_FIELDS) }).collect(),
        when: (0..conditions).map(|_| condition(random)).collect(),
    }
}

fn fields(random: &mut Random, names: &[&str]) -> Fields {
    let mut fields = Fields::new();
    for _ in 0..[1, 2, 3][random.weighted(&[60, 30, 10])] {
        let name = random.pick(names);
        let accounts = fields.contains_key("serviceAccounts")
            || fields.contains_key("notServiceAccounts")
            || fields.is_empty();
        // Istio's validation lets service accounts stand with neither principals nor namespaces.
        if name == "serviceAccounts" && !accounts {
            continue;
        }
        if fields.keys().any(|field| field.to_lowercase().contains("serviceaccounts")) {
            continue;
        }
        let values = values(random, name);
        let name = if random.percent(30) { negation(name) } else { name.to_owned() };
        fields.insert(name, values);
    }
    fields
}

fn condition(random: &mut Random) -> Condition {
    let key = random.pick(&KEYS).to_owned();
    let negated = random.weighted(&[65, 25, 10]);
    let values = if negated == 1 { Vec::new() } else { values(random, &key) };
    let not_values = if negated == 0 { Vec::new() } else { self::values(random, &key) };
    Condition { key, values, not_values }
}

fn values(random: &mut Random, name: &str) -> Vec<String> {
    let count = [1, 2, 3][random.weighted(&[55, 30, 15])];
    (0..count).map(|_| value(random, name)).collect()
}

/// The one key of every issuer; what verifies is up to the verifier.
const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn jwt_rules(random: &mut Random) -> Vec<JwtRule> {
    let count = [0, 1, 2, 3, 4][random.weighted(&[15, 45, 25, 10, 5])];
    (0..count).map(|index| jwt_rule(random, ISSUERS[index])).collect()
}

fn jwt_rule(random: &mut Random, issuer: &str) -> JwtRule {
    let mut rule = JwtRule {
        issuer: issuer.into(),
        jwks: Some(JWKS.into()),
        forward_original_token: random.percent(50),
        ..JwtRule::default()
    };
    if random.percent(25) {
        rule.audiences = vec![random.pick(&["api", "https://api/", "other"]).to_owned()];
    }
    match random.weighted(&[65, 15, 10, 10]) {
        0 => {}
        1 => {
            let (name, prefix) =
                [("x-token", ""), ("authorization", "Bearer "), ("x-token", "JWT ")]
                    [random.below(3)];
            rule.from_headers = vec![FromHeader { name: name.into(), prefix: prefix.into() }];
        }
        2 => rule.from_params = vec!["token".into()],
        _ => rule.from_cookies = vec!["session".into()],
    }
    if random.percent(15) {
        rule.space_delimited_claims = vec!["roles".into()];
    }
    if random.percent(10) {
        rule.output_claim_to_headers =
            vec![ClaimToHeader { header: HEADERS[1].into(), claim: "group".into() }];
    }
    rule
}

/// Values that other filters of the proxy have set.
fn metadata(random: &mut Random) -> Vec<(String, String, serde_json::Value)> {
    if !random.percent(30) {
        return Vec::new();
    }
    let text = random.pick(pool::WORDS);
    let value = if random.percent(50) { json!(text) } else { json!([text, "z"]) };
    vec![("envoy.filters.a.b".into(), "c".into(), value)]
}
