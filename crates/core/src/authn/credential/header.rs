//! A token behind a prefix in a header.

use alloc::borrow::Cow;

use super::{CredentialError, Found};
use crate::request::headers::Headers;

const BEARER: &str = "bearer";

/// Whether a prefix is the Bearer scheme.
pub(super) fn is_bearer(prefix: &str) -> bool {
    prefix.trim_end().eq_ignore_ascii_case(BEARER)
}

/// The token behind a prefix in a header.
///
/// Several lines count as one with commas between them (RFC 9110 §5.3), so that a host which joins
/// lines gives the same answer.
pub(super) fn find<'a>(headers: Headers<'a>, name: &str, prefix: &str) -> Option<Found<'a>> {
    let scheme = Scheme::of(prefix);
    let mut lines = headers.lines(name);
    let first = lines.next()?;
    match lines.next() {
        None => scheme.find(first).map(|found| found.map(Cow::Borrowed)),
        Some(second) => {
            let mut joined = first.to_vec();
            for line in core::iter::once(second).chain(lines) {
                joined.push(b',');
                joined.extend_from_slice(line);
            }
            scheme.find(&joined).map(|found| found.map(|token| Cow::Owned(token.to_vec())))
        }
    }
}

/// Why what followed a prefix in a header is no token: it is two, or something else.
pub(super) fn refusal(rest: &[u8], prefix: &str) -> CredentialError {
    Scheme::of(prefix).refusal(rest)
}

/// What stands before a token in a header value.
#[derive(Clone, Copy)]
enum Scheme<'p> {
    Bearer,
    Prefix(&'p [u8]),
}

impl<'p> Scheme<'p> {
    fn of(prefix: &'p str) -> Self {
        if is_bearer(prefix) { Self::Bearer } else { Self::Prefix(prefix.as_bytes()) }
    }

    /// The token in a value, if it has a token's characters, which nobody has looked at.
    fn find(self, value: &[u8]) -> Option<Result<&[u8], CredentialError>> {
        let Some(rest) = self.strip(value) else {
            return self.is_inside(value).then_some(Err(CredentialError::Malformed));
        };
        Some(self.token(rest).ok_or_else(|| self.refusal(rest)))
    }

    /// What a value is refused for that has this behind its prefix, and more than a token in it.
    fn refusal(self, rest: &[u8]) -> CredentialError {
        let Some(comma) = rest.iter().position(|byte| *byte == b',') else {
            return CredentialError::Malformed;
        };
        let others = rest.get(comma.saturating_add(1)..).unwrap_or_default();
        let has_second = others
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|element| !element.is_empty() && self.strip(element).is_some());
        if has_second { CredentialError::Multiple } else { CredentialError::Malformed }
    }

    /// What follows the prefix at the start of a value.
    fn strip(self, value: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Bearer => {
                let (start, rest) = value.split_at_checked(BEARER.len())?;
                start.eq_ignore_ascii_case(BEARER.as_bytes()).then_some(rest)
            }
            Self::Prefix(prefix) => value.strip_prefix(prefix),
        }
    }

    /// The token in what follows the prefix; the scheme Bearer ends with a space.
    fn token(self, rest: &[u8]) -> Option<&[u8]> {
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        match self {
            Self::Bearer if spaces == 0 => None,
            Self::Bearer | Self::Prefix(_) => rest.get(spaces..),
        }
    }

    /// Whether a value has the prefix and a space, but not at its start. Envoy finds a token there.
    fn is_inside(self, value: &[u8]) -> bool {
        match self {
            Self::Bearer => value.windows(BEARER.len().saturating_add(1)).any(|window| {
                self.strip(window).is_some_and(|rest| matches!(rest, [b' ' | b'\t']))
            }),
            Self::Prefix(prefix) => {
                value.windows(prefix.len().max(1)).any(|window| window == prefix)
            }
        }
    }
}
