//! AuthorizationPolicy: every selected one, in the order of the bundle.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::bundle::Envelope;
use super::error::{LoadError, LoadProblem};
use super::resource::{Kind, Resource};
use crate::finding::{Finding, FindingCode};
use crate::policy::resource::AuthorizationPolicySpec;
use crate::policy::{
    Lint, LintedPolicy, PolicyCompiler, PolicyError, PolicyOptions, PolicySet, Surroundings,
};

/// Compiles the policies; at least one must apply, unless the settings say otherwise.
///
/// `peer_required` says whether every connection has a verified peer, which some findings depend on.
pub(super) fn build(
    envelope: &Envelope<'_>,
    peer_required: bool,
    lint: Lint,
    findings: &mut Vec<Finding>,
) -> Result<PolicySet, LoadError> {
    let resources = envelope.of(Kind::AuthorizationPolicy);
    if resources.is_empty() && !envelope.settings.allow_unrestricted {
        return Err(LoadError::new("/resources", LoadProblem::Unrestricted));
    }
    let options = PolicyOptions {
        trust_domains: envelope.workload.trust_domains(),
        source_address_is_peer: envelope.settings.source_address_is_peer,
    };
    let surroundings = Surroundings {
        trust_domains: &options.trust_domains,
        peer_required,
        required_claims: &envelope.settings.required_claims,
    };
    let mut compiler = PolicyCompiler::new(options.clone());
    let specs: Vec<_> = resources.iter().map(|policy| read(policy)).collect::<Result<_, _>>()?;
    let policies: Vec<_> = resources.iter().zip(&specs).map(linted).collect();
    for (resource, policy) in resources.iter().zip(&policies) {
        compiler
            .add(policy.namespace, policy.name, policy.dry_run, policy.spec)
            .map_err(|error| refuse(&resource.pointer, error))?;
    }
    if let Some(first) = resources.first()
        && !policies.iter().any(LintedPolicy::is_enforced)
    {
        let pointer = first.pointer.clone();
        findings.push(Finding::new(FindingCode::NotEnforced, pointer, String::new()));
    }
    findings.extend(lint(&policies, &surroundings).into_iter().filter_map(|noted| {
        let resource = resources.get(noted.policy)?;
        let pointer = format!("{}/spec{}", resource.pointer, noted.pointer);
        Some(Finding::new(noted.code, pointer, noted.detail))
    }));
    Ok(compiler.finish())
}

fn read(policy: &Resource<'_>) -> Result<AuthorizationPolicySpec, LoadError> {
    match policy.spec.map(AuthorizationPolicySpec::read).transpose() {
        Ok(spec) => Ok(spec.unwrap_or_default()),
        Err(error) => Err(LoadError::decode(&format!("{}/spec", policy.pointer), &error)),
    }
}

fn linted<'a>(
    (policy, spec): (&&'a Resource<'_>, &'a AuthorizationPolicySpec),
) -> LintedPolicy<'a> {
    let Resource { metadata, .. } = policy;
    LintedPolicy {
        namespace: &metadata.namespace,
        name: &metadata.name,
        dry_run: is_dry_run(policy),
        spec,
    }
}

/// Whether a policy is only tried out. What Go's `ParseBool` does not read is enforced, as by Istio.
fn is_dry_run(policy: &Resource<'_>) -> bool {
    policy.metadata.annotations.iter().any(|(name, value)| {
        name == "istio.io/dry-run"
            && matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True")
    })
}

fn refuse(resource: &str, error: PolicyError) -> LoadError {
    let PolicyError { pointer, code, message, .. } = error;
    let pointer = format!("{resource}/spec{pointer}");
    LoadError::new(pointer, LoadProblem::Authorization { code, message })
}
