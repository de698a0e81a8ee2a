//! The one operation that RSA verification needs: `base^65537 mod modulus`.
//!
//! Numbers are little-endian digits of 27 bits in 64-bit words. A product of two digits has 54
//! bits, so a column of an 8192-bit Montgomery multiplication (two products for each of at most
//! 304 digits) fits into a word, and carries wait until a column is read: one multiplication and
//! one addition for each pair of digits, which is what WebAssembly has instructions for.
//!
//! All operands are public, so the time it takes may depend on them.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "sizes are bounded by MAX_BYTES; words are Wrapping and bounded as said above"
)]

use alloc::vec;
use alloc::vec::Vec;
use core::num::Wrapping;

use super::{MAX_BYTES, MIN_BYTES};

/// A digit, or a column: a sum of products of digits. Wrapping because `overflow-checks` would
/// double the cost of the inner loop, not because any sum wraps.
type Word = Wrapping<u64>;

const DIGIT_BITS: usize = 27;
const DIGIT: Word = Wrapping((1 << DIGIT_BITS) - 1);
const ZERO: Word = Wrapping(0);

/// Rows of a product that one pass over the columns adds.
const ROWS: usize = 4;

/// Zero digits behind a number, in which the later rows of a pass end.
const PADDING: usize = ROWS - 1;

/// Bits of the modulus that an estimate of a quotient digit looks at.
const ESTIMATE_BITS: usize = 30;

/// `base^65537 mod modulus`, both big-endian, in as many bytes as the modulus has.
///
/// `None` for a modulus that is even, begins with a zero byte or is outside
/// [`MIN_BYTES`]`..=`[`MAX_BYTES`], and for a base that is not below the modulus.
#[inline(never)]
pub(super) fn power_65537(base: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let n = Modulus::new(modulus)?;
    let base = to_digits(base, n.count)?;
    if !is_less(&base, &n.digits) {
        return None;
    }
    let mut power = n.times_r(base.clone());
    let mut columns = vec![ZERO; n.count * 2 + ROWS];
    for _ in 0..16 {
        square(&power, &mut columns);
        n.reduce(&mut columns, &mut power);
    }
    // The base as it is takes away the factor R that the power still has.
    multiply(&power, &base, &mut columns);
    n.reduce(&mut columns, &mut power);
    subtract_while_not_less(&mut power, &n.digits);
    Some(to_bytes(&power, modulus.len()))
}

/// An odd modulus n, with R = 2^(27 * count) at least 4n: then a Montgomery product of numbers
/// below 2n is again below 2n.
struct Modulus {
    /// `count` digits and the padding.
    digits: Vec<Word>,
    /// A multiple of [`ROWS`].
    count: usize,
    /// Length in bits.
    bits: usize,
    /// -1/n modulo 2^64.
    inverse: Word,
}

impl Modulus {
    fn new(bytes: &[u8]) -> Option<Self> {
        let (first, last) = (bytes.first()?, bytes.last()?);
        if !(MIN_BYTES..=MAX_BYTES).contains(&bytes.len()) || *first == 0 || last % 2 == 0 {
            return None;
        }
        let count = (bytes.len() * 8 + 2).div_ceil(DIGIT_BITS).next_multiple_of(ROWS);
        let digits = to_digits(bytes, count)?;
        let bits = bytes.len() * 8 - usize::try_from(first.leading_zeros()).ok()?;
        let inverse = negative_inverse(*digits.first()?);
        Some(Self { digits, count, bits, inverse })
    }

    /// `x * R mod n` for x below n, by schoolbook division: about the cost of one reduction, where
    /// a power of R by doubling and squaring would cost several.
    fn times_r(&self, mut x: Vec<Word>) -> Vec<Word> {
        let divisor = bits_from(&self.digits, self.bits - ESTIMATE_BITS) + Wrapping(1);
        for _ in 0..self.count {
            // Rounded down, so at most two too small.
            let quotient = bits_from(&x, self.bits - ESTIMATE_BITS - DIGIT_BITS) / divisor;
            self.shift_and_subtract(&mut x, quotient);
            subtract_while_not_less(&mut x, &self.digits);
        }
        x
    }

    /// `x * 2^27 - quotient * n`, which must be neither negative nor as large as R.
    fn shift_and_subtract(&self, x: &mut [Word], quotient: Word) {
        const BIAS: Word = Wrapping(1 << 60);
        let (mut below, mut borrow) = (ZERO, ZERO);
        for (x, &n) in x.iter_mut().zip(&self.digits).take(self.count) {
            let difference = BIAS + below - quotient * n - borrow;
            below = *x;
            *x = difference & DIGIT;
            borrow = (BIAS >> DIGIT_BITS) - (difference >> DIGIT_BITS);
        }
    }

    /// Montgomery reduction: `product = columns / R mod n`, below 2n.
    fn reduce(&self, columns: &mut [Word], product: &mut [Word]) {
        let mut rest = columns;
        for _ in 0..self.count / ROWS {
            let Some((head, tail)) = rest.split_first_chunk_mut::<ROWS>() else { return };
            self.clear(head, tail);
            rest = tail;
        }
        let mut carry = ZERO;
        for (digit, column) in product.iter_mut().zip(rest) {
            carry += *column;
            *digit = carry & DIGIT;
            carry >>= DIGIT_BITS;
        }
    }

