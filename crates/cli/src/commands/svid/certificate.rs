//! Certificates on P-256, signed here, and the files they lie in.

use std::path::{Path, PathBuf};

use p256::ecdsa::{DerSignature, SigningKey, signature::Signer as _};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, IsCa, KeyIdMethod, PublicKeyData, SerialNumber,
    SignatureAlgorithm,
};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::clock::{self, Span};
use crate::error::CliError;
use crate::input;
use crate::output::{self, Access, Existing};

/// What begins every file with a private key. RFC 7468 §2 lets readers skip it.
const MARK: &str = "# lychgate: development only, never deploy\n";

/// Clocks of machines in one room differ by less.
const BACKDATE_SECONDS: i64 = 300;

/// A private key that can sign certificates.
pub(super) struct Key {
    signing: SigningKey,
    /// The uncompressed point, as SubjectPublicKeyInfo holds it.
    point: Vec<u8>,
}

impl Key {
    /// A new key.
    pub(super) fn generate() -> Self {
        Self::of(SigningKey::generate())
    }

    /// A key from a file that [`write`] made.
    ///
    /// # Errors
    /// Refuses keys without the mark: a real authority's key has no business here.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let refuse = |message: &str| CliError::Key {
            path: path.display().to_string(),
            message: message.to_owned(),
        };
        let text = input::read_text(path, 4096)?;
        let pem = text
            .strip_prefix(MARK)
            .ok_or_else(|| refuse("not a key that `lychgate svid` made for development"))?;
        let signing =
            SigningKey::from_pkcs8_pem(pem).map_err(|_| refuse("not a PKCS#8 key on P-256"))?;
        Ok(Self::of(signing))
    }

    fn of(signing: SigningKey) -> Self {
        let point = signing.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { signing, point }
    }

    /// A name for the key, from its public half.
    pub(super) fn identifier(&self) -> Vec<u8> {
        Sha256::digest(&self.point).iter().copied().take(20).collect()
    }

    fn pem(&self) -> Result<String, CliError> {
        let pem = self.signing.to_pkcs8_pem(LineEnding::LF).map_err(failed)?;
        Ok(format!("{MARK}{}", pem.as_str()))
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: DerSignature =
            self.signing.try_sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.as_bytes().to_vec())
    }
}

/// The subject of an authority. It follows from the key, so that signing needs only the key.
pub(super) fn authority_name(key: &Key) -> DistinguishedName {
    let short: String = key.identifier().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "lychgate development");
    name.push(DnType::CommonName, format!("authority {short}"));
    name
}

/// What authorities and leaves share.
pub(super) fn parameters(
    key: &Key,
    is_ca: IsCa,
    life: Span,
) -> Result<CertificateParams, CliError> {
    let now = clock::now();
    let mut serial = [0_u8; 16];
    getrandom::fill(&mut serial).map_err(failed)?;
    // Positive and never shorter: the first byte is 0x40 to 0x7f.
    serial[0] = (serial[0] & 0x3f) | 0x40;
    let mut parameters = CertificateParams::default();
    parameters.not_before = date(now.saturating_sub(BACKDATE_SECONDS))?;
    parameters.not_after = date(life.after(now))?;
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    parameters.is_ca = is_ca;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(key.identifier());
    Ok(parameters)
}

fn date(seconds: i64) -> Result<OffsetDateTime, CliError> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(failed)
}

/// Writes `STEM.pem` and, readable by its owner only, `STEM.key`.
pub(super) fn write(
    stem: &Path,
    certificate: &rcgen::Certificate,
    key: &Key,
    existing: Existing,
) -> Result<(), CliError> {
    output::write_file(&with_suffix(stem, ".key"), &key.pem()?, Access::Private, existing)?;
    output::write_file(&with_suffix(stem, ".pem"), &certificate.pem(), Access::Public, existing)
}

/// The name with something behind it; a dot in the name is no extension.
pub(super) fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}

/// A certificate that could not be made.
pub(super) fn failed(error: impl core::fmt::Display) -> CliError {
    CliError::Certificate { message: error.to_string() }
}
