//! Who sends a request, as far as a token says: where a token is found, which rule of the policy
//! it falls under, which keys may verify it, and what is remembered about it.

pub mod authenticate;
pub mod cache;
pub mod credential;
pub mod refresh;
pub mod rule;

pub use authenticate::{
    Acceptance, AcceptedToken, Authenticator, AuthnError, AuthnStep, AwaitingKeys,
    CheckingSignature,
};
pub use cache::TokenCache;
pub use credential::{Credential, CredentialError};
pub(crate) use refresh::metadata_uri;
pub use refresh::{
    Availability, FetchCause, FetchError, FetchFailure, FetchReport, KeySource, Keys,
    MetadataError, Milliseconds, RefreshRules, SourceId, UnixMillis, Want, max_age,
};
pub use rule::{ClaimHeader, JwtRule, Location, RuleKeys};
