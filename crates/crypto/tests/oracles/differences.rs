//! Every case in which we refuse what the vectors' author calls valid or acceptable, and the one
//! kind of case in which it is the other way round.

use std::collections::BTreeMap;

/// Why our answer differs. Each reason is a rule of ours, not a property of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    /// RFC 8725 names no floor for e, but 3 is what forgeries of the CVE-2006-4339 kind need, and
    /// every generator in use makes 65537.
    ExponentOtherThan65537,
    /// RFC 8017 §9.2 allows a verifier to accept a `DigestInfo` without the NULL; we make the
    /// encoding again and compare it whole, so there is one encoding only.
    DigestInfoWithoutNull,
    /// RFC 7518 §3.5: the salt has the size of the hash.
    SaltOfAnotherLength,
    /// RFC 7518 §3.5: MGF1 uses the same hash as the message.
    MaskOfAnotherHash,
    /// RFC 7518 §3.2: a secret is at least as long as the hash.
    ShortSecret,
    /// RFC 7518 §3.2 knows whole tags only.
    TruncatedTag,
    /// ES512 (P-521) is not among the algorithms that Lychgate verifies.
    Es512,
    /// The one acceptance: a set that wants salts of 0 bytes calls the salt wrong that
    /// RFC 7518 §3.5 demands.
    SaltOfTheHashLength,
}

use Difference::*;

/// How often each reason occurs in each set of vectors.
const EXPECTED: &[(&str, Difference, usize)] = &[
    ("cookbook", Es512, 1),
    ("hmac", ShortSecret, 18),
    ("hmac", TruncatedTag, 90),
    ("rfc", Es512, 1),
    ("rsa_pkcs1", DigestInfoWithoutNull, 12),
    ("rsa_pkcs1", ExponentOtherThan65537, 5),
    ("rsa_pss", MaskOfAnotherHash, 339),
    ("rsa_pss", SaltOfAnotherLength, 416),
    ("rsa_pss", SaltOfTheHashLength, 2),
];

/// What a run found.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    found: BTreeMap<(String, Difference), usize>,
    agreed: usize,
    errors: Vec<String>,
}

/// What the vectors' author says about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Valid,
    /// A verifier may accept it or not.
    Acceptable,
    Invalid,
}

impl Ledger {
    /// Notes one case: our answer, the author's, and the rule of ours that it breaks, if any.
    pub(crate) fn note(
        &mut self,
        set: &str,
        case: &dyn core::fmt::Display,
        label: Label,
        rule: Option<Difference>,
        accepted: bool,
    ) {
        match (label, rule, accepted) {
            (Label::Invalid, _, false) | (Label::Valid, None, true) => self.agreed += 1,
            (Label::Invalid, Some(rule @ SaltOfTheHashLength), true)
            | (Label::Valid | Label::Acceptable, Some(rule), false) => {
                *self.found.entry((set.to_owned(), rule)).or_default() += 1;
            }
            (label, rule, accepted) => self.errors.push(format!(
                "{set} {case}: labelled {label:?}, our rule {rule:?}, accepted {accepted}"
            )),
        }
    }

    /// Fails unless the differences in these sets are exactly those that are listed.
    pub(crate) fn settle(self, sets: &[&str], cases: usize) {
        assert!(self.errors.is_empty(), "{:#?}", self.errors);
        let expected: BTreeMap<_, _> = EXPECTED
            .iter()
            .filter(|(set, ..)| sets.contains(set))
            .map(|&(set, rule, count)| ((set.to_owned(), rule), count))
            .collect();
        assert_eq!(self.found, expected);
        assert_eq!(self.agreed + self.found.values().sum::<usize>(), cases, "cases");
    }
}
