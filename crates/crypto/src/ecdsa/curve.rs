//! The two curves (SP 800-186 §3.2.1).

use core::num::Wrapping;

use super::point::{Affine, Multiples};
use crate::arithmetic::constants::{digits, minus, negative_inverse, points, times_r};
use crate::arithmetic::field::{Fe, Prime, Word};

const PLUS: Word = Wrapping(1);
const MINUS: Word = Wrapping(-1);

/// A curve y^2 = x^3 - 3x + b of prime order.
pub(crate) trait Curve<const N: usize>: Prime<N> {
    /// b, times R.
    const B: Fe<Self, N>;
    /// The order, which is below the field's prime.
    const ORDER: [Word; N];
    /// The field's prime minus the order.
    const GAP: [Word; N];
    /// R modulo the order.
    const ORDER_R: [Word; N];
    /// -1/order modulo 2^(digit bits).
    const ORDER_INVERSE: Word;
    /// The digits of the base point's odd multiples, each coordinate times R.
    const BASE: [[[u32; N]; 2]; 8];

    /// The base point's odd multiples.
    fn base() -> Multiples<Self, N> {
        let number = |digits: [u32; N]| Fe::new(digits.map(|digit| Wrapping(i64::from(digit))));
        Self::BASE.map(|[x, y]| Affine { x: number(x), y: number(y) })
    }
}

/// P-256, whose prime is 2^256 - 2^224 + 2^192 + 2^96 - 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct P256;

impl Prime<9> for P256 {
    const DIGIT_BITS: usize = 29;
    const BITS: usize = 256;
    const TERMS: [(Word, usize); 4] = [(PLUS, 256), (MINUS, 224), (PLUS, 192), (PLUS, 96)];
    const EXCESS: Word = PLUS;
    const PRIME: [Word; 9] =
        digits("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", 29);
}

const MULTIPLES_256: [[&str; 2]; 8] = [
    [
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ],
    [
        "5ecbe4d1a6330a44c8f7ef951d4bf165e6c6b721efada985fb41661bc6e7fd6c",
        "8734640c4998ff7e374b06ce1a64a2ecd82ab036384fb83d9a79b127a27d5032",
    ],
    [
        "51590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033ed",
        "e0c17da8904a727d8ae1bf36bf8a79260d012f00d4d80888d1d0bb44fda16da4",
    ],
    [
        "8e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a3",
        "73eb1dbde03318366d069f83a6f5900053c73633cb041b21c55e1a86c1f400b4",
    ],
    [
        "ea68d7b6fedf0b71878938d51d71f8729e0acb8c2c6df8b3d79e8a4b90949ee0",
        "2a2744c972c9fce787014a964a8ea0c84d714feaa4de823fe85a224a4dd048fa",
    ],
    [
        "3ed113b7883b4c590638379db0c21cda16742ed0255048bf433391d374bc21d1",
        "9099209accc4c8a224c843afa4f4c68a090d04da5e9889dae2f8eefce82a3740",
    ],
    [
        "177c837ae0ac495a61805df2d85ee2fc792e284b65ead58a98e15d9d46072c01",
        "63bb58cd4ebea558a24091adb40f4e7226ee14c3a1fb4df39c43bbe2efc7bfd8",
    ],
    [
        "f0454dc6971abae7adfb378999888265ae03af92de3a0ef163668c63e59b9d5f",
        "b5b93ee3592e2d1f4e6594e51f9643e62a3b21ce75b5fa3f47e59cde0d034f36",
    ],
];

