//! What Envoy answers under the configuration that `crate::translate` writes.

mod evaluate;
mod jwt;
mod path;

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::case::{PeerNames, RequestModel, SUBJECT, Setup};
use crate::rbac::{Filter, Matcher, PeerForm};
use crate::resource::Action;
use crate::translate::{self, Options, Untranslatable};
pub use evaluate::{Doubts, Strictness};
pub use jwt::shows_its_double;
pub use path::normalize;

/// Both of Envoy's filters for one set of resources.
#[derive(Debug)]
pub struct Oracle<'a> {
    setup: &'a Setup,
    filters: Vec<Filter>,
}

/// Envoy's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It passes.
    Allow,
    /// RBAC says 403.
    Forbidden,
    /// The connection manager says 400, before any filter.
    Malformed,
    /// `jwt_authn` says 401 or 403.
    BadToken,
}

/// What Envoy's filters see of a request.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    method: &'a str,
    path: String,
    authority: Option<&'a str>,
    headers: Vec<(String, String)>,
    /// Those of them that hold a number whose text Lychgate does not tell.
    untold: Vec<String>,
    /// Everything in the peer's certificate that Envoy compares.
    peer: Vec<&'a str>,
    source_ip: Option<IpAddr>,
    remote_ip: Option<IpAddr>,
    destination_ip: Option<IpAddr>,
    destination_port: Option<u16>,
    server_name: Option<&'a str>,
    metadata: &'a [(String, String, Value)],
    /// The payload, its lists of words split.
    payload: Option<Map<String, Value>>,
    /// The payload as it came.
    claims: Option<Map<String, Value>>,
}

impl<'a> Oracle<'a> {
    /// Configures Envoy.
    ///
    /// # Errors
    /// What Istio does not know.
    pub fn new(setup: &'a Setup) -> Result<Self, Untranslatable> {
        let trust_domains = setup.trust_domains.clone();
        let options = Options { trust_domains, peer: setup.peers, ..Options::default() };
        Ok(Self { setup, filters: translate::filters(&setup.policies, &options)? })
    }

    /// Envoy's answer, with Lychgate's strictnesses where `doubts` has them.
    #[must_use]
    pub fn answer(&self, request: &RequestModel, doubts: &Doubts) -> Answer {
        let rendered = request.render(self.setup);
        let preflight = is_preflight(request);
        let token = if preflight { Ok(None) } else { jwt::token(&self.setup.jwt_rules, &rendered) };
        let Ok(token) = token else { return Answer::BadToken };
        let path = rendered.target.split('?').next().unwrap_or_default();
        let facts = Facts {
            method: &request.method,
            path: normalize(path),
            authority: request.authority.as_deref(),
            headers: jwt::outputs(&self.setup.jwt_rules, token, &rendered),
            untold: token.map(jwt::untold).unwrap_or_default(),
            peer: names(request.peer.as_ref(), self.setup.peers),
            source_ip: request.source_ip,
            remote_ip: request.remote_ip,
            destination_ip: request.destination_ip,
            destination_port: request.destination_port,
            server_name: request.server_name.as_deref(),
            metadata: &request.metadata,
            payload: token.map(|(rule, token)| jwt::payload(rule, &token.claims)),
            claims: token.map(|(_, token)| token.claims.clone()),
        };
        if self.filters.iter().all(|filter| passes(filter, &facts, doubts)) {
            Answer::Allow
        } else {
            Answer::Forbidden
        }
    }
}

fn passes(filter: &Filter, facts: &Facts<'_>, doubts: &Doubts) -> bool {
    let Some(rules) = &filter.rules else { return true };
    let grants = rules.action == Action::Allow;
    let holds = |matchers: &[Matcher]| {
        matchers.iter().any(|matcher| evaluate::holds(matcher, facts, !grants, doubts))
    };
    let matched = rules
        .policies
        .values()
        .any(|policy| holds(&policy.permissions) && holds(&policy.principals));
    match rules.action {
        Action::Allow => matched,
        Action::Deny => !matched,
        Action::Audit | Action::Custom => true,
    }
}

/// Envoy looks at every URI name, then at every DNS name, then at the subject.
fn names(peer: Option<&PeerNames>, form: PeerForm) -> Vec<&str> {
    let Some(peer) = peer else { return Vec::new() };
    let all = peer.uris.iter().chain(&peer.hosts).map(String::as_str);
    match form {
        PeerForm::Certificate => all.chain([SUBJECT]).collect(),
        PeerForm::FilterState => all.take(1).collect(),
    }
}

fn is_preflight(request: &RequestModel) -> bool {
    let is_there = |name: &str| {
        let mut headers = request.headers.iter();
        headers.any(|(other, value)| other.eq_ignore_ascii_case(name) && !value.is_empty())
    };
    request.method == "OPTIONS" && is_there("origin") && is_there("access-control-request-method")
}
