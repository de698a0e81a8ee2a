//! AuthorizationPolicy: every selected one, in the order of the bundle.

use alloc::format;
use alloc::vec::Vec;

use super::bundle::Envelope;
use super::error::{LoadError, LoadProblem};
use super::resource::{Kind, Resource};
use crate::json::Value;
use crate::policy::resource::AuthorizationPolicySpec;
use crate::policy::{PolicyCompiler, PolicyError, PolicyOptions, PolicySet};
use crate::ruleset::Finding;

/// Compiles the policies; at least one must apply, unless the settings say otherwise.
pub(super) fn build(
    envelope: &Envelope<'_>,
    findings: &mut Vec<Finding>,
) -> Result<PolicySet, LoadError> {
    let workload = &envelope.workload;
    let policies = envelope.of(Kind::AuthorizationPolicy);
    if policies.is_empty() && !envelope.settings.allow_unrestricted {
        return Err(LoadError::new("/resources", LoadProblem::Unrestricted));
    }
    let aliases = workload.trust_domain_aliases.iter();
    let mut compiler = PolicyCompiler::new(PolicyOptions {
        trust_domains: core::iter::once(&workload.trust_domain).chain(aliases).cloned().collect(),
        source_address_is_peer: envelope.settings.source_address_is_peer,
    });
    for policy in policies {
        let pointer = format!("{}/spec", policy.pointer);
        let spec: AuthorizationPolicySpec = match policy.spec.map(Value::decode).transpose() {
            Ok(spec) => spec.unwrap_or_default(),
            Err(error) => return Err(LoadError::decode(&pointer, &error)),
        };
        let metadata = &policy.metadata;
        let noted = compiler
            .add(&metadata.namespace, &metadata.name, is_dry_run(policy), &spec)
            .map_err(|error| refuse(&pointer, error))?;
        findings.extend(noted.into_iter().map(|finding| {
            Finding::new(finding.code, format!("{pointer}{}", finding.pointer), finding.message)
        }));
    }
    Ok(compiler.finish())
}

/// Whether a policy is only tried out. What Go's `ParseBool` does not read is enforced, as by Istio.
fn is_dry_run(policy: &Resource<'_>) -> bool {
    let annotation = policy.metadata.annotations.get("istio.io/dry-run");
    annotation
        .is_some_and(|value| matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

fn refuse(spec: &str, error: PolicyError) -> LoadError {
    let PolicyError { pointer, code, message, .. } = error;
    LoadError::new(format!("{spec}{pointer}"), LoadProblem::Authorization { code, message })
}
