//! Which documents are policies, and in which order they stand in a bundle.

use std::collections::HashMap;

use crate::error::{CliError, Problem};
use crate::input::{Document, Node, Place, Value};

const GROUP: &str = "security.istio.io";
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
const KINDS: [&str; 3] = ["AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"];

/// What a Kubernetes server adds to a resource and what no policy says. Left out, so that what
/// `kubectl get` prints compiles to the same bundle as the file that was applied.
const SERVER_METADATA: [&str; 5] =
    ["managedFields", "resourceVersion", "uid", "generation", "selfLink"];

/// A policy and where it was written.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) place: Place,
    pub(crate) node: Node,
    key: Key,
}

/// Another Kubernetes resource, which is left out.
#[derive(Debug)]
pub(crate) struct Other {
    pub(crate) place: Place,
    kind: String,
    group: String,
}

impl core::fmt::Display for Other {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { place, kind, group } = self;
        write!(f, "{place}: {kind} of `{group}` is no policy; left out")
    }
}

impl Resource {
    /// Whether it is the resource of that kind and `namespace/name`.
    pub(crate) fn is(&self, kind: &str, name: &str) -> bool {
        self.key.kind == kind
            && name.split_once('/').is_some_and(|(namespace, name)| {
                (self.key.namespace.as_str(), self.key.name.as_str()) == (namespace, name)
            })
    }
}

/// `namespace/name` of a resource; `home` is the namespace of those that name none.
pub(crate) fn full_name(node: &Node, home: &str) -> String {
    let metadata = |name| node.get("metadata")?.get(name)?.as_str();
    let namespace = metadata("namespace").unwrap_or(home);
    format!("{namespace}/{}", metadata("name").unwrap_or_default())
}

/// Which resource it is. Orders a bundle, so that neither the order of files nor their names
/// change it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    kind: String,
    namespace: String,
    name: String,
}

/// Picks the policies out of documents; what else there is comes second.
///
/// # Errors
/// Refuses a policy under another group or version, a kind of Istio's group that is not known, a
/// document without a kind, and the same policy twice: ignoring one of them could allow requests
/// that its author meant to refuse.
pub(crate) fn collect(
    documents: Vec<Document>,
    namespace: &str,
) -> Result<(Vec<Resource>, Vec<Other>), CliError> {
    let (mut resources, mut others) = (Vec::new(), Vec::new());
    for Document { place, root } in documents {
        add(place, root, namespace, (&mut resources, &mut others))?;
    }
    let mut first: HashMap<&Key, &Place> = HashMap::new();
    for resource in &resources {
        if let Some(earlier) = first.insert(&resource.key, &resource.place) {
            return Err(twice(resource, earlier));
        }
    }
    resources.sort_by(|one, other| one.key.cmp(&other.key));
    Ok((resources, others))
}

fn twice(resource: &Resource, first: &Place) -> CliError {
    let Key { kind, namespace, name } = &resource.key;
    let problem = Problem::Twice {
        kind: kind.clone(),
        name: format!("{namespace}/{name}"),
        first: first.clone(),
    };
    CliError::input(resource.place.clone(), problem)
}

fn add(
    place: Place,
    node: Node,
    namespace: &str,
    (resources, others): (&mut Vec<Resource>, &mut Vec<Other>),
) -> Result<(), CliError> {
    let identity = Identity::of(&node);
    match identity.and_then(|identity| Ok((identity.role()?, identity))) {
        Ok((Role::Test, _)) => Ok(()),
        Ok((Role::List, _)) => add_items(&place, node, namespace, (resources, others)),
        Ok((Role::Policy, identity)) => {
            let key = key(&node, identity.kind, namespace);
            resources.push(Resource { place, node: tidy(node), key });
            Ok(())
        }
        Ok((Role::Other, Identity { kind, group, .. })) => {
            others.push(Other { place, kind, group });
            Ok(())
        }
        Err(problem) => Err(CliError::input(place, problem)),
    }
}

