//! Claims of the verified token.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::error::PolicyError;
use super::facts::View;
use super::pattern::{Patterns, Sense};
use crate::bytes::holds;
use crate::finding::FindingCode;
use crate::json::{Quoted, Value, View as Json};

/// The place of a claim: a name, or names of objects inside one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimPath(Box<[Box<str>]>);

impl ClaimPath {
    pub(super) fn top(name: &str) -> Self {
        Self([Box::from(name)].into())
    }

    /// `[a]` or `[a][b]`: everything between a pair of brackets is one name, dots included.
    ///
    /// Refuses brackets that don't pair up, and places at which a valid token has no string.
    pub(super) fn parse(key: &str, brackets: &str) -> Result<Self, PolicyError> {
        let mut names = Vec::new();
        let mut rest = brackets;
        while let Some((name, behind)) =
            rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            && !name.is_empty()
            && !holds(name, b'[')
        {
            names.push(Box::from(name));
            rest = behind;
        }
        if names.is_empty() || !rest.is_empty() {
            return Err(PolicyError::new(
                FindingCode::BadKey,
                format!("{} should have the form request.auth.claims[name][name]", Quoted(key)),
            ));
        }
        let path = Self(names.into());
        path.refuse_impossible(key)?;
        Ok(path)
    }

    fn refuse_impossible(&self, key: &str) -> Result<(), PolicyError> {
        let kind = match self.0.split_first() {
            Some((name, _)) if matches!(&**name, "exp" | "nbf" | "iat") => "a number",
            Some((name, rest)) if !rest.is_empty() => match &**name {
                "iss" | "sub" | "jti" => "a string",
                "aud" => "a string or a list of strings",
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        Err(PolicyError::new(
            FindingCode::NeverMatches,
            format!("{} never matches: this claim is {kind}; remove the condition", Quoted(key)),
        ))
    }

    /// Whether this is the claim of that name, not inside another.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(&*self.0, [only] if **only == *name)
    }

    /// From the outermost object to the claim.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(super) fn is_scope(&self) -> bool {
        ["scope", "scp", "permission"].iter().any(|name| self.is(name))
    }
}

/// Values of a claim.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) path: ClaimPath,
    pub(super) patterns: Patterns,
    pub(super) sense: Sense,
}

impl Claim {
    /// A string or a string inside a list matches; numbers and everything else never do.
    pub(super) fn matches(&self, view: &View<'_>) -> bool {
        let facts = view.facts;
        // These two are what the token was accepted for, and have one source.
        if self.path.is("iss") || self.path.is("sub") {
            let text = if self.path.is("iss") { facts.issuer } else { facts.subject };
            return text.is_some_and(|text| self.patterns.matches(text.as_bytes()));
        }
        let Some((leaf, objects)) = self.path.0.split_last() else { return false };
        let mut claims = facts.claims;
        for name in objects {
            claims = claims.and_then(|claims| claims.get(name)).and_then(Value::as_object);
        }
        let Some(value) = claims.and_then(|claims| claims.get(leaf)) else { return false };
        match value.view() {
            Json::String(text) if objects.is_empty() && is_list_of_words(leaf, view) => {
                self.matches_words(text)
            }
            Json::String(text) => self.patterns.matches(text.as_bytes()),
            Json::Array(list) => {
                list.filter_map(Value::as_str).any(|text| self.patterns.matches(text.as_bytes()))
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => false,
        }
    }

    /// Envoy replaces such a string by the list of its words; a refusal looks at both.
    fn matches_words(&self, text: &str) -> bool {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        words.any(|word| self.patterns.matches(word.as_bytes()))
            || (self.sense == Sense::Wide && self.patterns.matches(text.as_bytes()))
    }
}

fn is_list_of_words(name: &str, view: &View<'_>) -> bool {
    matches!(name, "scope" | "permission")
        || view.facts.space_delimited.iter().any(|claim| **claim == *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, Document};
    use crate::policy::facts::tests_support::facts;
    use crate::policy::pattern::{Case, Pattern, Star};

    const CLAIMS: &str = r#"{
        "iss":"wrong","group":"admin","groups":["a","b",["c"],5],"level":5,"yes":true,"none":null,
        "a":{"b":"x","list":["y"]},"a.b":"dotted","https://x/y":"url","l":[{"b":"z"}],
        "scope":"read  write","scp":"read write","permission":["p q","r"],"roles":"r1 r2",
        "nested":{"scope":"n1 n2"},"lines":"a\nb","tabs":"t1\tt2"}"#;