    /// Adds the multiple of n that makes the four columns of `head` zero, and their carry, to
    /// `tail`.
    #[inline]
    fn clear(&self, head: &[Word; ROWS], tail: &mut [Word]) {
        let Some((&[n0, n1, n2, n3], digits)) = self.digits.split_first_chunk::<ROWS>() else {
            return;
        };
        let factor = |column: Word| (column * self.inverse) & DIGIT;
        let [c0, c1, c2, c3] = *head;
        let m0 = factor(c0);
        let c1 = c1 + m0 * n1 + ((c0 + m0 * n0) >> DIGIT_BITS);
        let m1 = factor(c1);
        let c2 = c2 + m0 * n2 + m1 * n1 + ((c1 + m1 * n0) >> DIGIT_BITS);
        let m2 = factor(c2);
        let c3 = c3 + m0 * n3 + m1 * n2 + m2 * n1 + ((c2 + m2 * n0) >> DIGIT_BITS);
        let m3 = factor(c3);
        if let Some(column) = tail.first_mut() {
            *column += (c3 + m3 * n0) >> DIGIT_BITS;
        }
        add_rows(tail, [m0, m1, m2, m3], [n3, n2, n1], digits);
    }
}

/// `columns = a * a`: each product of two different digits once, with a doubled factor.
fn square(a: &[Word], columns: &mut [Word]) {
    columns.fill(ZERO);
    let (mut a, mut columns) = (a, columns);
    while let Some((&[a0, a1, a2, a3], later)) = a.split_first_chunk::<ROWS>() {
        let Some((head, tail)) = columns.split_first_chunk_mut::<ROWS>() else { return };
        let [d0, d1, d2, d3] = [a0 + a0, a1 + a1, a2 + a2, a3 + a3];
        let [c0, c1, c2, c3] = head;
        *c0 += a0 * a0;
        *c1 += d0 * a1;
        *c2 += d0 * a2 + a1 * a1;
        *c3 += d0 * a3 + d1 * a2;
        if let Some([c4, c5, c6, ..]) = tail.first_chunk_mut::<ROWS>() {
            *c4 += d1 * a3 + a2 * a2;
            *c5 += d2 * a3;
            *c6 += a3 * a3;
        }
        add_rows(tail, [d0, d1, d2, d3], [ZERO; PADDING], later);
        let Some((_, next)) = tail.split_first_chunk_mut::<ROWS>() else { return };
        (a, columns) = (later, next);
    }
}

/// `columns = a * b`.
fn multiply(a: &[Word], b: &[Word], columns: &mut [Word]) {
    columns.fill(ZERO);
    let (mut a, mut columns) = (a, columns);
    while let Some((&rows, later)) = a.split_first_chunk::<ROWS>() {
        add_rows(columns, rows, [ZERO; PADDING], b);
        let Some((_, next)) = columns.split_first_chunk_mut::<ROWS>() else { return };
        (a, columns) = (later, next);
    }
}

/// Adds four rows of a product, each one column to the left of the one before.
///
/// `before` is the digits below `digits`, the nearest first. Four rows at a time save three of
/// four loads and stores of the columns.
#[inline]
fn add_rows(columns: &mut [Word], rows: [Word; ROWS], before: [Word; PADDING], digits: &[Word]) {
    let [m0, m1, m2, m3] = rows;
    let [mut b1, mut b2, mut b3] = before;
    for (column, &b0) in columns.iter_mut().zip(digits) {
        *column += m0 * b0 + m1 * b1 + m2 * b2 + m3 * b3;
        (b3, b2, b1) = (b2, b1, b0);
    }
}

/// -1/n modulo 2^64 for odd n, by Newton's iteration: n is its own inverse modulo 2^3, and each
/// round doubles the bits that are right.
fn negative_inverse(n: Word) -> Word {
    let mut inverse = n;
    for _ in 0..5 {
        inverse *= Wrapping(2) - n * inverse;
    }
    -inverse
}

/// The 57 bits or fewer that a number has from bit `position` upwards.
fn bits_from(digits: &[Word], position: usize) -> Word {
    let tail = digits.get(position / DIGIT_BITS..).unwrap_or_default();
    let mut tail = tail.iter().copied();
    let mut next = || tail.next().unwrap_or(ZERO);
    let low = next() | (next() << DIGIT_BITS);
    let high = next() | (next() << DIGIT_BITS);
    let offset = position % DIGIT_BITS;
    (low >> offset) | (high << (2 * DIGIT_BITS - offset))
}

