//! From a `spec` to compiled rules.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::attribute::Attribute;
use super::check::Check;
use super::error::PolicyError;
use super::evaluate::{PolicySet, RuleSet};
use super::matcher::Matcher;
use super::needs::Needs;
use super::pattern::Sense;
use super::resource::{
    Action, AuthorizationPolicySpec, Condition, From, Operation, Rule, Source, To,
};
use super::rule::{All, CompiledRule};
use crate::finding::FindingCode;
use crate::json::Quoted;
use crate::limits;

/// What compiling depends on besides the policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyOptions {
    /// The trust domain of the mesh, then its aliases.
    pub trust_domains: Vec<String>,
    /// Whether the host gives the address of the physical peer; else policies that ask for it are
    /// refused.
    pub source_address_is_peer: bool,
}

/// What the values of one policy's fields depend on.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) namespace: &'a str,
    pub(super) domains: &'a [String],
    pub(super) source_address_is_peer: bool,
    /// Whether a match grants something.
    grants: bool,
}

impl Context<'_> {
    fn sense(&self, negated: bool) -> Sense {
        if self.grants == negated { Sense::Wide } else { Sense::Narrow }
    }
}

/// Takes policies one by one, in the order in which decisions name them.
#[derive(Debug, Default)]
pub struct PolicyCompiler {
    options: PolicyOptions,
    names: Vec<Box<str>>,
    deny: Group,
    allow: Group,
    audit: Group,
    dry_deny: Group,
    dry_allow: Group,
    rules: usize,
}

/// The policies of one action.
#[derive(Debug, Default)]
struct Group {
    policies: usize,
    rules: Vec<CompiledRule>,
}

