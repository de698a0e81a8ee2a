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
