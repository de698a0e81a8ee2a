//! Numbers as sums of few signed multiples of powers of two.

use super::field::Word;
use super::modulus::Number;

/// Positions of digits: one more than the bits of the longest number, for the last carry.
pub(crate) const POSITIONS: usize = 385;

/// The number is the sum of `digit * 2^position`. Each digit is zero or odd and from -15 to 15,
/// and of five neighbours one is not zero at most (the width-5 non-adjacent form).
pub(crate) type SignedDigits = [i8; POSITIONS];

/// Bits that a digit takes in.
const WIDTH: usize = 5;

/// The signed digits of a normal number that is not negative and has 384 bits at most.
pub(crate) fn signed_digits(number: &Number, digit_bits: usize) -> SignedDigits {
    let mut signed = [0; POSITIONS];
    let (mut carry, mut next) = (0, 0);
    for (position, digit) in signed.iter_mut().enumerate() {
        let window = i8::try_from(bits_from(number, digit_bits, position).0 & 31).unwrap_or(0);
        // An even digit is left to the next position.
        if position < next || window & 1 == carry {
            continue;
        }
        let window = window.wrapping_add(carry);
        carry = window >> 4;
        *digit = window.wrapping_sub(carry << 5);
        next = position.wrapping_add(WIDTH);
    }
    signed
}

/// The bits of a number from a position upwards, more than [`WIDTH`] of them.
fn bits_from(number: &Number, digit_bits: usize, position: usize) -> Word {
    let at = position.checked_div(digit_bits).unwrap_or(0);
    let offset = position.wrapping_sub(at.wrapping_mul(digit_bits));
    let digit = |at: usize| number.get(at).copied().unwrap_or_default();
    (digit(at) >> offset) | (digit(at.wrapping_add(1)) << digit_bits.wrapping_sub(offset))
}

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, Sign};
    use proptest::prelude::*;

    use super::*;
    use crate::arithmetic::modulus::from_bytes;

    fn check(bytes: &[u8]) {
        for digit_bits in [28, 29] {
            let signed = signed_digits(&from_bytes(bytes, digit_bits), digit_bits);
            let value = signed.iter().rev().fold(BigInt::ZERO, |sum, digit| (sum << 1) + digit);
            assert_eq!(value, BigInt::from_bytes_be(Sign::Plus, bytes));
            assert!(signed.iter().all(|digit| *digit == 0 || digit % 2 != 0 && digit.abs() <= 15));
            let is_sparse = |window: &[i8]| window.iter().filter(|digit| **digit != 0).count() <= 1;
            assert!(signed.windows(WIDTH).all(is_sparse));
        }
    }

    proptest! {
        #[test]
        fn the_digits_sum_up_to_the_number(bytes in prop::collection::vec(any::<u8>(), 0..=48)) {
            check(&bytes);
        }
    }

    #[test]
    fn the_last_carry_has_its_place() {
        for byte in 0..=255 {
            check(&[byte; 48]);
            check(&[byte; 32]);
            check(&[byte]);
        }
    }
}
