//! What crosses back as JSON, because it is asked for rarely.

use lychgate_core::authn::{FetchReport, KeySource};
use lychgate_core::decision::{Reason, Verdict};
use lychgate_core::json::JsonWriter;
use lychgate_core::limits::JWKS_BYTES;
use lychgate_core::reply::Reply;
use lychgate_core::upstream::UpstreamChanges;
use lychgate_core::{Finding, LoadError};

use crate::host::ALGORITHMS;

pub(crate) fn load_error(error: &LoadError) -> String {
    written(|json| {
        json.object(|json| {
            json.member("code", error.code());
            json.member("pointer", error.pointer());
            json.member("message", &error.problem().to_string());
        });
    })
}

pub(crate) fn warnings(findings: &[Finding]) -> String {
    list(findings, |json, finding| {
        json.member("code", finding.code.name());
        json.member("severity", finding.severity().name());
        json.member("pointer", &finding.pointer);
        json.member("detail", &finding.detail);
        json.member("risk", finding.risk());
        json.member("fix", finding.fix());
    })
}

pub(crate) fn sources(sources: &[KeySource]) -> String {
    list(sources, |json, source| {
        json.member("uri", &source.uri);
        json.name("discovered");
        json.boolean(source.discovered_by.is_some());
        json.name("timeout");
        json.number(source.refresh.timeout.0);
        json.name("wait");
        json.number(source.refresh.wait.0);
        json.name("bytes");
        json.number(u64::try_from(JWKS_BYTES).unwrap_or(u64::MAX));
    })
}

pub(crate) fn reasons() -> String {
    list(&Reason::ALL, |json, reason| {
        json.member("reason", reason.code());
        json.member(
            "verdict",
            match reason.verdict() {
                Verdict::Allow => "allow",
                Verdict::Deny => "deny",
            },
        );
        json.name("status");
        json.number(reason.status().into());
    })
}

pub(crate) fn algorithms() -> String {
    written(|json| {
        json.array(|json| ALGORITHMS.iter().for_each(|algorithm| json.string(algorithm.name())));
    })
}

pub(crate) fn reply(reply: &Reply) -> String {
    written(|json| {
        json.object(|json| {
            json.name("status");
            json.number(reply.status.into());
            json.name("headers");
            json.array(|json| pairs(json, reply.headers.iter().map(|(n, v)| (*n, v.as_str()))));
            json.member("body", &reply.body);
            json.name("grpcStatus");
            json.number(reply.grpc_status.into());
        });
    })
}

pub(crate) fn changes(changes: &UpstreamChanges) -> String {
    written(|json| {
        json.object(|json| {
            json.label("remove");
            json.strings(changes.remove.iter().map(String::as_str));
            json.label("set");
            json.array(|json| pairs(json, changes.set.iter().map(|(n, v)| (&**n, v.as_str()))));
            if let Some(target) = &changes.target {
                // One character for each byte, as JavaScript's hosts write targets.
                let target: String = target.iter().copied().map(char::from).collect();
                json.member("target", &target);
            }
        });
    })
}

pub(crate) fn found(uri: &str) -> String {
    written(|json| {
        json.object(|json| {
            json.member("outcome", "found");
            json.member("uri", uri);
        });
    })
}

pub(crate) fn report(report: &FetchReport) -> String {
    written(|json| {
        json.object(|json| match report {
            FetchReport::Updated { keys, skipped } => {
                json.member("outcome", "updated");
                json.name("keys");
                json.number(u64::try_from(*keys).unwrap_or(u64::MAX));
                json.name("skipped");
                json.number(u64::try_from(skipped.len()).unwrap_or(u64::MAX));
            }
            FetchReport::Kept { error, retry_at } => {
                json.member("outcome", "kept");
                json.member("code", error.code());
                json.member("message", &error.to_string());
                json.name("retryAt");
                json.number(retry_at.0);
            }
            FetchReport::NoSource => json.member("outcome", "no_source"),
        });
    })
}

fn pairs<'a>(json: &mut JsonWriter, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, value) in pairs {
        json.strings([name, value]);
    }
}

fn list<T>(items: &[T], mut write: impl FnMut(&mut JsonWriter, &T)) -> String {
    written(|json| {
        json.array(|json| items.iter().for_each(|item| json.object(|json| write(json, item))));
    })
}

fn written(write: impl FnOnce(&mut JsonWriter)) -> String {
    let mut json = JsonWriter::with_capacity(256);
    write(&mut json);
    json.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(remove: &[&str], set: &[(&'static str, &str)], target: Option<&[u8]>) -> String {
        let mut changes = UpstreamChanges::default();
        changes.remove.extend(remove.iter().map(|name| String::from(*name)));
        changes.set.extend(set.iter().map(|(name, value)| ((*name).into(), String::from(*value))));
        changes.target = target.map(Into::into);
        super::changes(&changes)
    }

    #[test]
    fn changes_are_json() {
        assert_eq!(written(&[], &[], None), r#"{"remove":[],"set":[]}"#);
        assert_eq!(written(&["a"], &[], None), r#"{"remove":["a"],"set":[]}"#);
        assert_eq!(written(&[], &[("a", "b")], None), r#"{"remove":[],"set":[["a","b"]]}"#);
        assert_eq!(
            written(&["a", "b"], &[("c", "d"), ("e", "")], Some(b"/f")),
            r#"{"remove":["a","b"],"set":[["c","d"],["e",""]],"target":"/f"}"#
        );
    }

    #[test]
    fn what_json_does_not_hold_is_escaped() {
        assert_eq!(
            written(&["a\n"], &[("b", "\"")], Some(b"\\")),
            r#"{"remove":["a\n"],"set":[["b","\""]],"target":"\\"}"#
        );
    }
}
