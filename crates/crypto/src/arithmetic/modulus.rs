//! Division modulo a prime, and multiplication modulo one of no special form.
//!
//! A verification needs two inverses and two products of this kind, so this is written for size:
//! one copy serves every prime. Digits are those of [`Fe`](super::field::Fe).
//!
//! All operands are public, so the time it takes may depend on them.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "words are Wrapping and bounded as said; a count of steps is a digit's bits at most"
)]

use core::num::Wrapping;
use core::ops::Neg;

use super::field::{MAX_DIGITS, Word, ZERO};

/// As many digits as the modulus has, and zeros. Each is between -2^(digit bits) and
/// 2^(digit bits); in a *normal* number none but the last is negative.
pub(crate) type Number = [Word; MAX_DIGITS];

const ONE: Word = Wrapping(1);
pub(crate) const NOUGHT: Number = [ZERO; MAX_DIGITS];

/// A prime above two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Modulus<'a> {
    /// At most [`MAX_DIGITS`].
    pub(crate) digits: &'a [Word],
    pub(crate) digit_bits: usize,
    /// -1/modulus, modulo 2^(digit bits).
    pub(crate) negative_inverse: Word,
}

impl Modulus<'_> {
    /// `dividend / divisor`, no further from 0 than 50 times the modulus, for normal numbers and a
    /// divisor that is no multiple of the modulus.
    ///
    /// This is the greatest common divisor of Bernstein and Yang ("Fast constant-time gcd
    /// computation and modular inversion", 2019) in variable time, one digit of steps at once.
    pub(crate) fn quotient(&self, dividend: &Number, divisor: &Number) -> Number {
        let (mut f, mut g) = (number(self.digits.iter().copied()), *divisor);
        let (mut d, mut e) = (NOUGHT, *dividend);
        let mut eta = Wrapping(-1);
        // Their bound on the number of steps is below three for each bit.
        for _ in self.digits.iter().flat_map(|_| 0..3) {
            if g == NOUGHT {
                break;
            }
            let [[u, v], [q, r]] = self.division_steps(&mut eta, f[0], g[0]);
            (f, g) = (self.combined(u, &f, v, &g), self.combined(q, &f, r, &g));
            // No further from 0 than the further of the two was, and one modulus.
            (d, e) = (self.combined(u, &d, v, &e), self.combined(q, &d, r, &e));
        }
        // f is 1 or -1 now, and d is f times the quotient.
        if is_negative(&f) { d.map(Neg::neg) } else { d }
    }

    /// One step for each bit of a digit, on the lowest digits of f and g, as the matrix that takes
    /// f and g to 2^(digit bits) times what they are afterwards. The entries of a row have at most
    /// 2^(digit bits) between them.
    fn division_steps(&self, eta: &mut Word, f: Word, g: Word) -> [[Word; 2]; 2] {
        let (mut f, mut g) = ([f, ONE, ZERO], [g, ZERO, ONE]);
        let mut left = self.digit_bits;
        loop {
            let end = Wrapping(-1i64) << left;
            let zeros = usize::try_from((g[0] | end).0.trailing_zeros()).unwrap_or(0);
            g[0] >>= zeros;
            f = [f[0], f[1] << zeros, f[2] << zeros];
            *eta -= i64::try_from(zeros).unwrap_or(0);
            left -= zeros;
            if left == 0 {
                return [[f[1], f[2]], [g[1], g[2]]];
            }
            if eta.0 < 0 {
                *eta = -*eta;
                (f, g) = (g, f.map(Neg::neg));
            }
            for (g, f) in g.iter_mut().zip(f) {
                *g += f;
            }
        }
    }

    /// `(u * a + v * b) / 2^(digit bits)` modulo the modulus, normal: exactly that where it is a
    /// whole number, else with less than one modulus added.
    fn combined(&self, u: Word, a: &Number, v: Word, b: &Number) -> Number {
        let factor = ((u * a[0] + v * b[0]) * self.negative_inverse) & self.mask();
        let mut sum = NOUGHT;
        for (((sum, &a), &b), &m) in sum.iter_mut().zip(a).zip(b).zip(self.digits) {
            *sum = u * a + v * b + factor * m;
        }
        // The lowest digit is zero, and falls away but for its carry.
        let carry = sum[0] >> self.digit_bits;
        let mut shifted = number(sum.into_iter().skip(1));
        shifted[0] += carry;
        self.normal(shifted)
    }

    /// `a * b / R`, from 0 to the modulus - 1.
    pub(crate) fn product(&self, a: &Number, b: &Number) -> Number {
        let mut product = NOUGHT;
        for &digit in a.iter().take(self.digits.len()) {
            product = self.combined(ONE, &product, digit, b);
        }
        self.canonical(product)
    }

    /// A normal number that is a few moduli away, brought between 0 and the modulus - 1.
    fn canonical(&self, mut number: Number) -> Number {
        while is_negative(&number) {
            number = self.plus(&number, ONE);
        }
        let modulus = self::number(self.digits.iter().copied());
        while !is_less(&number, &modulus) {
            number = self.plus(&number, -ONE);
        }
        number
    }

    /// `number + times * modulus`, normal.
    fn plus(&self, number: &Number, times: Word) -> Number {
        let mut sum = *number;
        for (digit, &m) in sum.iter_mut().zip(self.digits) {
            *digit += times * m;
        }
        self.normal(sum)
    }

    /// The normal number of these columns.
    fn normal(&self, mut columns: Number) -> Number {
        let mut carry = ZERO;
        let lower = self.digits.len().saturating_sub(1);
        for column in columns.iter_mut().take(lower) {
            carry += *column;
            *column = carry & self.mask();
            carry >>= self.digit_bits;
        }
        if let Some(last) = columns.get_mut(lower) {
            *last += carry;
        }
        columns
    }

    fn mask(&self) -> Word {
        (ONE << self.digit_bits) - ONE
    }
}