impl Curve<9> for P256 {
    const B: Fe<Self, 9> = Fe::new(times_r(
        digits("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b", 29),
        &Self::PRIME,
        29,
    ));
    const ORDER: [Word; 9] =
        digits("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 29);
    const GAP: [Word; 9] = minus(&Self::PRIME, &Self::ORDER, 29);
    const ORDER_R: [Word; 9] = times_r(digits("1", 29), &Self::ORDER, 29);
    const ORDER_INVERSE: Word = negative_inverse(Self::ORDER[0], 29);
    const BASE: [[[u32; 9]; 2]; 8] = points(&MULTIPLES_256, &Self::PRIME, 29);
}

/// P-384, whose prime is 2^384 - 2^128 - 2^96 + 2^32 - 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct P384;

impl Prime<14> for P384 {
    const DIGIT_BITS: usize = 28;
    const BITS: usize = 384;
    const TERMS: [(Word, usize); 4] = [(PLUS, 384), (MINUS, 128), (MINUS, 96), (PLUS, 32)];
    const EXCESS: Word = PLUS;
    const PRIME: [Word; 14] = digits(
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        28,
    );
}

const MULTIPLES_384: [[&str; 2]; 8] = [
    [
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
    ],
    [
        "077a41d4606ffa1464793c7e5fdc7d98cb9d3910202dcd06bea4f240d3566da6b408bbae5026580d02d7e5c70500c831",
        "c995f7ca0b0c42837d0bbe9602a9fc998520b41c85115aa5f7684c0edc111eacc24abd6be4b5d298b65f28600a2f1df1",
    ],
    [
        "11de24a2c251c777573cac5ea025e467f208e51dbff98fc54f6661cbe56583b037882f4a1ca297e60abcdbc3836d84bc",
        "8fa696c77440f92d0f5837e90a00e7c5284b447754d5dee88c986533b6901aeb3177686d0ae8fb33184414abe6c1713a",
    ],
    [
        "283c1d7365ce4788f29f8ebf234edffead6fe997fbea5ffa2d58cc9dfa7b1c508b05526f55b9ebb2040f05b48fb6d0e1",
        "9475c99061e41b88ba52efdb8c1690471a61d867ed799729d9c92cd01dbd225630d84ede32a78f9e64664cdac512ef8c",
    ],
    [
        "8f0a39a4049bcb3ef1bf29b8b025b78f2216f7291e6fd3bac6cb1ee285fb6e21c388528bfee2b9535c55e4461079118b",
        "62c77e1438b601d6452c4a5322c3a9799a9b3d7ca3c400c6b7678854aed9b3029e743efedfd51b68262da4f9ac664af8",
    ],
    [
        "099056e27da7b998da1eeec2904816c57fe935ed5837c37456c9fd14892d3f8c4749b66e3afb81d626356f3b55b4ddd8",
        "2e4c0c234e30ab96688505544ac5e0396fc4eed8dfc363fd43ff93f41b52a3255466d51263aaff357d5dba8138c5e0bb",
    ],
    [
        "a567ba97b67aea5bafdaf5002ffcc6ab9632bff9f01f873f6267bcd1f0f11c139ee5f441abd99f1baaf1ca1e3b5cbce7",
        "de1b38b3989f3318644e4147af164ecc5185595046932ec086329be057857d66776bcb8272218a7d6423a12736f429cc",
    ],
    [
        "b3d13fc8b32b01058cc15c11d813525522a94156fff01c205b21f9f7da7c4e9ca849557a10b6383b4b88701a9606860b",
        "152919e7df9162a61b049b2536164b1beebac4a11d749af484d1114373dfbfd9838d24f8b284af50985d588d33f7bd62",
    ],
];

impl Curve<14> for P384 {
    const B: Fe<Self, 14> = Fe::new(times_r(
        digits(
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            28,
        ),
        &Self::PRIME,
        28,
    ));
    const ORDER: [Word; 14] = digits(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        28,
    );
    const GAP: [Word; 14] = minus(&Self::PRIME, &Self::ORDER, 28);
    const ORDER_R: [Word; 14] = times_r(digits("1", 28), &Self::ORDER, 28);
    const ORDER_INVERSE: Word = negative_inverse(Self::ORDER[0], 28);
    const BASE: [[[u32; 14]; 2]; 8] = points(&MULTIPLES_384, &Self::PRIME, 28);
}
