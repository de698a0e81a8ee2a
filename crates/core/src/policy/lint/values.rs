//! Values that mean something else than they look like.

use alloc::format;
use alloc::string::String;

use super::Lints;
use super::cover::includes;
use super::view::{RuleView, Term};
use crate::finding::FindingCode;
use crate::policy::attribute::Attribute;
use crate::policy::peer;

impl Lints<'_> {
    pub(super) fn values(&mut self, rule: &RuleView<'_>, grants: bool) {
        for term in rule.terms() {
            // Whether a request that has the value comes nearer to being let through.
            let passes = grants != term.negated;
            for (index, value) in term.written.iter().enumerate() {
                if let Some(code) = self.value(term, value, passes) {
                    self.add(rule, &format!("{}/{index}", term.pointer()), code, value.as_str());
                }
            }
        }
        self.keys(rule);
    }

    fn value(&self, term: &Term<'_>, value: &str, passes: bool) -> Option<FindingCode> {
        match term.attribute {
            Attribute::Principal | Attribute::Host | Attribute::Method if !value.is_ascii() => {
                Some(FindingCode::NotAscii)
            }
            Attribute::Principal => self.principal(value, passes),
            Attribute::Host => host(term, value, passes),
            Attribute::Method if value.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                Some(FindingCode::LowerCaseMethod)
            }
            // Where `*a*` compiles, it is what ends with `a*`.
            Attribute::Method
            | Attribute::Path
            | Attribute::Header(_)
            | Attribute::Claim(_)
            | Attribute::Metadata { .. } => {
                let inside = value.strip_prefix('*').is_some_and(|rest| rest.ends_with('*'));
                inside.then_some(FindingCode::LiteralStar)
            }
            Attribute::SourceIp
            | Attribute::RemoteIp
            | Attribute::DestinationIp
            | Attribute::Port
            | Attribute::ServerName
            | Attribute::Namespace
            | Attribute::ServiceAccount
            | Attribute::TrustDomain
            | Attribute::RequestPrincipal => None,
        }
    }

    fn principal(&self, value: &str, passes: bool) -> Option<FindingCode> {
        if peer::is_foreign(value, self.surroundings.trust_domains) {
            Some(FindingCode::UnknownTrustDomain)
        } else if !passes || value == "*" {
            None
        } else if value.starts_with('*') {
            Some(FindingCode::AnyTrustDomain)
        } else {
            let prefix = value.strip_suffix('*').filter(|prefix| !prefix.ends_with('/'));
            prefix.map(|_| FindingCode::OpenPrefix)
        }
    }

    /// Names in a key have no wildcards.
    fn keys(&mut self, rule: &RuleView<'_>) {
        let mut seen = String::new();
        for term in &rule.conditions {
            let has_star = match &term.attribute {
                Attribute::Header(name) => name.contains('*'),
                Attribute::Claim(path) => path.names().any(|name| name.contains('*')),
                Attribute::Metadata { filter, key } => filter.contains('*') || key.contains('*'),
                Attribute::SourceIp
                | Attribute::RemoteIp
                | Attribute::DestinationIp
                | Attribute::Port
                | Attribute::ServerName
                | Attribute::Host
                | Attribute::Method
                | Attribute::Path
                | Attribute::Principal
                | Attribute::Namespace
                | Attribute::ServiceAccount
                | Attribute::TrustDomain
                | Attribute::RequestPrincipal => false,
            };
            let pointer = term.key_pointer();
            if has_star && pointer != seen {
                self.add(rule, &pointer, FindingCode::LiteralStar, "");
                seen = pointer;
            }
        }
    }
}

/// A refusal that names a host in one form only is evaded by the other; what lets pass and names a
/// default port only misses the clients that leave it out.
fn host(term: &Term<'_>, value: &str, passes: bool) -> Option<FindingCode> {
    let value = value.to_ascii_lowercase();
    let mut others = term.values.iter().map(AsRef::<str>::as_ref).filter(|other| *other != value);
    let named = match split_port(&value) {
        _ if value.ends_with('*') => true,
        Some((_, port)) if passes && !matches!(port, "80" | "443") => true,
        Some((host, _)) => others.any(|other| includes(&Attribute::Host, other, host)),
        None => {
            let with_port = format!("{value}:");
            passes
                || others.any(|other| {
                    other.starts_with(&with_port) || includes(&Attribute::Host, other, &with_port)
                })
        }
    };
    (!named).then_some(FindingCode::HostPort)
}

fn split_port(host: &str) -> Option<(&str, &str)> {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once(':').filter(|(_, port)| is_port(port))
}
