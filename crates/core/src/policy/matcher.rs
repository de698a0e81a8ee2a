//! One compiled list of values: what it matches, how it can be found, what it reads.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::address::{Address, Addresses, Block};
use super::attribute::Attribute;
use super::claim::Claim;
use super::compile::Context;
use super::error::PolicyError;
use super::facts::View;
use super::header::Header;
use super::index::{Dimension, Key};
use super::metadata::{Metadata, MetadataPattern};
use super::needs::Needs;
use super::path::{PathValue, Paths};
use super::pattern::{Case, Pattern, Patterns, Sense, Star, refuse_empty};
use super::peer::{self, Namespaces, ServiceAccount, ServiceAccounts, TrustDomains};
use super::subject::{RequestPrincipal, RequestPrincipals};
use crate::bytes::holds;
use crate::finding::FindingCode;
use crate::json::Quoted;

/// Values of one attribute, of which one must match.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    Address(Addresses),
    /// Sorted.
    Port(Box<[u16]>),
    ServerName(Patterns),
    Host(Patterns),
    Method(Patterns),
    Path(Paths),
    Header(Header),
    Principal(Patterns),
    Namespace(Namespaces),
    ServiceAccount(ServiceAccounts),
    TrustDomain(TrustDomains),
    RequestPrincipal(RequestPrincipals),
    Claim(Claim),
    Metadata(Metadata),
}

impl Matcher {
    /// Compiles values; an error points to the value.
    pub(super) fn new(
        attribute: &Attribute,
        values: &[String],
        sense: Sense,
        context: &Context<'_>,
    ) -> Result<Self, PolicyError> {
        Ok(match attribute {
            Attribute::SourceIp if !context.source_address_is_peer => {
                return Err(source_address_unknown());
            }
            Attribute::SourceIp => addresses(Address::Source, values, sense)?,
            Attribute::RemoteIp => addresses(Address::Remote, values, sense)?,
            Attribute::DestinationIp => addresses(Address::Destination, values, sense)?,
            Attribute::Port => {
                let mut ports = each(values, parse_port)?;
                crate::order::sort_by(&mut ports, |a, b| a < b);
                Self::Port(ports.into())
            }
            Attribute::ServerName => {
                let star = Star::regex(sense);
                Self::ServerName(Patterns::new(
                    each(values, parse_server_name)?,
                    star,
                    Case::Folded,
                ))
            }
            Attribute::Host => {
                let patterns = each(values, parse_host)?;
                Self::Host(Patterns::new(patterns, Star::Present, Case::Folded))
            }
            Attribute::Method => Self::Method(texts(values, Star::Present)?),
            Attribute::Path => Self::Path(Paths::new(each(values, PathValue::parse)?, sense)),
            Attribute::Header(name) => {
                let (name, patterns) = (name.clone(), texts(values, Star::Present)?);
                Self::Header(Header { name, patterns, sense })
            }
            Attribute::Principal => Self::Principal(peer::principals(values, context.domains)?),
            Attribute::Namespace => {
                let globs = each(values, |value| Namespaces::parse(value, sense))?;
                Self::Namespace(Namespaces::new(globs, sense))
            }
            Attribute::ServiceAccount => {
                let accounts =
                    each(values, |value| ServiceAccount::parse(value, context.namespace))?;
                Self::ServiceAccount(ServiceAccounts::new(accounts, sense))
            }
            Attribute::TrustDomain => {
                Self::TrustDomain(TrustDomains::new(values, context.domains, sense)?)
            }
            Attribute::RequestPrincipal => {
                let principals = each(values, RequestPrincipal::parse)?;
                Self::RequestPrincipal(RequestPrincipals::new(principals, sense))
            }
            Attribute::Claim(path) => {
                let (path, patterns) = (path.clone(), texts(values, Star::regex(sense))?);
                Self::Claim(Claim { path, patterns, sense })
            }
            Attribute::Metadata { filter, key } => {
                let patterns = each(values, MetadataPattern::parse)?;
                Self::Metadata(Metadata::new(filter, key, patterns, sense))
            }
        })
    }

    /// Whether one of the values matches; never if the attribute is absent.
    pub(super) fn matches(&self, view: &View<'_>) -> bool {
        let facts = view.facts;
        match self {
            Self::Address(addresses) => addresses.matches(view),
            Self::Port(ports) => facts
                .connection
                .destination_port
                .is_some_and(|port| ports.binary_search(&port).is_ok()),
            Self::ServerName(patterns) => {
                let name = facts.connection.server_name.filter(|name| !name.is_empty());
                name.is_some_and(|name| patterns.matches(name))
            }
            Self::Host(patterns) => {
                facts.host.is_some_and(|host| patterns.matches(host.as_bytes()))
            }
            Self::Method(patterns) => view.method().is_some_and(|method| patterns.matches(method)),
            Self::Path(paths) => facts.path.is_some_and(|path| paths.matches(path)),
            Self::Header(header) => header.matches(view),
            Self::Principal(patterns) => {
                view.peer.is_some_and(|peer| patterns.matches(peer.principal.as_bytes()))
            }
            Self::Namespace(namespaces) => view.peer.is_some_and(|peer| namespaces.matches(&peer)),
            Self::ServiceAccount(accounts) => view.peer.is_some_and(|peer| accounts.matches(&peer)),
            Self::TrustDomain(domains) => view.peer.is_some_and(|peer| domains.matches(&peer)),
            Self::RequestPrincipal(principals) => facts
                .issuer
                .zip(facts.subject)
                .is_some_and(|(issuer, subject)| principals.matches(issuer, subject)),
            Self::Claim(claim) => claim.matches(view),
            Self::Metadata(metadata) => metadata.matches(view),
        }
    }

