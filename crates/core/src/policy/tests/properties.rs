//! What holds for all policies and requests.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::options;
use crate::decision::Verdict;
use crate::finding::FindingCode;
use crate::json::{Bounds, Document};
use crate::policy::check::Assume;
use crate::policy::evaluate::RuleSet;
use crate::policy::facts::View;
use crate::policy::facts::tests_support::spiffe_id;
use crate::policy::resource::{
    Action, AuthorizationPolicySpec, Condition, From, Operation, Rule, Source, To,
};
use crate::policy::{
    Facts, LintedPolicy, PolicyCompiler, PolicyFinding, PolicySet, Surroundings, lint,
};
use crate::request::{Connection, HeaderLine, Lines};

const METHODS: &[&str] = &["GET", "POST", "P*", "*T", "*"];
const HOSTS: &[&str] = &["a.example", "A.Example", "*.example", "b.*", "*"];
const PATHS: &[&str] =
    &["/", "/*", "/a", "/a/b", "/a*", "/a/*", "*/b", "*", "/{*}/b", "/a/{**}", "/{**}/b"];
const PORTS: &[&str] = &["80", "443"];
const PRINCIPALS: &[&str] = &[
    "cluster.local/ns/a/sa/b",
    "cluster.local/ns/a/*",
    "*/sa/b",
    "foreign/ns/a/sa/b",
    "*local/ns/a/sa/b",
    "*",
];
const NAMESPACES: &[&str] = &["a", "a*", "*b", "*", "*sa"];
const REQUEST_PRINCIPALS: &[&str] = &["i/s", "i/*", "*/s", "i*", "*s", "*", "i/s/t", "i/s*"];
const ACCOUNTS: &[&str] = &["a/b", "b", "ns/sa"];
const DOMAINS: &[&str] = &["cluster.local", "foreign", "c*", "*"];
const BLOCKS: &[&str] = &["10.0.0.0/8", "10.0.0.1", "::/0"];
const VALUES: &[&str] = &["v", "v*", "*w", "*", "v w"];
const KEYS: &[&str] = &[
    "request.headers[x]",
    "request.auth.claims[scope]",
    "request.auth.claims[a][b]",
    "request.auth.claims[roles]",
    "request.auth.claims[sub]",
];

const CLAIMS: &[&str] = &[
    r#"{"scope":"v w","roles":["v","w"],"a":{"b":"v"}}"#,
    r#"{"scope":"w","roles":"v w","a":{"b":["x","w"]}}"#,
    r#"{"scope":5,"roles":[5],"a":"v"}"#,
];
const IDS: &[&str] = &[
    "spiffe://cluster.local/ns/a/sa/b",
    "spiffe://old.example/ns/ab/sa/b",
    "spiffe://foreign/ns/a/x/sa/b/k/v",
    "spiffe://foreign",
];

fn list(from: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = subsequence(from, 1..=2.min(from.len()));
    let some = some.prop_map(|list| list.iter().map(|value| value.to_string()).collect());
    prop_oneof![3 => Just(Vec::new()), 1 => some]
}

fn source() -> impl Strategy<Value = Option<Source>> {
    let people = (list(PRINCIPALS), list(PRINCIPALS), list(NAMESPACES), list(NAMESPACES));
    let tokens = (list(REQUEST_PRINCIPALS), list(REQUEST_PRINCIPALS));
    let rest = (list(DOMAINS), list(DOMAINS), list(BLOCKS), list(BLOCKS), list(ACCOUNTS));
    (people, tokens, rest).prop_map(|(people, tokens, rest)| {
        let mut source = Source {
            principals: people.0,
            not_principals: people.1,
            namespaces: people.2,
            not_namespaces: people.3,
            request_principals: tokens.0,
            not_request_principals: tokens.1,
            trust_domains: rest.0,
            not_trust_domains: rest.1,
            remote_ip_blocks: rest.2,
            not_ip_blocks: rest.3,
            ..Source::default()
        };
        let others = [
            &source.principals,
            &source.not_principals,
            &source.namespaces,
            &source.not_namespaces,
        ];
        if others.iter().all(|list| list.is_empty()) {
            source.service_accounts = rest.4;
        }
        (source != Source::default()).then_some(source)
    })
}

fn operation() -> impl Strategy<Value = Option<Operation>> {
    let lists = (list(METHODS), list(METHODS), list(HOSTS), list(HOSTS), list(PATHS), list(PATHS));
    (lists, list(PORTS), list(PORTS)).prop_map(|(lists, ports, not_ports)| {
        let operation = Operation {
            methods: lists.0,
            not_methods: lists.1,
            hosts: lists.2,
            not_hosts: lists.3,
            paths: lists.4,
            not_paths: lists.5,
            ports,
            not_ports,
        };
        (operation != Operation::default()).then_some(operation)
    })
}