impl PolicyCompiler {
    /// A compiler that has seen no policy.
    #[must_use]
    pub fn new(options: PolicyOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Compiles one policy of `namespace`; a dry-run policy is reported and not enforced.
    ///
    /// # Errors
    /// [`PolicyError`] says what is wrong and where inside `spec`. The compiler is then of no further
    /// use: a policy is in force whole or not at all.
    pub fn add(
        &mut self,
        namespace: &str,
        name: &str,
        dry_run: bool,
        spec: &AuthorizationPolicySpec,
    ) -> Result<(), PolicyError> {
        check_action(spec)?;
        self.rules = self.rules.saturating_add(spec.rules.len());
        if spec.rules.len() > limits::ENTRIES || self.rules > limits::RULES {
            return Err(too_many("rules", limits::ENTRIES).below("rules"));
        }
        let context = Context {
            namespace,
            domains: &self.options.trust_domains,
            source_address_is_peer: self.options.source_address_is_peer,
            grants: spec.action == Action::Allow,
        };
        let policy = self.names.len();
        let mut rules = Vec::with_capacity(spec.rules.len());
        for (number, rule) in (0..).zip(&spec.rules) {
            let compiled = compile_rule(rule, policy, number, &context);
            rules.push(compiled.map_err(|error| error.below(number).below("rules"))?);
        }
        self.names.push(format!("{namespace}/{name}").into());
        let group = match (spec.action, dry_run) {
            (Action::Allow, false) => &mut self.allow,
            (Action::Allow, true) => &mut self.dry_allow,
            (Action::Deny, false) => &mut self.deny,
            (Action::Deny, true) => &mut self.dry_deny,
            (Action::Audit | Action::Custom, _) => &mut self.audit,
        };
        group.policies = group.policies.saturating_add(1);
        group.rules.extend(rules);
        Ok(())
    }

    /// The policies, ready for decisions.
    #[must_use]
    pub fn finish(self) -> PolicySet {
        let mut needs = Needs::default();
        let groups = [&self.deny, &self.allow, &self.audit, &self.dry_deny, &self.dry_allow];
        let rules = groups.into_iter().flat_map(|group| &group.rules);
        rules.flat_map(CompiledRule::checks).for_each(|check| check.matcher.add_needs(&mut needs));
        needs.settle();
        let set = |group: Group| RuleSet::new(group.policies, group.rules);
        PolicySet::new(
            self.names,
            [self.deny, self.allow, self.audit, self.dry_deny, self.dry_allow].map(set),
            needs,
        )
    }
}

fn check_action(spec: &AuthorizationPolicySpec) -> Result<(), PolicyError> {
    if spec.action == Action::Custom {
        let message = "CUSTOM asks an external authorizer, which Lychgate does not do: write the \
                       rules as ALLOW or DENY, or keep CUSTOM in a policy for the proxy alone";
        return Err(PolicyError::new(FindingCode::CustomAction, message).below("action"));
    }
    if spec.provider.is_some() {
        let message = "only CUSTOM has a provider: remove it";
        return Err(PolicyError::new(FindingCode::ProviderWithoutCustom, message).below("provider"));
    }
    if spec.action == Action::Deny && spec.rules.is_empty() {
        let message = "DENY without rules never matches: write rules: [{}] to deny everything";
        return Err(PolicyError::new(FindingCode::RulesMissing, message).below("rules"));
    }
    Ok(())
}

fn too_many(what: &str, limit: usize) -> PolicyError {
    let message = format!(
        "too many {what}: at most {limit} here, and at most {} rules over all policies",
        limits::RULES
    );
    PolicyError::new(FindingCode::TooMany, message)
}

fn compile_rule(
    rule: &Rule,
    policy: usize,
    number: u32,
    context: &Context<'_>,
) -> Result<CompiledRule, PolicyError> {
    Ok(CompiledRule {
        policy,
        number,
        sources: entries("from", rule.from.as_deref(), |from| compile_source(from, context))?,
        operations: entries("to", rule.to.as_deref(), |to| compile_operation(to, context))?,
        conditions: compile_conditions(rule.when.as_deref(), context)?,
    })
}

/// An absent list is no condition; an empty one is refused, as by Istio.
fn entries<T>(
    name: &str,
    list: Option<&[T]>,
    compile: impl Fn(&T) -> Result<All, PolicyError>,
) -> Result<Box<[All]>, PolicyError> {
    let Some(list) = list else { return Ok(Box::default()) };
    check_length(name, list)?;
    let compile = |(index, entry)| compile(entry).map_err(|error| error.below(index).below(name));
    list.iter().enumerate().map(compile).collect()
}

fn check_length<T>(name: &str, list: &[T]) -> Result<(), PolicyError> {
    if list.is_empty() {
        let message = format!("an empty {} says nothing: remove it, or fill it", Quoted(name));
        return Err(PolicyError::new(FindingCode::EmptyList, message).below(name));
    }
    if list.len() > limits::ENTRIES {
        return Err(too_many("entries", limits::ENTRIES).below(name));
    }
    Ok(())
}

fn compile_source(from: &From, context: &Context<'_>) -> Result<All, PolicyError> {
    let source = from.source.as_ref().filter(|source| **source != Source::default());
    let Some(source) = source else {
        let message = "an empty source is anybody: remove from, or name a source";
        return Err(PolicyError::new(FindingCode::EmptySource, message).below("source"));
    };
    check_service_accounts(source)
        .and_then(|()| compile_fields(&source_fields(source), context))
        .map_err(|error| error.below("source"))
}

pub(super) fn source_fields(source: &Source) -> [Field<'_>; 7] {
    [
        Field {
            attribute: Attribute::Principal,
            labels: ["from.source.principals", "from.source.notPrincipals"],
            values: [&source.principals, &source.not_principals],
        },
        Field {
            attribute: Attribute::RequestPrincipal,
            labels: ["from.source.requestPrincipals", "from.source.notRequestPrincipals"],
            values: [&source.request_principals, &source.not_request_principals],
        },
        Field {
            attribute: Attribute::Namespace,
            labels: ["from.source.namespaces", "from.source.notNamespaces"],
            values: [&source.namespaces, &source.not_namespaces],
        },
        Field {
            attribute: Attribute::SourceIp,
            labels: ["from.source.ipBlocks", "from.source.notIpBlocks"],
            values: [&source.ip_blocks, &source.not_ip_blocks],
        },
        Field {
            attribute: Attribute::RemoteIp,
            labels: ["from.source.remoteIpBlocks", "from.source.notRemoteIpBlocks"],
            values: [&source.remote_ip_blocks, &source.not_remote_ip_blocks],
        },
        Field {
            attribute: Attribute::ServiceAccount,
            labels: ["from.source.serviceAccounts", "from.source.notServiceAccounts"],
            values: [&source.service_accounts, &source.not_service_accounts],
        },
        Field {
            attribute: Attribute::TrustDomain,
            labels: ["from.source.trustDomains", "from.source.notTrustDomains"],
            values: [&source.trust_domains, &source.not_trust_domains],
        },
    ]
}

fn check_service_accounts(source: &Source) -> Result<(), PolicyError> {
    let accounts = [&source.service_accounts, &source.not_service_accounts];
    if accounts.iter().all(|list| list.is_empty()) {
        return Ok(());
    }
    if accounts.iter().any(|list| list.len() > limits::SERVICE_ACCOUNTS) {
        return Err(too_many("service accounts", limits::SERVICE_ACCOUNTS).below("serviceAccounts"));
    }
    let others =
        [&source.principals, &source.not_principals, &source.namespaces, &source.not_namespaces];
    if others.iter().all(|list| list.is_empty()) {
        return Ok(());
    }
    let message = "serviceAccounts exclude principals and namespaces in one source: write the \
                   accounts as principals (\"*/ns/<namespace>/sa/<account>\")";
    Err(PolicyError::new(FindingCode::ConflictingSource, message).below("serviceAccounts"))
}

fn compile_operation(to: &To, context: &Context<'_>) -> Result<All, PolicyError> {
    let operation = to.operation.as_ref().filter(|operation| **operation != Operation::default());
    let Some(operation) = operation else {
        let message = "an empty operation is any: remove to, or name an operation";
        return Err(PolicyError::new(FindingCode::EmptyOperation, message).below("operation"));
    };
    compile_fields(&operation_fields(operation), context).map_err(|error| error.below("operation"))
}

pub(super) fn operation_fields(operation: &Operation) -> [Field<'_>; 4] {
    [
        Field {
            attribute: Attribute::Method,
            labels: ["to.operation.methods", "to.operation.notMethods"],
            values: [&operation.methods, &operation.not_methods],
        },
        Field {
            attribute: Attribute::Port,
            labels: ["to.operation.ports", "to.operation.notPorts"],
            values: [&operation.ports, &operation.not_ports],
        },
        Field {
            attribute: Attribute::Path,
            labels: ["to.operation.paths", "to.operation.notPaths"],
            values: [&operation.paths, &operation.not_paths],
        },
        Field {
            attribute: Attribute::Host,
            labels: ["to.operation.hosts", "to.operation.notHosts"],
            values: [&operation.hosts, &operation.not_hosts],
        },
    ]
}

/// A field and its negation.
pub(super) struct Field<'a> {
    pub(super) attribute: Attribute,
    /// Their last parts are the names of the fields.
    pub(super) labels: [&'static str; 2],
    pub(super) values: [&'a [String]; 2],
}

fn compile_fields(fields: &[Field<'_>], context: &Context<'_>) -> Result<All, PolicyError> {
    let mut checks = Checks { context, checks: Vec::new() };
    for Field { attribute, labels, values } in fields {
        for ((label, values), negated) in labels.iter().zip(values).zip([false, true]) {
            let name = label.rsplit('.').next().unwrap_or(label);
            checks
                .add(attribute, Cow::Borrowed(label), values, negated)
                .map_err(|error| error.below(name))?;
        }
    }
    Ok(checks.checks.into())
}

fn compile_conditions(
    conditions: Option<&[Condition]>,
    context: &Context<'_>,
) -> Result<All, PolicyError> {
    let Some(conditions) = conditions else { return Ok(Box::default()) };
    check_length("when", conditions)?;
    let mut checks = Checks { context, checks: Vec::new() };
    for (index, condition) in conditions.iter().enumerate() {
        compile_condition(condition, &mut checks)
            .map_err(|error| error.below(index).below("when"))?;
    }
    Ok(checks.checks.into())
}

fn compile_condition(condition: &Condition, checks: &mut Checks<'_>) -> Result<(), PolicyError> {
    let Condition { key, values, not_values } = condition;
    let attribute = Attribute::parse(key).map_err(|error| error.below("key"))?;
    if values.is_empty() && not_values.is_empty() {
        let message = format!("{} is compared with nothing: give values or notValues", Quoted(key));
        return Err(PolicyError::new(FindingCode::ValuesMissing, message));
    }
    let label = format!("when[{key}]");
    let not_label = format!("when[{key}].notValues");
    checks.add(&attribute, label.into(), values, false).map_err(|error| error.below("values"))?;
    checks
        .add(&attribute, not_label.into(), not_values, true)
        .map_err(|error| error.below("notValues"))
}

/// Checks of which all must hold, as they are collected.
struct Checks<'a> {
    context: &'a Context<'a>,
    checks: Vec<Check>,
}

impl Checks<'_> {
    /// Adds nothing for an empty list, which is no condition.
    fn add(
        &mut self,
        attribute: &Attribute,
        label: Cow<'static, str>,
        values: &[String],
        negated: bool,
    ) -> Result<(), PolicyError> {
        if values.is_empty() {
            return Ok(());
        }
        let matcher = Matcher::new(attribute, values, self.context.sense(negated), self.context)?;
        let dependence = attribute.dependence();
        self.checks.push(Check { label, dependence, negated, matcher });
        Ok(())
    }
}