    /// What the value of `dimension` is like in every request that matches; `None` if anything.
    pub(super) fn keys(&self, dimension: Dimension) -> Option<Vec<Key>> {
        match (dimension, self) {
            (Dimension::Port, Self::Port(ports)) => {
                Some(ports.iter().map(|port| Key::Exact(port.to_be_bytes().into())).collect())
            }
            (Dimension::Host, Self::Host(patterns))
            | (Dimension::Method, Self::Method(patterns))
            | (Dimension::Peer, Self::Principal(patterns)) => Some(patterns.keys()),
            (Dimension::Path, Self::Path(paths)) => Some(paths.keys()),
            (Dimension::Peer, Self::ServiceAccount(accounts)) => accounts.keys(),
            (Dimension::Peer, Self::TrustDomain(domains)) => Some(domains.keys()),
            (Dimension::Namespace, Self::Namespace(namespaces)) => namespaces.keys(),
            (Dimension::Subject, Self::RequestPrincipal(principals)) => principals.subject_keys(),
            (Dimension::Issuer, Self::RequestPrincipal(principals)) => principals.issuer_keys(),
            (Dimension::Subject, Self::Claim(claim)) if claim.path.is("sub") => {
                Some(claim.patterns.keys())
            }
            (Dimension::Issuer, Self::Claim(claim)) if claim.path.is("iss") => {
                Some(claim.patterns.keys())
            }
            _ => None,
        }
    }

    /// The scopes of which one would do, if these are values of a scope claim.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        let claim = if let Self::Claim(claim) = self { Some(claim) } else { None };
        claim.into_iter().flat_map(|claim| claim.patterns.exact())
    }

    pub(super) fn add_needs(&self, needs: &mut Needs) {
        match self {
            Self::Address(addresses) => match addresses.address {
                Address::Source => needs.source_ip = true,
                Address::Remote => needs.remote_ip = true,
                Address::Destination => needs.destination_ip = true,
            },
            Self::Port(_) => needs.destination_port = true,
            Self::ServerName(_) => needs.server_name = true,
            Self::Host(_) => needs.host = true,
            Self::Method(_) => needs.method = true,
            Self::Path(paths) => {
                needs.path = true;
                needs.parameter_depth = needs.parameter_depth.max(paths.depth());
            }
            Self::Header(header) => {
                needs.headers.push(header.name.as_ref().into());
            }
            Self::Principal(_)
            | Self::Namespace(_)
            | Self::ServiceAccount(_)
            | Self::TrustDomain(_) => needs.peer = true,
            Self::RequestPrincipal(_) | Self::Claim(_) => needs.token = true,
            Self::Metadata(metadata) => {
                let name = (metadata.filter.as_ref().into(), metadata.key.as_ref().into());
                needs.metadata.push(name);
            }
        }
    }
}

fn each<T>(
    values: &[String],
    parse: impl Fn(&str) -> Result<T, PolicyError>,
) -> Result<Vec<T>, PolicyError> {
    let parse = |(index, value): (usize, &String)| parse(value).map_err(|error| error.below(index));
    values.iter().enumerate().map(parse).collect()
}

fn texts(values: &[String], star: Star) -> Result<Patterns, PolicyError> {
    Ok(Patterns::new(each(values, Pattern::parse)?, star, Case::Sensitive))
}

fn addresses(address: Address, values: &[String], sense: Sense) -> Result<Matcher, PolicyError> {
    let blocks = each(values, Block::parse)?.into();
    Ok(Matcher::Address(Addresses { address, blocks, sense }))
}

fn source_address_unknown() -> PolicyError {
    PolicyError::new(
        FindingCode::SourceAddressUnknown,
        "the address of the physical peer is not known for sure: use remoteIpBlocks or remote.ip, \
         or state in settings.sourceAddressIsPeer that the listener trusts neither \
         X-Forwarded-For nor PROXY protocol",
    )
}

fn parse_port(value: &str) -> Result<u16, PolicyError> {
    refuse_empty(value)?;
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| digits).ok_or_else(|| {
        PolicyError::new(
            FindingCode::BadPort,
            format!("{} is no port: 0 to 65535, in digits", Quoted(value)),
        )
    })
}

/// Envoy compares the name in lower case.
fn parse_server_name(value: &str) -> Result<Pattern, PolicyError> {
    let lower = value.to_ascii_lowercase();
    if lower != value {
        return Err(PolicyError::new(
            FindingCode::NeverMatches,
            format!(
                "{} never matches: server names are in lower case: {}",
                Quoted(value),
                Quoted(&lower)
            ),
        ));
    }
    Pattern::parse_starless(value)
}

fn parse_host(value: &str) -> Result<Pattern, PolicyError> {
    if holds(value, b'/') {
        return Err(PolicyError::new(
            FindingCode::NeverMatches,
            format!("{} never matches: a host has neither scheme nor path", Quoted(value)),
        ));
    }
    Pattern::parse_starless(value)
}
