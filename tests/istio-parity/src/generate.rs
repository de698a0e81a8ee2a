//! Policies and requests that nearly match each other.

mod aim;
mod pool;
mod request;

use serde_json::json;

use crate::case::{NAMESPACE, RequestModel, Setup};
use crate::keys;
use crate::random::Random;
use crate::rbac::PeerForm;
use crate::resource::{
    Action, AuthorizationPolicy, ClaimToHeader, Condition, Fields, From, FromHeader, JwtRule,
    Metadata, Rule, Spec, To,
};
use crate::translate::negation;
use pool::{ISSUERS, KEYS, OPERATION_FIELDS, OUTPUT_CLAIMS, OUTPUTS, SOURCE_FIELDS, value};

/// Sets of policies that all answer the same requests.
#[derive(Debug, Clone)]
pub struct Group {
    /// One set of any shape, or a probe: one field alone, in the four forms of [`PROBE`].
    pub setups: Vec<Setup>,
    /// The requests.
    pub requests: Vec<RequestModel>,
}

/// The forms of a probe: what a match means, and whether the field is negated.
pub const PROBE: [(Action, bool); 4] =
    [(Action::Allow, false), (Action::Allow, true), (Action::Deny, false), (Action::Deny, true)];

/// After so many turns every field has been probed three times.
pub const TURNS: usize = 5 * (SOURCE_FIELDS.len() + OPERATION_FIELDS.len() + KEYS.len());

/// The sets of policies whose turn it is, with so many requests each. Three turns of five are
/// probes, and every field has its turn.
pub fn group(random: &mut Random, turn: usize, requests: usize) -> Group {
    let any = setup(random);
    let setups = if turn % 5 < 3 { probe(random, turn, &any) } else { vec![any] };
    let requests = request::requests(random, &setups[0], requests);
    Group { setups, requests }
}

/// One field or key alone, granting and refusing, as it is and negated: so each form shows what it
/// means, with nothing else in the way.
fn probe(random: &mut Random, turn: usize, like: &Setup) -> Vec<Setup> {
    let all = SOURCE_FIELDS.len() + OPERATION_FIELDS.len();
    let index = turn % (all + KEYS.len());
    let name = match index.checked_sub(all) {
        Some(key) => KEYS[key],
        None => SOURCE_FIELDS.iter().chain(&OPERATION_FIELDS).nth(index).expect("a field"),
    };
    // Few or many, so that both answers are common.
    let lists = 1 + random.below(4);
    let values: Vec<String> = (0..lists).flat_map(|_| values(random, name)).collect();
    let watching =
        if random.percent(60) { watching(random, index, name, &values) } else { Vec::new() };
    // Only a handshake asks for a server name.
    let certificate = like.peers == PeerForm::Certificate || name == "connection.sni";
    let peers = if certificate { PeerForm::Certificate } else { PeerForm::FilterState };
    let mut jwt_rules = like.jwt_rules.clone();
    if jwt_rules.is_empty() && name.starts_with("request") {
        jwt_rules.push(jwt_rule(random, ISSUERS[0]));
    }
    let with = |(action, negated)| {
        let mut policies = vec![alone(index, name, &values, action, negated)];
        policies.extend(watching.iter().cloned());
        let forwarded = like.forwarded && !needs_physical_peer(&policies);
        let jwt_rules = jwt_rules.clone();
        Setup { policies, jwt_rules, peers, forwarded, ..like.clone() }
    };
    PROBE.map(with).into()
}

/// Policies with the same field that must change nothing: in every form, for the log and on trial.
fn watching(
    random: &mut Random,
    index: usize,
    name: &str,
    values: &[String],
) -> Vec<AuthorizationPolicy> {
    let on_trial = [Action::Allow, Action::Deny][random.below(2)];
    let forms =
        [(Action::Audit, false), (Action::Audit, true), (on_trial, false), (on_trial, true)];
    let policy = |(number, (action, negated)): (usize, (Action, bool))| {
        let mut policy = alone(index, name, values, action, negated);
        policy.metadata.name = format!("w{number}");
        if action != Action::Audit {
            try_out(&mut policy);
        }
        policy
    };
    forms.into_iter().enumerate().map(policy).collect()
}

/// Takes a policy out of force.
fn try_out(policy: &mut AuthorizationPolicy) {
    policy.metadata.annotations.insert("istio.io/dry-run".into(), "true".into());
}

