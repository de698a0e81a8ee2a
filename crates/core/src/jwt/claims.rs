//! The claims set of a token (RFC 7519 §4): registered claims in three states, and their checks.

mod date;

use core::fmt;

use crate::decision::Reason;
use crate::json::{Document, Place, Value, View};
use crate::time::{Seconds, UnixTime};
pub use date::NumericDate;

/// A claim: not there, there with a value that it can't have, or there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<T> {
    /// The claims set has no such member.
    Absent,
    /// The member has a type or a value that the claim can't have; never treated as absent.
    Malformed,
    /// The claim.
    Present(T),
}

/// The claims set of a token: a JSON object without duplicate members.
#[derive(Clone)]
pub struct Claims {
    document: Document,
    issuer: Claim<Place>,
    subject: Claim<Place>,
    audience: Claim<Place>,
    token_id: Claim<Place>,
    expires: Claim<NumericDate>,
    not_before: Claim<NumericDate>,
    issued: Claim<NumericDate>,
    shape: Result<(), ClaimError>,
}

/// What the time claims of a token must satisfy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRules {
    /// How far the clocks of issuer and verifier may be apart; at most 300 seconds make sense.
    pub clock_skew: Seconds,
    /// Whether a token without `exp` is refused.
    pub require_exp: bool,
    /// The longest accepted time from `iat` to `exp`; both are required then.
    pub max_lifetime: Option<Seconds>,
}

