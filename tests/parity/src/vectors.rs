//! The questions of `tests/vectors`.

use std::collections::BTreeMap;

use lychgate_harness::{Need, Topic, load_topics};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::question::{Case, Group, Source};

/// All vectors, those that share a bundle and a time together.
#[must_use]
pub fn groups(lab: &Lab) -> Vec<Group> {
    let topics = load_topics();
    let mut groups: BTreeMap<_, Group> = BTreeMap::new();
    let mut number = 0;
    for topic in &topics {
        for vector in &topic.vectors {
            let broken_verifier = vector.needs.contains(&Need::BrokenVerifier);
            let key = (&topic.name, &vector.bundle, vector.now, broken_verifier);
            let (bundle, keys) =
                (bundle(lab, topic, &vector.bundle), keys(lab, topic, &vector.bundle));
            let new =
                || Group { bundle, keys, now: vector.now, broken_verifier, cases: Vec::new() };
            number += 1;
            groups.entry(key).or_insert_with(new).cases.push(Case {
                name: format!("{number}-{}", plain(&vector.name)),
                source: Source::Vector(Box::new(vector.request.clone())),
                direct: vector.needs.contains(&Need::Direct),
            });
        }
    }
    groups.into_values().collect()
}

/// What a correlation id may hold.
fn plain(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// The bundle, with a cluster of its own for each remote source: Envoy needs one, and it is part
/// of the revision.
fn bundle(lab: &Lab, topic: &Topic, name: &str) -> String {
    let text = topic.bundles[name].text(&lab.keys);
    let mut bundle: Value = serde_json::from_str(&text).expect("a bundle is JSON");
    let sources = bundle.pointer_mut("/settings/jwks").and_then(Value::as_array_mut);
    for (index, source) in sources.into_iter().flatten().enumerate() {
        source["cluster"] = json!(format!("{}-{name}-{index}", topic.name));
    }
    bundle.to_string()
}

fn keys(lab: &Lab, topic: &Topic, name: &str) -> BTreeMap<String, String> {
    let served = topic.remote_keys.get(name).into_iter().flatten();
    served.map(|(uri, entries)| (uri.clone(), lab.keys.public_set(entries))).collect()
}
