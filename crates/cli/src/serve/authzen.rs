//! OpenID AuthZEN Authorization API 1.0: may this subject do this action on this resource?
//!
//! How its words become a request:
//!
//! * `subject`: of the type `workload`, its `id` is a SPIFFE ID and so the peer. Of any other type the
//!   `id` is the `sub` of a token with the `properties` as further claims, made with a throw-away key:
//!   who asks has authenticated the subject. `properties.token` is a token as it came.
//! * `action.name` is the method.
//! * `resource`: `properties.path`, or else its `id`, is the path; `properties.host` is the authority.
//! * `context`: `peer`, `headers`, `port`, `sourceIp`, `remoteIp`, `time`, as in test files.

use core::str::FromStr as _;

use lychgate_core::decision::{Decision, Verdict};
use lychgate_core::json::{Bounds, Document};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use serde_json::{Map, Value, json};

use super::http::{Message, Reply};
use crate::clock;
use crate::scenario::{MintedToken, PeerSpec, RequestSpec, Scenario, Time};
use crate::shape::{self, Json, OneOrMany};
use crate::subject::Subject;

/// Most questions of one batch.
const QUESTIONS: usize = 1_000;

const BOUNDS: Bounds = Bounds { bytes: 1024 * 1024, depth: 16, members: 4096 };

/// Where the endpoints are (AuthZEN §9).
pub(super) fn configuration(base: &str) -> Reply {
    Reply::json(
        200,
        &json!({
            "policy_decision_point": base,
            "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
            "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
        }),
    )
}

/// One question (§6).
pub(super) fn evaluation(message: &Message, subject: &mut Subject) -> Reply {
    match read(message).and_then(|question| evaluate(&question, subject)) {
        Ok(answer) => Reply::json(200, &answer),
        Err(reason) => refuse(&reason),
    }
}

/// Several questions (§7); what one does not say, the whole request says for all.
pub(super) fn evaluations(message: &Message, subject: &mut Subject) -> Reply {
    let batch = match read(message) {
        Ok(batch) => batch,
        Err(reason) => return refuse(&reason),
    };
    let list = match batch.get("evaluations") {
        None => return evaluation(message, subject),
        Some(Value::Array(list)) if list.is_empty() => return evaluation(message, subject),
        Some(Value::Array(list)) if list.len() <= QUESTIONS => list,
        Some(_) => return refuse("`evaluations` is a list of at most 1000 questions"),
    };
    let stop = match batch.get("options").and_then(|options| options.get("evaluations_semantic")) {
        None => None,
        Some(Value::String(word)) if word == "execute_all" => None,
        Some(Value::String(word)) if word == "deny_on_first_deny" => Some(false),
        Some(Value::String(word)) if word == "permit_on_first_permit" => Some(true),
        Some(_) => return refuse("`evaluations_semantic` is not one of the three of AuthZEN"),
    };
    let mut answers = Vec::with_capacity(list.len());
    for question in list {
        let question = with_defaults(question, &batch);
        // What can't be decided is denied, and says why (§7.1.3).
        let answer = evaluate(&question, subject).unwrap_or_else(|reason| {
            json!({ "decision": false, "context": { "error": { "status": 400, "message": reason } } })
        });
        let decision = answer.get("decision").and_then(Value::as_bool);
        answers.push(answer);
        if stop.is_some() && decision == stop {
            break;
        }
    }
    Reply::json(200, &json!({ "evaluations": answers }))
}

/// The body is the message alone (§10.1).
fn refuse(reason: &str) -> Reply {
    Reply::json(400, &json!(reason))
}

/// Read by core first: it refuses duplicate members, which serde_json swallows.
fn read(message: &Message) -> Result<Map<String, Value>, String> {
    let document = Document::parse(&message.body, &BOUNDS).map_err(|error| error.to_string())?;
    serde_json::from_str(&document.canonical()).map_err(|_| "an object is needed".to_owned())
}

fn with_defaults(question: &Value, batch: &Map<String, Value>) -> Map<String, Value> {
    let mut whole: Map<String, Value> = ["subject", "action", "resource", "context"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), batch.get(name)?.clone())))
        .collect();
    whole.extend(question.as_object().cloned().unwrap_or_default());
    whole
}

