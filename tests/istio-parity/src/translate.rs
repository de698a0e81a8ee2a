//! From Istio's resources to the configuration that Istio gives Envoy.

mod jwt;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use jwt::jwt_authn;
pub(crate) use jwt::sorted;

use crate::rbac::{Filter, Layer, Matcher, PeerForm, Policy, Rules};
use crate::resource::{Action, AuthorizationPolicy, Condition, Fields, Rule};
use value::Place;

/// What the translation depends on besides the resources.
#[derive(Debug, Clone)]
pub struct Options {
    /// The HTTP or the network filter chain.
    pub layer: Layer,
    /// Where the peer's name comes from.
    pub peer: PeerForm,
    /// The trust domain of the mesh, then its aliases.
    pub trust_domains: Vec<String>,
    /// Whether the proxy is older than 1.11 and gets hosts as regular expressions.
    pub old_hosts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layer: Layer::Http,
            peer: PeerForm::Certificate,
            trust_domains: vec!["cluster.local".into()],
            old_hosts: false,
        }
    }
}

/// What Istio would drop or refuse, so that there is nothing to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untranslatable(pub String);

impl fmt::Display for Untranslatable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The RBAC filters, in the order of the chain: AUDIT, DENY, ALLOW.
///
/// # Errors
/// A field, a key or a value that Istio does not know.
pub fn filters(
    policies: &[AuthorizationPolicy],
    options: &Options,
) -> Result<Vec<Filter>, Untranslatable> {
    let mut filters = Vec::new();
    for action in [Action::Audit, Action::Deny, Action::Allow] {
        let of_action: Vec<_> =
            policies.iter().filter(|policy| policy.spec.action == action).collect();
        if !of_action.is_empty() {
            filters.push(filter(action, &of_action, options)?);
        }
    }
    Ok(filters)
}

fn filter(
    action: Action,
    policies: &[&AuthorizationPolicy],
    options: &Options,
) -> Result<Filter, Untranslatable> {
    // Only ALLOW and DENY can be tried out; an AUDIT policy changes nothing anyway.
    let is_shadow = |policy: &AuthorizationPolicy| action != Action::Audit && policy.is_dry_run();
    let rules = |shadow: bool| {
        let chosen: Vec<_> =
            policies.iter().filter(|policy| is_shadow(policy) == shadow).copied().collect();
        if chosen.is_empty() { Ok(None) } else { rules(action, &chosen, options).map(Some) }
    };
    let (enforced, shadow_rules) = (rules(false)?, rules(true)?);
    let denies_in_shadow = action == Action::Deny && shadow_rules.is_some();
    Ok(Filter {
        layer: options.layer,
        rules: enforced,
        shadow_rules,
        shadow_prefix: if denies_in_shadow {
            "istio_dry_run_deny_"
        } else {
            "istio_dry_run_allow_"
        },
    })
}

fn rules(
    action: Action,
    policies: &[&AuthorizationPolicy],
    options: &Options,
) -> Result<Rules, Untranslatable> {
    let mut translated = BTreeMap::new();
    for policy in policies {
        let name = |index| {
            let (namespace, policy) = (&policy.metadata.namespace, &policy.metadata.name);
            format!("ns[{namespace}]-policy[{policy}]-rule[{index}]")
        };
        if policy.rules().is_empty() {
            translated.insert(name(0), nothing());
        }
        let translation = Translation { action, namespace: &policy.metadata.namespace, options };
        for (index, rule) in policy.rules().iter().enumerate() {
            if let Some(rule) = translation.rule(rule)? {
                translated.insert(name(index), rule);
            }
        }
    }
    Ok(Rules { action, policies: translated })
}

/// A policy that never matches.
fn nothing() -> Policy {
    let never = || vec![Matcher::Not(Box::new(Matcher::Any))];
    Policy { permissions: never(), principals: never() }
}

/// The order in which Istio writes the fields of Source.
const SOURCE: [&str; 7] = [
    "serviceAccounts",
    "principals",
    "requestPrincipals",
    "namespaces",
    "trustDomains",
    "remoteIpBlocks",
    "ipBlocks",
];

/// The order in which Istio writes the fields of Operation.
const OPERATION: [&str; 4] = ["hosts", "methods", "paths", "ports"];

