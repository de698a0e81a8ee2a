//! `lychgate svid x509`.

use std::path::PathBuf;

use clap::Args;
use lychgate_core::spiffe::SpiffeId;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, SanType,
};

use super::certificate::{self, Key, failed, with_suffix};
use crate::clock::Span;
use crate::error::CliError;
use crate::output::Existing;

/// Options of `svid x509`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// SPIFFE ID of the workload
    #[arg(long, value_name = "URI", value_parser = super::spiffe_id)]
    spiffe_id: SpiffeId,
    /// The authority's files, without .pem and .key
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// A DNS name besides; may be repeated
    #[arg(long = "dns-name", value_name = "NAME")]
    dns_names: Vec<String>,
    /// Another URI besides, which makes the certificate no SVID; to see it refused. May be repeated
    #[arg(long = "extra-uri", value_name = "URI")]
    extra_uris: Vec<String>,
    /// How long it is valid
    #[arg(long, value_name = "SPAN", default_value = "1h", allow_hyphen_values = true)]
    expires_in: Span,
    /// Where to write: FILE.pem and FILE.key
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace files that are already there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let authority = Key::read(&with_suffix(&options.ca, ".key"))?;
    let key = Key::generate();
    let mut parameters = certificate::parameters(&key, IsCa::NoCa, options.expires_in)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "lychgate development");
    parameters.subject_alt_names = names(options)?;
    // X509-SVID §4.3 and §4.4.
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = parameters.signed_by(&key, &issuer(authority)).map_err(failed)?;
    let existing = if options.force { Existing::Replace } else { Existing::Keep };
    certificate::write(&options.output, &certificate, &key, existing)
}

fn issuer(authority: Key) -> Issuer<'static, Key> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = certificate::authority_name(&authority);
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(authority.identifier());
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Issuer::new(parameters, authority)
}

fn names(options: &Options) -> Result<Vec<SanType>, CliError> {
    let uris = core::iter::once(options.spiffe_id.as_str())
        .chain(options.extra_uris.iter().map(String::as_str));
    let uris = uris.map(|uri| Ok(SanType::URI(uri.try_into().map_err(failed)?)));
    let names = options.dns_names.iter();
    let names = names.map(|name| Ok(SanType::DnsName(name.as_str().try_into().map_err(failed)?)));
    uris.chain(names).collect()
}
