//! Looking at compiled rules one by one: for explanations, coverage and comparison.
//!
//! Decisions never come here; a host that only decides has none of this linked in.

use super::attribute::Dependence;
use super::check::{Assume, Check};
use super::evaluate::{PolicySet, RuleRef};
use super::facts::{Facts, View};
use super::rule::{All, CompiledRule};

/// What a matching rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It refuses.
    Deny,
    /// It allows.
    Allow,
    /// It is noted in the audit record.
    Audit,
    /// It would refuse if its policy were in force.
    DryRunDeny,
    /// It would allow if its policy were in force.
    DryRunAllow,
}

/// Facts with what is derived from them once for all rules.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a>(View<'a>);

impl<'a> Sight<'a> {
    /// Prepares facts for many questions.
    #[must_use]
    pub fn of(facts: &'a Facts<'a>) -> Self {
        Self(View::of(facts))
    }
}

impl PolicySet {
    /// The policies, `namespace/name`, in the order of the bundle.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.names().iter().map(AsRef::as_ref)
    }

    /// Every rule, in the order in which rules are asked: DENY, ALLOW, AUDIT, dry-run.
    pub fn rules(&self) -> impl Iterator<Item = RuleView<'_>> {
        const EFFECTS: [Effect; 5] =
            [Effect::Deny, Effect::Allow, Effect::Audit, Effect::DryRunDeny, Effect::DryRunAllow];
        let rules = EFFECTS.into_iter().zip(self.sets());
        rules.flat_map(move |(effect, set)| {
            set.rules().iter().map(move |rule| RuleView { name: self.name(rule), effect, rule })
        })
    }
}

/// One compiled rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleView<'p> {
    name: RuleRef<'p>,
    effect: Effect,
    rule: &'p CompiledRule,
}

impl<'p> RuleView<'p> {
    /// Policy and index.
    #[must_use]
    pub fn name(&self) -> RuleRef<'p> {
        self.name
    }

    /// What it does when it matches.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether it matches: some entry of `from`, some entry of `to` and all of `when` hold.
    #[must_use]
    pub fn matches(&self, sight: &Sight<'_>) -> bool {
        self.rule.matches(&sight.0, Assume::Nothing)
    }

    /// The entries of `from`, each a list of conditions that must all hold. None is anybody.
    pub fn sources(&self) -> impl Iterator<Item = impl Iterator<Item = ConditionView<'p>>> {
        self.rule.sources.iter().map(conditions)
    }

    /// The entries of `to`, each a list of conditions that must all hold. None is anything.
    pub fn operations(&self) -> impl Iterator<Item = impl Iterator<Item = ConditionView<'p>>> {
        self.rule.operations.iter().map(conditions)
    }

    /// The conditions of `when`, which must all hold.
    pub fn conditions(&self) -> impl Iterator<Item = ConditionView<'p>> {
        conditions(&self.rule.conditions)
    }

    /// All conditions: those of `from`, of `to`, of `when`.
    pub fn all_conditions(&self) -> impl Iterator<Item = ConditionView<'p>> {
        self.rule.checks().map(ConditionView)
    }

    /// The conditions that would have to change for the rule to match, with as few entries of
    /// `from` and `to` as possible; none if it matches.
    pub fn missing(&self, sight: &Sight<'_>) -> impl Iterator<Item = ConditionView<'p>> {
        self.rule.missing(&sight.0, Assume::Nothing).map(ConditionView)
    }
}

fn conditions(all: &All) -> impl Iterator<Item = ConditionView<'_>> {
    all.iter().map(ConditionView)
}

/// One condition of a rule.
#[derive(Debug, Clone, Copy)]
pub struct ConditionView<'p>(&'p Check);

impl<'p> ConditionView<'p> {
    /// How audit records name it, such as `from.source.principals` or
    /// `when[request.headers[x-a]].notValues`.
    #[must_use]
    pub fn label(&self) -> &'p str {
        &self.0.label
    }

    /// Whether none of its values may match.
    #[must_use]
    pub fn is_negated(&self) -> bool {
        self.0.negated
    }

    /// Whether it is about the token.
    #[must_use]
    pub fn is_about_token(&self) -> bool {
        self.0.dependence != Dependence::Request
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, sight: &Sight<'_>) -> bool {
        self.0.holds(&sight.0, Assume::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;
    use crate::policy::facts::tests_support::facts;
    use crate::policy::resource::{
        Action, AuthorizationPolicySpec, Condition, From, Operation, Rule, Source, To,
    };
    use crate::policy::{PolicyCompiler, PolicyOptions};

    fn policies() -> PolicySet {
        let mut compiler = PolicyCompiler::new(PolicyOptions::default());
        let texts = |values: &[&str]| values.iter().map(|v| String::from(*v)).collect::<Vec<_>>();
        let source = |name: &str| From {
            source: Some(Source { namespaces: texts(&[name]), ..Source::default() }),
        };
        let operation = Operation {
            methods: texts(&["GET"]),
            not_paths: texts(&["/x"]),
            ..Operation::default()
        };
        let condition = Condition {
            key: "request.auth.claims[a]".into(),
            values: texts(&["b"]),
            ..Condition::default()
        };
        let rule = Rule {
            from: Some([source("a"), source("b")].into()),
            to: Some([To { operation: Some(operation) }].into()),
            when: Some([condition].into()),
        };
        let spec = AuthorizationPolicySpec { rules: [rule].into(), ..Default::default() };
        assert!(compiler.add("n", "allow", false, &spec).is_ok());
        let deny = AuthorizationPolicySpec {
            action: Action::Deny,
            rules: [Rule::default()].into(),
            ..Default::default()
        };
        assert!(compiler.add("n", "deny", true, &deny).is_ok());
        compiler.finish()
    }

    #[test]
    fn rules_show_their_conditions_as_they_were_written() {
        let set = policies();
        assert_eq!(set.policies().collect::<Vec<_>>(), ["n/allow", "n/deny"]);
        let rules: Vec<_> = set.rules().collect();
        assert_eq!(
            rules.iter().map(|rule| (&**rule.name().policy, rule.effect())).collect::<Vec<_>>(),
            [("n/allow", Effect::Allow), ("n/deny", Effect::DryRunDeny)]
        );
        let rule = rules.first().unwrap();
        assert_eq!((rule.sources().count(), rule.operations().count()), (2, 1));
        let labels: Vec<_> = rule.all_conditions().map(|check| check.label()).collect();
        assert_eq!(
            labels,
            [
                "from.source.namespaces",
                "from.source.namespaces",
                "to.operation.methods",
                "to.operation.notPaths",
                "when[request.auth.claims[a]]",
            ]
        );
        assert!(rules.get(1).unwrap().all_conditions().next().is_none());
    }

    #[test]
    fn each_condition_says_whether_it_holds() {
        let set = policies();
        let facts = facts();
        let sight = Sight::of(&facts);
        let rule = set.rules().next().unwrap();
        assert!(!rule.matches(&sight));
        let held: Vec<_> = rule.all_conditions().map(|check| check.holds(&sight)).collect();
        assert_eq!(held, [false, false, true, true, false]);
        let missing: Vec<_> = rule.missing(&sight).map(|check| check.label()).collect();
        assert_eq!(missing, ["from.source.namespaces", "when[request.auth.claims[a]]"]);
        assert!(rule.missing(&sight).any(|check| check.is_about_token()));
        assert!(rule.all_conditions().any(|check| check.is_negated()));
    }
}
