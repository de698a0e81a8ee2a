//! Arithmetic modulo the primes of P-256, P-384 (SP 800-186 §3.2.1) and Curve25519 (RFC 7748 §4.1).
//!
//! As in the RSA kernel, a number is digits in 64-bit words, short enough for the columns of a
//! whole product to be summed before any carry is taken. The words are signed, so a difference
//! needs no multiple of the prime to stay positive. A product is divided by R = 2^(digit bits * N)
//! on the way (Montgomery): the lowest column says how many times the prime must be added to make
//! it zero. A prime is a few powers of two but for a small number, so that takes shifts instead of
//! `N` multiplications.
//!
//! All operands are public, so the time it takes may depend on them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the loops are unrolled, and then every index is a constant below its array's length; \
              words are Wrapping and bounded as said above"
)]

use core::marker::PhantomData;
use core::num::Wrapping;
use core::ops::{Add, Mul, Neg, Sub};

use super::constants::{digits, negative_inverse, times_r};
use super::modulus::{Modulus, Number, number};

/// A digit, or a column: a sum of products of digits. Wrapping because `overflow-checks` would
/// double the cost, not because any sum wraps.
pub(crate) type Word = Wrapping<i64>;

pub(crate) const ZERO: Word = Wrapping(0);

/// The digits of the longest numbers, which are P-384's.
pub(crate) const MAX_DIGITS: usize = 14;

/// A number modulo a prime, times R.
///
/// It is *reduced* if it is above -p/1000 and below p + p/1000 and its digits are all from 0 to
/// 2^(digit bits) - 1, but for the last, which has the sign: zero then has the two forms 0 and p.
/// Sums and differences are taken digit by digit and are not reduced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fe<P, const N: usize> {
    pub(crate) digits: [Word; N],
    prime: PhantomData<P>,
}

/// A prime of `N` digits.
pub(crate) trait Prime<const N: usize>: Copy {
    /// Bits of a digit: the most with which a column has room for all products that end in it.
    const DIGIT_BITS: usize;
    /// Bits of the prime.
    const BITS: usize;
    /// The powers of two that make up the prime, each with its sign, but for ...
    const TERMS: [(Word, usize); 4];
    /// ... the number that their sum is too large by.
    const EXCESS: Word;
    /// The prime itself.
    const PRIME: [Word; N];

    /// -1/p modulo 2^(digit bits).
    const NEGATIVE_INVERSE: Word = negative_inverse(Self::PRIME[0], Self::DIGIT_BITS);
    /// R modulo p, which stands for 1.
    const ONE: Fe<Self, N> =
        Fe::new(times_r(digits("1", Self::DIGIT_BITS), &Self::PRIME, Self::DIGIT_BITS));
    /// R^2 modulo p, which stands for R.
    const R: Fe<Self, N> = Fe::new(times_r(Self::ONE.digits, &Self::PRIME, Self::DIGIT_BITS));
}