fn alone(
    index: usize,
    name: &str,
    values: &[String],
    action: Action,
    negated: bool,
) -> AuthorizationPolicy {
    let field = if negated { negation(name) } else { name.to_owned() };
    let fields = Fields::from([(field, values.to_vec())]);
    let mut rule = Rule::default();
    if index < SOURCE_FIELDS.len() {
        rule.from.push(From { source: fields });
    } else if index < SOURCE_FIELDS.len() + OPERATION_FIELDS.len() {
        rule.to.push(To { operation: fields });
    } else {
        let (no, yes) = (Vec::new(), values.to_vec());
        let (values, not_values) = if negated { (no, yes) } else { (yes, no) };
        rule.when.push(Condition { key: name.into(), values, not_values });
    }
    named("p0", action, Some(vec![rule]))
}

fn named(name: &str, action: Action, rules: Option<Vec<Rule>>) -> AuthorizationPolicy {
    AuthorizationPolicy {
        api_version: "security.istio.io/v1".into(),
        kind: "AuthorizationPolicy".into(),
        metadata: Metadata {
            name: name.into(),
            namespace: NAMESPACE.into(),
            ..Metadata::default()
        },
        spec: Spec { action, rules },
    }
}

/// Resources of one workload.
pub fn setup(random: &mut Random) -> Setup {
    let count = [1, 2, 3, 5, 0, 10][random.weighted(&[31, 22, 12, 8, 9, 18])];
    // Where most policies refuse, hardly anything passes several of them.
    let actions = if count < 5 && random.percent(60) { [55, 42, 3] } else { [85, 10, 5] };
    let trust_domains: &[&str] = [
        &["cluster.local"][..],
        &["cluster.local", "old-td"],
        &["td2", "old-td", "cluster.local"],
        &["td2"],
    ][random.weighted(&[50, 25, 15, 10])];
    let policies: Vec<_> = (0..count).map(|index| policy(random, index, actions)).collect();
    let forwarded = random.percent(75) && !needs_physical_peer(&policies);
    Setup {
        policies,
        jwt_rules: jwt_rules(random),
        trust_domains: trust_domains.iter().map(|domain| (*domain).to_owned()).collect(),
        peers: if random.percent(20) { PeerForm::Certificate } else { PeerForm::FilterState },
        key: keys::ALL[random.weighted(&[82, 6, 6, 6])].to_owned(),
        forwarded,
    }
}

/// Whether a rule compares the address of the physical peer.
fn needs_physical_peer(policies: &[AuthorizationPolicy]) -> bool {
    let source = |from: &From| from.source.keys().any(|f| f == "ipBlocks" || f == "notIpBlocks");
    let mut rules = policies.iter().flat_map(AuthorizationPolicy::rules);
    rules.any(|rule| {
        rule.from.iter().any(source) || rule.when.iter().any(|when| when.key == "source.ip")
    })
}

fn policy(random: &mut Random, index: usize, actions: [usize; 3]) -> AuthorizationPolicy {
    let action = [Action::Allow, Action::Deny, Action::Audit][random.weighted(&actions)];
    let dry_run = random.percent(4);
    let count = [1, 2, 3, 6, 30, 0][random.weighted(&[42, 21, 10, 5, 14, 8])];
    let mut rules = Some((0..count).map(|_| rule(random)).collect::<Vec<_>>());
    if count == 0 && action == Action::Deny {
        rules = Some(vec![Rule::default()]);
    } else if count == 0 && random.percent(50) {
        rules = None;
    }
    let mut policy = named(&format!("p{index}"), action, rules);
    if dry_run {
        try_out(&mut policy);
    }
    policy
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

fn jwt_rules(random: &mut Random) -> Vec<JwtRule> {
    let count = [0, 1, 2, 3, 4][random.weighted(&[15, 45, 25, 10, 5])];
    (0..count).map(|index| jwt_rule(random, ISSUERS[index])).collect()
}

fn jwt_rule(random: &mut Random, issuer: &str) -> JwtRule {
    let mut rule = JwtRule {
        issuer: issuer.into(),
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
    if random.percent(25) {
        let headers = &OUTPUTS[random.below(2)..2];
        let output = |header: &&str| ClaimToHeader {
            header: (*header).to_owned(),
            claim: random.pick(&OUTPUT_CLAIMS).to_owned(),
        };
        rule.output_claim_to_headers = headers.iter().map(output).collect();
    }
    if random.percent(10) {
        rule.output_payload_to_header = Some(OUTPUTS[2].into());
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
