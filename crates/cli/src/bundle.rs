//! Policies and a workload, put together as one bundle.

mod resources;

use lychgate_core::json::{self, Bounds, Document as Parsed, JsonWriter, View};
use lychgate_core::limits::BUNDLE_JSON;

use crate::arguments::WorkloadOptions;
use crate::error::{CliError, Problem};
use crate::input::{self, Document, Node, Place, Value};

pub(crate) use resources::{Other, Resource, collect};

const API_VERSION: &str = "lychgate.dev/v1alpha1";
const AUTHORIZATION: &str = "AuthorizationPolicy";

/// A bundle and where its parts were written.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// The canonical JSON text, with all that was read.
    pub(crate) text: String,
    origins: Origins,
    /// What else the files hold.
    pub(crate) others: Vec<Other>,
    /// Which resources were taken out, each counted without those before it in this list.
    removed: Vec<usize>,
}

/// Where the parts of a bundle were written.
#[derive(Debug)]
struct Origins {
    resources: Vec<Resource>,
    settings: Option<Document>,
    /// The file, if the bundle was read as it is.
    whole: Option<Document>,
}

impl Bundle {
    /// A bundle that was compiled before.
    pub(crate) fn compiled(document: Document) -> Result<Self, CliError> {
        let mut writer = JsonWriter::new();
        document.root.write(&mut writer);
        let text = canonical(&writer.finish(), &document.place)?;
        let origins = Origins { resources: Vec::new(), settings: None, whole: Some(document) };
        Ok(Self { text, origins, others: Vec::new(), removed: Vec::new() })
    }

    /// Puts a bundle together, with the settings of the file that the options name.
    pub(crate) fn assemble(
        options: &WorkloadOptions,
        documents: Vec<Document>,
    ) -> Result<Self, CliError> {
        let settings = options.settings.as_deref().map(read_settings).transpose()?;
        Self::put_together(options, settings, documents)
    }

    /// Puts a bundle together.
    pub(crate) fn put_together(
        options: &WorkloadOptions,
        settings: Option<Document>,
        documents: Vec<Document>,
    ) -> Result<Self, CliError> {
        let Some(namespace) = options.namespace.as_deref() else {
            return Err(CliError::Usage {
                message: "--namespace is needed: it decides which policies apply".to_owned(),
            });
        };
        let (resources, others) = collect(documents, namespace)?;
        let origins = Origins { resources, settings, whole: None };
        let text = write(options, namespace, &origins);
        let place = Place::unwritten("bundle");
        let text = canonical(&text, &place)?;
        Ok(Self { text, origins, others, removed: Vec::new() })
    }

    /// The same bundle without the resource that a pointer leads into; none if it leads elsewhere.
    pub(crate) fn without(mut self, pointer: &str) -> Result<Option<Self>, CliError> {
        let Some((index, _)) = split_resource(pointer) else { return Ok(None) };
        let bundle = parse(&self.text, &Place::unwritten("bundle"))?;
        let Some(text) = without_resource(bundle.root(), index) else { return Ok(None) };
        self.removed.push(index);
        self.text = text;
        Ok(Some(self))
    }

    /// The index that a resource had before others were removed.
    fn original_index(&self, index: usize) -> usize {
        self.removed.iter().rev().fold(index, |index, removed| {
            if index >= *removed { index.saturating_add(1) } else { index }
        })
    }

    /// The AuthorizationPolicy of that name (`namespace/name`), as it was written.
    pub(crate) fn policy(&self, name: &str) -> Option<(&Place, &Node)> {
        let Origins { resources, whole, .. } = &self.origins;
        if let Some(document) = whole {
            let list = document.root.get("resources").map(Node::elements).unwrap_or_default();
            let home = document.root.at("/workload/namespace").and_then(Node::as_str);
            let found = list.iter().find(|node| {
                node.get("kind").and_then(Node::as_str) == Some(AUTHORIZATION)
                    && resources::full_name(node, home.unwrap_or_default()) == name
            });
            return found.map(|node| (&document.place, node));
        }
        let found = resources.iter().find(|resource| resource.is(AUTHORIZATION, name));
        found.map(|resource| (&resource.place, &resource.node))
    }

    /// Where the thing was written that a pointer into the bundle names, and the pointer from
    /// there on.
    pub(crate) fn origin<'a>(&self, pointer: &'a str) -> Option<(Place, &'a str)> {
        let Origins { resources, settings, whole } = &self.origins;
        if let Some(document) = whole {
            let original = self.original_pointer(pointer);
            return Some((document.place.at(Some(document.root.mark_of(&original))), pointer));
        }
        if let Some(rest) = pointer.strip_prefix("/settings") {
            let document = settings.as_ref()?;
            return Some((document.place.at(Some(document.root.mark_of(rest))), rest));
        }
        let (index, rest) = split_resource(pointer)?;
        let resource = resources.get(self.original_index(index))?;
        Some((resource.place.at(Some(resource.node.mark_of(rest))), rest))
    }

    fn original_pointer(&self, pointer: &str) -> String {
        match split_resource(pointer) {
            Some((index, rest)) => format!("/resources/{}{rest}", self.original_index(index)),
            None => pointer.to_owned(),
        }
    }
}

