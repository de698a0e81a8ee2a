//! What compiles and is probably not meant.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Context;
use crate::policy::error::PolicyFinding;
use crate::policy::peer;
use crate::policy::resource::{AuthorizationPolicySpec, Rule};

pub(super) fn lint(spec: &AuthorizationPolicySpec, context: &Context<'_>) -> Vec<PolicyFinding> {
    let mut lints = Lints { findings: Vec::new(), context };
    for (index, rule) in spec.rules.iter().enumerate() {
        lints.rule(&format!("/rules/{index}"), rule);
    }
    lints.findings
}

struct Lints<'a> {
    findings: Vec<PolicyFinding>,
    context: &'a Context<'a>,
}

impl Lints<'_> {
    fn rule(&mut self, place: &str, rule: &Rule) {
        for (index, from) in rule.from.iter().flatten().enumerate() {
            let Some(source) = &from.source else { continue };
            let place = format!("{place}/from/{index}/source");
            self.principals(&format!("{place}/principals"), &source.principals, true);
            self.principals(&format!("{place}/notPrincipals"), &source.not_principals, false);
        }
        for (index, to) in rule.to.iter().flatten().enumerate() {
            let Some(operation) = &to.operation else { continue };
            let place = format!("{place}/to/{index}/operation");
            self.ascii(&format!("{place}/hosts"), &operation.hosts);
            self.ascii(&format!("{place}/notHosts"), &operation.not_hosts);
            self.ascii(&format!("{place}/methods"), &operation.methods);
            self.ascii(&format!("{place}/notMethods"), &operation.not_methods);
            self.methods(&format!("{place}/methods"), &operation.methods);
            self.methods(&format!("{place}/notMethods"), &operation.not_methods);
        }
        for (index, condition) in rule.when.iter().flatten().enumerate() {
            if condition.key == "source.principal" {
                let place = format!("{place}/when/{index}");
                self.principals(&format!("{place}/values"), &condition.values, true);
                self.principals(&format!("{place}/notValues"), &condition.not_values, false);
            }
        }
    }

    fn principals(&mut self, place: &str, values: &[String], positive: bool) {
        self.ascii(place, values);
        for (index, value) in values.iter().enumerate() {
            let place = format!("{place}/{index}");
            if peer::is_foreign(value, self.context.domains) {
                self.add(&place, "unknown_trust_domain", format!(
                    "{value:?} names a trust domain that is neither this mesh's nor an alias of it"
                ));
            }
            if !(positive && self.context.grants) || value == "*" {
                continue;
            }
            if value.starts_with('*') {
                self.add(
                    &place,
                    "any_trust_domain",
                    format!(
                        "{value:?} admits this account of every trust domain: name the trust domain"
                    ),
                );
            } else if let Some(prefix) = value.strip_suffix('*').filter(|p| !p.ends_with('/')) {
                self.add(&place, "open_prefix", format!(
                    "{value:?} also admits every longer name, such as \"{prefix}-other\": end it \
                     with a slash before the star, or write it out"
                ));
            }
        }
    }

    fn methods(&mut self, place: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            if value.bytes().any(|byte| byte.is_ascii_lowercase()) {
                let upper = value.to_ascii_uppercase();
                let message = format!("methods compare with case: did you mean {upper:?}?");
                self.add(&format!("{place}/{index}"), "lower_case_method", message);
            }
        }
    }

    fn ascii(&mut self, place: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            if !value.is_ascii() {
                let message = format!("{:?} holds letters that may look like others", value);
                self.add(&format!("{place}/{index}"), "not_ascii", message);
            }
        }
    }

    fn add(&mut self, place: &str, code: &'static str, message: String) {
        self.findings.push(PolicyFinding { pointer: place.into(), code, message });
    }
}
