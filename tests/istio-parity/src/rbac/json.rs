//! The configuration as Envoy's JSON.

use serde_json::{Map, Value, json};

use super::{
    Cidr, Filter, HeaderMatch, Layer, Leaf, Matcher, PeerForm, PeerMatch, Policy, Rules,
    StringForm, StringMatch, ValueMatch,
};
use crate::resource::Action;

/// Which half of a policy is written: the same algebra has other names there.
#[derive(Clone, Copy)]
struct Half {
    all: &'static str,
    one_of: &'static str,
    list: &'static str,
    not: &'static str,
}

const PERMISSION: Half = Half { all: "andRules", one_of: "orRules", list: "rules", not: "notRule" };
const PRINCIPAL: Half = Half { all: "andIds", one_of: "orIds", list: "ids", not: "notId" };

impl Filter {
    /// The filter as it stands in a filter chain.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (name, kind) = match self.layer {
            Layer::Http => ("envoy.filters.http.rbac", "http"),
            Layer::Tcp => ("envoy.filters.network.rbac", "network"),
        };
        let mut config = Map::new();
        let kind = format!("type.googleapis.com/envoy.extensions.filters.{kind}.rbac.v3.RBAC");
        config.insert("@type".into(), kind.into());
        if let Some(rules) = &self.rules {
            config.insert("rules".into(), rules.to_json());
        }
        if let Some(rules) = &self.shadow_rules {
            config.insert("shadowRules".into(), rules.to_json());
        }
        config.insert("shadowRulesStatPrefix".into(), self.shadow_prefix.into());
        if self.layer == Layer::Tcp {
            config.insert("statPrefix".into(), "tcp.".into());
        }
        json!({ "name": name, "typedConfig": config })
    }
}

impl Rules {
    fn to_json(&self) -> Value {
        let mut rules = Map::new();
        match self.action {
            Action::Allow | Action::Custom => {}
            Action::Deny => drop(rules.insert("action".into(), "DENY".into())),
            Action::Audit => drop(rules.insert("action".into(), "LOG".into())),
        }
        if !self.policies.is_empty() {
            let policies = self.policies.iter();
            let policies: Map<_, _> =
                policies.map(|(name, policy)| (name.clone(), policy.to_json())).collect();
            rules.insert("policies".into(), policies.into());
        }
        rules.into()
    }
}

impl Policy {
    fn to_json(&self) -> Value {
        let list = |matchers: &[Matcher], half| -> Value {
            matchers.iter().map(|matcher| matcher.to_json(half)).collect()
        };
        json!({
            "permissions": list(&self.permissions, PERMISSION),
            "principals": list(&self.principals, PRINCIPAL),
        })
    }
}

impl Matcher {
    fn to_json(&self, half: Half) -> Value {
        let list = |matchers: &[Self]| -> Value {
            let members: Value = matchers.iter().map(|matcher| matcher.to_json(half)).collect();
            json!({ half.list: members })
        };
        match self {
            Self::Any => json!({ "any": true }),
            Self::All(matchers) => json!({ half.all: list(matchers) }),
            Self::OneOf(matchers) => json!({ half.one_of: list(matchers) }),
            Self::Not(matcher) => json!({ half.not: matcher.to_json(half) }),
            Self::Leaf(leaf) => leaf.to_json(),
        }
    }
}

impl Leaf {
    fn to_json(&self) -> Value {
        match self {
            Self::Header { name, value } => {
                let (kind, value) = value.to_json();
                json!({ "header": { "name": name, kind: value } })
            }
            Self::UrlPath(text) => json!({ "urlPath": { "path": text.to_json() } }),
            Self::UriTemplate(template) => json!({ "uriTemplate": {
                "name": "uri-template",
                "typedConfig": {
                    "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                    "pathTemplate": template,
                },
            }}),
            Self::DestinationIp(range) => json!({ "destinationIp": range.to_json() }),
            Self::DestinationPort(port) => json!({ "destinationPort": port }),
            Self::ServerName(text) => json!({ "requestedServerName": text.to_json() }),
            Self::DirectRemoteIp(range) => json!({ "directRemoteIp": range.to_json() }),
            Self::RemoteIp(range) => json!({ "remoteIp": range.to_json() }),
            Self::Peer(peer) => peer.to_json(),
            Self::Metadata { filter, path, value } => {
                let path: Value = path.iter().map(|key| json!({ "key": key })).collect();
                json!({ "metadata": { "filter": filter, "path": path, "value": value.to_json() } })
            }
        }
    }
}

impl HeaderMatch {
    fn to_json(&self) -> (&'static str, Value) {
        match self {
            Self::Present => ("presentMatch", true.into()),
            Self::Text(text) => ("stringMatch", text.to_json()),
            Self::OldRegex(text) => ("safeRegexMatch", json!({ "regex": text })),
        }
    }
}

impl PeerMatch {
    fn to_json(&self) -> Value {
        let text = self.text.to_json();
        match self.form {
            PeerForm::Certificate => json!({ "authenticated": { "principalName": text } }),
            PeerForm::FilterState => json!({
                "filterState": { "key": "io.istio.peer_principal", "stringMatch": text },
            }),
        }
    }
}

impl ValueMatch {
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "stringMatch": text.to_json() }),
            Self::Member(member) => json!({ "listMatch": { "oneOf": member.to_json() } }),
            Self::OneOf(values) => {
                let values: Value = values.iter().map(Self::to_json).collect();
                json!({ "orMatch": { "valueMatchers": values } })
            }
        }
    }
}

impl StringMatch {
    fn to_json(&self) -> Value {
        let mut matcher = Map::new();
        let (form, text): (_, Value) = match self.form {
            StringForm::Exact => ("exact", self.text.as_str().into()),
            StringForm::Prefix => ("prefix", self.text.as_str().into()),
            StringForm::Suffix => ("suffix", self.text.as_str().into()),
            StringForm::Regex => ("safeRegex", json!({ "regex": self.text })),
        };
        matcher.insert(form.into(), text);
        if self.ignore_case {
            matcher.insert("ignoreCase".into(), true.into());
        }
        matcher.into()
    }
}

impl Cidr {
    fn to_json(self) -> Value {
        json!({ "addressPrefix": self.address.to_string(), "prefixLen": self.length })
    }
}
