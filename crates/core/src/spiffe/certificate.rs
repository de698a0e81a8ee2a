//! The SPIFFE ID of an X.509 leaf certificate.
//!
//! A walk over the few fields that name the subject; everything else is stepped over by its length,
//! since the host has verified the certificate. A full decoder (`x509-cert`) costs 107 KB of Wasm
//! where this costs 5.

use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

use crate::limits::CERTIFICATE_BYTES;
use crate::spiffe::SpiffeId;
use crate::spiffe::peer::{PeerError, only_uri_name};

/// The encoding of the version number of X.509 version 3.
const VERSION_3: &[u8] = &[2, 1, 2];

/// 2.5.29.15, RFC 5280 §4.2.1.3.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// 2.5.29.17, RFC 5280 §4.2.1.6.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.5.29.19, RFC 5280 §4.2.1.9.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

/// `keyCertSign` and `cRLSign` in the first byte of the bit string.
const SIGNING_BITS: u8 = 0x04 | 0x02;

/// Reads the ID of a leaf and refuses what is no leaf.
pub(super) fn spiffe_id(certificate: &[u8]) -> Result<SpiffeId, PeerError> {
    let (length, limit) = (certificate.len(), CERTIFICATE_BYTES);
    if length > limit {
        return Err(PeerError::CertificateTooLong { length, limit });
    }
    let extensions = Extensions::of(certificate)?;
    if extensions.basic_constraints.map(is_authority).transpose()? == Some(true) {
        return Err(PeerError::Authority);
    }
    if extensions.key_usage.map(may_sign).transpose()? == Some(true) {
        return Err(PeerError::SigningKey);
    }
    uri_name(extensions.alternative_names.ok_or(PeerError::NoUriName)?)
}

/// The contents of the extensions that matter here.
#[derive(Default)]
struct Extensions<'a> {
    alternative_names: Option<&'a [u8]>,
    basic_constraints: Option<&'a [u8]>,
    key_usage: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    /// Steps through `Certificate` (RFC 5280 §4.1) to its extensions.
    fn of(certificate: &'a [u8]) -> Result<Self, PeerError> {
        let mut fields = inside(only(certificate, Tag::Sequence)?)?;
        let mut signed = inside(next(&mut fields, Tag::Sequence)?)?;
        next(&mut fields, Tag::Sequence)?;
        next(&mut fields, Tag::BitString)?;
        finished(&fields)?;
        if next(&mut signed, context(0, true))? != VERSION_3 {
            return Err(PeerError::Der);
        }
        next(&mut signed, Tag::Integer)?;
        for _ in ["signature", "issuer", "validity", "subject", "subjectPublicKeyInfo"] {
            next(&mut signed, Tag::Sequence)?;
        }
        skip(&mut signed, context(1, false))?;
        skip(&mut signed, context(2, false))?;
        if signed.is_finished() {
            return Ok(Self::default());
        }
        let list = next(&mut signed, context(3, true))?;
        finished(&signed)?;
        Self::read(only(list, Tag::Sequence)?)
    }

    fn read(list: &'a [u8]) -> Result<Self, PeerError> {
        let mut found = Self::default();
        let mut list = inside(list)?;
        while !list.is_finished() {
            let mut extension = inside(next(&mut list, Tag::Sequence)?)?;
            let id = next(&mut extension, Tag::ObjectIdentifier)?;
            skip(&mut extension, Tag::Boolean)?;
            let content = next(&mut extension, Tag::OctetString)?;
            finished(&extension)?;
            found.keep(id, content)?;
        }
        Ok(found)
    }

    /// Keeps the content of an extension that matters; a second one of a kind is refused
    /// (RFC 5280 §4.2), since two readers could each believe another.
    fn keep(&mut self, id: &[u8], content: &'a [u8]) -> Result<(), PeerError> {
        let place = match id {
            SUBJECT_ALTERNATIVE_NAME => &mut self.alternative_names,
            BASIC_CONSTRAINTS => &mut self.basic_constraints,
            KEY_USAGE => &mut self.key_usage,
            _ => return Ok(()),
        };
        match place.replace(content) {
            Some(_) => Err(PeerError::RepeatedExtension),
            None => Ok(()),
        }
    }
}

