//! What attackers do to tokens.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use p256::ecdsa::Signature;
use serde::Deserialize;
use serde_json::Value;

use crate::keys::Key;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The order of Ed25519's prime subgroup, little-endian (RFC 8032 §5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The three segments, as text.
pub(super) struct Segments {
    pub(super) header: String,
    pub(super) payload: String,
    pub(super) signature: String,
    /// What stands for all three, once a change has joined them.
    pub(super) whole: Option<String>,
}

impl Segments {
    pub(super) fn text(&self) -> String {
        let compact = || format!("{}.{}.{}", self.header, self.payload, self.signature);
        self.whole.clone().unwrap_or_else(compact)
    }

    fn segment(&mut self, part: Part) -> &mut String {
        match part {
            Part::Header => &mut self.header,
            Part::Payload => &mut self.payload,
            Part::Signature => &mut self.signature,
        }
    }

    fn signature_bytes(&self) -> Vec<u8> {
        Base64UrlUnpadded::decode_vec(&self.signature).expect("signature is still base64url")
    }

    fn set_signature(&mut self, bytes: &[u8]) {
        self.signature = Base64UrlUnpadded::encode_string(bytes);
    }
}

/// A segment of a compact JWS.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Header,
    Payload,
    Signature,
}

/// One change to a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Tamper {
    /// Text after the whole token.
    Append { text: String },
    /// Text before the whole token.
    Prepend { text: String },
    /// Replaces a text everywhere in the whole token.
    Replace { from: String, to: String },
    /// Leaves `header.payload.`.
    StripSignature,
    /// Leaves `header.payload`.
    DropSignature,
    /// Puts other JSON in the payload's place.
    ReplacePayload { claims: Value },
    /// Puts other JSON in the header's place.
    ReplaceHeader { header: Value },
    /// Puts text into a segment.
    Insert { segment: Part, at: usize, text: String },
    /// Puts text after a segment.
    AppendTo { segment: Part, text: String },
    /// Sets an unused bit of the segment's last character.
    SpareBit { segment: Part },
    /// Flips one bit of the signature.
    FlipBit { bit: usize },
    /// Another signature, hexadecimal.
    SetSignature { hex: String },
    /// The signature as that many copies of one byte.
    FillSignature { byte: u8, length: usize },
    /// RSA: the modulus as signature.
    ModulusSignature,
    /// A zero byte before the signature.
    LeadingZero,
    /// Bytes after the signature.
    ExtendSignature { hex: String },
    /// The signature without its last bytes.
    ShortenSignature { by: usize },
    /// P-256: the signature as DER.
    DerSignature,
    /// P-256: a zero byte before each half.
    WidenHalves,
    /// P-256: the signature with the larger of its two `s`.
    HighS,
    /// P-256: the signature with the smaller of its two `s`.
    LowS,
    /// Ed25519: the group order added to `S`.
    AddOrder,
}

impl Tamper {
    pub(super) fn apply(&self, token: &mut Segments, key: &Key) {
        match self {
            Self::Append { text } => token.whole = Some(token.text() + text),
            Self::Prepend { text } => token.whole = Some(text.clone() + &token.text()),
            Self::Replace { from, to } => token.whole = Some(token.text().replace(from, to)),
            Self::StripSignature => token.signature.clear(),
            Self::DropSignature => {
                token.whole = Some(format!("{}.{}", token.header, token.payload));
            }
            Self::ReplacePayload { claims } => token.payload = encoded(claims),
            Self::ReplaceHeader { header } => token.header = encoded(header),
            Self::Insert { segment, at, text } => token.segment(*segment).insert_str(*at, text),
            Self::AppendTo { segment, text } => token.segment(*segment).push_str(text),
            Self::SpareBit { segment } => spare_bit(token.segment(*segment)),
            other => other.sign_again(token, key),
        }
    }

    fn sign_again(&self, token: &mut Segments, key: &Key) {
        let mut signature = token.signature_bytes();
        match self {
            Self::FlipBit { bit } => signature[bit / 8] ^= 1 << (bit % 8),
            Self::SetSignature { hex } => signature = bytes(hex),
            Self::FillSignature { byte, length } => signature = vec![*byte; *length],
            Self::ModulusSignature => signature = key.bytes("n"),
            Self::LeadingZero => signature.insert(0, 0),
            Self::ExtendSignature { hex } => signature.extend(bytes(hex)),
            Self::ShortenSignature { by } => signature.truncate(signature.len() - by),
            Self::DerSignature => signature = p256(&signature).to_der().as_bytes().to_vec(),
            Self::WidenHalves => {
                let (r, s) = signature.split_at(32);
                signature = [&[0], r, &[0], s].concat();
            }
            Self::HighS => signature = with_s(&signature, true),
            Self::LowS => signature = with_s(&signature, false),
            Self::AddOrder => add_order(&mut signature[32..]),
            other => panic!("{other:?} is no change to a signature"),
        }
        token.set_signature(&signature);
    }
}

fn encoded(json: &Value) -> String {
    Base64UrlUnpadded::encode_string(json.to_string().as_bytes())
}

fn spare_bit(segment: &mut String) {
    assert!(segment.len() % 4 > 1, "segment of {} characters has no spare bits", segment.len());
    let last = segment.pop().expect("segment is not empty");
    let index = ALPHABET.iter().position(|&c| char::from(c) == last).expect("base64url");
    segment.push(char::from(ALPHABET[index | 1]));
}

fn p256(signature: &[u8]) -> Signature {
    Signature::from_slice(signature).expect("a P-256 signature")
}

fn with_s(signature: &[u8], high: bool) -> Vec<u8> {
    let low = p256(signature).normalize_s();
    if !high {
        return low.to_bytes().to_vec();
    }
    let (r, s) = low.split_scalars();
    Signature::from_scalars(*r, -*s).expect("the other s").to_bytes().to_vec()
}

fn add_order(scalar: &mut [u8]) {
    let mut carry = 0;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("hexadecimal digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
