//! Certificates made on the spot.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::scratch::Scratch;

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate chain, PEM.
    pub chain: String,
    /// The key, PEM (PKCS#8).
    pub key: String,
}

impl Authority {
    /// Makes an authority with a long life.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with_end(name, 4000)
    }

    /// Makes an authority whose certificate has expired.
    #[must_use]
    pub fn expired(name: &str) -> Self {
        Self::with_end(name, 2021)
    }

    fn with_end(name: &str, year: i32) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key can be made");
        let pem = params.self_signed(&key).expect("an authority can be made").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate with one SPIFFE ID, as the SPIFFE specification wants it.
    #[must_use]
    pub fn spiffe(&self, id: &str) -> Identity {
        self.issue(&[id], &[])
    }

    /// A certificate with these URI and DNS names, however odd.
    #[must_use]
    pub fn issue(&self, uris: &[&str], names: &[&str]) -> Identity {
        let uri = |text: &&str| SanType::URI((*text).try_into().expect("an ASCII URI"));
        let name = |text: &&str| SanType::DnsName((*text).try_into().expect("an ASCII name"));
        let names = uris.iter().map(uri).chain(names.iter().map(name)).collect();
        self.sign(names, None)
    }

    /// A certificate with this DER as its subjectAltName extension.
    #[must_use]
    pub fn issue_raw(&self, subject_alt_name: Vec<u8>) -> Identity {
        let oid = [2, 5, 29, 17];
        self.sign(Vec::new(), Some(CustomExtension::from_oid_content(&oid, subject_alt_name)))
    }

    fn sign(&self, names: Vec<SanType>, extension: Option<CustomExtension>) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test");
        params.subject_alt_names = names;
        params.custom_extensions.extend(extension);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(4000, 1, 1);
        let key = KeyPair::generate().expect("a key can be made");
        let leaf = params.signed_by(&key, &self.issuer).expect("a certificate can be made");
        Identity { chain: leaf.pem(), key: key.serialize_pem() }
    }
}

impl Identity {
    /// Writes chain and key as files, as Envoy wants them.
    #[must_use]
    pub fn files(&self, scratch: &Scratch, name: &str) -> (PathBuf, PathBuf) {
        let chain = scratch.write(&format!("{name}.pem"), &self.chain);
        (chain, scratch.write(&format!("{name}.key"), &self.key))
    }
}
