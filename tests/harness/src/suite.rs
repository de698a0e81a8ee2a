//! The files of `tests/vectors`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::keys::KeyRing;
use crate::request::RequestSpec;

/// One file of vectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// What the vectors are about.
    pub description: String,
    /// The bundles, by name.
    pub bundles: BTreeMap<String, Bundle>,
    /// The sets that remote sources serve: bundle, then URI, then keys as in `$jwks`.
    #[serde(default)]
    pub remote_keys: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// A bundle as its file writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Bundle(Value);

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// A sentence that no other vector has.
    pub name: String,
    /// The bundle's name.
    pub bundle: String,
    /// The request.
    pub request: RequestSpec,
    /// What the request asks of a transport.
    #[serde(default)]
    pub needs: BTreeSet<Need>,
    /// Seconds since 1970, only together with [`Need::FixedTime`].
    pub now: Option<i64>,
    /// What must come out.
    pub expect: Expectation,
}

/// What a vector asks of a transport. What a host can't carry is counted, never skipped silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// TLS with a client certificate.
    Mtls,
    /// Several lines of one header that arrive as several.
    RepeatedLines,
    /// Bytes outside UTF-8.
    RawBytes,
    /// A clock that can be set.
    FixedTime,
    /// A direct call: real transports refuse or rewrite such a request before us.
    Direct,
    /// Addresses, ports, a server name or metadata that the vector chooses.
    Connection,
    /// Key sets that are served over HTTP.
    RemoteKeys,
    /// A crypto library that can't answer.
    BrokenVerifier,
    /// More header bytes than common proxies accept by default.
    LargeHeaders,
}

/// What must come out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// `allow` or `deny`.
    pub verdict: String,
    /// The reason's code.
    pub reason: String,
    /// The status; 200 stands for "passed on".
    pub status: u16,
    /// The policy that decided, `namespace/name`.
    pub policy: Option<String>,
    /// What the application receives.
    pub upstream: Option<Upstream>,
    /// `WWW-Authenticate`, whole.
    pub challenge: Option<String>,
    /// Whether the host lets the request pass whatever the verdict.
    #[serde(default)]
    pub shadow: bool,
}

/// What the application receives, after all changes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// Header lines, each exactly once.
    pub present: BTreeMap<String, String>,
    /// Headers that don't arrive.
    pub absent: BTreeSet<String>,
    /// Headers that arrive as they were sent.
    pub unchanged: BTreeSet<String>,
    /// The request target.
    pub path: Option<String>,
}

/// A bundle that must not load.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadVector {
    /// A sentence that no other vector has.
    pub name: String,
    /// The bundle; a string is the text itself.
    pub bundle: Bundle,
    /// What must come out.
    pub expect: LoadExpectation,
}

/// How a bundle loads.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LoadExpectation {
    /// It is refused.
    Error {
        /// The JSON pointer to the place.
        pointer: String,
        /// The error's code, where it is part of the contract.
        code: Option<String>,
    },
    /// It loads.
    Loads {
        /// All that is reported, in order; absent where that doesn't matter.
        warnings: Option<Vec<Warning>>,
        /// Codes of findings that a small change would bring, and that there must not be.
        #[serde(default)]
        near: BTreeSet<String>,
    },
}

/// What is reported about a bundle that loads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// The code of the finding.
    pub code: String,
    /// The JSON pointer to the place.
    pub pointer: String,
}

impl Bundle {
    /// The bundle's text, with `{"$jwks": [..]}` and `{"$secret": ".."}` made into strings.
    #[must_use]
    pub fn text(&self, keys: &KeyRing) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            document => resolved(document, keys).to_string(),
        }
    }
}

fn resolved(value: &Value, keys: &KeyRing) -> Value {
    match value {
        Value::Object(members) => {
            if let Some(entries) = members.get("$jwks") {
                return Value::from(keys.public_set(entries.as_array().expect("list in $jwks")));
            }
            if let Some(name) = members.get("$secret") {
                return Value::from(keys.key(name.as_str().expect("$secret")).secret_text());
            }
            if let Some(repeat) = members.get("$repeat") {
                let times = repeat[1].as_u64().expect("count in $repeat") as usize;
                return Value::from(repeat[0].as_str().expect("text in $repeat").repeat(times));
            }
            let resolve = |(name, value): (&String, _)| (name.clone(), resolved(value, keys));
            Value::Object(members.iter().map(resolve).collect())
        }
        Value::Array(values) => values.iter().map(|value| resolved(value, keys)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The folder `tests/vectors` of this repository.
#[must_use]
pub fn vectors_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// Every topic, by name.
#[must_use]
pub fn load_topics() -> Vec<Topic> {
    let read = |(name, topic)| Topic { name, ..topic };
    files(&vectors_directory()).into_iter().map(read).collect()
}

/// Every bundle of `tests/vectors/load`, with its file's name.
#[must_use]
pub fn load_vectors() -> Vec<(String, LoadVector)> {
    let with_name = |(name, vectors): (String, Vec<LoadVector>)| {
        vectors.into_iter().map(move |vector| (name.clone(), vector))
    };
    files(&vectors_directory().join("load")).into_iter().flat_map(with_name).collect()
}

fn files<T: DeserializeOwned>(folder: &Path) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("folder of vectors") {
        let path = entry.expect("entry of the folder of vectors").path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let text = fs::read_to_string(&path).expect("file of vectors");
            let document = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("name of a file");
            found.insert(name.to_owned(), document);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Peer;

    #[test]
    fn names_are_unique_and_bundles_exist() {
        let mut names = BTreeSet::new();
        for topic in load_topics() {
            for vector in topic.vectors {
                assert!(names.insert(vector.name.clone()), "twice: {}", vector.name);
                let known = topic.bundles.contains_key(&vector.bundle);
                assert!(known, "{}: no bundle {}", vector.name, vector.bundle);
            }
        }
        assert!(names.len() >= 450, "only {} vectors", names.len());
    }

    #[test]
    fn load_names_are_unique() {
        let mut names = BTreeSet::new();
        for (_, vector) in load_vectors() {
            assert!(names.insert(vector.name.clone()), "twice: {}", vector.name);
        }
    }

    #[test]
    fn vectors_declare_what_they_need() {
        for vector in load_topics().into_iter().flat_map(|topic| topic.vectors) {
            let presents = matches!(vector.request.peer(), Peer::Certificate(_));
            assert_eq!(presents, vector.needs.contains(&Need::Mtls), "{}", vector.name);
            assert_eq!(vector.now.is_some(), vector.needs.contains(&Need::FixedTime));
            let connection = vector.needs.contains(&Need::Connection);
            assert_eq!(vector.request.sets_connection(), connection, "{}", vector.name);
        }
    }

    #[test]
    fn every_bundle_is_used() {
        for topic in load_topics() {
            for name in topic.bundles.keys() {
                let used = topic.vectors.iter().any(|vector| &vector.bundle == name);
                assert!(used, "{}: bundle {name} is not used", topic.name);
            }
        }
    }

    #[test]
    fn files_stay_readable() {
        let folders = [vectors_directory(), vectors_directory().join("load")];
        for entry in folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "json") {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines < 800, "{} has {lines} lines", path.display());
            }
        }
    }
}