/// Repeats a block for each digit. The compiler unrolls such loops only where they are small, and
/// unrolled they are three times as fast in WebAssembly.
macro_rules! for_each_digit {
    ($i:ident, $count:expr, $block:block) => {
        for_each_digit!(@ $i, $count, $block, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    (@ $i:ident, $count:expr, $block:block, $($digit:literal)*) => {
        $(if $digit < $count {
            let $i: usize = $digit;
            $block
        })*
    };
}

impl<P, const N: usize> Fe<P, N> {
    pub(crate) const ZERO: Self = Self::new([ZERO; N]);

    pub(crate) const fn new(digits: [Word; N]) -> Self {
        Self { digits, prime: PhantomData }
    }

    /// The number that has these digits.
    pub(crate) fn of(number: &Number) -> Self {
        let mut digits = [ZERO; N];
        digits.iter_mut().zip(number).for_each(|(to, from)| *to = *from);
        Self::new(digits)
    }
}

impl<P: Prime<N>, const N: usize> Fe<P, N> {
    const MASK: Word = Wrapping((1 << P::DIGIT_BITS) - 1);

    /// `self * other / R + addend`, reduced.
    ///
    /// The largest digits of the factors may multiply to three times what they can in reduced
    /// ones: one may be a sum of three numbers, or a sum of two or a difference.
    #[inline(never)]
    pub(crate) fn times_plus(&self, other: &Self, addend: &Self) -> Self {
        let (a, b) = (&self.digits, &other.digits);
        let mut columns = [ZERO; 2 * MAX_DIGITS];
        for_each_digit!(i, N, {
            for j in 0..N {
                columns[i + j] += a[i] * b[j];
            }
        });
        Self::divided(columns, addend)
    }

    /// `self * self / R + addend`, reduced; `self` may be a difference, but not a sum.
    #[inline(never)]
    pub(crate) fn square_plus(&self, addend: &Self) -> Self {
        let a = &self.digits;
        let mut columns = [ZERO; 2 * MAX_DIGITS];
        for_each_digit!(i, N, {
            columns[2 * i] += a[i] * a[i];
            let twice = a[i] + a[i];
            for j in i + 1..N {
                columns[i + j] += twice * a[j];
            }
        });
        Self::divided(columns, addend)
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        self.times_plus(other, &Self::ZERO)
    }

    pub(crate) fn square(&self) -> Self {
        self.square_plus(&Self::ZERO)
    }

    /// The same number, reduced. The sum may be of a thousand numbers.
    #[inline(never)]
    pub(crate) fn reduced(&self) -> Self {
        Self::carried(self.digits)
    }

    /// The inverse of a reduced number that is not zero modulo p, reduced.
    pub(crate) fn inverse(&self) -> Self {
        let inverse = Self::modulus().quotient(&number(P::R.digits), &number(self.digits));
        Self::of(&inverse).reduced()
    }

    /// The number that this stands for, from 0 to p - 1.
    pub(crate) fn canonical(&self) -> Number {
        Self::modulus().product(&number(self.digits), &number([Wrapping(1)]))
    }

    fn modulus() -> Modulus<'static> {
        Modulus {
            digits: &P::PRIME,
            digit_bits: P::DIGIT_BITS,
            negative_inverse: P::NEGATIVE_INVERSE,
        }
    }

    /// Whether a reduced number is zero modulo p.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits == [ZERO; N] || self.digits == P::PRIME
    }

    /// `columns / R + addend`, reduced.
    #[inline(always)]
    fn divided(mut columns: [Word; 2 * MAX_DIGITS], addend: &Self) -> Self {
        for_each_digit!(i, N, {
            // Adding the prime `factor` times makes this column zero but for its carry.
            let factor = (columns[i] * P::NEGATIVE_INVERSE) & Self::MASK;
            columns[i + 1] += (columns[i] - factor * P::EXCESS) >> P::DIGIT_BITS;
            for (sign, power) in P::TERMS {
                columns[i + power / P::DIGIT_BITS] += sign * (factor << (power % P::DIGIT_BITS));
            }
        });
        let mut digits = addend.digits;
        for i in 0..N {
            digits[i] += columns[i + N];
        }
        Self::carried(digits)
    }

    /// The number that has these digits, of any size, reduced.
    ///
    /// What the last two digits say of the quotient by p is right to 2^-12.
    #[inline(always)]
    fn carried(mut digits: [Word; N]) -> Self {
        let top = digits[N - 1] + (digits[N - 2] >> P::DIGIT_BITS);
        let quotient = top >> (P::BITS - P::DIGIT_BITS * (N - 1));
        digits[0] += quotient * P::EXCESS;
        for (sign, power) in P::TERMS {
            digits[power / P::DIGIT_BITS] -= sign * (quotient << (power % P::DIGIT_BITS));
        }
        let mut carry = ZERO;
        for digit in &mut digits[..N - 1] {
            carry += *digit;
            *digit = carry & Self::MASK;
            carry >>= P::DIGIT_BITS;
        }
        digits[N - 1] += carry;
        Self::new(digits)
    }
}

impl<P, const N: usize> Add for Fe<P, N> {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for (digit, other) in self.digits.iter_mut().zip(other.digits) {
            *digit += other;
        }
        self
    }
}

impl<P, const N: usize> Sub for Fe<P, N> {
    type Output = Self;

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        for (digit, other) in self.digits.iter_mut().zip(other.digits) {
            *digit -= other;
        }
        self
    }
}

impl<P, const N: usize> Neg for Fe<P, N> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(self.digits.map(Neg::neg))
    }
}

/// A small multiple: a sum of the same number.
impl<P, const N: usize> Mul<Fe<P, N>> for i64 {
    type Output = Fe<P, N>;

    #[inline(always)]
    fn mul(self, number: Fe<P, N>) -> Fe<P, N> {
        Fe::new(number.digits.map(|digit| digit * Wrapping(self)))
    }
}
