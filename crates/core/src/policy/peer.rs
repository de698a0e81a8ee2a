//! Who the peer is: principals, namespaces, service accounts, trust domains.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::error::PolicyError;
use super::facts::PeerView;
use super::glob::Glob;
use super::index::Key;
use super::pattern::{Case, Pattern, Patterns, Sense, Star, refuse_empty};
use crate::bytes::holds;
use crate::finding::FindingCode;
use crate::json::Quoted;
use crate::limits;

const SCHEME: &str = "spiffe://";

/// The trust domain of the mesh, whatever it is called.
const CLUSTER_LOCAL: &str = "cluster.local";

/// Compiles `principals`, each standing for one copy per known trust domain where Istio says so.
pub(super) fn principals(values: &[String], domains: &[String]) -> Result<Patterns, PolicyError> {
    let mut patterns = Vec::new();
    for (index, value) in values.iter().enumerate() {
        check_principal(value).map_err(|error| error.below(index))?;
        for principal in expand(value, domains) {
            let pattern = Pattern::parse_starless(&principal);
            patterns.push(pattern.map_err(|error| error.below(index))?);
        }
    }
    Ok(Patterns::new(patterns, Star::NotEmpty, Case::Sensitive))
}

fn check_principal(value: &str) -> Result<(), PolicyError> {
    if let Some(principal) = value.strip_prefix(SCHEME) {
        return Err(PolicyError::new(
            FindingCode::SpiffeScheme,
            format!(
                "{} never matches: write it without the scheme: {}",
                Quoted(value),
                Quoted(principal)
            ),
        ));
    }
    Pattern::parse_starless(value).map(drop)
}

/// A principal of the form `domain/ns/x/sa/y` whose domain is one of the mesh's, or
/// `cluster.local`, stands for the same account in every known trust domain.
pub(super) fn expand(principal: &str, domains: &[String]) -> Vec<String> {
    let unchanged = || Vec::from([principal.to_string()]);
    let Some((domain, workload)) = principal.split_once('/') else { return unchanged() };
    let enforced = principal.split('/').count() == 5 && domain != "*";
    if !enforced || !(domain == CLUSTER_LOCAL || is_known(domain, domains)) {
        return unchanged();
    }
    let mut expanded = Vec::new();
    for known in domains {
        let copy = match domain.strip_prefix('*') {
            // A pattern that fits the domain already covers it.
            Some(suffix) if known.ends_with(suffix) => principal.to_string(),
            _ => format!("{known}/{workload}"),
        };
        if !expanded.contains(&copy) {
            expanded.push(copy);
        }
    }
    expanded
}

fn is_known(domain: &str, domains: &[String]) -> bool {
    domains.iter().any(|known| fits(known, domain) || fits(domain, known))
}

/// Whether a domain fits another that may have a star at either end.
fn fits(domain: &str, pattern: &str) -> bool {
    domain == pattern
        || pattern.strip_suffix('*').is_some_and(|prefix| domain.starts_with(prefix))
        || pattern.strip_prefix('*').is_some_and(|suffix| domain.ends_with(suffix))
}

/// Whether a principal names a trust domain that is not one of the mesh's.
pub(super) fn is_foreign(principal: &str, domains: &[String]) -> bool {
    let domain = principal.split('/').next().unwrap_or("");
    principal.split('/').count() == 5
        && domain != "*"
        && domain != CLUSTER_LOCAL
        && !is_known(domain, domains)
}

/// Values of `namespaces`. Istio's expression is not anchored: it finds `/ns/a/` anywhere in an ID.
#[derive(Debug, Clone)]
pub(super) enum Namespaces {
    /// Compared with the namespace of an ID of exactly Istio's form.
    Narrow(Box<[Glob]>),
    /// Found anywhere in any ID, a star standing for anything, slashes included.
    Wide(Box<[Glob]>),
}

