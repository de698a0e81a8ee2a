//! Stars anywhere, each for any text: only `namespaces` has this form.

use alloc::boxed::Box;

use super::index::Key;
use crate::bytes::place_of;

/// A text with stars. Matching never goes back: the leftmost place of each piece is the right one. Each
/// piece is compared at every place of a SPIFFE ID, which has at most 2,048 bytes: the standard
/// library's search, which is linear, brings 4.6 KB into the npm package.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    /// What stands before the first star.
    head: Box<str>,
    /// What stands behind it; absent without a star.
    rest: Option<Rest>,
}

#[derive(Debug, Clone)]
struct Rest {
    /// What stands between two stars.
    pieces: Box<[Box<str>]>,
    /// What stands behind the last star.
    tail: Box<str>,
}

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        let Some((head, rest)) = text.split_once('*') else {
            return Self { head: text.into(), rest: None };
        };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let pieces = middle.split('*').map(Into::into).collect();
        Self { head: head.into(), rest: Some(Rest { pieces, tail: tail.into() }) }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(Rest { pieces, tail }) = &self.rest else { return *text == *self.head };
        let Some(mut text) = text.strip_prefix(&*self.head) else { return false };
        for piece in pieces {
            let place = place_of(text.as_bytes(), piece.as_bytes());
            let behind = place.and_then(|place| text.get(place.saturating_add(piece.len())..));
            match behind {
                Some(behind) => text = behind,
                None => return false,
            }
        }
        text.ends_with(&**tail)
    }

    pub(super) fn key(&self) -> Key {
        let head = self.head.as_bytes().into();
        match self.rest {
            Some(_) => Key::Prefix(head),
            None => Key::Exact(head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (glob, yes, no) in [
            ("ab", &["ab"][..], &["a", "abc", ""][..]),
            ("*", &["", "a"], &[]),
            ("a*", &["a", "ab"], &["ba"]),
            ("*a", &["a", "ba"], &["ab"]),
            ("a*b", &["ab", "axb"], &["a", "b", "aba"]),
            ("*a*", &["a", "xax"], &["", "x"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("a*b*a", &["aba", "axbya"], &["aa", "ab"]),
            ("*/ns/a/*", &["x/ns/a/", "/ns/a/sa/b"], &["/ns/a", "ns/a/"]),
        ] {
            for text in yes {
                assert!(Glob::new(glob).matches(text), "{glob} {text}");
            }
            for text in no {
                assert!(!Glob::new(glob).matches(text), "{glob} {text}");
            }
        }
    }
}