/// Why the claims of a genuine token are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimError {
    /// A required claim is absent.
    Missing(&'static str),
    /// A claim has the wrong type or an impossible value.
    Malformed(&'static str),
    /// `exp` has passed.
    Expired {
        /// The claim, whole seconds.
        exp: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// `nbf` is still to come.
    NotYetValid {
        /// The claim, whole seconds.
        nbf: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// `iat` is still to come.
    IssuedInFuture {
        /// The claim, whole seconds.
        iat: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// From `iat` to `exp` it is longer than accepted.
    Lifetime {
        /// The token's lifetime.
        lifetime: Seconds,
        /// The longest that is accepted.
        limit: Seconds,
    },
    /// No accepted audience is among the token's.
    Audience,
}

impl Claims {
    /// The claims of a document; none if it is no object.
    ///
    /// A claim with a wrong type is kept and reported by [`check_shape`](Self::check_shape): a
    /// token's issuer is needed before its signature can be checked, and nothing else is.
    pub(super) fn new(document: Document) -> Option<Self> {
        let (mut exp, mut nbf, mut iat) = (None, None, None);
        let (mut iss, mut sub, mut aud, mut jti) = (None, None, None, None);
        document.root().as_object()?.each(|name, value| {
            // Letter by letter, since comparing texts takes a call for each.
            let place = match name {
                [b'e', b'x', b'p'] => &mut exp,
                [b'n', b'b', b'f'] => &mut nbf,
                [b'i', b'a', b't'] => &mut iat,
                [b'i', b's', b's'] => &mut iss,
                [b's', b'u', b'b'] => &mut sub,
                [b'a', b'u', b'd'] => &mut aud,
                [b'j', b't', b'i'] => &mut jti,
                _ => return,
            };
            *place = Some(value);
        });
        let [expires, not_before, issued] = [exp, nbf, iat].map(date::read);
        let issuer = text(iss, |_| true);
        let subject = text(sub, |text| !text.is_empty() && !has_control(text));
        let audience = audience(aud);
        let token_id = text(jti, |_| true);
        let malformed = [
            ("iss", issuer.is_malformed()),
            ("sub", subject.is_malformed()),
            ("aud", audience.is_malformed()),
            ("exp", expires.is_malformed()),
            ("nbf", not_before.is_malformed()),
            ("iat", issued.is_malformed()),
            ("jti", token_id.is_malformed()),
        ];
        let shape = match malformed.into_iter().find(|(_, malformed)| *malformed) {
            Some((name, _)) => Err(ClaimError::Malformed(name)),
            None => Ok(()),
        };
        Some(Self {
            document,
            issuer,
            subject,
            audience,
            token_id,
            expires,
            not_before,
            issued,
            shape,
        })
    }

    /// The member of that exact name, for the policy.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.document.root().as_object()?.get(name)
    }

    /// The claims set itself.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        self.document.root()
    }

    /// `iss`: a string.
    #[must_use]
    pub fn issuer(&self) -> Claim<&str> {
        self.text_at(self.issuer)
    }

    /// `sub`: a string that is not empty and has no control characters.
    ///
    /// Empty is stricter than RFC 7519 §4.1.2; a subject that nobody has names nobody. Without a
    /// `sub` a token is valid and has no request principal.
    #[must_use]
    pub fn subject(&self) -> Claim<&str> {
        self.text_at(self.subject)
    }

    /// `jti`: a string.
    #[must_use]
    pub fn token_id(&self) -> Claim<&str> {
        self.text_at(self.token_id)
    }

    /// `aud`: a string, or an array of at least one; none of them empty.
    #[must_use]
    pub fn audience(&self) -> Claim<Audience<'_>> {
        match self.audience {
            Claim::Absent => Claim::Absent,
            Claim::Malformed => Claim::Malformed,
            Claim::Present(place) => Claim::Present(Audience(self.document.at(place))),
        }
    }

    /// `exp`
    #[must_use]
    pub fn expires(&self) -> Claim<NumericDate> {
        self.expires
    }

    /// `nbf`
    #[must_use]
    pub fn not_before(&self) -> Claim<NumericDate> {
        self.not_before
    }

    /// `iat`
    #[must_use]
    pub fn issued(&self) -> Claim<NumericDate> {
        self.issued
    }

    /// Refuses a token with a registered claim of the wrong type, whether or not it is looked at.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] names the first of them. Found once, not for each use of a remembered
    /// token.
    pub fn check_shape(&self) -> Result<(), ClaimError> {
        self.shape
    }

    /// Refuses a token without one of these claims; `null` is no value.
    ///
    /// # Errors
    /// [`ClaimError::Missing`], with the name of a registered claim or `required` for any other.
    pub fn check_required<T: AsRef<str>>(&self, names: &[T]) -> Result<(), ClaimError> {
        let is_there =
            |name: &str| !matches!(self.get(name).map(Value::view), None | Some(View::Null));
        match names.iter().map(AsRef::as_ref).find(|name| !is_there(name)) {
            None => Ok(()),
            Some(name) => {
                let known = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
                let known = known.into_iter().find(|known| *known == name);
                Err(ClaimError::Missing(known.unwrap_or("required")))
            }
        }
    }

    /// Refuses a token outside its time (RFC 7519 §4.1.4 to §4.1.6).
    ///
    /// Valid while `now < exp + skew` and `now + skew >= nbf` and `now + skew >= iat`. Fractions
    /// never lengthen that: `exp` is rounded down, `nbf` and `iat` up.
    ///
    /// # Errors
    /// The first rule that is broken.
    #[inline]
    pub fn check_time(&self, now: UnixTime, rules: &TimeRules) -> Result<(), ClaimError> {
        let expires = self.expires.value("exp")?;
        let not_before = self.not_before.value("nbf")?.map(NumericDate::ceil);
        let issued = self.issued.value("iat")?;
        if rules.require_exp && expires.is_none() {
            return Err(ClaimError::Missing("exp"));
        }
        let latest = now.plus(rules.clock_skew);
        if let Some(exp) = expires.map(NumericDate::floor)
            && now >= exp.plus(rules.clock_skew)
        {
            return Err(ClaimError::Expired { exp, now });
        }
        if let Some(nbf) = not_before.filter(|nbf| latest < *nbf) {
            return Err(ClaimError::NotYetValid { nbf, now });
        }
        if let Some(iat) = issued.map(NumericDate::ceil).filter(|iat| latest < *iat) {
            return Err(ClaimError::IssuedInFuture { iat, now });
        }
        rules.max_lifetime.map_or(Ok(()), |limit| check_lifetime(issued, expires, limit))
    }

    /// Refuses a token for other audiences; an empty list accepts any.
    ///
    /// Names compare byte by byte (RFC 7519 §4.1.3). Without an `aud`, a token is for nobody.
    ///
    /// # Errors
    /// [`ClaimError::Audience`], or [`ClaimError::Malformed`].
    pub fn check_audience<T: AsRef<str>>(&self, accepted: &[T]) -> Result<(), ClaimError> {
        if accepted.is_empty() {
            return Ok(());
        }
        let audience = self.audience().value("aud")?.ok_or(ClaimError::Audience)?;
        let is_accepted = |name: &str| accepted.iter().any(|accepted| accepted.as_ref() == name);
        if audience.names().any(is_accepted) { Ok(()) } else { Err(ClaimError::Audience) }
    }

    fn text_at(&self, place: Claim<Place>) -> Claim<&str> {
        match place {
            Claim::Absent => Claim::Absent,
            Claim::Malformed => Claim::Malformed,
            Claim::Present(place) => {
                self.document.at(place).as_str().map_or(Claim::Malformed, Claim::Present)
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.document.heap_bytes()
    }
}

/// The place of a claim that is such a string.
fn text(value: Option<Value<'_>>, is_good: impl Fn(&str) -> bool) -> Claim<Place> {
    let Some(value) = value else { return Claim::Absent };
    match value.as_str() {
        Some(text) if is_good(text) => Claim::Present(value.place()),
        Some(_) | None => Claim::Malformed,
    }
}

/// Whether a text has characters that are for a device and not for a reader.
fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.contains(char::is_control)
    }
}

fn audience(value: Option<Value<'_>>) -> Claim<Place> {
    let Some(value) = value else { return Claim::Absent };
    let is_name = |value: Value<'_>| value.as_str().is_some_and(|name| !name.is_empty());
    let is_good = match value.as_array() {
        Some(mut names) => names.clone().next().is_some() && names.all(is_name),
        None => is_name(value),
    };
    if is_good { Claim::Present(value.place()) } else { Claim::Malformed }
}

/// A lifetime compares whole seconds, so that equal fractions of `iat` and `exp` cancel out.
fn check_lifetime(
    issued: Option<NumericDate>,
    expires: Option<NumericDate>,
    limit: Seconds,
) -> Result<(), ClaimError> {
    let expires = expires.ok_or(ClaimError::Missing("exp"))?;
    let issued = issued.ok_or(ClaimError::Missing("iat"))?;
    let lifetime = expires.floor().since(issued.floor());
    if lifetime > limit { Err(ClaimError::Lifetime { lifetime, limit }) } else { Ok(()) }
}

/// The value of an `aud` claim.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a>(Value<'a>);

impl<'a> Audience<'a> {
    /// Each audience, in the order of the token.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        let list = self.0.as_array().into_iter().flatten().filter_map(Value::as_str);
        self.0.as_str().into_iter().chain(list)
    }
}

