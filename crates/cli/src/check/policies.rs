//! Istio's policies in manifests, found by whom they apply to.

use std::collections::HashMap;

use crate::input::{Node, Place};

/// A label and its value.
pub(super) type Label = (String, String);

/// A resource of Istio's security group.
#[derive(Debug)]
pub(crate) struct Policy<'a> {
    pub(crate) place: Place,
    pub(crate) node: &'a Node,
    pub(crate) kind: &'a str,
    /// Its namespace.
    pub(crate) home: String,
    /// The labels that it selects workloads by.
    pub(super) selector: Vec<Label>,
}

/// All of them. A workload is compared with those that share a label with it, so that many
/// workloads and many policies don't cost their product.
#[derive(Debug, Default)]
pub(crate) struct Policies<'a> {
    all: Vec<Policy<'a>>,
    /// In each namespace, under one label of the selector; none selects everything.
    homes: HashMap<String, HashMap<Option<Label>, Vec<usize>>>,
}

impl<'a> Policies<'a> {
    pub(super) fn of(all: Vec<Policy<'a>>) -> Self {
        let mut uses: HashMap<&Label, usize> = HashMap::new();
        for label in all.iter().flat_map(|policy| &policy.selector) {
            let count = uses.entry(label).or_default();
            *count = count.saturating_add(1);
        }
        let mut homes: HashMap<String, HashMap<Option<Label>, Vec<usize>>> = HashMap::new();
        for (index, policy) in all.iter().enumerate() {
            let rarest = policy.selector.iter().min_by_key(|label| uses.get(label));
            let home = homes.entry(policy.home.clone()).or_default();
            home.entry(rarest.cloned()).or_default().push(index);
        }
        Self { all, homes }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Policy<'a>> {
        self.all.iter()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Policy<'a>> {
        self.all.get(index)
    }

    /// Those whose selector does not exclude a workload of one of these namespaces with these
    /// labels, in the order of the files.
    pub(super) fn applying(&self, namespaces: [&str; 2], labels: &[Label]) -> Vec<usize> {
        let mut found: Vec<usize> = self.candidates(namespaces, labels).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether one of that kind is among those that apply.
    pub(super) fn applies(&self, kind: &str, namespaces: [&str; 2], labels: &[Label]) -> bool {
        let of_kind = |index| self.get(index).is_some_and(|policy| policy.kind == kind);
        self.candidates(namespaces, labels).any(of_kind)
    }

    fn candidates(&self, namespaces: [&str; 2], labels: &[Label]) -> impl Iterator<Item = usize> {
        let keys = || core::iter::once(None).chain(labels.iter().cloned().map(Some));
        let homes = namespaces.into_iter().filter_map(|namespace| self.homes.get(namespace));
        let listed = homes.flat_map(move |home| keys().filter_map(|key| home.get(&key)));
        listed.flatten().copied().filter(|index| {
            let selects = |policy: &Policy<'_>| policy.selector.iter().all(|l| labels.contains(l));
            self.get(*index).is_some_and(selects)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Mark, Value};

    fn label(name: &str) -> Label {
        (name.to_owned(), "x".to_owned())
    }

    #[test]
    fn whoever_has_all_labels_in_the_namespace_or_the_root_is_selected() {
        let node = Node { mark: Mark::default(), name: None, value: Value::Null };
        let policy = |home: &str, selector: &[&str]| Policy {
            place: Place::unwritten("a"),
            node: &node,
            kind: "AuthorizationPolicy",
            home: home.to_owned(),
            selector: selector.iter().copied().map(label).collect(),
        };
        let policies = Policies::of(vec![
            policy("shop", &[]),
            policy("shop", &["a"]),
            policy("shop", &["a", "b"]),
            policy("root", &["b"]),
            policy("other", &[]),
        ]);
        let of = |labels: &[&str]| {
            let labels: Vec<_> = labels.iter().copied().map(label).collect();
            policies.applying(["shop", "root"], &labels)
        };
        assert_eq!(of(&[]), [0]);
        assert_eq!(of(&["a"]), [0, 1]);
        assert_eq!(of(&["b", "c"]), [0, 3]);
        assert_eq!(of(&["b", "a"]), [0, 1, 2, 3]);
        assert_eq!(policies.applying(["other", "other"], &[]), [4], "each once");
        assert!(policies.applies("AuthorizationPolicy", ["shop", "root"], &[]));
        assert!(!policies.applies("PeerAuthentication", ["shop", "root"], &[]));
        assert!(!policies.applies("AuthorizationPolicy", ["nowhere", "root"], &[]));
    }
}
