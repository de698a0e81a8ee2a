//! Numbers of the standards in the form that the kernel computes with, made by the compiler.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    reason = "evaluated by the compiler, for which a panic is an error; `From` is not const"
)]

use core::num::Wrapping;

use super::field::{Word, ZERO};

/// The digits of a hexadecimal number.
pub(crate) const fn digits<const N: usize>(hex: &str, digit_bits: usize) -> [Word; N] {
    let hex = hex.as_bytes();
    let mut digits = [ZERO; N];
    let mut bit = 0;
    while bit < 4 * hex.len() {
        let nibble = match hex[hex.len() - 1 - bit / 4] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        };
        let value = (nibble >> (bit % 4)) as i64 & 1;
        digits[bit / digit_bits].0 |= value << (bit % digit_bits);
        bit += 1;
    }
    digits
}

/// A number below the modulus, times R = 2^(digit bits * N).
pub(crate) const fn times_r<const N: usize>(
    number: [Word; N],
    modulus: &[Word; N],
    digit_bits: usize,
) -> [Word; N] {
    times_two_to(digit_bits * N, number, modulus, digit_bits)
}

/// A number below the modulus, times a power of two.
pub(crate) const fn times_two_to<const N: usize>(
    power: usize,
    number: [Word; N],
    modulus: &[Word; N],
    digit_bits: usize,
) -> [Word; N] {
    let mut number = number;
    let mut bit = 0;
    while bit < power {
        let twice = minus(&number, &minus(&[ZERO; N], &number, digit_bits), digit_bits);
        let less = minus(&twice, modulus, digit_bits);
        number = if less[N - 1].0 < 0 { twice } else { less };
        bit += 1;
    }
    number
}

/// The difference of two numbers.
pub(crate) const fn minus<const N: usize>(
    a: &[Word; N],
    b: &[Word; N],
    digit_bits: usize,
) -> [Word; N] {
    let mut difference = [ZERO; N];
    let mut carry = 0;
    let mut i = 0;
    while i < N {
        carry += a[i].0 - b[i].0;
        difference[i].0 = if i < N - 1 { carry & ((1 << digit_bits) - 1) } else { carry };
        carry >>= digit_bits;
        i += 1;
    }
    difference
}

/// -1/n modulo 2^(digit bits) for odd n, by Newton's iteration: n is its own inverse modulo 2^3,
/// and each round doubles the bits that are right.
pub(crate) const fn negative_inverse(n: Word, digit_bits: usize) -> Word {
    let mut inverse = n.0;
    let mut bits = 3;
    while bits < digit_bits {
        inverse = inverse.wrapping_mul(2 - n.0.wrapping_mul(inverse));
        bits *= 2;
    }
    Wrapping(-inverse & ((1 << digit_bits) - 1))
}

/// The digits of coordinates, times R, in half the space that words take.
pub(crate) const fn points<const N: usize>(
    hex: &[[&str; 2]; 8],
    prime: &[Word; N],
    digit_bits: usize,
) -> [[[u32; N]; 2]; 8] {
    let mut points = [[[0; N]; 2]; 8];
    let mut at = 0;
    while at < 16 {
        let number = times_r(digits(hex[at / 2][at % 2], digit_bits), prime, digit_bits);
        let mut i = 0;
        while i < N {
            points[at / 2][at % 2][i] = number[i].0 as u32;
            i += 1;
        }
        at += 1;
    }
    points
}
