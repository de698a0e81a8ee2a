//! Certificates under one test authority, good and bad.

use p256::ecdsa::SigningKey;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use serde::Deserialize;

use crate::keys::KeyRing;

/// What a certificate says.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateSpec {
    /// URI subject alternative names, in this order.
    pub uri_sans: Vec<String>,
    /// DNS subject alternative names, after the URIs.
    pub dns_sans: Vec<String>,
    /// The subject's common name; without one the subject is empty.
    pub cn: Option<String>,
}

/// A certificate and its private key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The private key, PKCS #8 PEM.
    pub key_pem: String,
}

/// The authority of all test certificates: the key `ec-2`.
pub struct Authority {
    params: CertificateParams,
    issued: Issued,
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// The authority, with a self-signed certificate.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        let mut params = parameters(1);
        params.distinguished_name.push(DnType::CommonName, "Lychgate test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let signer = Signer::new(keys.key("ec-2").p256_key());
        let certificate = params.self_signed(&signer).expect("authority's certificate");
        let issued = Issued {
            der: certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            key_pem: signer.pem(),
        };
        Self { params, issued }
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Issued {
        &self.issued
    }

    /// A certificate for the key `ec-1`; the same for the same specification, but for ECDSA.
    #[must_use]
    pub fn issue(&self, spec: &CertificateSpec, keys: &KeyRing) -> Issued {
        let mut params = parameters(2);
        if let Some(name) = &spec.cn {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let uris = spec.uri_sans.iter().map(|uri| SanType::URI(ia5(uri)));
        let names = spec.dns_sans.iter().map(|name| SanType::DnsName(ia5(name)));
        params.subject_alt_names = uris.chain(names).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let subject = Signer::new(keys.key("ec-1").p256_key());
        let authority = Signer::new(keys.key("ec-2").p256_key());
        let issuer = Issuer::new(self.params.clone(), authority);
        let certificate = params.signed_by(&subject, &issuer).expect("certificate");
        Issued {
            der: certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            key_pem: subject.pem(),
        }
    }
}

fn parameters(serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    params
}

fn ia5(text: &str) -> Ia5String {
    Ia5String::try_from(text).expect("ASCII in a subject alternative name")
}

struct Signer {
    key: SigningKey,
    point: Vec<u8>,
}

impl Signer {
    fn new(key: SigningKey) -> Self {
        let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { key, point }
    }

    fn pem(&self) -> String {
        self.key.to_pkcs8_pem(LineEnding::LF).expect("PKCS #8").to_string()
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        use p256::ecdsa::signature::Signer as _;
        let signature: p256::ecdsa::DerSignature = self.key.sign(message);
        Ok(signature.as_bytes().to_vec())
    }
}
