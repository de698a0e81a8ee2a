//! Points of edwards25519 (RFC 8032 §5.1).
//!
//! All operands are public, so the time it takes may depend on them.
#![expect(clippy::arithmetic_side_effects, reason = "field elements don't overflow")]

use core::num::Wrapping;

use crate::arithmetic::constants::{digits, times_r};
use crate::arithmetic::field::{Fe, Prime, Word, ZERO};
use crate::arithmetic::modulus::{NOUGHT, from_bytes, is_less, number};
use crate::arithmetic::signed::SignedDigits;

/// 2^255 - 19.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prime25519;

impl Prime<9> for Prime25519 {
    const DIGIT_BITS: usize = 29;
    const BITS: usize = 255;
    const TERMS: [(Word, usize); 4] = [(Wrapping(1), 255), (ZERO, 0), (ZERO, 0), (ZERO, 0)];
    const EXCESS: Word = Wrapping(19);
    const PRIME: [Word; 9] =
        digits("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", 29);
}

type Element = Fe<Prime25519, 9>;

const ONE: Element = Prime25519::ONE;

const fn element(hex: &str) -> Element {
    Fe::new(times_r(digits(hex, 29), &Prime25519::PRIME, 29))
}

/// d of the curve -x^2 + y^2 = 1 + d x^2 y^2. It is no square, so the formula for a sum holds for
/// any two points.
const D: Element = element("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
const SQUARE_ROOT_OF_MINUS_ONE: Element =
    element("2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0");

/// Extended coordinates, reduced: x = X / Z, y = Y / Z, x * y = T / Z.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    x: Element,
    y: Element,
    z: Element,
    t: Element,
}

/// A point as a term of sums: Y + X, Y - X, 2Z and 2dT, reduced.
#[derive(Debug, Clone, Copy)]
struct Term {
    plus: Element,
    minus: Element,
    twice_z: Element,
    twice_dt: Element,
}

/// 1, 3, 5, ... 15 times a point.
type Multiples = [Term; 8];

/// The base point.
const BASE: Point = Point {
    x: element("216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"),
    y: element("6666666666666666666666666666666666666666666666666666666666666658"),
    z: ONE,
    t: element("67875f0fd78b766566ea4e8e64abe37d20f09f80775152f56dde8ab3a5b7dda3"),
};

impl Point {
    /// RFC 8032 §5.1.3. Refuses a y that is not below the prime or has no x on the curve, and the
    /// sign of an x that is zero.
    pub(super) fn decompress(bytes: &[u8; 32]) -> Option<Self> {
        let (y, sign) = without_sign(bytes);
        let y = from_bytes(&y, Prime25519::DIGIT_BITS);
        if !is_less(&y, &number(Prime25519::PRIME)) {
            return None;
        }
        let y = Fe::of(&y).times(&Prime25519::R);
        let root = square_root(&y.square_plus(&-ONE), &D.times_plus(&y.square(), &ONE))?;
        let canonical = root.canonical();
        if canonical == NOUGHT && sign {
            return None;
        }
        let x = if is_odd(canonical[0]) == sign { root } else { (-root).reduced() };
        Some(Self { x, y, z: ONE, t: x.times(&y) })
    }

    /// Whether these bytes are the encoding of the point (RFC 8032 §5.1.2), which is the only one.
    pub(super) fn is_encoded_by(&self, bytes: &[u8; 32]) -> bool {
        let inverse = self.z.inverse();
        let (x, y) = (self.x.times(&inverse).canonical(), self.y.times(&inverse).canonical());
        let (encoded, sign) = without_sign(bytes);
        y == from_bytes(&encoded, Prime25519::DIGIT_BITS) && is_odd(x[0]) == sign
    }

    /// Whether eight times the point is the neutral element.
    pub(super) fn has_small_order(&self) -> bool {
        let twice = |point: &Self| point.doubled().without_t();
        let product = twice(&twice(&twice(self)));
        product.x.is_zero() && (product.y - product.z).reduced().is_zero()
    }

    pub(super) fn negated(&self) -> Self {
        Self { x: (-self.x).reduced(), t: (-self.t).reduced(), ..*self }
    }

    /// Twice the point, of which T is not looked at ("dbl-2008-hwcd" of the Explicit-Formulas
    /// Database).
    fn doubled(&self) -> Factors {
        let Self { x, y, z, .. } = self;
        let (xx, yy, zz) = (x.square(), y.square(), z.square());
        let g = yy - xx;
        Factors { e: (2 * *x).times(y), f: g - 2 * zz, g, h: -(xx + yy) }
    }

