//! Which parts of policies and requests a run has exercised.

use super::Question;
use crate::case::{RequestModel, Setup};
use crate::rbac::PeerForm;
use crate::resource::Action;
use crate::translate::negation;

/// The fields, keys and forms of value in a set of policies.
pub(super) fn parts(setup: &Setup) -> Vec<String> {
    let mut parts = vec![
        format!("issuers {}", setup.jwt_rules.len()),
        format!("policies {}", setup.policies.len()),
        format!("peers {:?}", setup.peers),
        format!("keys {}", setup.key),
    ];
    for policy in &setup.policies {
        let action = match (policy.spec.action, policy.is_dry_run()) {
            (_, true) => "dry-run",
            (Action::Allow, _) => "ALLOW",
            (Action::Deny, _) => "DENY",
            (Action::Audit | Action::Custom, _) => "AUDIT",
        };
        parts.push(format!("action {action}"));
        let rules = policy.rules();
        let amount = match rules.len() {
            0 if policy.spec.rules.is_none() => "absent",
            0 => "empty",
            1 => "one",
            2..30 => "several",
            _ => "thirty",
        };
        parts.push(format!("rules {amount}"));
        let mut add = |name: &str, values: &[String]| {
            parts.push(format!("{action} {name}"));
            parts.extend(values.iter().map(|value| format!("form {}", form(name, value))));
        };
        for rule in rules {
            let sources = rule.from.iter().flat_map(|from| &from.source);
            let operations = rule.to.iter().flat_map(|to| &to.operation);
            sources.chain(operations).for_each(|(name, values)| add(name, values));
            for condition in &rule.when {
                if !condition.values.is_empty() {
                    add(&condition.key, &condition.values);
                }
                if !condition.not_values.is_empty() {
                    add(&negation(&condition.key), &condition.not_values);
                }
            }
        }
    }
    for rule in &setup.jwt_rules {
        let places = [rule.from_headers.len(), rule.from_params.len(), rule.from_cookies.len()];
        parts.push(match places {
            [0, 0, 0] => "token from the usual places".into(),
            [_, 0, 0] => "token from a header".into(),
            [_, _, 0] => "token from a parameter".into(),
            _ => "token from a cookie".into(),
        });
        let options = [
            ("audiences", !rule.audiences.is_empty()),
            ("forwardOriginalToken", rule.forward_original_token),
            ("spaceDelimitedClaims", !rule.space_delimited_claims.is_empty()),
            ("outputClaimToHeaders", !rule.output_claim_to_headers.is_empty()),
            ("outputPayloadToHeader", rule.output_payload_to_header.is_some()),
        ];
        let given = options.iter().filter(|(_, given)| *given);
        parts.extend(given.map(|(name, _)| format!("rule with {name}")));
    }
    parts.sort();
    parts.dedup();
    parts
}

/// What a request shows of tokens and peers.
pub(super) fn request_parts(question: &Question<'_>) -> Vec<&'static str> {
    let RequestModel { tokens, peer, .. } = question.request;
    let peer = match (peer, question.setup.peers) {
        (None, _) => "request without a peer",
        (Some(_), PeerForm::Certificate) => "request with a certificate",
        (Some(_), PeerForm::FilterState) => "request with a peer in filter state",
    };
    let token = match tokens.as_slice() {
        [] => "request without a token",
        [token] if token.form.verifies() => "request with a genuine token",
        [_] => "request with a forged token",
        _ => "request with several tokens",
    };
    vec![peer, token]
}

/// The form of a value, as far as it decides how it is compared.
fn form(name: &str, value: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let is = |part: &str| name.contains(part);
    match value {
        _ if is("ipblocks") || name.ends_with(".ip") => match value.contains('/') {
            true => "range",
            false => "address",
        },
        _ if is("port") => "port",
        _ if is("serviceaccount") => match value.contains('/') {
            true => "account with namespace",
            false => "account",
        },
        "*" => "star",
        _ if value.contains("{*") => "template",
        _ if is("namespace") && value.contains('*') => "namespace with a star",
        _ if is("trustdomain") && value.contains('*') => "trust domain with a star",
        _ if is("experimental") && value.starts_with('[') => "member of a list",
        _ if value.starts_with('*') => "suffix",
        _ if value.ends_with('*') => "prefix",
        _ => "exact",
    }
}