/// The index of the resource that a pointer leads into, and the pointer from there on.
fn split_resource(pointer: &str) -> Option<(usize, &str)> {
    let rest = pointer.strip_prefix("/resources/")?;
    let (index, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((index.parse().ok()?, rest))
}

/// Whether a document is a compiled bundle.
pub(crate) fn is_bundle(node: &Node) -> bool {
    node.get("kind").and_then(Node::as_str) == Some("Bundle")
        && node.get("apiVersion").and_then(Node::as_str) == Some(API_VERSION)
}

/// Reads a file of settings.
pub(crate) fn read_settings(path: &std::path::Path) -> Result<Document, CliError> {
    let file = input::read_one(path)?;
    let mut documents = input::documents(&file)?;
    let place = Place::whole(file.file.clone());
    let document = documents.pop().ok_or_else(|| not_an_object(&place))?;
    if !documents.is_empty() || !matches!(document.root.value, Value::Object(_)) {
        return Err(not_an_object(&place));
    }
    Ok(document)
}

fn not_an_object(place: &Place) -> CliError {
    CliError::input(place.clone(), Problem::NotAnObject)
}

/// The text of a bundle without one of its resources, if it has that many.
fn without_resource(bundle: json::Value<'_>, index: usize) -> Option<String> {
    let View::Object(members) = bundle.view() else { return None };
    let mut found = false;
    let mut writer = JsonWriter::new();
    writer.object(|writer| {
        for (name, value) in members {
            writer.name(name);
            let View::Array(elements) = value.view() else {
                writer.value(value);
                continue;
            };
            let here = name == "resources";
            writer.array(|writer| {
                for (number, element) in elements.enumerate() {
                    if here && number == index {
                        found = true;
                    } else {
                        writer.value(element);
                    }
                }
            });
        }
    });
    found.then(|| writer.finish())
}

fn canonical(text: &str, place: &Place) -> Result<String, CliError> {
    parse(text, place).map(|document| document.canonical())
}

fn parse(text: &str, place: &Place) -> Result<Parsed, CliError> {
    // Compiling may pass what loading refuses; loading says so with a better place.
    let bounds = Bounds { bytes: usize::MAX, ..BUNDLE_JSON };
    Parsed::parse(text.as_bytes(), &bounds)
        .map_err(|error| CliError::input(place.clone(), Problem::Json(error)))
}

fn write(options: &WorkloadOptions, namespace: &str, origins: &Origins) -> String {
    let mut writer = JsonWriter::new();
    writer.object(|writer| {
        writer.member("apiVersion", API_VERSION);
        writer.member("kind", "Bundle");
        writer.name("workload");
        writer.object(|writer| write_workload(writer, options, namespace));
        writer.name("settings");
        writer.object(|writer| write_settings(writer, options, origins.settings.as_ref()));
        writer.name("resources");
        writer.array(|writer| {
            for resource in &origins.resources {
                resource.node.write(writer);
            }
        });
    });
    writer.finish()
}

fn write_workload(writer: &mut JsonWriter, options: &WorkloadOptions, namespace: &str) {
    writer.member("kind", options.kind.name());
    writer.member("namespace", namespace);
    writer.name("labels");
    writer.object(|writer| {
        for pair in &options.labels {
            writer.name(&pair.key);
            writer.string(&pair.value);
        }
    });
    writer.name("targets");
    writer.array(|writer| {
        for target in &options.targets {
            writer.object(|writer| {
                writer.member("group", &target.group);
                writer.member("kind", &target.kind);
                writer.member("name", &target.name);
            });
        }
    });
    if let Some(root) = &options.root_namespace {
        writer.member("rootNamespace", root);
    }
    if let Some(domain) = &options.trust_domain {
        writer.member("trustDomain", domain);
    }
    writer.name("trustDomainAliases");
    writer.array(|writer| {
        for alias in &options.trust_domain_aliases {
            writer.string(alias);
        }
    });
}

fn write_settings(writer: &mut JsonWriter, options: &WorkloadOptions, file: Option<&Document>) {
    let members = match file.map(|document| &document.root.value) {
        Some(Value::Object(members)) => members.as_slice(),
        _ => &[],
    };
    for (name, value) in members {
        writer.name(name);
        value.write(writer);
    }
    let stated = members.iter().any(|(name, _)| name == "allowUnrestricted");
    if options.allow_unrestricted && !stated {
        writer.name("allowUnrestricted");
        writer.boolean(true);
    }
}