fn condition() -> impl Strategy<Value = Option<Condition>> {
    (select(KEYS), list(VALUES), list(VALUES)).prop_map(|(key, values, not_values)| {
        let some = !values.is_empty() || !not_values.is_empty();
        some.then(|| Condition { key: key.to_string(), values, not_values })
    })
}

/// What is left of a list, or no list.
fn some<T>(list: Vec<Option<T>>) -> Option<Vec<T>> {
    let list: Vec<T> = list.into_iter().flatten().collect();
    (!list.is_empty()).then_some(list)
}

fn rule() -> impl Strategy<Value = Rule> {
    let parts = (vec(source(), 0..3), vec(operation(), 0..3), vec(condition(), 0..2));
    parts.prop_map(|(sources, operations, conditions)| {
        let sources = sources.into_iter().map(|source| source.map(|s| From { source: Some(s) }));
        let operations =
            operations.into_iter().map(|operation| operation.map(|o| To { operation: Some(o) }));
        Rule {
            from: some(sources.collect()),
            to: some(operations.collect()),
            when: some(conditions),
        }
    })
}

fn policy() -> impl Strategy<Value = (Action, bool, Vec<Rule>)> {
    let action = select(&[Action::Allow, Action::Deny, Action::Audit][..]);
    (action, proptest::bool::weighted(0.2), vec(rule(), 1..6))
}

/// Everything about a request but the lifetimes.
#[derive(Debug, Clone)]
struct Case {
    method: &'static str,
    path: Option<&'static str>,
    host: Option<&'static str>,
    headers: Vec<&'static str>,
    joined: bool,
    peer: Option<&'static str>,
    token: Option<(&'static str, Option<&'static str>, &'static str)>,
    connection: Connection<'static>,
}

fn case() -> impl Strategy<Value = Case> {
    let paths = &["/", "/a", "/a/", "/a/b", "/b/b", "/a/b/c", "/a/|"][..];
    let hosts = &["a.example", "A.EXAMPLE", "b.other", "c"][..];
    let lines = vec(select(&["v", "w", "v, w", "", "vv"][..]), 0..3);
    let subject = proptest::option::of(select(&["s", "t", "s/t", "v"][..]));
    let token = (select(&["i", "j", "i/s"][..]), subject, select(CLAIMS));
    let option = |list: &'static [&'static str]| proptest::option::of(select(list));
    let address = || proptest::option::of(select(&["10.0.0.1", "192.0.2.1", "2001:db8::1"][..]));
    let what = (select(&["GET", "POST", "get", ""][..]), option(paths), option(hosts));
    let who = (option(IDS), proptest::option::of(token));
    let connection = (address(), address(), proptest::option::of(select(&[80, 443, 8080][..])));
    (what, lines, any::<bool>(), who, connection).prop_map(|(what, headers, joined, who, seen)| {
        let address = |text: Option<&str>| text.map(|text| text.parse::<IpAddr>().unwrap());
        let connection = Connection {
            source_ip: address(seen.0),
            remote_ip: address(seen.1),
            destination_port: seen.2,
            ..Connection::default()
        };
        let (method, path, host) = what;
        Case { method, path, host, headers, joined, peer: who.0, token: who.1, connection }
    })
}