/// Digits, the lowest first, and zeros.
pub(crate) fn number(digits: impl IntoIterator<Item = Word>) -> Number {
    let mut number = NOUGHT;
    for (to, from) in number.iter_mut().zip(digits) {
        *to = from;
    }
    number
}

/// The normal number of big-endian bytes; what doesn't fit is lost.
pub(crate) fn from_bytes(bytes: &[u8], digit_bits: usize) -> Number {
    let mut number = NOUGHT;
    let (mut digits, mut pending, mut held) = (number.iter_mut(), ZERO, 0);
    for &byte in bytes.iter().rev() {
        pending |= Wrapping(i64::from(byte)) << held;
        held += 8;
        if held >= digit_bits {
            held -= digit_bits;
            if let Some(digit) = digits.next() {
                *digit = pending & ((ONE << digit_bits) - ONE);
            }
            pending >>= digit_bits;
        }
    }
    if let Some(digit) = digits.next() {
        *digit = pending;
    }
    number
}

/// Whether one normal number that is not negative is less than another.
pub(crate) fn is_less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn is_negative(number: &Number) -> bool {
    number.iter().any(|digit| digit.0 < 0)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;
    use crate::arithmetic::constants::negative_inverse;
    use crate::arithmetic::field::Prime;
    use crate::ecdsa::curve::{Curve, P256, P384};

    const MODULI: [(&[Word], usize); 4] = [
        (&<P256 as Prime<9>>::PRIME, 29),
        (&<P256 as Curve<9>>::ORDER, 29),
        (&<P384 as Prime<14>>::PRIME, 28),
        (&<P384 as Curve<14>>::ORDER, 28),
    ];

    fn value(number: &[Word], digit_bits: usize) -> BigUint {
        number
            .iter()
            .rev()
            .fold(BigUint::ZERO, |sum, digit| (sum << digit_bits) + u64::try_from(digit.0).unwrap())
    }

    fn check(a: &BigUint, b: &BigUint) {
        for (digits, digit_bits) in MODULI {
            let m = value(digits, digit_bits);
            let modulus = Modulus {
                digits,
                digit_bits,
                negative_inverse: negative_inverse(digits[0], digit_bits),
            };
            let (a, b) = (a % &m, b % &m);
            let digits_of = |n: &BigUint| from_bytes(&n.to_bytes_be(), digit_bits);
            let (x, y) = (digits_of(&a), digits_of(&b));
            assert_eq!(value(&x, digit_bits), a);
            assert_eq!(is_less(&x, &y), a < b);
            let r = BigUint::from(1u32) << (digit_bits * digits.len());
            let product = value(&modulus.product(&x, &y), digit_bits);
            assert_eq!(product * &r % &m, &a * &b % &m);
            if b != BigUint::ZERO {
                let quotient = modulus.quotient(&x, &y);
                let product = value(&modulus.product(&quotient, &y), digit_bits);
                assert_eq!(product * &r % &m, a, "{b:x} modulo {m:x}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn results_are_those_of_an_independent_library(
            a in prop::collection::vec(any::<u8>(), 0..=48),
            b in prop::collection::vec(any::<u8>(), 0..=48),
        ) {
            check(&BigUint::from_bytes_be(&a), &BigUint::from_bytes_be(&b));
        }
    }

    #[test]
    fn results_are_right_near_zero_the_modulus_and_powers_of_two() {
        for (digits, digit_bits) in MODULI {
            let m = value(digits, digit_bits);
            let one = BigUint::from(1u32);
            let powers = (0..m.bits()).map(|bit| BigUint::from(1u32) << bit);
            let near: Vec<_> =
                powers.flat_map(|power| [&power - &one, power.clone(), power + &one]).collect();
            for number in &near {
                check(number, &(&m - &one));
                check(&(&m - number % &m), number);
            }
        }
    }

    #[test]
    fn nothing_but_its_bytes_is_in_a_number() {
        assert_eq!(from_bytes(&[], 29), NOUGHT);
        assert_eq!(from_bytes(&[0; 200], 28), NOUGHT);
        let ones = from_bytes(&[0xff; 200], 28);
        assert_eq!(ones, [Wrapping((1 << 28) - 1); MAX_DIGITS]);
    }
}
