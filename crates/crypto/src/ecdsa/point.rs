//! Points of P-256 and P-384 (SP 800-186 §2.1.3, with a = -3).
//!
//! All operands are public, so the time it takes may depend on them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "field elements don't overflow; indices are below the lengths in the types"
)]

use crate::arithmetic::field::{Fe, Prime};
use crate::arithmetic::signed::{POSITIONS, SignedDigits};

/// A point that is not at infinity, in reduced affine coordinates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine<P, const N: usize> {
    pub(super) x: Fe<P, N>,
    pub(super) y: Fe<P, N>,
}

/// A point that is not at infinity, in reduced Jacobian coordinates: x = X / Z^2, y = Y / Z^3.
///
/// Where a point may be at infinity, it is an `Option`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jacobian<P, const N: usize> {
    x: Fe<P, N>,
    y: Fe<P, N>,
    z: Fe<P, N>,
}

impl<P: Prime<N>, const N: usize> Affine<P, N> {
    /// Whether y^2 = x^3 - 3x + b.
    pub(super) fn is_on_curve(&self, b: &Fe<P, N>) -> bool {
        let Self { x, y } = self;
        // Products, not squares: where only keys are checked, the code for squares is not needed.
        let right = x.times(x).times_plus(x, &(*b - 3 * *x));
        y.times_plus(y, &-right).is_zero()
    }

    fn negated(&self) -> Self {
        Self { x: self.x, y: (-self.y).reduced() }
    }
}

impl<P: Prime<N>, const N: usize> From<Affine<P, N>> for Jacobian<P, N> {
    fn from(point: Affine<P, N>) -> Self {
        Self { x: point.x, y: point.y, z: P::ONE }
    }
}

impl<P: Prime<N>, const N: usize> Jacobian<P, N> {
    /// Whether this is the affine x coordinate, not times R.
    pub(super) fn has_x(&self, x: &Fe<P, N>) -> bool {
        x.times(&P::R).times_plus(&self.z.square(), &-self.x).is_zero()
    }

    /// Twice the point ("dbl-2001-b" of the Explicit-Formulas Database). No point of these curves
    /// has order two, so it is never at infinity.
    fn doubled(&self) -> Self {
        let Self { x, y, z } = self;
        let delta = z.square();
        let gamma = y.square();
        let half_beta = (*x + *x).times(&gamma);
        let alpha = (*x - delta).times(&(3 * (*x + delta).reduced()));
        let new_x = alpha.square_plus(&(-4 * half_beta));
        let new_y = alpha.times_plus(&(2 * half_beta - new_x), &(-8 * gamma.square()));
        Self { x: new_x, y: new_y, z: (*y + *y).times(z) }
    }

    /// The sum with another point ("madd", of cost 8M + 3S), in all cases.
    fn plus(&self, other: &Affine<P, N>) -> Option<Self> {
        let Self { x, y, z } = self;
        let zz = z.square();
        let run = other.x.times_plus(&zz, &-*x);
        let rise = other.y.times_plus(&zz.times(z), &-*y);
        if run.is_zero() {
            return if rise.is_zero() { Some(self.doubled()) } else { None };
        }
        let square = run.square();
        let cube = square.times(&run);
        let v = square.times(x);
        let new_x = rise.square_plus(&(-cube - 2 * v));
        let new_y = rise.times_plus(&(v - new_x), &-cube.times(y));
        Some(Self { x: new_x, y: new_y, z: z.times(&run) })
    }
}

/// 1, 3, 5, ... 15 times a point.
pub(crate) type Multiples<P, const N: usize> = [Affine<P, N>; 8];

/// The odd multiples of a point; `None` if one of them or of the even ones between is at infinity,
/// which they are for no point of these curves.
pub(super) fn odd_multiples<P: Prime<N>, const N: usize>(
    point: &Affine<P, N>,
) -> Option<Multiples<P, N>> {
    let mut multiples = [Jacobian::from(*point); 16];
    for half in 1..8 {
        multiples[2 * half] = multiples[half].doubled();
        multiples[2 * half + 1] = multiples[2 * half].plus(point)?;
    }
    Some(affine_odd(&multiples))
}

/// The affine forms of the odd ones, with one inversion for all of them.
fn affine_odd<P: Prime<N>, const N: usize>(multiples: &[Jacobian<P, N>; 16]) -> Multiples<P, N> {
    let mut product = P::ONE;
    let mut before = [P::ONE; 8];
    for (index, before) in before.iter_mut().enumerate() {
        *before = product;
        product = product.times(&multiples[2 * index + 1].z);
    }
    let mut inverse = product.inverse();
    let mut affine = [Affine { x: P::ONE, y: P::ONE }; 8];
    for index in (0..8).rev() {
        let point = &multiples[2 * index + 1];
        let of_z = inverse.times(&before[index]);
        inverse = inverse.times(&point.z);
        let square = of_z.square();
        affine[index].x = point.x.times(&square);
        affine[index].y = point.y.times(&square.times(&of_z));
    }
    affine
}