impl Case {
    fn with<T>(&self, test: impl FnOnce(&Facts<'_>) -> T) -> T {
        const BOUNDS: Bounds = Bounds { bytes: 4096, depth: 8, members: 64 };
        let peer = self.peer.map(spiffe_id);
        let document =
            self.token.map(|(_, _, claims)| Document::parse(claims.as_bytes(), &BOUNDS).unwrap());
        let line = |value: &&'static str| HeaderLine { name: b"X", value: value.as_bytes() };
        let headers: Vec<_> = self.headers.iter().map(line).collect();
        test(&Facts {
            method: self.method.as_bytes(),
            path: self.path,
            host: self.host,
            headers: &headers,
            lines: if self.joined { Lines::Joined } else { Lines::Separate },
            connection: self.connection,
            peer: peer.as_ref(),
            issuer: self.token.map(|(issuer, ..)| issuer),
            subject: self.token.and_then(|(_, subject, _)| subject),
            claims: document.as_ref().and_then(|document| document.root().as_object()),
            unclear_headers: &[],
            space_delimited: &[],
            metadata: &[],
        })
    }
}

fn compile(policies: &[(Action, bool, Vec<Rule>)]) -> PolicySet {
    let mut compiler = PolicyCompiler::new(options());
    for (index, (action, dry_run, rules)) in policies.iter().enumerate() {
        let spec = AuthorizationPolicySpec {
            action: *action,
            rules: rules.clone(),
            ..AuthorizationPolicySpec::default()
        };
        compiler.add("home", &format!("p{index}"), *dry_run, &spec).unwrap();
    }
    compiler.finish()
}

fn verdict(policies: &[(Action, bool, Vec<Rule>)], case: &Case) -> Verdict {
    let set = compile(policies);
    case.with(|facts| set.evaluate(facts).reason.verdict())
}

fn identity(set: &RuleSet, view: &View<'_>, assume: Assume, walk: bool) -> Option<(usize, u32)> {
    let rule = if walk { set.first_by_walking(view, assume) } else { set.first(view, assume) };
    rule.map(|rule| (rule.policy, rule.number))
}

/// Rules of which some are narrower than others: one of one field, or a rule with another's parts
/// where it has none.
fn related_rules() -> impl Strategy<Value = Vec<Rule>> {
    let field = (list(METHODS), list(PATHS), list(PRINCIPALS), list(REQUEST_PRINCIPALS));
    let small = field.prop_map(|(methods, paths, principals, request_principals)| {
        let operation = Operation { methods, paths, ..Operation::default() };
        let source = Source { principals, request_principals, ..Source::default() };
        Rule {
            from: some(
                [(source != Source::default()).then_some(From { source: Some(source) })].into(),
            ),
            to: some(
                [(operation != Operation::default()).then_some(To { operation: Some(operation) })]
                    .into(),
            ),
            when: None,
        }
    });
    vec(prop_oneof![3 => small, 1 => rule()], 2..6).prop_map(|rules| {
        let mut all = rules.clone();
        for (rule, other) in rules.iter().zip(rules.iter().skip(1)) {
            all.push(Rule {
                from: rule.from.clone().or_else(|| other.from.clone()),
                to: rule.to.clone().or_else(|| other.to.clone()),
                when: rule.when.clone().or_else(|| other.when.clone()),
            });
        }
        all
    })
}

/// The rules, as policy and number, that are said to have no effect.
fn without_effect(policies: &[(Action, bool, Vec<Rule>)]) -> Vec<(usize, usize)> {
    let spec = |(action, _, rules): &(Action, bool, Vec<Rule>)| AuthorizationPolicySpec {
        action: *action,
        rules: rules.clone(),
        ..AuthorizationPolicySpec::default()
    };
    let specs: Vec<_> = policies.iter().map(spec).collect();
    let linted = |(policy, spec): (&(Action, bool, Vec<Rule>), _)| LintedPolicy {
        namespace: "home",
        name: "p",
        dry_run: policy.1,
        spec,
    };
    let linted: Vec<_> = policies.iter().zip(&specs).map(linted).collect();
    let domains = options().trust_domains;
    let surroundings =
        Surroundings { trust_domains: &domains, peer_required: false, required_claims: &[] };
    let place = |finding: PolicyFinding| {
        let number = finding.pointer.strip_prefix("/rules/")?.parse().ok()?;
        matches!(finding.code, FindingCode::ShadowedRule | FindingCode::UnreachableRule)
            .then_some((finding.policy, number))
    };
    lint(&linted, &surroundings).into_iter().filter_map(place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_rule_that_is_reported_as_without_effect_has_none(
        allow in related_rules(), deny in related_rules(), cases in vec(case(), 8),
    ) {
        let policies = [(Action::Allow, false, allow), (Action::Deny, false, deny)];
        for (policy, number) in without_effect(&policies) {
            let mut fewer = policies.clone();
            fewer[policy].2.remove(number);
            let (before, after) = (compile(&policies), compile(&fewer));
            for case in &cases {
                let same = |facts: &Facts<'_>| {
                    before.evaluate(facts).reason.verdict() == after.evaluate(facts).reason.verdict()
                };
                prop_assert!(case.with(same), "rule {} of policy {}", number, policy);
            }
        }
    }

    #[test]
    fn the_index_finds_what_walking_finds(
        policies in vec(policy(), 1..8),
        cases in vec(case(), 1..6),
    ) {
        let set = compile(&policies);
        for case in cases {
            case.with(|facts| {
                let view = View::of(facts);
                for rules in set.sets() {
                    for assume in [Assume::Nothing, Assume::Token, Assume::NoToken, Assume::Scopes] {
                        // A request is never asked about a token that it has, or about the scopes
                        // of one that it does not have.
                        let asked = match assume {
                            Assume::Nothing => true,
                            Assume::Token | Assume::NoToken => facts.issuer.is_none(),
                            Assume::Scopes => facts.issuer.is_some(),
                        };
                        if asked {
                            let found = identity(rules, &view, assume, false);
                            assert_eq!(found, identity(rules, &view, assume, true), "{assume:?}");
                        }
                    }
                }
            });
        }
    }

    #[test]
    fn adding_a_deny_rule_never_allows_more(
        policies in vec(policy(), 0..4), added in vec(rule(), 1..3), case in case(),
    ) {
        let before = verdict(&policies, &case);
        let mut more = policies;
        more.push((Action::Deny, false, added));
        prop_assert!(before == Verdict::Allow || verdict(&more, &case) == Verdict::Deny);
    }

    #[test]
    fn adding_an_allow_rule_never_denies_more(
        policies in vec(policy(), 0..4), added in rule(), case in case(),
    ) {
        let mut policies = policies;
        policies.push((Action::Allow, false, Vec::new()));
        let before = verdict(&policies, &case);
        policies.push((Action::Allow, false, [added].into()));
        prop_assert!(before == Verdict::Deny || verdict(&policies, &case) == Verdict::Allow);
    }

    #[test]
    fn the_order_of_rules_and_policies_changes_no_verdict(
        policies in vec(policy(), 0..5), case in case(),
    ) {
        let mut reversed = policies.clone();
        reversed.reverse();
        reversed.iter_mut().for_each(|(_, _, rules)| rules.reverse());
        let (before, after) = (compile(&policies), compile(&reversed));
        case.with(|facts| {
            let (before, after) = (before.evaluate(facts), after.evaluate(facts));
            assert_eq!(before.reason, after.reason);
            assert_eq!(before.audited.is_some(), after.audited.is_some());
            assert_eq!(before.shadow.map(|s| s.reason), after.shadow.map(|s| s.reason));
            let lacks = |ruling: &crate::policy::Ruling<'_>| {
                let denial = ruling.denial.as_ref();
                denial.map(|denial| (denial.lacks_only_token, denial.missing_scopes.is_some()))
            };
            assert_eq!(lacks(&before), lacks(&after));
        });
    }

