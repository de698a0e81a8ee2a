//! Arithmetic modulo the primes of P-256 and P-384 (SP 800-186 §3.2.1).
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
    /// Powers of two, each with its sign, whose sum is the prime and [`Self::EXCESS`].
    const TERMS: [(Word, usize); 4];
    /// What that sum is too large by: a small number.
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
    #[cfg(test)]
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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::*;
    use crate::ecdsa::curve::{P256, P384};

    fn value<P: Prime<N>, const N: usize>(digits: &[Word]) -> BigInt {
        let sum = |sum, digit: &Word| (sum << P::DIGIT_BITS) + digit.0;
        digits.iter().rev().fold(BigInt::ZERO, sum)
    }

    fn prime<P: Prime<N>, const N: usize>() -> BigInt {
        value::<P, N>(&P::PRIME)
    }

    /// What a result has in common with every other of the same value.
    fn modulo_p<P: Prime<N>, const N: usize>(number: &BigInt) -> BigInt {
        number.modpow(&BigInt::from(1), &prime::<P, N>())
    }

    fn r<P: Prime<N>, const N: usize>() -> BigInt {
        BigInt::from(1) << (P::DIGIT_BITS * N)
    }

    fn assert_reduced<P: Prime<N>, const N: usize>(number: &Fe<P, N>) {
        let (p, value) = (prime::<P, N>(), value::<P, N>(&number.digits));
        let margin: BigInt = &p / 1000;
        assert!(-margin.clone() < value && value < p + margin, "{value:x}");
        let (_, lower) = number.digits.split_last().unwrap();
        assert!(lower.iter().all(|digit| (0..1 << P::DIGIT_BITS).contains(&digit.0)));
    }

    /// Checks a result: it is reduced, and R times it is that number.
    fn assert_is<P: Prime<N>, const N: usize>(result: &Fe<P, N>, times_r: &BigInt) {
        assert_reduced(result);
        let value = value::<P, N>(&result.digits) * r::<P, N>();
        assert_eq!(modulo_p::<P, N>(&value), modulo_p::<P, N>(times_r));
    }

    fn check<P: Prime<N>, const N: usize>(a: &[i64], b: &[i64], addend: &[i64]) {
        let loose = |digits: &[i64], most: i64| {
            let limit = most << P::DIGIT_BITS;
            let digit = |at: usize| Wrapping(digits[at].clamp(-limit, limit));
            Fe::<P, N>::new(core::array::from_fn(digit))
        };
        let number = |fe: &Fe<P, N>| value::<P, N>(&fe.digits);
        let addend = loose(addend, 8);
        let r = r::<P, N>();
        for (u, v) in [(1, 3), (3, 1)] {
            let (a, b) = (loose(a, u), loose(b, v));
            let product = number(&a) * number(&b) + number(&addend) * &r;
            assert_is(&a.times_plus(&b, &addend), &product);
        }
        let a = loose(a, 1);
        assert_is(&a.square_plus(&addend), &(number(&a) * number(&a) + number(&addend) * &r));
        assert_is(&addend.reduced(), &(number(&addend) * &r));
        assert_eq!(
            value::<P, N>(&addend.reduced().times(&P::R).canonical()),
            modulo_p::<P, N>(&number(&addend))
        );
        check_inverse(&addend.reduced());
    }

    fn check_inverse<P: Prime<N>, const N: usize>(number: &Fe<P, N>) {
        assert_eq!(number.is_zero(), number.canonical() == super::super::modulus::NOUGHT);
        if !number.is_zero() {
            let product = number.times(&number.inverse());
            assert!((product - P::ONE).reduced().is_zero());
        }
    }

    fn check_all(a: &[i64], b: &[i64], addend: &[i64]) {
        check::<P256, 9>(a, b, addend);
        check::<P384, 14>(a, b, addend);
    }

    /// Digits of any size and at the limits, below and above which `check` cuts them off.
    fn digits() -> impl Strategy<Value = Vec<i64>> {
        let digit = prop_oneof![
            4 => any::<i64>(),
            4 => (-1i64 << 31)..(1 << 31),
            1 => Just(i64::MAX),
            1 => Just(i64::MIN),
            2 => -1i64..=1,
            1 => ((1i64 << 28) - 1)..=(1 << 28),
            1 => ((1i64 << 29) - 1)..=(1 << 29),
        ];
        prop::collection::vec(digit, MAX_DIGITS)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn results_are_those_of_an_independent_library(a in digits(), b in digits(), c in digits()) {
            check_all(&a, &b, &c);
        }
    }

    #[test]
    fn results_are_right_where_all_digits_are_at_their_limits() {
        let edges = [i64::MIN, -1, 0, 1, i64::MAX].map(|digit| [digit; MAX_DIGITS]);
        for a in &edges {
            for b in &edges {
                edges.iter().for_each(|addend| check_all(a, b, addend));
            }
        }
    }

    fn check_numbers_near<P: Prime<N>, const N: usize>() {
        let unit = Fe::<P, N>::new(core::array::from_fn(|at| Wrapping(i64::from(at == 0))));
        let p = Fe::<P, N>::new(P::PRIME);
        let powers = (0..N).flat_map(|at| {
            let power = move |bit| core::array::from_fn(|i| Wrapping(i64::from(i == at) << bit));
            [0, 1, P::DIGIT_BITS - 1].map(|bit| Fe::<P, N>::new(power(bit)))
        });
        for center in powers.chain([Fe::ZERO, p, 2 * p]) {
            for near in [center, center + unit, center - unit, p - center, -center] {
                let digits = near.digits.map(|digit| digit.0);
                check::<P, N>(&digits, &digits, &digits);
                assert_eq!(
                    near.reduced().is_zero(),
                    modulo_p::<P, N>(&value::<P, N>(&near.digits)) == BigInt::ZERO
                );
            }
        }
    }

    #[test]
    fn results_are_right_near_zero_the_prime_and_powers_of_two() {
        check_numbers_near::<P256, 9>();
        check_numbers_near::<P384, 14>();
    }

    fn check_constants<P: Prime<N>, const N: usize>() {
        let power = |&(sign, power): &(Word, usize)| BigInt::from(sign.0) << power;
        let sum = P::TERMS.iter().map(power).sum::<BigInt>() - P::EXCESS.0;
        assert_eq!(prime::<P, N>(), sum);
        assert_eq!(u64::try_from(P::BITS).unwrap(), prime::<P, N>().bits());
        let r = r::<P, N>();
        assert_eq!(value::<P, N>(&P::ONE.digits), modulo_p::<P, N>(&r));
        assert_eq!(value::<P, N>(&P::R.digits), modulo_p::<P, N>(&(&r * &r)));
    }

    #[test]
    fn each_prime_is_what_its_powers_of_two_say() {
        check_constants::<P256, 9>();
        check_constants::<P384, 14>();
    }
}
