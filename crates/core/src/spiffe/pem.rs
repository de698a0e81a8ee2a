//! PEM, as Envoy hands over certificates.

use alloc::vec::Vec;

use crate::base64;
use crate::limits::CERTIFICATE_PEM_BYTES;
use crate::spiffe::peer::PeerError;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The DER in a text that is one PEM block and nothing else but line ends around it.
pub(super) fn certificate(text: &[u8]) -> Result<Vec<u8>, PeerError> {
    let (length, limit) = (text.len(), CERTIFICATE_PEM_BYTES);
    if length > limit {
        return Err(PeerError::CertificateTooLong { length, limit });
    }
    let body = text.trim_ascii();
    let body = body.strip_prefix(BEGIN).and_then(|body| body.strip_suffix(END));
    let body = body.ok_or(PeerError::Pem)?;
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let digits: Vec<u8> = body.iter().copied().filter(|byte| !is_line_end(byte)).collect();
    base64::decode_standard(&digits).ok_or(PeerError::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_read_and_anything_around_it_is_refused() {
        let block = b"-----BEGIN CERTIFICATE-----\r\nZm9v\nYmFy\n-----END CERTIFICATE-----\n";
        assert_eq!(certificate(block).unwrap(), b"foobar");
        let twice = [&block[..], &block[..]].concat();
        assert_eq!(certificate(&twice), Err(PeerError::Base64));
        let before = [&b"subject: x\n"[..], &block[..]].concat();
        assert_eq!(certificate(&before), Err(PeerError::Pem));
        assert_eq!(certificate(b""), Err(PeerError::Pem));
        assert_eq!(certificate(b"-----BEGIN CERTIFICATE-----"), Err(PeerError::Pem));
    }

    #[test]
    fn a_block_may_have_the_limit_and_no_more() {
        let mut block = b"-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----".to_vec();
        block.resize(CERTIFICATE_PEM_BYTES, b'\n');
        assert!(certificate(&block).is_ok());
        block.push(b'\n');
        assert_eq!(certificate(&block).unwrap_err().code(), "certificate_too_long");
    }
}
