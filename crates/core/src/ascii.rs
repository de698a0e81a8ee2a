//! Sets of bytes, in one table: what a name, a path or a token may hold is asked of every request.

/// A set of ASCII bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// The characters that a credential may have (RFC 9110 §11.2); a JWT has fewer.
    pub(crate) const TOKEN68: Self = Self(1);
    /// Letters, digits, `-`, `.`, `_` and `~`: what RFC 3986 §2.3 does not reserve.
    pub(crate) const UNRESERVED: Self = Self(2);
    /// `pchar` of RFC 3986 §3.3 without the percent sign and the semicolon, the slash, and the
    /// brackets, which every reader leaves alone.
    pub(crate) const PLAIN_PATH: Self = Self(4);
    /// Letters, digits, `.`, `_`, `:` and `-`.
    pub(crate) const REQUEST_ID: Self = Self(8);
    /// Digits, and the letters to `f` in lower case.
    pub(crate) const LOWER_HEX: Self = Self(16);

    /// Whether a byte is in the set.
    pub(crate) fn has(self, byte: u8) -> bool {
        classes(byte) & self.0 != 0
    }

    /// Whether all bytes are in the set.
    #[inline]
    pub(crate) fn has_all(self, bytes: &[u8]) -> bool {
        bytes.iter().fold(self.0, |all, byte| all & classes(*byte)) != 0
    }
}

#[inline]
fn classes(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

static CLASSES: [u8; 256] = table();

#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "runs when the program is compiled, where a mistake fails the build"
)]
const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 127_u8;
    while byte > 0 {
        let is_word = byte.is_ascii_alphanumeric();
        let is_hex = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_path = matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+'
        ) || matches!(byte, b',' | b'=' | b':' | b'@' | b'/' | b'[' | b']');
        let is_token = matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        table[byte as usize] = bit(Class::TOKEN68, is_word || is_token)
            | bit(Class::UNRESERVED, is_word || matches!(byte, b'-' | b'.' | b'_' | b'~'))
            | bit(Class::PLAIN_PATH, is_word || is_path)
            | bit(Class::REQUEST_ID, is_word || matches!(byte, b'.' | b'_' | b':' | b'-'))
            | bit(Class::LOWER_HEX, is_hex);
        byte = byte.saturating_sub(1);
    }
    table
}

const fn bit(class: Class, is_in: bool) -> u8 {
    if is_in { class.0 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_holds_its_characters_and_nothing_else() {
        const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        for (class, word, others) in [
            (Class::TOKEN68, WORD, "-._~+/="),
            (Class::UNRESERVED, WORD, "-._~"),
            (Class::PLAIN_PATH, WORD, "-._~!$&'()*+,=:@/[]"),
            (Class::REQUEST_ID, WORD, "._:-"),
            (Class::LOWER_HEX, "0123456789abcdef", ""),
        ] {
            for byte in 0..=u8::MAX {
                let expected = word.as_bytes().contains(&byte) || others.as_bytes().contains(&byte);
                assert_eq!(class.has(byte), expected, "{byte:#x} in {class:?}");
                assert_eq!(class.has_all(&[b'0', byte, b'a']), expected, "{byte:#x} in {class:?}");
            }
            assert!(class.has_all(b""));
        }
    }
}
