//! What a bundle is warned about or refused for: a closed list of codes, each with its risk and fix.

use alloc::string::String;
use core::fmt;

/// Longest pointer and longest detail in bytes: both may repeat what a bundle says, and a line of a
/// log is not the place for megabytes of it.
const TEXT_BYTES: usize = 1024;

/// Something in a bundle that is refused, or that loads and is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing it is.
    pub code: FindingCode,
    /// The place in the bundle, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What stands there, or the other place that it depends on; may be empty.
    pub detail: String,
}

impl Finding {
    pub(crate) fn new(code: FindingCode, pointer: String, mut detail: String) -> Self {
        shorten(&mut detail);
        Self { code, pointer: nearest_place(pointer), detail }
    }

    /// Whether the bundle loads all the same.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What may go wrong, in one sentence.
    #[must_use]
    pub const fn risk(&self) -> &'static str {
        self.code.risk()
    }

    /// What to write instead, in one sentence.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        self.code.fix()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, pointer, detail } = self;
        let colon = if detail.is_empty() { "" } else { ": " };
        write!(f, "{pointer}: {detail}{colon}{} [{}]", code.risk(), code.name())
    }
}

/// Whether a bundle loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It loads, and somebody should look.
    Warning,
    /// It does not.
    Error,
}

impl Severity {
    /// `warning` or `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The innermost place around `pointer` whose pointer is short enough.
pub(crate) fn nearest_place(mut pointer: String) -> String {
    while pointer.len() > TEXT_BYTES {
        pointer.truncate(pointer.rfind('/').unwrap_or(0));
    }
    pointer
}

pub(crate) fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text.push_str(" ...");
    }
}

/// Declares the codes: variant, name, severity, risk, fix.
macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $risk:literal $fix:literal)*) => {
        /// The stable code of a finding; `docs/istio.md` lists all of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode {
            $(#[doc = $risk] $variant,)*
        }

        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether a bundle with such a thing loads.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What may go wrong, in one sentence.
            #[must_use]
            pub const fn risk(self) -> &'static str {
                match self { $(Self::$variant => $risk,)* }
            }

            /// What to write instead, in one sentence.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)* }
            }
        }
    };
}