/// The items of what `kubectl get -o yaml` prints. Lists inside lists are refused by [`Role`].
fn add_items(
    place: &Place,
    list: Node,
    namespace: &str,
    (resources, others): (&mut Vec<Resource>, &mut Vec<Other>),
) -> Result<(), CliError> {
    let items = member(list, "items").map(|items| items.value);
    let Some(Value::Array(items)) = items else {
        return Err(CliError::input(place.clone(), Problem::NoItems));
    };
    for item in items {
        let place = place.at(Some(item.mark));
        if Identity::of(&item).is_ok_and(|identity| identity.is_list()) {
            return Err(CliError::input(place, Problem::NestedList));
        }
        add(place, item, namespace, (resources, others))?;
    }
    Ok(())
}

/// What a document says it is.
struct Identity {
    kind: String,
    /// What stands before the slash of `apiVersion`; empty for Kubernetes' core group.
    group: String,
    version: String,
}

/// What to do with a document.
enum Role {
    Policy,
    List,
    /// Table tests, which may lie beside the policies that they test.
    Test,
    Other,
}

impl Identity {
    fn of(node: &Node) -> Result<Self, Problem> {
        if !matches!(node.value, Value::Object(_)) {
            return Err(Problem::NotAnObject);
        }
        let text = |name| node.get(name).and_then(Node::as_str).filter(|text| !text.is_empty());
        let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
            return Err(Problem::NoKind);
        };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Ok(Self { kind: kind.to_owned(), group: group.to_owned(), version: version.to_owned() })
    }

    fn role(&self) -> Result<Role, Problem> {
        if self.is_list() {
            return Ok(Role::List);
        }
        let known = KINDS.contains(&self.kind.as_str());
        let ours = self.group == GROUP;
        if known && ours && VERSIONS.contains(&self.version.as_str()) {
            return Ok(Role::Policy);
        }
        if ours && !known {
            return Err(Problem::UnknownKind { kind: self.kind.clone() });
        }
        if self.group == "lychgate.dev" && self.kind == crate::suite::KIND {
            return Ok(Role::Test);
        }
        if self.group.starts_with("lychgate.dev") {
            return Err(Problem::UnexpectedBundle);
        }
        if ours || self.resembles_policy() {
            return Err(Problem::WrongGroup {
                kind: self.kind.clone(),
                group: format!("{}/{}", self.group, self.version),
            });
        }
        Ok(Role::Other)
    }

    /// `v1` `List`, and the `AuthorizationPolicyList` and its like that clients may print.
    fn is_list(&self) -> bool {
        let typed = self.kind.strip_suffix("List").is_some_and(|kind| KINDS.contains(&kind));
        (self.kind == "List" && self.group.is_empty()) || (typed && self.group == GROUP)
    }

    /// Whether a slip of the pen stands between this document and a policy.
    fn resembles_policy(&self) -> bool {
        KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(&self.kind))
            || self.group.eq_ignore_ascii_case(GROUP)
    }
}

fn key(node: &Node, kind: String, namespace: &str) -> Key {
    let metadata = |name| node.get("metadata")?.get(name)?.as_str();
    Key {
        kind,
        namespace: metadata("namespace").unwrap_or(namespace).to_owned(),
        name: metadata("name").unwrap_or_default().to_owned(),
    }
}

/// Removes what a server added; everything else is core's to accept or refuse.
fn tidy(mut node: Node) -> Node {
    if let Value::Object(members) = &mut node.value {
        members.retain(|(name, _)| name != "status");
        for (name, value) in members {
            if name == "metadata" {
                tidy_metadata(value);
            }
        }
    }
    node
}

fn tidy_metadata(metadata: &mut Node) {
    if let Value::Object(members) = &mut metadata.value {
        members.retain(|(name, _)| !SERVER_METADATA.contains(&name.as_str()));
    }
}

fn member(node: Node, name: &str) -> Option<Node> {
    let Value::Object(members) = node.value else { return None };
    members.into_iter().find(|(member, _)| member == name).map(|(_, value)| value)
}
