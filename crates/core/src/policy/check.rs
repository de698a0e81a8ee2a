//! One condition of a rule.

use alloc::borrow::Cow;

use super::attribute::Dependence;
use super::facts::View;
use super::matcher::Matcher;

/// A condition: one of the values must match, or none may.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// How audit records name it.
    pub(super) label: Cow<'static, str>,
    pub(super) dependence: Dependence,
    pub(super) negated: bool,
    pub(super) matcher: Matcher,
}

/// What is taken for granted, to find out what a request lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assume {
    /// Nothing: this is how decisions are made.
    Nothing,
    /// Every condition on the token holds.
    Token,
    /// No condition on the token holds.
    NoToken,
    /// Every scope is there.
    Scopes,
}

impl Check {
    pub(super) fn holds(&self, view: &View<'_>, assume: Assume) -> bool {
        match (assume, self.dependence) {
            (Assume::Token, Dependence::Token | Dependence::Scope) => true,
            (Assume::NoToken, Dependence::Token | Dependence::Scope) => false,
            (Assume::Scopes, Dependence::Scope) if !self.negated => true,
            _ => self.matcher.matches(view) != self.negated,
        }
    }
}
