//! Arithmetic modulo the primes of P-256 and P-384 (SP 800-186 §3.2.1).
//!
//! As in the RSA kernel, a number is digits in 64-bit words, short enough for the columns of a
//! whole product to be summed before any carry is taken. The words are signed, so a difference
//! needs no multiple of the prime to stay positive. A product is divided by R = 2^(digit bits * N)
//! on the way (Montgomery). Both primes are -1 modulo 2^(digit bits), so the lowest digit of a
//! column is itself the multiple of the prime to add; and p + 1 is a sum of four powers of two, so
//! that adding it takes four shifts and no multiplication.
//!
//! All operands are public, so the time it takes may depend on them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the loops are unrolled, and then every index is a constant below its array's length; \
              words are Wrapping and bounded as said above"
)]

use core::num::Wrapping;
use core::ops::{Add, Mul, Neg, Sub};

use super::constants::{digits, times_r};
use super::modulus::{self, Modulus, Number};

/// A digit, or a column: a sum of products of digits. Wrapping because `overflow-checks` would
/// double the cost, not because any sum wraps.
pub(super) type Word = Wrapping<i64>;

pub(super) const ZERO: Word = Wrapping(0);

/// The digits of the longest numbers, which are P-384's.
pub(super) const MAX_DIGITS: usize = 14;

/// A number modulo the prime that has `N` digits, times R.
///
/// It is *reduced* if it is above -p/1000 and below p + p/1000 and its digits are all from 0 to
/// 2^(digit bits) - 1, but for the last, which has the sign: zero then has the two forms 0 and p.
/// Sums and differences are taken digit by digit and are not reduced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fe<const N: usize>(pub(super) [Word; N]);

/// What [`Fe`] must know of its prime. The number of digits tells the primes apart.
pub(super) trait Prime: Sized {
    /// Bits of a digit: the most with which a column has room for all products that end in it.
    const DIGIT_BITS: usize;
    /// Bits of the prime.
    const BITS: usize;
    /// The powers of two that make up p + 1, each with its sign.
    const TERMS: [(Word, usize); 4];
    /// The prime itself.
    const PRIME: Self;
    /// R modulo p, which stands for 1.
    const ONE: Self;
    /// R^2 modulo p, which stands for R.
    const R: Self;
}

const PLUS: Word = Wrapping(1);
const MINUS: Word = Wrapping(-1);

/// P-256: 2^256 - 2^224 + 2^192 + 2^96 - 1.
impl Prime for Fe<9> {
    const DIGIT_BITS: usize = 29;
    const BITS: usize = 256;
    const TERMS: [(Word, usize); 4] = [(PLUS, 256), (MINUS, 224), (PLUS, 192), (PLUS, 96)];
    const PRIME: Self =
        Self(digits("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", 29));
    const ONE: Self = Self(times_r(digits("1", 29), &Self::PRIME.0, 29));
    const R: Self = Self(times_r(Self::ONE.0, &Self::PRIME.0, 29));
}

/// P-384: 2^384 - 2^128 - 2^96 + 2^32 - 1.
impl Prime for Fe<14> {
    const DIGIT_BITS: usize = 28;
    const BITS: usize = 384;
    const TERMS: [(Word, usize); 4] = [(PLUS, 384), (MINUS, 128), (MINUS, 96), (PLUS, 32)];
    const PRIME: Self = Self(digits(
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        28,
    ));
    const ONE: Self = Self(times_r(digits("1", 28), &Self::PRIME.0, 28));
    const R: Self = Self(times_r(Self::ONE.0, &Self::PRIME.0, 28));
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

impl<const N: usize> Fe<N>
where
    Self: Prime,
{
    const ZERO: Self = Self([ZERO; N]);

    const MASK: Word = Wrapping((1 << Self::DIGIT_BITS) - 1);

    /// `self * other / R + addend`, reduced.
    ///
    /// The largest digits of the factors may multiply to three times what they can in reduced
    /// ones: one may be a sum of three numbers, or a sum of two or a difference.
    #[inline(never)]
    pub(super) fn times_plus(&self, other: &Self, addend: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
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
    pub(super) fn square_plus(&self, addend: &Self) -> Self {
        let a = &self.0;
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

    pub(super) fn times(&self, other: &Self) -> Self {
        self.times_plus(other, &Self::ZERO)
    }

    pub(super) fn square(&self) -> Self {
        self.square_plus(&Self::ZERO)
    }

    /// The same number, reduced. The sum may be of a thousand numbers.
    #[inline(never)]
    pub(super) fn reduced(&self) -> Self {
        Self::carried(self.0)
    }

    /// The inverse of a reduced number that is not zero modulo p, reduced.
    pub(super) fn inverse(&self) -> Self {
        let Fe(prime) = &Self::PRIME;
        let modulus =
            Modulus { digits: prime, digit_bits: Self::DIGIT_BITS, negative_inverse: Wrapping(1) };
        let divisor = modulus::number(self.0);
        Self::of(&modulus.quotient(&modulus::number(Self::R.0), &divisor)).reduced()
    }

    /// The number that has these digits.
    pub(super) fn of(number: &Number) -> Self {
        let mut digits = [ZERO; N];
        digits.iter_mut().zip(number).for_each(|(to, from)| *to = *from);
        Self(digits)
    }

    /// Whether a reduced number is zero modulo p.
    pub(super) fn is_zero(&self) -> bool {
        self.0 == [ZERO; N] || self.0 == Self::PRIME.0
    }

    /// `columns / R + addend`, reduced.
    #[inline(always)]
    fn divided(mut columns: [Word; 2 * MAX_DIGITS], addend: &Self) -> Self {
        for_each_digit!(i, N, {
            // Adding the prime `factor` times makes this column zero but for its carry.
            let factor = columns[i] & Self::MASK;
            columns[i + 1] += columns[i] >> Self::DIGIT_BITS;
            for (sign, power) in Self::TERMS {
                columns[i + power / Self::DIGIT_BITS] +=
                    sign * (factor << (power % Self::DIGIT_BITS));
            }
        });
        let mut digits = addend.0;
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
        let top = digits[N - 1] + (digits[N - 2] >> Self::DIGIT_BITS);
        let quotient = top >> (Self::BITS - Self::DIGIT_BITS * (N - 1));
        digits[0] += quotient;
        for (sign, power) in Self::TERMS {
            digits[power / Self::DIGIT_BITS] -= sign * (quotient << (power % Self::DIGIT_BITS));
        }
        let mut carry = ZERO;
        for digit in &mut digits[..N - 1] {
            carry += *digit;
            *digit = carry & Self::MASK;
            carry >>= Self::DIGIT_BITS;
        }
        digits[N - 1] += carry;
        Self(digits)
    }
}

impl<const N: usize> Add for Fe<N> {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for (digit, other) in self.0.iter_mut().zip(other.0) {
            *digit += other;
        }
        self
    }
}

impl<const N: usize> Sub for Fe<N> {
    type Output = Self;

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        for (digit, other) in self.0.iter_mut().zip(other.0) {
            *digit -= other;
        }
        self
    }
}

impl<const N: usize> Neg for Fe<N> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(Neg::neg))
    }
}

/// A small multiple: a sum of the same number.
impl<const N: usize> Mul<Fe<N>> for i64 {
    type Output = Fe<N>;

    #[inline(always)]
    fn mul(self, number: Fe<N>) -> Fe<N> {
        Fe(number.0.map(|digit| digit * Wrapping(self)))
    }
}
