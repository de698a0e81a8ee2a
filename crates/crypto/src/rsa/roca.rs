//! The ROCA weakness (CVE-2017-15361): primes of the form `k * M + (65537^a mod M)`, where M is
//! a product of small primes, can be found from the modulus.

/// The odd primes of the smallest M that such keys have.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the big-endian modulus is a power of 65537 modulo every one of [`PRIMES`], as that of
/// a weak key always is. About one honest modulus in 2^27 is too and is refused with them.
pub(super) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| is_power_of_65537(remainder(modulus, prime), prime))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus.iter().fold(0u32, |remainder, &byte| {
        remainder.wrapping_mul(256).wrapping_add(u32::from(byte)).checked_rem(prime).unwrap_or(0)
    })
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == residue {
            return true;
        }
        power = 65537u32.wrapping_mul(power).checked_rem(prime).unwrap_or(0);
    }
    false
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use num_bigint::BigUint;

    use super::*;

    fn product() -> BigUint {
        PRIMES.iter().map(|&prime| BigUint::from(prime)).product()
    }

    /// k * M + 65537^a mod M, for some large k: a modulus with the fingerprint.
    fn weak(exponent: u32) -> Vec<u8> {
        let power = BigUint::from(65537u32).modpow(&BigUint::from(exponent), &product());
        ((BigUint::from(3u32).pow(1000) * product()) + power).to_bytes_be()
    }

    #[test]
    fn every_power_of_65537_has_the_fingerprint() {
        for exponent in [0, 1, 2, 77, 65536, 1_000_003] {
            assert!(has_fingerprint(&weak(exponent)), "{exponent}");
        }
    }

    #[test]
    fn a_modulus_that_misses_one_residue_does_not() {
        for prime in PRIMES {
            let powers = (0..prime).filter(|&r| is_power_of_65537(r, prime)).count();
            // These run through every residue of this prime and keep those of the others.
            let weak = BigUint::from_bytes_be(&weak(77));
            let with_fingerprint = (0..prime)
                .map(|k| weak.clone() + product() / prime * k)
                .filter(|modulus| has_fingerprint(&modulus.to_bytes_be()));
            assert_eq!(with_fingerprint.count(), powers, "{prime}");
            assert!(powers < usize::try_from(prime).unwrap());
        }
    }

    #[test]
    fn the_primes_are_all_odd_primes_up_to_167() {
        let primes = (3..=167u32).filter(|n| (2..*n).all(|d| n % d != 0));
        assert!(primes.eq(PRIMES));
    }

    #[test]
    fn few_residues_are_powers() {
        let chance: f64 = PRIMES
            .iter()
            .map(|&prime| {
                let powers = (1..prime).filter(|&r| is_power_of_65537(r, prime)).count();
                f64::from(u32::try_from(powers).unwrap()) / f64::from(prime - 1)
            })
            .product();
        assert!(chance < 1e-8, "{chance}");
    }
}