fn evaluate(question: &Map<String, Value>, subject: &mut Subject) -> Result<Value, String> {
    let scenario = scenario(question, subject)?;
    subject.at(scenario.now);
    let decision = scenario.decide(&subject.engine, &mut subject.store);
    Ok(answer(&decision))
}

fn answer(decision: &Decision) -> Value {
    let findings = decision.findings();
    let rule = findings.rule.as_ref().map(|rule| format!("{}#{}", rule.policy, rule.rule));
    json!({
        "decision": decision.verdict() == Verdict::Allow,
        "context": {
            "reason": decision.reason().code(),
            "status": decision.status(),
            "rule": rule,
            "missing": findings.nearest.as_ref().map(|(_, missing)| missing),
            "revision": decision.revision(),
        },
    })
}

fn scenario(question: &Map<String, Value>, subject: &mut Subject) -> Result<Scenario, String> {
    let who = entity(question, "subject", &["type", "id"])?;
    let action = entity(question, "action", &["name"])?;
    let resource = entity(question, "resource", &["type", "id"])?;
    let none = Value::Null;
    let context = question.get("context").unwrap_or(&none);
    let request = request(action, resource, context)?;
    let clock = UnixTime::from_seconds(u64::try_from(clock::now()).unwrap_or_default());
    let now = match text(context, "time") {
        Some(time) => Time::from_str(time).map_err(str::to_owned)?.0,
        None => clock,
    };
    let workload = (text(who, "type") == Some("workload")).then(|| text(who, "id")).flatten();
    let peer = workload.or_else(|| text(context, "peer"));
    let peer = peer.map(PeerSpec::parse).transpose()?.map_or(Peer::Absent, |peer| peer.0);
    let mut scenario = Scenario::new(&request, peer, now);
    if let Some(token) = property(who, "token") {
        scenario.carry(token, None);
    } else if workload.is_none() {
        let token = subject.ring.mint(&claims(who), now).map_err(|error| error.0)?;
        scenario.carry(&token, None);
    }
    Ok(scenario)
}

/// An object that has these members as strings (§5).
fn entity<'a>(
    question: &'a Map<String, Value>,
    name: &str,
    members: &[&str],
) -> Result<&'a Value, String> {
    let entity = question.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
    for member in members {
        if text(entity, member).is_none() {
            return Err(format!("`{name}.{member}` is needed, as a string"));
        }
    }
    Ok(entity)
}

fn request(action: &Value, resource: &Value, context: &Value) -> Result<RequestSpec, String> {
    let id = text(resource, "id").unwrap_or_default();
    let path = property(resource, "path").map_or_else(
        || if id.starts_with('/') { id.to_owned() } else { format!("/{id}") },
        str::to_owned,
    );
    let headers = context.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.filter_map(|(name, value)| {
        let lines = match value {
            Value::String(line) => vec![line.clone()],
            Value::Array(lines) => {
                lines.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        Some((name.clone(), OneOrMany(lines)))
    });
    let address = |name: &str| {
        let address = text(context, name).map(core::net::IpAddr::from_str);
        address.transpose().map_err(|_| format!("`context.{name}` is no IP address"))
    };
    let port = context.get("port").and_then(Value::as_u64).map(u16::try_from);
    Ok(RequestSpec {
        method: text(action, "name").map(str::to_owned),
        path: Some(path),
        host: property(resource, "host").map(str::to_owned),
        headers: shape::Map(headers.collect()),
        port: port.transpose().map_err(|_| "`context.port` is no port".to_owned())?,
        source_ip: address("sourceIp")?,
        remote_ip: address("remoteIp")?,
        ..RequestSpec::default()
    })
}

fn claims(who: &Value) -> MintedToken {
    let properties = who.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut claims: Vec<(String, Json)> =
        properties.map(|(name, value)| (name.clone(), Json(value.clone()))).collect();
    let id = text(who, "id").unwrap_or_default();
    claims.push(("sub".to_owned(), Json(json!(id))));
    MintedToken { claims: shape::Map(claims), ..MintedToken::default() }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn property<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get("properties").and_then(|properties| text(properties, name))
}