impl Namespaces {
    pub(super) fn parse(value: &str, sense: Sense) -> Result<Glob, PolicyError> {
        refuse_empty(value)?;
        if holds(value, b'/') {
            return Err(PolicyError::new(
                FindingCode::BadNamespace,
                format!("{} is no namespace: use principals to name more than it", Quoted(value)),
            ));
        }
        Ok(match sense {
            Sense::Narrow => Glob::new(value),
            Sense::Wide => Glob::new(&format!("*/ns/{value}/*")),
        })
    }

    pub(super) fn new(globs: Vec<Glob>, sense: Sense) -> Self {
        match sense {
            Sense::Narrow => Self::Narrow(globs.into()),
            Sense::Wide => Self::Wide(globs.into()),
        }
    }

    pub(super) fn matches(&self, peer: &PeerView<'_>) -> bool {
        match self {
            Self::Narrow(globs) => peer
                .workload
                .is_some_and(|(namespace, _)| globs.iter().any(|glob| glob.matches(namespace))),
            Self::Wide(globs) => globs.iter().any(|glob| glob.matches(peer.id)),
        }
    }

    /// What the namespace of a peer that matches is like, where there is such a thing.
    pub(super) fn keys(&self) -> Option<Vec<Key>> {
        match self {
            Self::Narrow(globs) => Some(globs.iter().map(Glob::key).collect()),
            Self::Wide(_) => None,
        }
    }
}

/// Values of `serviceAccounts`. Istio's expression, `.+/ns/N/(.+/|)sa/A(/.+)?`, allows further
/// segments, and a dot in a name stands for any character.
#[derive(Debug, Clone)]
pub(super) enum ServiceAccounts {
    /// Compared letter by letter with an ID of exactly Istio's form.
    Narrow(Box<[ServiceAccount]>),
    /// Found as Istio finds them.
    Wide(Box<[Expression]>),
}

/// What Istio looks for: `/ns/N`, and somewhere behind it `/sa/A`.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    namespace: Box<str>,
    account: Box<str>,
}

/// One service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceAccount {
    namespace: Box<str>,
    name: Box<str>,
}

impl ServiceAccount {
    /// `namespace/account`, or `account` in the namespace of the policy.
    pub(super) fn parse(value: &str, namespace: &str) -> Result<Self, PolicyError> {
        refuse_empty(value)?;
        let (namespace, name) = value.split_once('/').unwrap_or((namespace, value));
        let bad = |message: &str| {
            Err(PolicyError::new(
                FindingCode::BadServiceAccount,
                format!("{}: {message}", Quoted(value)),
            ))
        };
        if holds(value, b'*') {
            return bad("service accounts have no wildcards; use principals or namespaces");
        }
        if namespace.is_empty() || name.is_empty() || holds(name, b'/') {
            return bad("a service account is \"account\" or \"namespace/account\"");
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
        if !value.bytes().all(is_plain) {
            return bad("never matches: names have letters, digits, hyphens, dots and underscores");
        }
        if value.len() > limits::SERVICE_ACCOUNT_BYTES {
            return bad("longer than 320 bytes");
        }
        Ok(Self { namespace: namespace.into(), name: name.into() })
    }
}

impl ServiceAccounts {
    pub(super) fn new(accounts: Vec<ServiceAccount>, sense: Sense) -> Self {
        match sense {
            Sense::Narrow => Self::Narrow(accounts.into()),
            Sense::Wide => Self::Wide(accounts.iter().map(Expression::of).collect()),
        }
    }

    pub(super) fn matches(&self, peer: &PeerView<'_>) -> bool {
        match self {
            Self::Narrow(accounts) => accounts
                .iter()
                .any(|account| peer.workload == Some((&account.namespace, &account.name))),
            Self::Wide(expressions) => {
                expressions.iter().any(|expression| expression.is_found_in(peer.principal))
            }
        }
    }

