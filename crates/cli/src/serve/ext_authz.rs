//! Envoy's ext_authz HTTP service: the request to be checked comes with its own method, path and
//! headers; 200 lets it pass, with the headers of the answer added.

use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;

use super::http::{Message, Reply};
use crate::clock;
use crate::scenario::{RequestSpec, Scenario};
use crate::subject::Subject;

/// Headers of the connection to this endpoint, which are no part of the request.
const OWN: [&str; 5] = ["host", "connection", "content-length", "keep-alive", "transfer-encoding"];

/// Decides about the request. Over plain HTTP nobody knows the caller's peer, so there is none,
/// whatever a header claims.
pub(super) fn check(message: &Message, target: &str, subject: &mut Subject) -> Reply {
    let now = UnixTime::from_seconds(u64::try_from(clock::now()).unwrap_or_default());
    let request = RequestSpec {
        method: Some(message.method.clone()),
        path: Some(if target.is_empty() { "/".to_owned() } else { target.to_owned() }),
        host: Some(message.header("host").unwrap_or_default().to_owned()),
        ..RequestSpec::default()
    };
    let mut scenario = Scenario::new(&request, Peer::Absent, now);
    let lines = message.headers.iter();
    let own = |name: &str| OWN.iter().any(|own| name.eq_ignore_ascii_case(own));
    scenario.headers = lines.filter(|(name, _)| !own(name)).cloned().collect();
    subject.at(now);
    let decision = scenario.decide(&subject.engine, &mut subject.store);
    if !decision.refuses() {
        let mut reply = Reply::plain(200);
        let changes = decision.upstream().into_owned();
        let set = changes.set.into_iter();
        reply.headers = set.map(|(name, value)| (name.into_owned(), value)).collect();
        // What must not reach the application; Envoy's `x-envoy-auth-headers-to-remove`.
        if !changes.remove.is_empty() {
            let names = changes.remove.join(",");
            reply.headers.push(("x-envoy-auth-headers-to-remove".to_owned(), names));
        }
        return reply;
    }
    let answer = decision.reply(decision.correlation_id().unwrap_or("local"));
    let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
    Reply { status: answer.status, headers: headers.collect(), body: answer.body }
}
