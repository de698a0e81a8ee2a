//! As much of the protocol buffer encoding as Envoy's foreign functions and attributes need.

/// A message under construction.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// An empty message with room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Adds a string or bytes field. Field numbers here stay below 16.
    pub(crate) fn bytes(mut self, field: u8, value: &[u8]) -> Self {
        // Wire type 2: a length, then so many bytes.
        self.0.push((field << 3) | 2);
        write_varint(&mut self.0, value.len());
        self.0.extend_from_slice(value);
        self
    }

    /// The encoded message.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

fn write_varint(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

/// The first field of a message if it is a number, as `bool` is; `false` is the absent default.
///
/// None if the message is something else.
pub(crate) fn leading_bool(message: &[u8]) -> Option<bool> {
    match message {
        [] => Some(false),
        [0x08, value @ (0 | 1), ..] => Some(*value == 1),
        // The field was left out for being false and the next one, a string, comes first.
        [0x12, ..] => Some(false),
        _ => None,
    }
}

/// The fields of a message: number and bytes. They end at what is none.
#[derive(Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = read_varint(self.0)?;
        let (length, rest) = match tag & 7 {
            0 => (rest.len().checked_sub(read_varint(rest)?.1.len())?, rest),
            1 => (8, rest),
            2 => {
                let (length, rest) = read_varint(rest)?;
                (usize::try_from(length).ok()?, rest)
            }
            5 => (4, rest),
            _ => return None,
        };
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag >> 3, bytes))
    }
}

/// A number in as many bytes as it needs, and what follows.
fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(10).position(|byte| *byte < 0x80)?;
    let (digits, rest) = bytes.split_at_checked(end.checked_add(1)?)?;
    let number = digits.iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
    Some((number, rest))
}

/// The value of a key in the map that is the first field of a message.
pub(crate) fn entry<'a>(message: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let entries = Fields(message).filter(|(field, _)| *field == 1);
    let mut values = entries.filter_map(|(_, entry)| {
        let find = |wanted| Fields(entry).find(|(field, _)| *field == wanted);
        let (_, name) = find(1)?;
        (name == key.as_bytes()).then(|| find(2).map(|(_, value)| value)).flatten()
    });
    values.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_the_specification_shows() {
        let message = Message::default().bytes(2, b"testing").bytes(3, b"").finish();
        assert_eq!(message, b"\x12\x07testing\x1a\x00");
    }

    #[test]
    fn lengths_take_more_bytes_when_they_must() {
        for (length, head) in [
            (127, &b"\x0a\x7f"[..]),
            (128, b"\x0a\x80\x01"),
            (300, b"\x0a\xac\x02"),
            (16_384, b"\x0a\x80\x80\x01"),
        ] {
            let message = Message::with_capacity(0).bytes(1, &vec![b'x'; length]).finish();
            assert!(message.starts_with(head), "{length}");
            assert_eq!(message.len(), length + head.len());
        }
    }

    #[test]
    fn an_answer_is_true_only_if_it_says_so() {
        assert_eq!(leading_bool(b"\x08\x01"), Some(true));
        assert_eq!(leading_bool(b"\x08\x00"), Some(false));
        assert_eq!(leading_bool(b""), Some(false));
        assert_eq!(leading_bool(b"\x12\x03bad"), Some(false));
        for other in [&b"\x08"[..], b"\x08\x02", b"\x0a\x01", b"true"] {
            assert_eq!(leading_bool(other), None);
        }
    }
}
