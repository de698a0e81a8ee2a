//! A recorded decision: what the audit record says, and what it does not.

use lychgate_core::decision::Reason;
use lychgate_core::json::{Bounds, Document};
use lychgate_core::policy::Facts;
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;

use super::{Held, Rule, held, rules};
use crate::scenario::{PeerSpec, RequestSpec, Scenario};
use crate::shape::{Map, Shape as _, record};
use crate::subject::Subject;

/// What is read of a record.
const KNOWN: [&str; 10] = [
    "time", "verdict", "reason", "revision", "subject", "issuer", "peer", "method", "host", "path",
];

/// The reasons with which policies decide; for another one, no policy was asked.
const BY_POLICY: [Reason; 6] = [
    Reason::AllowedByRule,
    Reason::NoAllowPolicy,
    Reason::DeniedByRule,
    Reason::NoRuleMatched,
    Reason::CredentialMissing,
    Reason::ScopeMissing,
];

/// A record is one line of a log.
const BOUNDS: Bounds = Bounds { bytes: 64 * 1024, depth: 8, members: 64 };

record! {
    /// The part of an audit record that says who called what; the rest may be anything.
    struct Crossing {
        /// Seconds since 1970.
        time: Option<crate::scenario::Time> = optional "time",
        /// The verdict.
        verdict: Option<String> = optional "verdict",
        /// The reason.
        reason: Option<String> = optional "reason",
        /// The revision of the policy that decided.
        revision: Option<String> = optional "revision",
        /// The token's subject.
        subject: Option<String> = optional "subject",
        /// The token's issuer.
        issuer: Option<String> = optional "issuer",
        /// The peer.
        peer: Option<PeerSpec> = optional "peer",
        /// The method.
        method: Option<String> = optional "method",
        /// The authority.
        host: Option<String> = optional "host",
        /// The path without its query.
        path: Option<String> = optional "path",
    }
}

/// What a record and a policy say together.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) verdict: String,
    pub(crate) reason: String,
    /// Whether the record is of another policy than the one it is explained with.
    pub(crate) other_revision: Option<String>,
    /// Empty where no policy was asked.
    pub(crate) rules: Vec<Rule>,
    /// The inputs that the policy reads and the record does not have.
    pub(crate) lacking: Vec<String>,
}

/// Explains a record with a policy. What the record does not say is unknown, never guessed.
pub(crate) fn explain(subject: &mut Subject, text: &str) -> Result<Recorded, String> {
    let crossing = read(text)?;
    let request = RequestSpec {
        method: crossing.method.clone(),
        path: crossing.path.clone(),
        host: crossing.host.clone(),
        headers: Map::default(),
        ..RequestSpec::default()
    };
    let peer = crossing.peer.clone().map_or(Peer::Absent, |peer| peer.0);
    let now = crossing.time.map_or(UnixTime::from_seconds(0), |time| time.0);
    let scenario = Scenario::new(&request, peer, now);
    let by_policy =
        BY_POLICY.iter().any(|reason| Some(reason.code()) == crossing.reason.as_deref());
    let found = look(subject, &scenario, &crossing).filter(|_| by_policy).unwrap_or_default();
    let rules = rules(subject, &found);
    let mut lacking: Vec<String> = Vec::new();
    let unknown = rules.iter().flat_map(|rule| &rule.conditions).filter(|c| c.holds.is_none());
    for condition in unknown {
        let name = input(&condition.label);
        if !lacking.contains(&name) {
            lacking.push(name);
        }
    }
    let revision = subject.engine.revision();
    Ok(Recorded {
        verdict: crossing.verdict.unwrap_or_else(|| "unknown".to_owned()),
        reason: crossing.reason.unwrap_or_else(|| "unknown".to_owned()),
        other_revision: crossing.revision.filter(|recorded| recorded != revision),
        rules,
        lacking,
    })
}

fn read(text: &str) -> Result<Crossing, String> {
    let refused = |message: String| format!("not an audit record: {message}");
    let document =
        Document::parse(text.trim().as_bytes(), &BOUNDS).map_err(|e| refused(e.to_string()))?;
    let object = document.root().as_object().ok_or_else(|| refused("no object".to_owned()))?;
    let mut writer = lychgate_core::json::JsonWriter::new();
    writer.object(|writer| {
        for (name, value) in object {
            if KNOWN.contains(&name) {
                writer.name(name);
                writer.value(value);
            }
        }
    });
    let file = crate::input::Text::new("the record".to_owned(), writer.finish());
    let file = crate::input::SourceFile {
        format: crate::input::Format::Json,
        file: std::rc::Rc::new(file),
    };
    let document = crate::input::documents(&file).ok().and_then(|mut all| all.pop());
    let document = document.ok_or_else(|| refused("no object".to_owned()))?;
    let crossing = Crossing::read(&document.root)
        .map_err(|error| refused(error.in_place(&document.place).to_string()))?;
    if crossing.reason.is_none() || crossing.method.is_none() {
        return Err(refused("`reason` and `method` are needed".to_owned()));
    }
    Ok(crossing)
}

fn look(subject: &mut Subject, scenario: &Scenario, crossing: &Crossing) -> Option<Vec<Held>> {
    let Subject { engine, store, .. } = subject;
    scenario.examine(engine, store, |seen| {
        let facts = Facts {
            issuer: crossing.issuer.as_deref(),
            subject: crossing.subject.as_deref(),
            path: crossing.path.as_ref().and(seen.facts.path),
            host: crossing.host.as_ref().and(seen.facts.host),
            ..*seen.facts
        };
        held(&seen, &facts, |label| is_recorded(label, crossing))
    })
}

/// Whether a record says enough to know whether a condition holds.
fn is_recorded(label: &str, crossing: &Crossing) -> bool {
    let Some(key) = label.strip_prefix("when[") else {
        let field = label.rsplit('.').next().unwrap_or_default();
        return match field {
            "principals"
            | "notPrincipals"
            | "namespaces"
            | "notNamespaces"
            | "serviceAccounts"
            | "notServiceAccounts"
            | "trustDomains"
            | "notTrustDomains"
            | "requestPrincipals"
            | "notRequestPrincipals"
            | "methods"
            | "notMethods" => true,
            "paths" | "notPaths" => crossing.path.is_some(),
            "hosts" | "notHosts" => crossing.host.is_some(),
            _ => false,
        };
    };
    let key = key.trim_end_matches(".notValues").trim_end_matches(']');
    matches!(
        key,
        "source.principal"
            | "source.namespace"
            | "source.serviceAccount"
            | "source.trustDomain"
            | "request.auth.principal"
    ) || (key.starts_with("request.auth.") && crossing.issuer.is_none())
}

/// The input that a condition reads, as people call it.
fn input(label: &str) -> String {
    if let Some(key) = label.strip_prefix("when[") {
        return key.trim_end_matches(".notValues").trim_end_matches(']').to_owned() + closing(key);
    }
    let field = label.rsplit('.').next().unwrap_or_default();
    let field = field.strip_prefix("not").unwrap_or(field).to_ascii_lowercase();
    match field.as_str() {
        "ipblocks" => "the address of the peer",
        "remoteipblocks" => "the address of the client",
        "ports" => "the port",
        "paths" => "the path",
        "hosts" => "the host",
        _ => return field,
    }
    .to_owned()
}

/// The bracket that belongs to the key itself, as in `request.headers[x-a]`.
fn closing(key: &str) -> &'static str {
    if key.contains('[') { "]" } else { "" }
}