codes! {
    Json "json" Error
        "the text is not strict JSON, so two readers could take it for two policies"
        "correct the text at the byte that is named"
    Shape "shape" Error
        "a member that is missing, unknown or of the wrong type would be left out, and what it was meant to say with it"
        "correct the name or the type; docs/istio.md lists every field"
    Kind "kind" Error
        "a resource of an unknown kind would not be enforced"
        "use AuthorizationPolicy, RequestAuthentication or PeerAuthentication of security.istio.io/v1"
    Setting "setting" Error
        "a setting that can't be taken as it is written would leave a default in force that nobody chose"
        "write a value of the range that is named; docs/settings.md has all of them"
    Workload "workload" Error
        "without a proper description of the workload the wrong policies would be selected"
        "correct the description; lychgate compile writes it from its options"
    Selection "selection" Error
        "it is not clear whether the resource applies to this workload"
        "write one selector with labels, or targetRefs that name what the workload serves"
    Unrestricted "unrestricted" Error
        "no AuthorizationPolicy applies, so everybody could call the workload"
        "correct the namespace or the labels, or set settings.allowUnrestricted if it is meant"
    Authentication "authentication" Error
        "tokens could not be verified as the rule says"
        "correct the rule as the message says; docs/istio.md explains every field"
    PeerAuthentication "peer_authentication" Error
        "it is not clear on which ports a verified peer is required"
        "correct the resource as the message says"
    Keys "keys" Error
        "a key set that can't be used whole and safely could let forged tokens in"
        "publish a set of sound public keys, each with its own kid"
    CustomAction "custom_action" Error
        "CUSTOM asks an external authorizer, and here is none to ask"
        "write the rules as ALLOW or DENY, or leave this policy to the proxy alone"
    ProviderWithoutCustom "provider_without_custom" Error
        "only CUSTOM has a provider, so the policy does not do what it looks like"
        "remove the provider"
    RulesMissing "rules_missing" Error
        "a DENY without rules refuses nothing"
        "write rules: [{}] to refuse everything, or remove the policy"
    TooMany "too_many" Error
        "a policy of this size can't be decided in bounded time"
        "merge rules: every field takes a list of values"
    EmptyList "empty_list" Error
        "an empty list says nothing, and reads as if it said \"nobody\""
        "remove the list, or fill it"
    EmptySource "empty_source" Error
        "an empty source is anybody"
        "remove the from, or name a source"
    ConflictingSource "conflicting_source" Error
        "serviceAccounts do not combine with principals and namespaces in one source"
        "write the accounts as principals, or the sources as two entries of from"
    EmptyOperation "empty_operation" Error
        "an empty operation is any operation"
        "remove the to, or name an operation"
    EmptyValue "empty_value" Error
        "an empty string is no value, and never matches"
        "remove the value, or write it"
    ValuesMissing "values_missing" Error
        "a condition that compares with nothing says nothing"
        "give it values or notValues"
    UnknownAttribute "unknown_attribute" Error
        "Istio drops a rule with a key that it does not know, also in a DENY"
        "use one of the keys that are named"
    BadKey "bad_key" Error
        "the key names no attribute, so the condition could never hold"
        "write the key in the form that is named"
    NeverMatches "never_matches" Error
        "the value can never match: an ALLOW grants nothing by it, a DENY refuses nothing"
        "write the value as the message has it"
    WildcardInMiddle "wildcard_in_middle" Error
        "a star in the middle is a literal star, so the value never matches"
        "put one star at the start or at the end; in paths, {*} is one segment"
    SpiffeScheme "spiffe_scheme" Error
        "principals are written without spiffe://, so the value never matches"
        "remove spiffe:// from it"
    BadNamespace "bad_namespace" Error
        "no namespace is called so, and the value never matches"
        "write the name alone, or use principals to say more than the namespace"
    BadServiceAccount "bad_service_account" Error
        "no service account is called so, and the value never matches"
        "write account, or namespace/account, without wildcards"
    BadTrustDomain "bad_trust_domain" Error
        "no trust domain is called so, and the value never matches"
        "write the name alone, without scheme and path"
    BadCidr "bad_cidr" Error
        "the value is no address or block of addresses, or one that no address is in"
        "write an address or a CIDR block, IPv4 as IPv4"
    SourceAddressUnknown "source_address_unknown" Error
        "the address of the physical peer is not known for sure, and a client could choose the one that is seen"
        "use remoteIpBlocks or remote.ip, or set settings.sourceAddressIsPeer where the listener trusts neither X-Forwarded-For nor PROXY protocol"
    BadPort "bad_port" Error
        "the value is no port, and never matches"
        "write a number from 0 to 65535"
    BadPath "bad_path" Error
        "no path looks so when it is compared, and the value never matches"
        "write the path as the message has it: from its first slash, decoded, without query"
    BadPathTemplate "bad_path_template" Error
        "Envoy does not take the template"
        "use {*} for one whole segment, and {**} once, for the rest"

    SplitRule "split_rule" Warning
        "rules are alternatives: the one with only from allows these callers everything, the one with only to allows everybody these operations"
        "write from and to in one rule: one dash, not two"
    DenyAbsent "deny_absent" Warning
        "a request that lacks this identity or claim is not refused by the rule"
        "also refuse the absent with a DENY rule on notPrincipals, notRequestPrincipals or notValues of [\"*\"], or have every ALLOW rule demand it"
    AllowNegative "allow_negative" Warning
        "the rule only says who may not: it admits callers without any identity, and whoever is added later"
        "demand an identity beside the exceptions: principals or requestPrincipals of [\"*\"], or better the names"
    AllowEverything "allow_everything" Warning
        "the rule allows everybody everything, whatever the other rules say"
        "name who may do what, or remove the rule"
    NotEnforced "not_enforced" Warning
        "every AuthorizationPolicy here is AUDIT or dry-run, so nothing is refused"
        "remove the annotation istio.io/dry-run, or add an ALLOW policy that is enforced"
    SelectsNothing "selects_nothing" Warning
        "the resource applies to no workload and is not enforced anywhere"
        "correct the namespace, the selector or the targetRefs, or remove the resource"
    ShadowedRule "shadowed_rule" Warning
        "another rule of the same action covers everything that this one matches, so it changes nothing"
        "narrow the other rule if this one was meant to limit it, or remove this one"
    UnreachableRule "unreachable_rule" Warning
        "a DENY rule refuses everything that this rule allows, so it grants nothing"
        "narrow the DENY rule, or remove this one"
    PathSlash "path_slash" Warning
        "the rule does not refuse the path with or without a slash at its end, which many servers take for the same page"
        "name both forms, as in [\"/admin\", \"/admin/*\"], or allow by path in place of refusing"
    PathCase "path_case" Warning
        "paths compare with case, and a server that ignores it answers what the rule does not refuse"
        "allow by path in place of refusing, or make sure that the server tells the case"
    HostPort "host_port" Warning
        "a host with a port and the same host without are two values, and the client chooses which it sends"
        "name both forms, as in [\"example.com\", \"example.com:*\"]"
    LiteralStar "literal_star" Warning
        "the star is compared literally here: it stands for nothing but itself"
        "write it out; a star is a wildcard at one end of a value only, and not in names, issuers and audiences"
    OpenPrefix "open_prefix" Warning
        "the prefix also fits every longer name, of a neighbour or of an attacker who may choose one"
        "end it with a slash before the star, or write the name out"
    AnyTrustDomain "any_trust_domain" Warning
        "an account of this name in any trust domain is admitted"
        "name the trust domain in place of the star"
    UnknownTrustDomain "unknown_trust_domain" Warning
        "the principal's trust domain is neither this mesh's nor an alias of it"
        "correct it, or add it to the workload's trustDomainAliases"
    LowerCaseMethod "lower_case_method" Warning
        "methods compare with case, and those of HTTP are in capitals"
        "write it in capitals"
    NotAscii "not_ascii" Warning
        "letters outside ASCII may look like others, and names in this field have none"
        "type the value anew in ASCII"
    AudienceAny "audience_any" Warning
        "a token that was issued for any other service is accepted here"
        "name the audiences of this service"
    SymmetricKey "symmetric_key" Warning
        "the key that checks tokens also makes them: whoever reads this bundle can forge them"
        "use an issuer with an asymmetric key"
    KeySkipped "key_skipped" Warning
        "a key of the set is not used, and its tokens are refused"
        "replace the key, or remove it from the set"
    KeysWithoutTls "keys_without_tls" Warning
        "whoever is on the way to the keys can replace them and forge tokens"
        "fetch the keys over https"
    Shadow "shadow" Warning
        "nothing is refused: decisions are only logged and counted"
        "remove settings.shadow once the records look right"
    PathForms "path_forms" Warning
        "a path with two readings is matched in one of them, and the server may choose the other"
        "normalise paths in the host, and remove settings.acceptedPathForms"
    UnrestrictedAllowed "unrestricted_allowed" Warning
        "if no AuthorizationPolicy applies, everybody may call"
        "remove settings.allowUnrestricted, and write the policy"
    ExpOptional "exp_optional" Warning
        "a token without exp is valid for ever"
        "remove settings.requireExp, and have the issuer set exp"
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn a_detail_may_have_1024_bytes_and_is_then_cut_between_characters() {
        let cut = |mut text: String| {
            shorten(&mut text);
            text
        };
        let most = "x".repeat(TEXT_BYTES);
        assert_eq!(cut(most.clone()), most);
        let long = alloc::format!("{}\u{e9}\u{e9}", "x".repeat(TEXT_BYTES - 1));
        assert_eq!(cut(long), alloc::format!("{} ...", "x".repeat(TEXT_BYTES - 1)));
    }

    #[test]
    fn a_finding_is_written_with_its_place_risk_and_code() {
        let finding = |detail: &str| {
            Finding::new(FindingCode::LowerCaseMethod, "/a/0".into(), detail.into()).to_string()
        };
        let risk = FindingCode::LowerCaseMethod.risk();
        assert_eq!(finding(""), alloc::format!("/a/0: {risk} [lower_case_method]"));
        assert_eq!(finding("get"), alloc::format!("/a/0: get: {risk} [lower_case_method]"));
    }

    #[test]
    fn risks_and_fixes_are_sentences_in_the_form_of_messages() {
        for code in FindingCode::ALL {
            for text in [code.risk(), code.fix()] {
                let words = text.split(' ').count();
                assert!((3..=40).contains(&words) && !text.ends_with('.'), "{text}");
                let first = text.split(' ').next().unwrap();
                let is_name = first.chars().skip(1).any(char::is_uppercase) || first == "Istio";
                assert!(
                    is_name || first == "Envoy" || !first.starts_with(char::is_uppercase),
                    "{text}"
                );
            }
        }
    }
}