/// Rules of one policy.
struct Translation<'a> {
    action: Action,
    namespace: &'a str,
    options: &'a Options,
}

impl Translation<'_> {
    /// The rule; nothing where it is dropped because the connection has no such attribute.
    fn rule(&self, rule: &Rule) -> Result<Option<Policy>, Untranslatable> {
        let (mut permissions, mut principals) = (Vec::new(), Vec::new());
        let (mut base_permission, mut base_principal) = (Some(Vec::new()), Some(Vec::new()));
        for condition in &rule.when {
            let (place, matchers) = self.condition(condition)?;
            let base = match place {
                Place::Permission => &mut base_permission,
                Place::Principal => &mut base_principal,
            };
            append(base, matchers);
        }
        for fields in either(rule.to.iter().map(|to| &to.operation).collect()) {
            let mut all = self.fields(fields, &OPERATION)?;
            append(&mut all, base_permission.clone());
            permissions.push(all.map(conjunction));
        }
        for fields in either(rule.from.iter().map(|from| &from.source).collect()) {
            let mut all = self.fields(fields, &SOURCE)?;
            append(&mut all, base_principal.clone());
            principals.push(all.map(conjunction));
        }
        let (permissions, principals): (Option<Vec<_>>, Option<Vec<_>>) =
            (permissions.into_iter().collect(), principals.into_iter().collect());
        Ok(permissions
            .zip(principals)
            .map(|(permissions, principals)| Policy { permissions, principals }))
    }

    /// The constraints of a `source` or an `operation`; `None` drops the rule.
    fn fields(
        &self,
        fields: &Fields,
        order: &[&'static str],
    ) -> Result<Option<Vec<Matcher>>, Untranslatable> {
        let mut all = Some(Vec::new());
        let mut known = 0;
        for field in order {
            let negated = negation(field);
            let lists = [(fields.get(*field), false), (fields.get(&negated), true)];
            for (values, negated) in lists {
                let Some(values) = values else { continue };
                known += 1;
                if !values.is_empty() {
                    append(&mut all, self.constraint(field, values, negated)?);
                }
            }
        }
        if known == fields.len() {
            Ok(all)
        } else {
            Err(Untranslatable(format!("unknown field in {fields:?}")))
        }
    }

    fn condition(
        &self,
        condition: &Condition,
    ) -> Result<(Place, Option<Vec<Matcher>>), Untranslatable> {
        let mut all = Some(Vec::new());
        for (values, negated) in [(&condition.values, false), (&condition.not_values, true)] {
            if !values.is_empty() {
                append(&mut all, self.constraint(&condition.key, values, negated)?);
            }
        }
        Ok((value::place(&condition.key), all))
    }

    /// One of the values, or none of them. In a network filter, an attribute of HTTP drops the rule
    /// if it grants, and the constraint alone if it refuses.
    fn constraint(
        &self,
        name: &str,
        values: &[String],
        negated: bool,
    ) -> Result<Option<Vec<Matcher>>, Untranslatable> {
        if self.options.layer == Layer::Tcp && value::is_http_only(name) {
            return Ok((self.action != Action::Allow).then(Vec::new));
        }
        let matcher = value::matcher(name, values, self.namespace, self.options)?;
        Ok(Some(vec![if negated { Matcher::Not(Box::new(matcher)) } else { matcher }]))
    }
}

/// `not` and the field with a capital letter.
#[must_use]
pub fn negation(field: &str) -> String {
    let (first, rest) = field.split_at(1);
    format!("not{}{rest}", first.to_uppercase())
}

/// An absent list constrains nothing, as one empty member would.
fn either(mut members: Vec<&Fields>) -> Vec<&Fields> {
    static NONE: Fields = Fields::new();
    if members.is_empty() {
        members.push(&NONE);
    }
    members
}

fn append(all: &mut Option<Vec<Matcher>>, more: Option<Vec<Matcher>>) {
    match (all.as_mut(), more) {
        (Some(all), Some(more)) => all.extend(more),
        (_, None) => *all = None,
        (None, Some(_)) => {}
    }
}

fn conjunction(mut matchers: Vec<Matcher>) -> Matcher {
    if matchers.is_empty() {
        matchers.push(Matcher::Any);
    }
    Matcher::All(matchers)
}