/// `a * A + b * B` by Straus's method, from odd multiples of A and B; `None` at infinity.
pub(super) fn sum_of_products<P: Prime<N>, const N: usize>(
    terms: [(&SignedDigits, &Multiples<P, N>); 2],
) -> Option<Jacobian<P, N>> {
    let mut sum: Option<Jacobian<P, N>> = None;
    for position in (0..POSITIONS).rev() {
        sum = sum.map(|sum| sum.doubled());
        for (digits, multiples) in terms {
            if let Some(term) = multiple(multiples, digits[position]) {
                sum = match sum {
                    Some(sum) => sum.plus(&term),
                    None => Some(term.into()),
                };
            }
        }
    }
    sum
}

/// That odd multiple; `None` for zero.
fn multiple<P: Prime<N>, const N: usize>(
    multiples: &Multiples<P, N>,
    digit: i8,
) -> Option<Affine<P, N>> {
    let point = multiples.get(usize::from(digit.unsigned_abs() / 2))?;
    match digit.signum() {
        1 => Some(*point),
        -1 => Some(point.negated()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::ff::PrimeField as _;
    use p256::elliptic_curve::sec1::ToSec1Point as _;
    use p256::{ProjectivePoint, Scalar};

    use super::*;
    use crate::arithmetic::modulus::from_bytes;
    use crate::arithmetic::signed::signed_digits;
    use crate::ecdsa::curve::{Curve, P256, P384};
    use crate::ecdsa::key;

    fn theirs(scalar: &Scalar) -> Option<Affine<P256, 9>> {
        let point = (ProjectivePoint::GENERATOR * scalar).to_affine().to_sec1_point(false);
        Some(key::<P256, 9>(point.x()?, point.y()?).unwrap())
    }

    fn is_same<P: Prime<N>, const N: usize>(a: &Jacobian<P, N>, b: &Affine<P, N>) -> bool {
        let zz = a.z.square();
        let zero = |fe: Fe<P, N>| fe.reduced().is_zero();
        zero(b.x.times(&zz) - a.x) && zero(b.y.times(&zz.times(&a.z)) - a.y)
    }

    fn digits(scalar: &Scalar) -> SignedDigits {
        signed_digits(&from_bytes(&scalar.to_repr(), 29), 29)
    }

    /// Numbers for which sums meet equal and opposite points and the one at infinity.
    fn edges() -> impl Iterator<Item = Scalar> + Clone {
        let half = Scalar::from(2u64).invert().unwrap();
        let near = [0u64, 1, 2, 3, 15, 16, 17].into_iter().map(Scalar::from);
        let halves = [half, half - Scalar::ONE, half + Scalar::from(16u64)];
        near.clone().chain(near.map(|scalar| -scalar)).chain(halves)
    }

    #[test]
    fn sums_of_products_are_right_for_points_that_are_equal_opposite_or_at_infinity() {
        for multiple in edges().filter(|multiple| *multiple != Scalar::ZERO) {
            let multiples = odd_multiples(&theirs(&multiple).unwrap()).unwrap();
            for (a, b) in edges().flat_map(|a| edges().map(move |b| (a, b))) {
                let terms = [(&digits(&a), &P256::base()), (&digits(&b), &multiples)];
                match (sum_of_products(terms), theirs(&(a + b * multiple))) {
                    (Some(ours), Some(theirs)) => assert!(is_same(&ours, &theirs)),
                    (ours, theirs) => assert_eq!(ours.is_some(), theirs.is_some()),
                }
            }
        }
    }

    fn check_base<C: Curve<N>, const N: usize>() {
        let base = C::base();
        for (ours, listed) in odd_multiples(&base[0]).unwrap().iter().zip(&base) {
            assert!(listed.is_on_curve(&C::B));
            assert!(is_same(&Jacobian::from(*ours), listed));
        }
        // The order leads to infinity, and one less does not.
        let mut order = [crate::arithmetic::field::ZERO; 14];
        order.iter_mut().zip(C::ORDER).for_each(|(to, from)| *to = from);
        let nothing = [0; POSITIONS];
        let product = |number| {
            let signed = signed_digits(&number, C::DIGIT_BITS);
            sum_of_products([(&signed, &base), (&nothing, &base)])
        };
        assert!(product(order).is_none());
        order[0] -= 1;
        assert!(is_same(&product(order).unwrap(), &base[0].negated()));
    }

    #[test]
    fn the_base_points_multiples_are_what_they_say_and_have_the_order() {
        check_base::<P256, 9>();
        check_base::<P384, 14>();
    }

    #[test]
    fn the_base_points_are_those_of_an_independent_library() {
        assert!(is_same(&theirs(&Scalar::ONE).unwrap().into(), &P256::base()[0]));
        let point = p384::AffinePoint::GENERATOR.to_sec1_point(false);
        let theirs = key::<P384, 14>(point.x().unwrap(), point.y().unwrap()).unwrap();
        assert!(is_same(&theirs.into(), &P384::base()[0]));
    }
}
