//! Core and the portable crypto crate, in this process.

use lychgate_core::jwt::key::Verifier;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;
use lychgate_tests_native::{Broken, Subject};

use super::Host;
use crate::answer::{Answer, Sent};
use crate::lab::Lab;
use crate::question::{Case, Group, own_id};

/// The library itself.
#[derive(Debug, Default)]
pub struct Native;

impl Native {
    /// Whether the bundle of these questions loads.
    #[must_use]
    pub fn loads(group: &Group) -> bool {
        Subject::load(&group.bundle, &group.keys, 0).is_ok()
    }
}

impl Host for Native {
    fn name(&self) -> &str {
        "native"
    }

    fn answers(&mut self, lab: &Lab, groups: &[Group]) -> Vec<Vec<Answer>> {
        groups.iter().map(|group| answer(lab, group)).collect()
    }
}

fn answer(lab: &Lab, group: &Group) -> Vec<Answer> {
    let at = group.now.unwrap_or_else(|| lab.now());
    match Subject::load(&group.bundle, &group.keys, at) {
        Ok(subject) => {
            group.cases.iter().map(|case| decide(lab, &subject, group, case, at)).collect()
        }
        Err(error) => {
            group.cases.iter().map(|_| Answer::refused(error.code(), error.pointer())).collect()
        }
    }
}

fn decide(lab: &Lab, subject: &Subject, group: &Group, case: &Case, at: i64) -> Answer {
    let request = case.request(lab, at);
    if !request.metadata.is_empty() {
        return Answer::NotCarried("metadata of other filters".into());
    }
    let verifier: &dyn Verifier = if group.broken_verifier { &Broken } else { &Portable };
    let time = UnixTime::from_seconds(u64::try_from(at).expect("a time after 1970"));
    let decision = subject.decide(&request, &lab.peer(&request.peer), time, verifier);
    let id = decision.correlation_id().map(ToOwned::to_owned);
    let id = id.or_else(|| own_id(&request)).unwrap_or_default();
    let sent = decision.refuses().then(|| {
        let reply = decision.reply(&id);
        let headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        Sent { status: reply.status, headers: headers.collect(), body: reply.body }
    });
    Answer::decided(&decision.audit(time, &id), sent.as_ref())
}
