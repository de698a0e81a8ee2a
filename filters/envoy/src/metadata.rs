//! Metadata that earlier filters have set, for policies that read any.

use std::collections::BTreeSet;

use lychgate_core::request::{MetadataValue, Metadatum};

use crate::host;

/// Most elements of a list that are read.
const ELEMENTS: usize = 64;

/// How many bytes a number has.
const NUMBER: usize = 8;

/// How many bytes a boolean has.
const BOOLEAN: usize = 1;

/// The wanted values, by filter and key.
///
/// Envoy does not say of which type a value is. It gives numbers as their eight bytes, booleans as
/// one, and lists as pairs: what has a control character may be one of these or a text. What is not
/// UTF-8 is no text, and absent.
pub(crate) fn read(wanted: &BTreeSet<(String, String)>) -> Vec<Metadatum> {
    let datum = |(filter, key): &(String, String)| {
        let bytes = host::attribute(&["metadata", "filter_metadata", filter, key])?;
        Some(Metadatum { filter: filter.clone(), key: key.clone(), value: value(bytes)? })
    };
    wanted.iter().filter_map(datum).collect()
}

/// A value as Envoy gives it: text, else a list. No list is text: its count has a zero byte.
fn value(bytes: Vec<u8>) -> Option<MetadataValue> {
    if let Some(elements) = list(&bytes) {
        return Some(MetadataValue::List(elements));
    }
    let text = String::from_utf8(bytes).ok()?;
    let may_be_other = matches!(text.len(), NUMBER | BOOLEAN) || text.contains('\0');
    if may_be_other && text.contains(char::is_control) {
        return Some(MetadataValue::Unclear);
    }
    Some(MetadataValue::Text(text))
}

/// The strings in a list, which Envoy gives as pairs with nothing in their second half: the count,
/// the lengths of both halves of each, then the halves, each with a zero byte after it. Elements
/// that are no strings are empty there, and left out.
fn list(bytes: &[u8]) -> Option<Vec<String>> {
    let (count, rest) = length(bytes)?;
    if count == 0 || count > ELEMENTS {
        return None;
    }
    let (lengths, mut rest) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut elements = Vec::with_capacity(count);
    for lengths in lengths.chunks_exact(8) {
        let (first, second) = length(lengths)?;
        let (0, _) = length(second)? else { return None };
        let (element, after) = rest.split_at_checked(first)?;
        rest = after.strip_prefix(&[0, 0])?;
        let text = String::from_utf8(element.to_vec()).ok();
        elements.extend(text.filter(|element| !element.is_empty()));
    }
    rest.is_empty().then_some(elements)
}

/// A length of four bytes, and what follows.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_number_is_unclear_and_everything_else_in_utf_8_is_text() {
        let text = |text: &str| Some(MetadataValue::Text(text.into()));
        let of = |bytes: &[u8]| value(bytes.to_vec());
        for plain in ["team-a", "admin\n", "12345678", "t\tt"] {
            assert_eq!(of(plain.as_bytes()), text(plain));
        }
        assert_eq!(of(&5.0_f64.to_le_bytes()), Some(MetadataValue::Unclear));
        assert_eq!(of(b"1234567\n"), Some(MetadataValue::Unclear));
        assert_eq!(of(b"\x01"), Some(MetadataValue::Unclear));
        assert_eq!(of(b"a\0b"), Some(MetadataValue::Unclear));
        assert_eq!(of(&1.0_f64.to_le_bytes()), None);
        assert_eq!(of(b"\xff"), None);
    }

    #[test]
    fn an_element_of_a_list_is_whatever_text_it_is() {
        let list = b"\x01\0\0\0\x02\0\0\0\0\0\0\0a\n\0\0";
        assert_eq!(value(list.to_vec()), Some(MetadataValue::List(vec!["a\n".into()])));
    }

    #[test]
    fn a_list_is_its_strings() {
        let strings = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
        let two = b"\x02\0\0\0\x03\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0dev\0\0ops\0\0";
        assert_eq!(list(two), strings(&["dev", "ops"]));
        let with_a_number = b"\x02\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\0ops\0\0";
        assert_eq!(list(with_a_number), strings(&["ops"]));
    }

    #[test]
    fn what_is_cut_longer_or_a_map_is_no_list() {
        let one = b"\x01\0\0\0\x03\0\0\0\0\0\0\0ops\0\0";
        assert!(list(one).is_some());
        assert!((0..one.len()).all(|end| list(&one[..end]).is_none()));
        assert_eq!(list(&[&one[..], b"\0"].concat()), None);
        let map = b"\x01\0\0\0\x01\0\0\0\x01\0\0\0k\0v\0";
        assert_eq!(list(map), None);
        assert_eq!(value(map.to_vec()), Some(MetadataValue::Unclear));
        assert_eq!(list(&1.0_f64.to_le_bytes()), None);
        assert_eq!(list(&u32::MAX.to_le_bytes()), None);
    }
}
