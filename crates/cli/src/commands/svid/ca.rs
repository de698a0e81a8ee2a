//! `lychgate svid ca`.

use std::path::PathBuf;

use clap::Args;
use lychgate_core::spiffe::TrustDomain;
use rcgen::{BasicConstraints, IsCa, KeyUsagePurpose, SanType};

use super::certificate::{self, Key, failed};
use crate::clock::Span;
use crate::error::CliError;
use crate::output::Existing;

/// Options of `svid ca`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Trust domain that the authority speaks for
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = trust_domain)]
    trust_domain: TrustDomain,
    /// How long it is valid
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    expires_in: Span,
    /// Where to write: FILE.pem and FILE.key
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace files that are already there
    #[arg(long)]
    force: bool,
}

fn trust_domain(text: &str) -> Result<TrustDomain, String> {
    TrustDomain::parse(text).map_err(|error| error.to_string())
}

pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let key = Key::generate();
    let is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let mut parameters = certificate::parameters(&key, is_ca, options.expires_in)?;
    parameters.distinguished_name = certificate::authority_name(&key);
    // X509-SVID §3: a signing certificate's SPIFFE ID has no path.
    let id = format!("spiffe://{}", options.trust_domain.as_str());
    parameters.subject_alt_names = vec![SanType::URI(id.try_into().map_err(failed)?)];
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    let existing = if options.force { Existing::Replace } else { Existing::Keep };
    certificate::write(&options.output, &certificate, &key, existing)
}