/// `cA` of `BasicConstraints`; an explicit FALSE is not DER but issued all the same.
fn is_authority(content: &[u8]) -> Result<bool, PeerError> {
    let mut fields = inside(only(content, Tag::Sequence)?)?;
    let authority = skip(&mut fields, Tag::Boolean)?;
    skip(&mut fields, Tag::Integer)?;
    finished(&fields)?;
    match authority {
        None | Some([0x00]) => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(PeerError::Der),
    }
}

/// Whether `KeyUsage` holds a bit that only an authority may have.
fn may_sign(content: &[u8]) -> Result<bool, PeerError> {
    match only(content, Tag::BitString)? {
        [0] => Ok(false),
        [0..=7, bits, ..] => Ok(bits & SIGNING_BITS != 0),
        _ => Err(PeerError::Der),
    }
}

/// The one URI among `GeneralNames`; every name is looked at.
fn uri_name(content: &[u8]) -> Result<SpiffeId, PeerError> {
    let list = only(content, Tag::Sequence)?;
    let mut names = inside(list)?;
    let mut uris = [None, None];
    while !names.is_finished() {
        let name = AnyRef::decode(&mut names).map_err(|_| PeerError::Der)?;
        let uri = check_name(name)?;
        if let (Some(uri), Some(place)) = (uri, uris.iter_mut().find(|place| place.is_none())) {
            *place = Some(uri);
        }
    }
    only_uri_name(uris.into_iter().flatten())
}

/// Checks a `GeneralName` and returns it if it is a URI.
fn check_name(name: AnyRef<'_>) -> Result<Option<&[u8]>, PeerError> {
    let Tag::ContextSpecific { constructed, number } = name.tag() else {
        return Err(PeerError::Der);
    };
    let text = name.value();
    match (number.value(), constructed) {
        // otherName, x400Address, directoryName, ediPartyName; iPAddress, registeredID
        (0 | 3 | 4 | 5, true) | (7 | 8, false) => Ok(None),
        // rfc822Name, dNSName, uniformResourceIdentifier
        (1 | 2 | 6, false) if text.contains(&0) || !text.is_ascii() => {
            Err(PeerError::NameCharacter)
        }
        (1 | 2, false) => Ok(None),
        (6, false) => Ok(Some(text)),
        _ => Err(PeerError::Der),
    }
}

fn inside(content: &[u8]) -> Result<SliceReader<'_>, PeerError> {
    SliceReader::new(content).map_err(|_| PeerError::Der)
}

fn finished(reader: &SliceReader<'_>) -> Result<(), PeerError> {
    if reader.is_finished() { Ok(()) } else { Err(PeerError::Der) }
}

/// The content of the next value, which must have this tag.
fn next<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<&'a [u8], PeerError> {
    match AnyRef::decode(reader) {
        Ok(any) if any.tag() == tag => Ok(any.value()),
        Ok(_) | Err(_) => Err(PeerError::Der),
    }
}

/// The content of the next value if it has this tag; otherwise nothing is read.
fn skip<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<Option<&'a [u8]>, PeerError> {
    if reader.is_finished() || Tag::peek(reader).map_err(|_| PeerError::Der)? != tag {
        return Ok(None);
    }
    next(reader, tag).map(Some)
}

/// The content of the only value, which must have this tag.
fn only(bytes: &[u8], tag: Tag) -> Result<&[u8], PeerError> {
    let mut reader = inside(bytes)?;
    let content = next(&mut reader, tag)?;
    finished(&reader)?;
    Ok(content)
}

const fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const ID: &[u8] = b"spiffe://td/ns/a/sa/b";

    /// One DER value; lengths up to 65,535.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length = match content.len() {
            0..=0x7f => vec![low],
            0x80..=0xff => vec![0x81, low],
            _ => vec![0x82, high, low],
        };
        [&[tag][..], &length, content].concat()
    }

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        der(0x30, &parts.concat())
    }

    fn extension(id: &[u8], content: &[u8]) -> Vec<u8> {
        sequence(&[&der(6, id), &der(4, content)])
    }

    fn names(names: &[(u8, &[u8])]) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|(tag, text)| der(*tag, text)).collect();
        extension(SUBJECT_ALTERNATIVE_NAME, &der(0x30, &names.concat()))
    }

    fn uri() -> Vec<u8> {
        names(&[(0x86, ID)])
    }

    /// A certificate whose fields before and after `[3]` are these.
    fn assembled(start: &[u8], end: &[u8]) -> Vec<u8> {
        let empty = sequence(&[]);
        let five = [&empty[..], &empty, &empty, &empty, &empty].concat();
        let signed = sequence(&[start, &der(2, &[1]), &five, end]);
        sequence(&[&signed, &empty, &der(3, &[0])])
    }

    fn with(extensions: &[&[u8]]) -> Vec<u8> {
        assembled(&der(0xa0, VERSION_3), &der(0xa3, &sequence(extensions)))
    }

    fn code(certificate: &[u8]) -> &'static str {
        spiffe_id(certificate).map_or_else(PeerError::code, |_| "an identity")
    }

    #[test]
    fn the_only_uri_name_is_the_identity_whatever_other_names_there_are() {
        assert_eq!(spiffe_id(&with(&[&uri()])).unwrap().as_str().as_bytes(), ID);
        let all = names(&[
            (0xa0, &[0]),
            (0x81, b"a@b"),
            (0x82, b"x.example"),
            (0xa4, &[]),
            (0x86, ID),
            (0x87, &[10, 0, 0, 1]),
            (0x88, &[0x55]),
        ]);
        let other = extension(&[0x55, 0x1d, 0x25], &[]);
        assert_eq!(spiffe_id(&with(&[&other, &all, &other])).unwrap().as_str().as_bytes(), ID);
    }

    #[test]
    fn no_uri_name_and_two_are_refused() {
        assert_eq!(code(&with(&[])), "no_uri_name");
        assert_eq!(code(&assembled(&der(0xa0, VERSION_3), &[])), "no_uri_name");
        assert_eq!(code(&with(&[&names(&[])])), "no_uri_name");
        assert_eq!(code(&with(&[&names(&[(0x82, b"spiffe.example")])])), "no_uri_name");
        assert_eq!(code(&with(&[&names(&[(0x86, ID), (0x86, ID)])])), "several_uri_names");
        let many = names(&[(0x86, ID), (0x82, b"x"), (0x86, b"https://x"), (0x86, ID)]);
        assert_eq!(code(&with(&[&many])), "several_uri_names");
    }

    #[test]
    fn a_uri_name_that_is_no_spiffe_id_of_a_leaf_is_refused() {
        for (name, expected) in [
            (&b""[..], "spiffe_id_empty"),
            (b"https://x/y", "spiffe_id_scheme"),
            (b"spiffe://td", "no_path"),
            (b"spiffe://td/a\0", "name_character"),
            (b"spiffe://td/\xc3\xa4", "name_character"),
        ] {
            assert_eq!(code(&with(&[&names(&[(0x86, name)])])), expected, "{name:?}");
        }
    }

    #[test]
    fn a_nul_in_any_textual_name_is_refused() {
        for tag in [0x81, 0x82] {
            let both = names(&[(tag, b"good.example\0.evil"), (0x86, ID)]);
            assert_eq!(code(&with(&[&both])), "name_character");
        }
    }

    #[test]
    fn an_authority_and_a_signing_key_are_no_leaf() {
        let constraints = |content: &[u8]| extension(BASIC_CONSTRAINTS, content);
        let usage = |bits: &[u8]| extension(KEY_USAGE, &der(3, bits));
        for (other, expected) in [
            (constraints(&sequence(&[])), "an identity"),
            (constraints(&sequence(&[&[1, 1, 0]])), "an identity"),
            (constraints(&sequence(&[&[1, 1, 0xff]])), "authority"),
            (constraints(&sequence(&[&[1, 1, 0xff], &[2, 1, 0]])), "authority"),
            (constraints(&sequence(&[&[1, 1, 1]])), "der"),
            (constraints(&sequence(&[&[1, 0]])), "der"),
            (constraints(&[]), "der"),
            (usage(&[7, 0x80]), "an identity"),
            (usage(&[0]), "an identity"),
            (usage(&[2, 0x04]), "signing_key"),
            (usage(&[1, 0x82]), "signing_key"),
            (usage(&[7, 0x80, 0x04]), "an identity"),
            (usage(&[]), "der"),
            (usage(&[8, 0]), "der"),
        ] {
            assert_eq!(code(&with(&[&uri(), &other])), expected, "{other:?}");
            assert_eq!(code(&with(&[&other, &uri()])), expected, "{other:?}");
        }
    }

    #[test]
    fn an_extension_that_stands_twice_is_refused() {
        assert_eq!(code(&with(&[&uri(), &uri()])), "repeated_extension");
        let usage = extension(KEY_USAGE, &der(3, &[7, 0x80]));
        assert_eq!(code(&with(&[&usage, &uri(), &usage])), "repeated_extension");
    }

    #[test]
    fn a_critical_extension_is_read_like_any_other() {
        let content = der(0x30, &der(0x86, ID));
        let critical =
            sequence(&[&der(6, SUBJECT_ALTERNATIVE_NAME), &[1, 1, 0xff], &der(4, &content)]);
        assert_eq!(code(&with(&[&critical])), "an identity");
    }

    #[test]
    fn what_is_not_the_shape_of_a_certificate_is_refused() {
        let good = with(&[&uri()]);
        let version = der(0xa0, VERSION_3);
        let list = der(0xa3, &sequence(&[&uri()]));
        let unique = [&der(0x81, &[0])[..], &der(0x82, &[0]), &list].concat();
        assert_eq!(code(&assembled(&version, &unique)), "an identity");
        let swapped = [&der(0x82, &[0])[..], &der(0x81, &[0]), &list].concat();
        for bad in [
            Vec::new(),
            [&good[..], &[0]].concat(),
            good[..good.len() - 1].to_vec(),
            assembled(&[], &list),
            assembled(&der(0xa0, &[2, 1, 1]), &list),
            assembled(&version, &swapped),
            assembled(&version, &[&list[..], &[5, 0]].concat()),
            assembled(&version, &der(0xa3, &[])),
            with(&[&names(&[(0x86, ID), (0x05, b"")])]),
            with(&[&names(&[(0xa6, ID)])]),
            with(&[&names(&[(0x89, ID)])]),
            with(&[&extension(SUBJECT_ALTERNATIVE_NAME, &[])]),
            with(&[&[0x30, 0x80, 0, 0]]),
        ] {
            assert_eq!(code(&bad), "der", "{bad:?}");
        }
    }

    #[test]
    fn a_certificate_may_have_16_kib_and_no_more() {
        let padded = |length: usize| {
            let fixed = with(&[&uri(), &extension(&[0x55], &[0; 1024])]).len() - 1024;
            with(&[&uri(), &extension(&[0x55], &vec![0; length - fixed])])
        };
        assert_eq!(padded(CERTIFICATE_BYTES).len(), CERTIFICATE_BYTES);
        assert_eq!(code(&padded(CERTIFICATE_BYTES)), "an identity");
        assert_eq!(code(&padded(CERTIFICATE_BYTES + 1)), "certificate_too_long");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = spiffe_id(&bytes);
        }

        #[test]
        fn no_change_of_a_byte_makes_it_panic(at: prop::sample::Index, byte: u8) {
            let usage = extension(KEY_USAGE, &der(3, &[7, 0x80]));
            let mut certificate = with(&[&usage, &uri()]);
            *at.get_mut(&mut certificate) = byte;
            let _ = spiffe_id(&certificate);
        }
    }
}