    fn matches(path: &str, value: &str, sense: Sense) -> bool {
        const BOUNDS: Bounds = Bounds { bytes: 4096, depth: 8, members: 64 };
        let document = Document::parse(CLAIMS.as_bytes(), &BOUNDS).unwrap();
        let facts = crate::policy::Facts {
            claims: document.root().as_object(),
            issuer: Some("issuer"),
            subject: None,
            space_delimited: &["roles".into(), "tabs".into()],
            ..facts()
        };
        let pattern = Pattern::parse(value).unwrap();
        let patterns = Patterns::new([pattern].into(), Star::regex(sense), Case::Sensitive);
        let path = ClaimPath::parse(path, path).unwrap();
        Claim { path, patterns, sense }.matches(&View::of(&facts))
    }

    #[test]
    fn strings_and_members_of_lists_match_and_nothing_is_coerced() {
        for (path, value, expected) in [
            ("[group]", "admin", true),
            ("[group]", "adm*", true),
            ("[group]", "Admin", false),
            ("[groups]", "a", true),
            ("[groups]", "c", false),
            ("[groups]", "5", false),
            ("[level]", "5", false),
            ("[level]", "*", false),
            ("[yes]", "true", false),
            ("[none]", "*", false),
            ("[a]", "*", false),
            ("[absent]", "*", false),
            ("[a][b]", "x", true),
            ("[a][list]", "y", true),
            ("[a.b]", "dotted", true),
            ("[a][b][c]", "*", false),
            ("[l][b]", "z", false),
            ("[https://x/y]", "url", true),
            ("[iss]", "issuer", true),
            ("[iss]", "wrong", false),
            ("[sub]", "*", false),
        ] {
            for sense in [Sense::Narrow, Sense::Wide] {
                assert_eq!(matches(path, value, sense), expected, "{path} {value}");
            }
        }
    }

    #[test]
    fn words_are_split_at_spaces_in_named_top_level_strings_only() {
        for (path, value, narrow, wide) in [
            ("[scope]", "read", true, true),
            ("[scope]", "write", true, true),
            ("[scope]", "read  write", false, true),
            ("[scp]", "read", false, false),
            ("[scp]", "read write", true, true),
            ("[permission]", "p q", true, true),
            ("[permission]", "p", false, false),
            ("[roles]", "r2", true, true),
            ("[nested][scope]", "n1", false, false),
            ("[nested][scope]", "n1 n2", true, true),
            ("[tabs]", "t1", false, false),
        ] {
            assert_eq!(matches(path, value, Sense::Narrow), narrow, "{path} {value}");
            assert_eq!(matches(path, value, Sense::Wide), wide, "{path} {value}");
        }
    }

    #[test]
    fn only_a_refusal_takes_a_claim_of_two_lines_for_present() {
        assert!(!matches("[lines]", "*", Sense::Narrow));
        assert!(matches("[lines]", "*", Sense::Wide));
    }

    #[test]
    fn a_place_that_no_token_has_is_refused() {
        for (brackets, code) in [
            ("", "bad_key"),
            ("[]", "bad_key"),
            ("[a", "bad_key"),
            ("[a]]", "bad_key"),
            ("[a][]", "bad_key"),
            ("[[a]]", "bad_key"),
            ("[a].b", "bad_key"),
            ("[exp]", "never_matches"),
            ("[iat][x]", "never_matches"),
            ("[iss][x]", "never_matches"),
            ("[aud][0]", "never_matches"),
        ] {
            assert_eq!(
                ClaimPath::parse("k", brackets).unwrap_err().code.name(),
                code,
                "{brackets}"
            );
        }
        for brackets in ["[iss]", "[sub]", "[aud]", "[a][exp]", "[a.b/c]", "[a][b][c]"] {
            assert!(ClaimPath::parse("k", brackets).is_ok(), "{brackets}");
        }
    }
}