fn is_less(a: &[Word], b: &[Word]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn subtract_while_not_less(x: &mut [Word], n: &[Word]) {
    while !is_less(x, n) {
        let mut borrow = ZERO;
        for (x, &n) in x.iter_mut().zip(n) {
            let difference = *x - n - borrow;
            *x = difference & DIGIT;
            borrow = difference >> 63;
        }
    }
}

/// `count` digits and the padding, or `None` if the number needs more.
fn to_digits(bytes: &[u8], count: usize) -> Option<Vec<Word>> {
    let mut digits = Vec::with_capacity(count + PADDING);
    let (mut pending, mut held) = (ZERO, 0);
    for &byte in bytes.iter().rev() {
        pending |= Wrapping(u64::from(byte)) << held;
        held += 8;
        if held >= DIGIT_BITS {
            digits.push(pending & DIGIT);
            pending >>= DIGIT_BITS;
            held -= DIGIT_BITS;
        }
    }
    digits.push(pending);
    if digits.len() > count {
        return None;
    }
    digits.resize(count + PADDING, ZERO);
    Some(digits)
}

/// The lowest `length` bytes, big-endian.
fn to_bytes(digits: &[Word], length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 4);
    let (mut pending, mut held) = (ZERO, 0);
    for &digit in digits {
        pending |= digit << held;
        held += DIGIT_BITS;
        while held >= 8 {
            let [low, ..] = pending.0.to_le_bytes();
            bytes.push(low);
            pending >>= 8;
            held -= 8;
        }
    }
    bytes.truncate(length);
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    fn expected(base: &[u8], modulus: &[u8]) -> Vec<u8> {
        let n = BigUint::from_bytes_be(modulus);
        let power = BigUint::from_bytes_be(base).modpow(&BigUint::from(65537u32), &n);
        let mut bytes = power.to_bytes_be();
        while bytes.len() < modulus.len() {
            bytes.insert(0, 0);
        }
        bytes
    }

    /// Odd moduli of every byte length that a key may have, most of them short to be quick.
    fn modulus() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![
            8 => 256usize..=260,
            4 => Just(384usize),
            2 => Just(512usize),
            2 => MIN_BYTES..=MAX_BYTES,
            1 => Just(MAX_BYTES),
        ];
        length.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length)).prop_map(
            |mut bytes| {
                let last = bytes.len() - 1;
                bytes[0] = bytes[0].max(1);
                bytes[last] |= 1;
                bytes
            },
        )
    }

    /// Bytes of one value or of two halves of one value each: the digits at their limits.
    fn edge(length: usize) -> Vec<Vec<u8>> {
        let mut numbers = Vec::new();
        for high in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            for low in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut number = vec![high; length / 2];
                number.resize(length, low);
                numbers.push(number);
            }
        }
        numbers
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn power_is_what_an_independent_library_computes(
            modulus in modulus(),
            seed in prop::collection::vec(any::<u8>(), MAX_BYTES),
        ) {
            let n = BigUint::from_bytes_be(&modulus);
            let base = (BigUint::from_bytes_be(&seed) % n).to_bytes_be();
            prop_assert_eq!(power_65537(&base, &modulus), Some(expected(&base, &modulus)));
        }
    }

    #[test]
    fn power_is_right_where_digits_are_at_their_limits() {
        for length in [256, 257, 384, 512, 1024] {
            for mut modulus in edge(length) {
                modulus[0] = modulus[0].max(1);
                modulus[length - 1] |= 1;
                let n = BigUint::from_bytes_be(&modulus);
                let bases =
                    [n.clone() - 1u32, n.clone() >> 1, BigUint::from(2u32), n.clone() - 2u32];
                for base in bases {
                    let base = base.to_bytes_be();
                    assert_eq!(power_65537(&base, &modulus), Some(expected(&base, &modulus)));
                }
            }
        }
    }

    #[test]
    fn a_base_that_is_not_below_the_modulus_is_refused() {
        let modulus = vec![0xff; 256];
        let mut below = modulus.clone();
        below[255] = 0xfe;
        assert!(power_65537(&below, &modulus).is_some());
        assert_eq!(power_65537(&modulus, &modulus), None);
        assert_eq!(power_65537(&[0xff; 257], &modulus), None);
        assert_eq!(power_65537(&[0xff; 5000], &modulus), None);
    }

    #[test]
    fn zero_and_one_stay_what_they_are() {
        let modulus = vec![0xc5; 256];
        assert_eq!(power_65537(&[], &modulus), Some(vec![0; 256]));
        let mut one = vec![0; 256];
        one[255] = 1;
        assert_eq!(power_65537(&[1], &modulus), Some(one));
    }

    #[test]
    fn a_modulus_that_is_even_or_padded_or_of_a_wrong_size_is_refused() {
        assert_eq!(power_65537(&[2], &[]), None);
        assert_eq!(power_65537(&[2], &[0xff; MIN_BYTES - 1]), None);
        assert!(power_65537(&[2], &[0xff; MIN_BYTES]).is_some());
        assert!(power_65537(&[2], &[0xff; MAX_BYTES]).is_some());
        assert_eq!(power_65537(&[2], &[0xff; MAX_BYTES + 1]), None);
        assert_eq!(power_65537(&[2], &[0xfe; 256]), None);
        let mut padded = vec![0xff; 257];
        padded[0] = 0;
        assert_eq!(power_65537(&[2], &padded), None);
    }
}
