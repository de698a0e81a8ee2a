//! A rule as its author wrote it, every list of values in the same shape.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::LintedPolicy;
use crate::policy::attribute::Attribute;
use crate::policy::compile::{Field, operation_fields, source_fields};
use crate::policy::peer;
use crate::policy::resource::{Condition, Rule};

/// One rule.
#[derive(Debug)]
pub(super) struct RuleView<'a> {
    /// The index of its policy.
    pub(super) policy: usize,
    /// Its index there.
    pub(super) number: usize,
    /// Empty is anybody.
    pub(super) sources: Vec<Entry<'a>>,
    /// Empty is anything.
    pub(super) operations: Vec<Entry<'a>>,
    pub(super) conditions: Entry<'a>,
}

/// Terms of which all must hold.
pub(super) type Entry<'a> = Vec<Term<'a>>;

/// Values of one attribute: one must match, or none may.
#[derive(Debug)]
pub(super) struct Term<'a> {
    pub(super) attribute: Attribute,
    pub(super) negated: bool,
    /// As they are written.
    pub(super) written: &'a [String],
    /// As they are compared: for every trust domain of the mesh, with a namespace, in lower case.
    pub(super) values: Vec<Cow<'a, str>>,
    /// The list's place in the rule.
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    From(usize, &'static str),
    To(usize, &'static str),
    When(usize, &'static str),
}

impl<'a> RuleView<'a> {
    pub(super) fn of_policy(
        policy: usize,
        linted: &LintedPolicy<'a>,
        domains: &[String],
    ) -> Vec<Self> {
        let reader = Reader { namespace: linted.namespace, domains };
        let rules = linted.spec.rules.iter().enumerate();
        rules.map(|(number, rule)| reader.rule(policy, number, rule)).collect()
    }

    /// Every term of the rule.
    pub(super) fn terms(&self) -> impl Iterator<Item = &Term<'a>> {
        self.sources.iter().chain(&self.operations).flatten().chain(&self.conditions)
    }
}

impl Term<'_> {
    /// Where the list stands, seen from the rule.
    pub(super) fn pointer(&self) -> String {
        match self.place {
            Place::From(index, name) => format!("/from/{index}/source/{name}"),
            Place::To(index, name) => format!("/to/{index}/operation/{name}"),
            Place::When(index, name) => format!("/when/{index}/{name}"),
        }
    }

    /// Where the key of a condition stands.
    pub(super) fn key_pointer(&self) -> String {
        match self.place {
            Place::When(index, _) => format!("/when/{index}/key"),
            Place::From(..) | Place::To(..) => self.pointer(),
        }
    }
}

struct Reader<'d> {
    namespace: &'d str,
    domains: &'d [String],
}

impl Reader<'_> {
    fn rule<'a>(&self, policy: usize, number: usize, rule: &'a Rule) -> RuleView<'a> {
        let sources = rule.from.iter().flatten().map(|from| from.source.as_ref());
        let operations = rule.to.iter().flatten().map(|to| to.operation.as_ref());
        let source = |(index, source)| {
            let fields = Option::map_or(source, Vec::new(), |source| source_fields(source).into());
            self.fields(fields, |name| Place::From(index, name))
        };
        let operation = |(index, operation)| {
            let fields =
                Option::map_or(operation, Vec::new(), |call| operation_fields(call).into());
            self.fields(fields, |name| Place::To(index, name))
        };
        RuleView {
            policy,
            number,
            sources: sources.enumerate().map(source).collect(),
            operations: operations.enumerate().map(operation).collect(),
            conditions: self.conditions(rule.when.as_deref().unwrap_or_default()),
        }
    }

    fn fields<'a>(
        &self,
        fields: Vec<Field<'a>>,
        place: impl Fn(&'static str) -> Place,
    ) -> Entry<'a> {
        let mut entry = Vec::new();
        for Field { attribute, labels, values } in fields {
            for ((label, values), negated) in labels.into_iter().zip(values).zip([false, true]) {
                let name = label.rsplit('.').next().unwrap_or(label);
                entry.extend(self.term(&attribute, negated, values, place(name)));
            }
        }
        entry
    }

    fn conditions<'a>(&self, conditions: &'a [Condition]) -> Entry<'a> {
        let mut entry = Vec::new();
        for (index, condition) in conditions.iter().enumerate() {
            let Ok(attribute) = Attribute::parse(&condition.key) else { continue };
            let lists =
                [(&condition.values, false, "values"), (&condition.not_values, true, "notValues")];
            for (values, negated, name) in lists {
                entry.extend(self.term(&attribute, negated, values, Place::When(index, name)));
            }
        }
        entry
    }

    /// Nothing for an empty list, which is no condition.
    fn term<'a>(
        &self,
        attribute: &Attribute,
        negated: bool,
        written: &'a [String],
        place: Place,
    ) -> Option<Term<'a>> {
        let values = written.iter().flat_map(|value| self.compared(attribute, value)).collect();
        let attribute = attribute.clone();
        (!written.is_empty()).then_some(Term { attribute, negated, written, values, place })
    }

    fn compared<'a>(&self, attribute: &Attribute, value: &'a str) -> Vec<Cow<'a, str>> {
        let owned = |values: Vec<String>| values.into_iter().map(Cow::Owned).collect();
        match attribute {
            Attribute::Principal => owned(peer::expand(value, self.domains)),
            Attribute::TrustDomain if self.domains.iter().any(|domain| domain == value) => {
                owned(self.domains.to_vec())
            }
            Attribute::ServiceAccount if !value.contains('/') => {
                owned([format!("{}/{value}", self.namespace)].into())
            }
            Attribute::Host => owned([value.to_ascii_lowercase()].into()),
            Attribute::SourceIp
            | Attribute::RemoteIp
            | Attribute::DestinationIp
            | Attribute::Port
            | Attribute::ServerName
            | Attribute::Method
            | Attribute::Path
            | Attribute::Header(_)
            | Attribute::Namespace
            | Attribute::ServiceAccount
            | Attribute::TrustDomain
            | Attribute::RequestPrincipal
            | Attribute::Claim(_)
            | Attribute::Metadata { .. } => [Cow::Borrowed(value)].into(),
        }
    }
}