    /// The end of a peer's ID that matches, where there is such a thing.
    pub(super) fn keys(&self) -> Option<Vec<Key>> {
        let suffix = |account: &ServiceAccount| {
            let end = format!("/ns/{}/sa/{}", account.namespace, account.name);
            Key::Suffix(end.into_bytes().into())
        };
        match self {
            Self::Narrow(accounts) => Some(accounts.iter().map(suffix).collect()),
            Self::Wide(_) => None,
        }
    }
}

impl Expression {
    fn of(account: &ServiceAccount) -> Self {
        Self {
            namespace: format!("/ns/{}", account.namespace).into(),
            account: format!("/sa/{}", account.name).into(),
        }
    }

    fn is_found_in(&self, principal: &str) -> bool {
        let is_end = |rest: &[u8]| rest.first().is_none_or(|byte| *byte == b'/');
        behind(principal.as_bytes(), &self.namespace)
            .filter(|rest| rest.starts_with(b"/"))
            .any(|rest| behind(rest, &self.account).any(is_end))
    }
}

/// What stands behind each place where the pattern is found; a dot in it is any character.
fn behind<'a>(text: &'a [u8], pattern: &str) -> impl Iterator<Item = &'a [u8]> {
    let is_found = |window: &[u8]| {
        window
            .iter()
            .zip(pattern.as_bytes())
            .all(|(byte, wanted)| *wanted == b'.' || byte == wanted)
    };
    let places = text.windows(pattern.len()).enumerate();
    places.filter_map(move |(at, window)| {
        let rest = text.get(at.saturating_add(pattern.len())..)?;
        is_found(window).then_some(rest)
    })
}

/// Values of `trustDomains`.
#[derive(Debug, Clone)]
pub(super) struct TrustDomains {
    patterns: Patterns,
    sense: Sense,
}

impl TrustDomains {
    /// Expands a value that is one of the mesh's trust domains to all of them.
    pub(super) fn new(
        values: &[String],
        domains: &[String],
        sense: Sense,
    ) -> Result<Self, PolicyError> {
        let mut patterns = Vec::new();
        for (index, value) in values.iter().enumerate() {
            patterns.push(Self::parse(value).map_err(|error| error.below(index))?);
            if domains.contains(value) {
                patterns.extend(domains.iter().map(|known| Pattern::Exact(known.as_str().into())));
            }
        }
        Ok(Self { patterns: Patterns::new(patterns, Star::NotEmpty, Case::Sensitive), sense })
    }

    fn parse(value: &str) -> Result<Pattern, PolicyError> {
        if holds(value, b'/') {
            return Err(PolicyError::new(
                FindingCode::BadTrustDomain,
                format!("{} is no trust domain: it has neither scheme nor path", Quoted(value)),
            ));
        }
        Pattern::parse_starless(value)
    }

    /// Istio's expressions want a slash behind the domain, so an ID without a path is outside.
    pub(super) fn matches(&self, peer: &PeerView<'_>) -> bool {
        let complete = peer.path.is_some() || self.sense == Sense::Wide;
        complete && self.patterns.matches(peer.trust_domain.as_bytes())
    }

    /// The start of a peer's principal that matches.
    pub(super) fn keys(&self) -> Vec<Key> {
        let start = |key| match key {
            Key::Exact(text) | Key::Prefix(text) => Key::Prefix(text),
            Key::Suffix(_) | Key::Present => Key::Present,
        };
        self.patterns.keys().into_iter().map(start).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::facts::View;
    use crate::policy::facts::tests_support::{facts, spiffe_id};

    fn with_peer(id: &str, test: impl FnOnce(&PeerView<'_>) -> bool) -> bool {
        let id = spiffe_id(id);
        let facts = crate::policy::Facts { peer: Some(&id), ..facts() };
        test(&View::of(&facts).peer.unwrap())
    }

    fn domains(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).into()).collect()
    }

