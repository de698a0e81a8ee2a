//! ECDSA against p256 and p384, with what random signatures never reach made on purpose.

use lychgate_core::jwt::key::{Algorithm, Curve, KeyCheck, KeyMaterial};
use lychgate_crypto::Portable;
use proptest::prelude::*;

use crate::support::{accepts, verifies};

/// The same tests for a curve, whose crate has the same types under another name.
macro_rules! against {
    ($name:ident, $library:ident, $algorithm:ident, $curve:ident, $hash:ident, $bytes:literal) => {
        mod $name {
            use $library::ecdsa::signature::{Signer as _, Verifier as _};
            use $library::ecdsa::{Signature, SigningKey, VerifyingKey};
            use $library::elliptic_curve::ff::{Field as _, PrimeField as _};
            use $library::elliptic_curve::group::Group as _;
            use $library::elliptic_curve::ops::Reduce as _;
            use $library::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
            use $library::elliptic_curve::sec1::ToSec1Point as _;
            use $library::{AffinePoint, ProjectivePoint, Scalar};
            use sha2::{Digest as _, $hash};

            use super::*;

            type Bytes = [u8; $bytes];

            fn key(point: &AffinePoint) -> KeyMaterial {
                let encoded = point.to_sec1_point(false);
                let (x, y) = encoded.as_bytes()[1..].split_at($bytes);
                KeyMaterial::Ec { curve: Curve::$curve, x: x.into(), y: y.into() }
            }

            fn number(bytes: &Bytes) -> Scalar {
                <Scalar as $library::elliptic_curve::ops::Reduce<_>>::reduce(&(*bytes).into())
            }

            fn bytes(scalar: &Scalar) -> Bytes {
                scalar.to_repr().into()
            }

            /// Our answer, which must be theirs.
            fn answer(point: &AffinePoint, message: &[u8], signature: &[u8]) -> bool {
                let theirs = || {
                    let key = VerifyingKey::from_affine(*point).ok()?;
                    key.verify(message, &Signature::from_slice(signature).ok()?).ok()
                };
                let ours = accepts(Algorithm::$algorithm, &key(point), message, signature);
                assert_eq!(ours, theirs().is_some(), "{signature:02x?}");
                ours
            }
        }
    };
}

against!(p_256, p256, Es256, P256, Sha256, 32);
against!(p_384, p384, Es384, P384, Sha384, 48);
