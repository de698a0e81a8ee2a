//! Finding the one token of a request.

mod header;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use super::rule::Location;
use crate::ascii::Class;
use crate::decision::Reason;
use crate::request::headers::{Cookie, Headers};
use crate::request::{Request, query};

/// Every place where some rule looks for a token, each once.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<Location>);

/// The place of a token: an index into all places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlaceId(usize);

/// A token as it stood in the request, and where. Nothing about it has been checked, and not even
/// its characters if it stood alone in a header: those are checked once no cache knows it.
#[derive(Clone)]
pub struct Credential<'a> {
    pub(super) token: Cow<'a, [u8]>,
    pub(super) place: PlaceId,
}

/// Why the credentials of a request are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialError {
    /// A place for a token holds something that is no token.
    Malformed,
    /// There are two.
    Multiple,
}

/// What one place holds.
type Found<'a> = Result<Cow<'a, [u8]>, CredentialError>;

impl Places {
    /// Collects the places of all rules. Of headers with the same name, the one with the longest
    /// prefix comes first: a place without a prefix would take what the other is for.
    pub(super) fn new<'a>(locations: impl IntoIterator<Item = &'a Location>) -> Self {
        let mut places = Vec::new();
        for location in locations {
            if !places.iter().any(|place| is_same(place, location)) {
                let shorter = |place| prefix_length(place) < prefix_length(location);
                let index = places.iter().position(shorter).unwrap_or(places.len());
                places.insert(index, location.clone());
            }
        }
        Self(places)
    }

    /// The place that a rule's location became.
    pub(super) fn find(&self, location: &Location) -> Option<PlaceId> {
        self.0.iter().position(|place| is_same(place, location)).map(PlaceId)
    }

    /// The location of a place.
    pub(super) fn location(&self, place: PlaceId) -> Option<&Location> {
        self.0.get(place.0)
    }

    /// The token of a request, if there is one.
    ///
    /// Refuses two credentials wherever they are (RFC 6750 §2), even the same one twice, and, here
    /// or in [`check`](Self::check), anything at a place for tokens that is no token: a second line
    /// or list element, quotes, spaces inside, a scheme that is not at the start. A header with
    /// another scheme holds no token.
    pub(super) fn extract<'a>(
        &self,
        request: &Request<'a>,
    ) -> Result<Option<Credential<'a>>, CredentialError> {
        let headers = Headers::of(request);
        let mut found: Option<(&Location, PlaceId, Found<'a>)> = None;
        for (index, location) in self.0.iter().enumerate() {
            if found.as_ref().is_some_and(|(other, ..)| is_same_header(other, location)) {
                continue;
            }
            let token = match location {
                Location::Header { name, prefix } => header::find(headers, name, prefix),
                Location::Parameter(name) => find_parameter(request.target, name).map(checked),
                Location::Cookie(name) => find_cookie(headers, name).map(checked),
            };
            let Some(token) = token else { continue };
            if found.is_some() {
                return Err(CredentialError::Multiple);
            }
            found = Some((location, PlaceId(index), token));
        }
        let Some((_, place, token)) = found else { return Ok(None) };
        Ok(Some(Credential { token: token?, place }))
    }

    /// Checks the characters of a token: what is left to do for one that is not known to be genuine,
    /// since a token that is has no others.
    ///
    /// # Errors
    /// It is no token, or it is two.
    pub(super) fn check(&self, credential: &Credential<'_>) -> Result<(), CredentialError> {
        if is_token68(&credential.token) {
            return Ok(());
        }
        match self.location(credential.place) {
            Some(Location::Header { prefix, .. }) => {
                Err(header::refusal(&credential.token, prefix))
            }
            Some(Location::Parameter(_) | Location::Cookie(_)) | None => {
                Err(CredentialError::Malformed)
            }
        }
    }
}

/// What a place holds, if it has the characters of a token.
fn checked(found: Found<'_>) -> Found<'_> {
    let token = found?;
    if is_token68(&token) { Ok(token) } else { Err(CredentialError::Malformed) }
}

fn find_parameter<'a>(target: &'a [u8], name: &str) -> Option<Found<'a>> {
    let mut parameters = query::parameters(target).filter(|parameter| parameter.is_named(name));
    let first = parameters.next()?;
    let is_only = parameters.next().is_none();
    Some(if is_only { Ok(query::decode(first.value)) } else { Err(CredentialError::Multiple) })
}

fn find_cookie<'a>(headers: Headers<'a>, name: &str) -> Option<Found<'a>> {
    match headers.cookie(name) {
        Cookie::Absent => None,
        Cookie::Present(value) => Some(Ok(Cow::Borrowed(value))),
        Cookie::Repeated => Some(Err(CredentialError::Multiple)),
    }
}

/// Whether two locations are in the same header, which holds one credential at most.
fn is_same_header(a: &Location, b: &Location) -> bool {
    match (a, b) {
        (Location::Header { name: a, .. }, Location::Header { name: b, .. }) => {
            a.eq_ignore_ascii_case(b)
        }
        (Location::Header { .. } | Location::Parameter(_) | Location::Cookie(_), _) => false,
    }
}

fn prefix_length(place: &Location) -> usize {
    match place {
        Location::Header { prefix, .. } => prefix.len(),
        Location::Parameter(_) | Location::Cookie(_) => 0,
    }
}

/// Whether two locations are one place.
fn is_same(a: &Location, b: &Location) -> bool {
    match (a, b) {
        (Location::Header { name: a, prefix: p }, Location::Header { name: b, prefix: q }) => {
            let bearer = header::is_bearer(p) && header::is_bearer(q);
            a.eq_ignore_ascii_case(b) && (bearer || p == q)
        }
        (Location::Parameter(a), Location::Parameter(b))
        | (Location::Cookie(a), Location::Cookie(b)) => a == b,
        (Location::Header { .. } | Location::Parameter(_) | Location::Cookie(_), _) => false,
    }
}

fn is_token68(token: &[u8]) -> bool {
    !token.is_empty() && Class::TOKEN68.has_all(token)
}

impl CredentialError {
    /// The reason to refuse such a request.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Malformed => Reason::CredentialMalformed,
            Self::Multiple => Reason::CredentialMultiple,
        }
    }
}

/// A token can't be formatted.
impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("place", &self.place).finish_non_exhaustive()
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a place for a token holds something that is no token",
            Self::Multiple => "more than one credential",
        })
    }
}

impl core::error::Error for CredentialError {}

#[cfg(test)]
mod tests;