    #[test]
    fn a_principal_of_the_mesh_stands_for_every_trust_domain() {
        let mesh = domains(&["td1", "cluster.local", "some-td"]);
        for (principal, expanded) in [
            (
                "td1/ns/a/sa/b",
                &["td1/ns/a/sa/b", "cluster.local/ns/a/sa/b", "some-td/ns/a/sa/b"][..],
            ),
            (
                "cluster.local/ns/a/sa/b",
                &["td1/ns/a/sa/b", "cluster.local/ns/a/sa/b", "some-td/ns/a/sa/b"],
            ),
            ("*-td/ns/a/sa/b", &["td1/ns/a/sa/b", "cluster.local/ns/a/sa/b", "*-td/ns/a/sa/b"]),
            ("other/ns/a/sa/b", &["other/ns/a/sa/b"]),
            ("*/ns/a/sa/b", &["*/ns/a/sa/b"]),
            ("td1/ns/a/sa/b/c", &["td1/ns/a/sa/b/c"]),
            ("td1/*", &["td1/*"]),
            ("td1/ns/a/sa/*", &["td1/ns/a/sa/*", "cluster.local/ns/a/sa/*", "some-td/ns/a/sa/*"]),
            ("*", &["*"]),
        ] {
            assert_eq!(expand(principal, &mesh), expanded, "{principal}");
        }
        // Without cluster.local in the list it is still a name for the mesh.
        assert_eq!(expand("cluster.local/ns/a/sa/b", &domains(&["td1"])), ["td1/ns/a/sa/b"]);
    }

    #[test]
    fn principals_match_the_id_without_its_scheme() {
        for (value, id, expected) in [
            ("td/ns/a/sa/b", "spiffe://td/ns/a/sa/b", true),
            ("td/ns/a/sa/b", "spiffe://td/ns/a/sa/bb", false),
            ("td/ns/a*", "spiffe://td/ns/ab/sa/c", true),
            ("*/sa/b", "spiffe://other/ns/x/sa/b", true),
            ("*//td/ns/a/sa/b", "spiffe://td/ns/a/sa/b", false),
            ("*", "spiffe://td", true),
        ] {
            let patterns = principals(&[value.into()], &domains(&["td"])).unwrap();
            let matched = with_peer(id, |peer| patterns.matches(peer.principal.as_bytes()));
            assert_eq!(matched, expected, "{value} {id}");
        }
    }

    #[test]
    fn a_principal_with_a_scheme_is_refused_with_the_right_one() {
        let error = principals(&["spiffe://td/ns/a/sa/b".into()], &[]).unwrap_err();
        assert_eq!((error.code.name(), error.pointer.as_str()), ("spiffe_scheme", "/0"));
        assert!(error.message.contains("\"td/ns/a/sa/b\""));
        assert_eq!(
            principals(&["td/*/b".into()], &[]).unwrap_err().code.name(),
            "wildcard_in_middle"
        );
        assert_eq!(
            principals(&["*/a*".into()], &[]).unwrap_err().code.name(),
            "wildcard_in_middle"
        );
    }

    #[test]
    fn namespaces_err_in_opposite_directions() {
        for (value, id, narrow, wide) in [
            ("a", "spiffe://t/ns/a/sa/b", true, true),
            ("a", "spiffe://t/ns/aa/sa/b", false, false),
            ("a", "spiffe://t/ns/zz/sa/ns/a/x", false, true),
            ("a", "spiffe://t/ns/a/x/sa/b", false, true),
            ("a", "spiffe://t/ns/a", false, false),
            ("a*", "spiffe://t/ns/ab/sa/b", true, true),
            ("*b", "spiffe://t/ns/ab/sa/b", true, true),
            ("*sa", "spiffe://t/ns/x/sa/y", false, true),
            ("a*c", "spiffe://t/ns/abc/sa/y", true, true),
            ("*", "spiffe://t/ns/x/sa/y", true, true),
            ("*", "spiffe://t/x", false, false),
        ] {
            for (sense, expected) in [(Sense::Narrow, narrow), (Sense::Wide, wide)] {
                let glob = Namespaces::parse(value, sense).unwrap();
                let namespaces = Namespaces::new([glob].into(), sense);
                assert_eq!(
                    with_peer(id, |peer| namespaces.matches(peer)),
                    expected,
                    "{value} {id}"
                );
            }
        }
        assert_eq!(
            Namespaces::parse("a/b", Sense::Narrow).unwrap_err().code.name(),
            "bad_namespace"
        );
    }

