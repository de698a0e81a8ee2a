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
        let right = x.square().times_plus(x, &(*b - 3 * *x));
        y.square_plus(&-right).is_zero()
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
    let mut odd = [Jacobian::from(*point); 8];
    for (index, odd) in odd.iter_mut().enumerate() {
        *odd = multiples[2 * index + 1];
    }
    Some(affine(&odd))
}

/// The affine forms of points, with one inversion for all of them.
fn affine<P: Prime<N>, const N: usize>(points: &[Jacobian<P, N>; 8]) -> Multiples<P, N> {
    let mut product = P::ONE;
    let before = points.map(|point| {
        let before = product;
        product = product.times(&point.z);
        before
    });
    let mut inverse = product.inverse();
    let mut affine = points.map(|point| Affine { x: point.x, y: point.y });
    for ((affine, point), before) in affine.iter_mut().zip(points).zip(&before).rev() {
        let of_z = inverse.times(before);
        inverse = inverse.times(&point.z);
        let square = of_z.square();
        affine.x = point.x.times(&square);
        affine.y = point.y.times(&square.times(&of_z));
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
