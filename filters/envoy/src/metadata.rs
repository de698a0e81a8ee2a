//! Metadata that earlier filters have set, for policies that read any.

use lychgate_core::request::{MetadataValue, Metadatum};

use crate::host;
use crate::protobuf::{Fields, entry};

/// Most elements of a list that are read.
const ELEMENTS: usize = 64;

/// How many bytes a number has.
const NUMBER: usize = 8;

/// The wanted values, by filter and key.
///
/// An attribute comes without its type: numbers are their eight bytes, booleans one, and lists are
/// pairs. What may be one of these is looked up in the message of all metadata, which has the types
/// and costs more. What is not UTF-8 is no text, and absent.
pub(crate) fn read(wanted: &[(String, String)]) -> Vec<Metadatum> {
    let mut message = None;
    let mut datum = |(filter, key): &(String, String)| {
        let bytes = host::attribute(&["metadata", "filter_metadata", filter, key])?;
        let kind = || {
            let message = message.get_or_insert_with(|| host::attribute(&["metadata"]));
            kind(message.as_deref()?, filter, key)
        };
        Some(Metadatum { filter: filter.clone(), key: key.clone(), value: value(bytes, kind)? })
    };
    wanted.iter().filter_map(&mut datum).collect()
}

/// A value as Envoy gives it, with its type where the bytes leave that open.
fn value(bytes: Vec<u8>, kind: impl FnOnce() -> Option<Kind>) -> Option<MetadataValue> {
    let text = |bytes| String::from_utf8(bytes).ok().map(MetadataValue::Text);
    let is_text = bytes.len() != NUMBER && !bytes.iter().any(u8::is_ascii_control);
    if is_text {
        return text(bytes);
    }
    match kind() {
        Some(Kind::Text) => text(bytes),
        Some(Kind::List) => list(&bytes).map(MetadataValue::List),
        Some(Kind::Other) => None,
        None => Some(MetadataValue::Unclear),
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    List,
    Other,
}

/// Looks a value up in `envoy.config.core.v3.Metadata`, whose first field maps filters to
/// `google.protobuf.Struct`. Nothing where the message does not have it.
fn kind(message: &[u8], filter: &str, key: &str) -> Option<Kind> {
    let members = entry(message, filter)?;
    let (field, _) = Fields(entry(members, key)?).next()?;
    Some(match field {
        3 => Kind::Text,
        6 => Kind::List,
        _ => Kind::Other,
    })
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

    fn text(text: &str) -> Option<MetadataValue> {
        Some(MetadataValue::Text(text.into()))
    }

    #[test]
    fn what_can_be_nothing_else_is_text() {
        for plain in ["team-a", "größe", "1", "123456789"] {
            let value = value(plain.as_bytes().to_vec(), || panic!("nobody needs the type"));
            assert_eq!(value, text(plain));
        }
        assert_eq!(value(b"\xff".to_vec(), || None), None);
    }

    #[test]
    fn the_type_says_what_the_bytes_leave_open() {
        let list = b"\x01\0\0\0\x02\0\0\0\0\0\0\0a\n\0\0";
        for (bytes, kind, expected) in [
            (&b"platform"[..], Some(Kind::Text), text("platform")),
            (b"platform", Some(Kind::Other), None),
            (b"platform", None, Some(MetadataValue::Unclear)),
            (&5.0_f64.to_le_bytes(), Some(Kind::Other), None),
            (b"\x01", Some(Kind::Other), None),
            (b"admin\n", Some(Kind::Text), text("admin\n")),
            (b"admin\n", None, Some(MetadataValue::Unclear)),
            (list, Some(Kind::List), Some(MetadataValue::List(vec!["a\n".into()]))),
            (list, None, Some(MetadataValue::Unclear)),
            (b"a\n", Some(Kind::List), None),
        ] {
            assert_eq!(value(bytes.to_vec(), || kind), expected, "{bytes:?} {kind:?}");
        }
    }

    /// A field with bytes, as protobuf writes it.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len().try_into().unwrap()], bytes].concat()
    }

    fn member(name: &str, value: &[u8]) -> Vec<u8> {
        field(1, &[field(1, name.as_bytes()), field(2, value)].concat())
    }

    #[test]
    fn the_message_of_all_metadata_has_the_types() {
        let number = [&[2 << 3 | 1][..], &5.0_f64.to_le_bytes()].concat();
        let members = [
            member("text", &field(3, b"v")),
            member("number", &number),
            member("truth", &[4 << 3, 1]),
            member("null", &[1 << 3, 0]),
            member("list", &field(6, &field(1, &field(3, b"v")))),
            member("map", &field(5, b"")),
        ];
        let other = member("other", &member("text", &number));
        let message = [other, member("filter", &members.concat())].concat();
        for (key, expected) in [
            ("text", Some(Kind::Text)),
            ("number", Some(Kind::Other)),
            ("truth", Some(Kind::Other)),
            ("null", Some(Kind::Other)),
            ("list", Some(Kind::List)),
            ("map", Some(Kind::Other)),
            ("absent", None),
        ] {
            assert_eq!(kind(&message, "filter", key), expected, "{key}");
        }
        assert_eq!(kind(&message, "nobody", "text"), None);
        // Cut anywhere, it says nothing that it does not say whole.
        for end in 0..message.len() {
            let cut = kind(&message[..end], "filter", "map");
            assert!(cut.is_none(), "{end}");
        }
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
        assert_eq!(list(&1.0_f64.to_le_bytes()), None);
        assert_eq!(list(&u32::MAX.to_le_bytes()), None);
    }
}