    #[test]
    fn service_accounts_err_in_opposite_directions() {
        for (value, id, narrow, wide) in [
            ("a/b", "spiffe://t/ns/a/sa/b", true, true),
            ("b", "spiffe://t/ns/home/sa/b", true, true),
            ("b", "spiffe://t/ns/a/sa/b", false, false),
            ("a/b.c", "spiffe://t/ns/a/sa/b.c", true, true),
            ("a/b.c", "spiffe://t/ns/a/sa/bXc", false, true),
            ("a/b.c", "spiffe://t/ns/a/sa/b/c", false, true),
            ("a/b.c", "spiffe://t/ns/a/sa/bc", false, false),
            ("a.b/c", "spiffe://t/ns/a-b/sa/c", false, true),
            ("a/b", "spiffe://t/ns/a/sa/bb", false, false),
            ("a/b", "spiffe://t/x/y/ns/a/v/w/sa/b/k/v", false, true),
            ("a/b", "spiffe://t/sa/b/ns/a", false, false),
            ("sa/b", "spiffe://t/ns/sa/b", false, false),
            ("ns/b", "spiffe://t/ns/ns/sa/b", true, true),
            ("a/b", "spiffe://t/ns/ns/a/sa/sa/b", false, true),
        ] {
            for (sense, expected) in [(Sense::Narrow, narrow), (Sense::Wide, wide)] {
                let account = ServiceAccount::parse(value, "home").unwrap();
                let accounts = ServiceAccounts::new([account].into(), sense);
                assert_eq!(with_peer(id, |peer| accounts.matches(peer)), expected, "{value} {id}");
            }
        }
    }

    #[test]
    fn what_is_no_service_account_is_refused() {
        let longest = "a".repeat(limits::SERVICE_ACCOUNT_BYTES);
        assert!(ServiceAccount::parse(&longest, "n").is_ok());
        for value in ["a/b/c", "/b", "a/", "a/*", "*", "a+b", "a/b[c", "é", &format!("{longest}a")]
        {
            assert_eq!(
                ServiceAccount::parse(value, "n").unwrap_err().code.name(),
                "bad_service_account"
            );
        }
        assert_eq!(ServiceAccount::parse("", "n").unwrap_err().code.name(), "empty_value");
    }

    #[test]
    fn trust_domains_expand_to_aliases_and_need_a_path_to_grant() {
        let mesh = domains(&["td1", "td2"]);
        for (value, id, narrow, wide) in [
            ("td1", "spiffe://td1/x", true, true),
            ("td1", "spiffe://td2/x", true, true),
            ("td3", "spiffe://td2/x", false, false),
            ("td", "spiffe://td1/x", false, false),
            ("bad*", "spiffe://bad.example/x", true, true),
            ("*.example", "spiffe://bad.example/x", true, true),
            ("*", "spiffe://any/x", true, true),
            ("td3", "spiffe://td3", false, true),
        ] {
            for (sense, expected) in [(Sense::Narrow, narrow), (Sense::Wide, wide)] {
                let domains = TrustDomains::new(&[value.into()], &mesh, sense).unwrap();
                assert_eq!(with_peer(id, |peer| domains.matches(peer)), expected, "{value} {id}");
            }
        }
        for (value, code) in [("td/x", "bad_trust_domain"), ("a*b", "wildcard_in_middle")] {
            let error = TrustDomains::new(&[value.into()], &mesh, Sense::Narrow).unwrap_err();
            assert_eq!(error.code.name(), code);
        }
    }
}