    /// The sum with any point ("add-2008-hwcd-3").
    fn plus(&self, other: &Term) -> Factors {
        let Self { x, y, z, t } = self;
        let a = (*y - *x).times(&other.minus);
        let h = (*y + *x).times_plus(&other.plus, &a);
        let c = t.times(&other.twice_dt);
        let d = z.times(&other.twice_z);
        Factors { e: h - 2 * a, f: d - c, g: d + c, h }
    }

    fn term(&self) -> Term {
        Term {
            plus: (self.y + self.x).reduced(),
            minus: (self.y - self.x).reduced(),
            twice_z: (2 * self.z).reduced(),
            twice_dt: (2 * self.t).times(&D),
        }
    }

    fn odd_multiples(&self) -> Multiples {
        let twice = self.doubled().point().term();
        let mut multiple = *self;
        [(); 8].map(|()| {
            let term = multiple.term();
            multiple = multiple.plus(&twice).point();
            term
        })
    }
}

/// A point as X = E * F, Y = G * H, Z = F * G and T = E * H. None is reduced, but any two of those
/// that are multiplied here may be.
#[derive(Debug, Clone, Copy)]
struct Factors {
    e: Element,
    f: Element,
    g: Element,
    h: Element,
}

impl Factors {
    fn point(&self) -> Point {
        Point { t: self.e.times(&self.h), ..self.without_t() }
    }

    /// The point, with zero for T.
    fn without_t(&self) -> Point {
        let Self { e, f, g, h } = self;
        Point { x: e.times(f), y: g.times(h), z: f.times(g), t: Fe::ZERO }
    }
}

impl Term {
    fn negated(&self) -> Self {
        let Self { plus, minus, twice_z, twice_dt } = *self;
        Self { plus: minus, minus: plus, twice_z, twice_dt: (-twice_dt).reduced() }
    }
}

/// `a * base + b * point` by Straus's method.
pub(super) fn sum_of_products(a: &SignedDigits, b: &SignedDigits, point: &Point) -> Point {
    let multiples = [BASE.odd_multiples(), point.odd_multiples()];
    let mut sum = Point { x: Fe::ZERO, y: ONE, z: ONE, t: Fe::ZERO };
    for (&a, &b) in a.iter().zip(b).rev().skip_while(|&(&a, &b)| a == 0 && b == 0) {
        let mut doubled = sum.doubled();
        for (digit, multiples) in [a, b].iter().zip(&multiples) {
            if let Some(term) = multiple(multiples, *digit) {
                doubled = doubled.point().plus(&term);
            }
        }
        sum = doubled.without_t();
    }
    sum
}

/// That odd multiple; `None` for zero.
fn multiple(multiples: &Multiples, digit: i8) -> Option<Term> {
    let term = multiples.get(usize::from(digit.unsigned_abs() / 2))?;
    match digit.signum() {
        1 => Some(*term),
        -1 => Some(term.negated()),
        _ => None,
    }
}

/// A square root of `u / v`, if that has one.
fn square_root(u: &Element, v: &Element) -> Option<Element> {
    let v3 = v.square().times(v);
    let power = power_of_ones(&u.times(&v3.square()).times(v));
    let root = power.times(&u.times(&v3));
    let square = root.square().times(v);
    if (square - *u).reduced().is_zero() {
        Some(root)
    } else if (square + *u).reduced().is_zero() {
        Some(root.times(&SQUARE_ROOT_OF_MINUS_ONE))
    } else {
        None
    }
}

/// The power with exponent 2^252 - 3, which is 250 ones and 01 in binary.
fn power_of_ones(base: &Element) -> Element {
    let squared = |number: &Element, times| (0..times).fold(*number, |n, _| n.square());
    let (mut power, mut ones) = (*base, 1);
    // 250 in binary, without its first digit.
    for one_more in [true, true, true, true, false, true, false] {
        power = squared(&power, ones).times(&power);
        ones *= 2;
        if one_more {
            power = power.square().times(base);
            ones += 1;
        }
    }
    squared(&power, 2).times(base)
}

/// The big-endian number of an encoding, without its sign, and the sign.
fn without_sign(bytes: &[u8; 32]) -> ([u8; 32], bool) {
    let mut number = *bytes;
    number.reverse();
    let sign = number[0] & 0x80 != 0;
    number[0] &= 0x7f;
    (number, sign)
}

fn is_odd(digit: Word) -> bool {
    digit.0 & 1 == 1
}
