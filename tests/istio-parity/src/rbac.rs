//! The part of Envoy's RBAC configuration that Istio uses, as a tree.

mod json;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use crate::resource::Action;

/// One RBAC filter.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Whether it stands in the HTTP chain or in the network chain.
    pub layer: Layer,
    /// What is enforced; absent means that nothing is.
    pub rules: Option<Rules>,
    /// What is only counted.
    pub shadow_rules: Option<Rules>,
    /// Which prefix the shadow statistics have.
    pub shadow_prefix: &'static str,
}

/// Where a filter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `envoy.filters.http.rbac`.
    Http,
    /// `envoy.filters.network.rbac`.
    Tcp,
}

/// `config.rbac.v3.RBAC`.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What a match means.
    pub action: Action,
    /// The policies by name.
    pub policies: BTreeMap<String, Policy>,
}

/// `config.rbac.v3.Policy`: some permission and some principal.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What may be done.
    pub permissions: Vec<Matcher>,
    /// By whom.
    pub principals: Vec<Matcher>,
}

/// A permission or a principal: both have the same algebra.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// Everything.
    Any,
    /// All of these.
    All(Vec<Self>),
    /// One of these.
    OneOf(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// A comparison.
    Leaf(Leaf),
}

/// A comparison with one attribute.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// A header or pseudo-header.
    Header {
        /// Its name.
        name: String,
        /// What it is compared with.
        value: HeaderMatch,
    },
    /// The path without its query.
    UrlPath(StringMatch),
    /// The path, with Envoy's template of that text.
    UriTemplate(String),
    /// The address connected to.
    DestinationIp(Cidr),
    /// The port connected to.
    DestinationPort(u16),
    /// The name in the TLS handshake.
    ServerName(StringMatch),
    /// The physical peer.
    DirectRemoteIp(Cidr),
    /// The client after trusted hops.
    RemoteIp(Cidr),
    /// The certificate of the peer.
    Peer(PeerMatch),
    /// Dynamic metadata.
    Metadata {
        /// The filter that wrote it.
        filter: String,
        /// The keys from the outside in.
        path: Vec<String>,
        /// What it is compared with.
        value: ValueMatch,
    },
}

/// What a header is compared with.
#[derive(Debug, Clone)]
pub enum HeaderMatch {
    /// It is there.
    Present,
    /// It is a text.
    Text(StringMatch),
    /// A regular expression, in the form for proxies before 1.11.
    OldRegex(String),
}

/// What the peer's name is compared with.
#[derive(Debug, Clone)]
pub struct PeerMatch {
    /// Where the name is taken from.
    pub form: PeerForm,
    /// Which field of a policy this comes from; Envoy does not know it.
    pub field: PeerField,
    /// The comparison.
    pub text: StringMatch,
}

/// Where Envoy takes the peer's name from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PeerForm {
    /// `authenticated`: the certificate of the connection, for sidecars and gateways.
    #[default]
    Certificate,
    /// `filter_state`: what the ztunnel says, for waypoints.
    FilterState,
}

/// The field of a policy that a comparison with the peer comes from, with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerField {
    /// `principals` or `source.principal`.
    Principal,
    /// `namespaces` or `source.namespace`.
    Namespace(String),
    /// `serviceAccounts` or `source.serviceAccount`: namespace and account.
    ServiceAccount(String, String),
    /// `trustDomains` or `source.trustDomain`.
    TrustDomain(String),
}

/// `type.matcher.v3.ValueMatcher`.
#[derive(Debug, Clone)]
pub enum ValueMatch {
    /// A string.
    Text(StringMatch),
    /// A list with such a member.
    Member(Box<Self>),
    /// One of these.
    OneOf(Vec<Self>),
}

/// `type.matcher.v3.StringMatcher`.
#[derive(Debug, Clone)]
pub struct StringMatch {
    /// How to compare.
    pub form: StringForm,
    /// With what.
    pub text: String,
    /// Without regard to ASCII case.
    pub ignore_case: bool,
}

/// How a string is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringForm {
    /// Equal.
    Exact,
    /// Begins with it.
    Prefix,
    /// Ends with it.
    Suffix,
    /// The whole string matches.
    Regex,
}

/// `config.core.v3.CidrRange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address as written.
    pub address: IpAddr,
    /// How many bits of it count.
    pub length: u8,
}

impl StringMatch {
    /// A comparison that respects case.
    #[must_use]
    pub fn new(form: StringForm, text: &str) -> Self {
        Self { form, text: text.to_owned(), ignore_case: false }
    }

    /// Not empty; a line feed does not count as a character.
    #[must_use]
    pub fn anything() -> Self {
        Self::new(StringForm::Regex, ".+")
    }

    /// The same without regard to case.
    #[must_use]
    pub fn folded(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    /// Whether a value matches, as Envoy would say.
    #[must_use]
    pub fn matches(&self, value: &[u8]) -> bool {
        let fold = |bytes: &[u8]| {
            if self.ignore_case { bytes.to_ascii_lowercase() } else { bytes.to_vec() }
        };
        match self.form {
            StringForm::Exact => fold(value) == fold(self.text.as_bytes()),
            StringForm::Prefix => fold(value).starts_with(&fold(self.text.as_bytes())),
            StringForm::Suffix => fold(value).ends_with(&fold(self.text.as_bytes())),
            StringForm::Regex => whole(&self.text).is_match(value),
        }
    }
}

/// A regular expression that must match the whole value; compiled once in each thread.
pub(crate) fn whole(text: &str) -> Regex {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        let compile = || {
            Regex::new(&format!("\\A(?:{text})\\z")).expect("regular expression that Istio writes")
        };
        if let Some(regex) = compiled.get(text) {
            return regex.clone();
        }
        compiled.entry(text.to_owned()).or_insert_with(compile).clone()
    })
}

impl Cidr {
    /// Whether an address lies inside; an address of the other family does not.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let ((own, width), (other, other_width)) = (bits(self.address), bits(address));
        let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
        width == other_width && own & mask == other & mask
    }
}