    #[test]
    fn audit_and_dry_run_policies_change_no_verdict(
        policies in vec(policy(), 0..4), added in vec(rule(), 0..3), case in case(),
    ) {
        let before = verdict(&policies, &case);
        for (action, dry_run) in [(Action::Audit, false), (Action::Allow, true), (Action::Deny, true)] {
            if action == Action::Deny && added.is_empty() {
                continue;
            }
            let mut more = policies.clone();
            more.push((action, dry_run, added.clone()));
            prop_assert_eq!(verdict(&more, &case), before);
        }
    }

    #[test]
    fn a_rule_that_grants_would_also_refuse(rules in vec(rule(), 1..3), case in case()) {
        let granted = verdict(&[(Action::Allow, false, rules.clone())], &case);
        let refused = verdict(&[(Action::Deny, false, rules)], &case);
        prop_assert!(granted == Verdict::Deny || refused == Verdict::Deny);
    }

    #[test]
    fn any_text_compiles_or_is_refused(value in ".{0,12}", key in ".{0,24}") {
        let strings = || Vec::from([value.clone()]);
        let source = Source { principals: strings(), request_principals: strings(), namespaces: strings(), ip_blocks: strings(), ..Source::default() };
        let accounts = Source { service_accounts: strings(), trust_domains: strings(), ..Source::default() };
        let operation = Operation { paths: strings(), hosts: strings(), methods: strings(), ports: strings(), ..Operation::default() };
        let condition = |key| Condition { key, values: strings(), not_values: strings() };
        for rule in [
            Rule { from: Some([From { source: Some(source) }].into()), ..Rule::default() },
            Rule { from: Some([From { source: Some(accounts) }].into()), ..Rule::default() },
            Rule { to: Some([To { operation: Some(operation) }].into()), ..Rule::default() },
            Rule { when: Some([condition(key.clone())].into()), ..Rule::default() },
            Rule { when: Some([condition(format!("request.auth.claims{key}"))].into()), ..Rule::default() },
            Rule { when: Some([condition(format!("request.headers[{key}]"))].into()), ..Rule::default() },
        ] {
            let spec = AuthorizationPolicySpec { rules: [rule].into(), ..AuthorizationPolicySpec::default() };
            let _ = PolicyCompiler::new(options()).add("n", "p", false, &spec);
        }
    }
}