impl<T> Claim<T> {
    /// Whether the claim is there with a value that it can't have.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed)
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] with this name.
    pub fn value(self, name: &'static str) -> Result<Option<T>, ClaimError> {
        match self {
            Self::Absent => Ok(None),
            Self::Malformed => Err(ClaimError::Malformed(name)),
            Self::Present(value) => Ok(Some(value)),
        }
    }

    /// The value, which must be there.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] or [`ClaimError::Missing`] with this name.
    pub fn required(self, name: &'static str) -> Result<T, ClaimError> {
        self.value(name)?.ok_or(ClaimError::Missing(name))
    }
}

impl ClaimError {
    /// The claim that is refused.
    #[must_use]
    pub const fn claim(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing(claim) | Self::Malformed(claim) => claim,
            Self::Expired { .. } => "exp",
            Self::NotYetValid { .. } => "nbf",
            Self::IssuedInFuture { .. } => "iat",
            Self::Lifetime { .. } => return None,
            Self::Audience => "aud",
        })
    }

    /// The reason to refuse a request with such a token.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Missing(_) => Reason::ClaimMissing,
            Self::Malformed(_) => Reason::ClaimMalformed,
            Self::Expired { .. } => Reason::TokenExpired,
            Self::NotYetValid { .. } => Reason::TokenNotYetValid,
            Self::IssuedInFuture { .. } => Reason::TokenIssuedInFuture,
            Self::Lifetime { .. } => Reason::LifetimeExceeded,
            Self::Audience => Reason::AudienceMismatch,
        }
    }
}

/// Claims are personal data: they are formatted one by one, by those who know which.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(redacted)")
    }
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "claim {name} is missing"),
            Self::Malformed(name) => write!(f, "claim {name} is malformed"),
            Self::Expired { exp, now } => {
                write!(f, "expired at {}, now is {}", exp.seconds(), now.seconds())
            }
            Self::NotYetValid { nbf, now } => {
                write!(f, "not valid before {}, now is {}", nbf.seconds(), now.seconds())
            }
            Self::IssuedInFuture { iat, now } => {
                write!(f, "issued at {}, now is {}", iat.seconds(), now.seconds())
            }
            Self::Lifetime { lifetime, limit } => {
                write!(f, "lifetime of {} s, at most {} s are accepted", lifetime.0, limit.0)
            }
            Self::Audience => f.write_str("no accepted audience"),
        }
    }
}

impl core::error::Error for ClaimError {}

#[cfg(test)]
mod tests;
