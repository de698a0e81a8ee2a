//! The reader: bytes to tape.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::scan;
use super::value::{Document, Kind, Node, Span};
use crate::order;

/// So many names are few.
const FEW: usize = 16;

/// Longest text of a number: room for every `u64` and every useful fraction.
const NUMBER_BYTES: usize = 32;

/// How large and how deep a text may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most bytes of the whole text.
    pub bytes: usize,
    /// Most arrays and objects inside one another.
    pub depth: usize,
    /// Most members of one object and most elements of one array.
    pub members: usize,
}

/// Why a text is not the JSON that we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// More bytes than the bound.
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// Where the first bad byte is.
        at: usize,
    },
    /// Not what RFC 8259 allows at this place.
    Syntax {
        /// The byte at which reading stopped.
        at: usize,
    },
    /// The same member twice in one object.
    Duplicate {
        /// Where the object ends.
        at: usize,
    },
    /// Nested too deeply.
    TooDeep {
        /// Where the level past the bound begins.
        at: usize,
    },
    /// An object or an array with too many members.
    TooWide {
        /// Where the one past the bound begins.
        at: usize,
    },
    /// A number with too many characters.
    NumberTooLong {
        /// Where it begins.
        at: usize,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "{bytes} bytes of JSON, at most {limit} are read")
            }
            Self::NotUtf8 { at } => write!(f, "invalid UTF-8 at byte {at}"),
            Self::Syntax { at } => write!(f, "invalid JSON at byte {at}"),
            Self::Duplicate { at } => {
                write!(f, "duplicate member in the object that ends at byte {at}")
            }
            Self::TooDeep { at } => write!(f, "JSON nested too deeply at byte {at}"),
            Self::TooWide { at } => write!(f, "too many members or elements at byte {at}"),
            Self::NumberTooLong { at } => {
                write!(f, "number of more than {NUMBER_BYTES} characters at byte {at}")
            }
        }
    }
}

impl core::error::Error for JsonError {}

pub(super) fn check_size(bytes: &[u8], bounds: &Bounds) -> Result<(), JsonError> {
    if bytes.len() > bounds.bytes {
        return Err(JsonError::TooLarge { bytes: bytes.len(), limit: bounds.bytes });
    }
    Ok(())
}

pub(super) fn read(bytes: Vec<u8>, bounds: &Bounds) -> Result<Document, JsonError> {
    let text = String::from_utf8(bytes)
        .map_err(|error| JsonError::NotUtf8 { at: error.utf8_error().valid_up_to() })?;
    let mut reader = Reader {
        text: &text,
        at: 0,
        bounds,
        open: None,
        outer: Vec::new(),
        tape: Vec::with_capacity(text.len().checked_div(8).unwrap_or(0)),
        unescaped: String::new(),
    };
    reader.document()?;
    let Reader { tape, unescaped, .. } = reader;
    Ok(Document { text: text.into(), unescaped, tape })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    bounds: &'a Bounds,
    open: Option<Open>,
    /// Those around it, the innermost last: most texts have none.
    outer: Vec<Open>,
    tape: Vec<Node>,
    unescaped: String,
}

/// An array or an object whose end has not been seen.
struct Open {
    node: usize,
    members: usize,
    object: bool,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        self.white_space();
        self.value()?;
        while let Some(open) = &self.open {
            let (object, members) = (open.object, open.members);
            self.white_space();
            match (self.peek(), object) {
                (Some(b'}'), true) | (Some(b']'), false) => self.close()?,
                (Some(b','), _) if members > 0 => {
                    self.bump();
                    self.white_space();
                    self.member(object)?;
                }
                (Some(_), _) if members == 0 => self.member(object)?,
                _ => return Err(self.syntax()),
            }
        }
        self.white_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.syntax()) }
    }

    fn member(&mut self, object: bool) -> Result<(), JsonError> {
        if let Some(open) = &mut self.open {
            open.members = open.members.saturating_add(1);
            if open.members > self.bounds.members {
                return Err(JsonError::TooWide { at: self.at });
            }
        }
        if object {
            if self.peek() != Some(b'"') {
                return Err(self.syntax());
            }
            self.string()?;
            self.white_space();
            if self.peek() != Some(b':') {
                return Err(self.syntax());
            }
            self.bump();
            self.white_space();
        }
        self.value()
    }

    fn value(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.begin(Kind::Object, true),
            Some(b'[') => self.begin(Kind::Array, false),
            Some(b't') => self.word("true", Kind::Bool(true)),
            Some(b'f') => self.word("false", Kind::Bool(false)),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.syntax()),
        }
    }

    fn begin(&mut self, kind: Kind, object: bool) -> Result<(), JsonError> {
        let depth = self.outer.len().saturating_add(usize::from(self.open.is_some()));
        if depth >= self.bounds.depth {
            return Err(JsonError::TooDeep { at: self.at });
        }
        self.bump();
        let inner = Open { node: self.tape.len(), members: 0, object };
        if let Some(outer) = self.open.replace(inner) {
            self.outer.push(outer);
        }
        self.push(kind);
        Ok(())
    }

    fn close(&mut self) -> Result<(), JsonError> {
        let Some(open) = self.open.take() else { return Err(self.syntax()) };
        self.open = self.outer.pop();
        let end = offset(self.tape.len());
        if let Some(node) = self.tape.get_mut(open.node) {
            node.end = end;
        }
        if open.object && self.has_duplicate(&open) {
            return Err(JsonError::Duplicate { at: self.at });
        }
        self.bump();
        Ok(())
    }

    /// Few names are compared with each other, as most objects have few; more are sorted.
    fn has_duplicate(&self, object: &Open) -> bool {
        let mut few: [&[u8]; FEW] = [b""; FEW];
        if let Some(names) = few.get_mut(..object.members) {
            self.collect_names(object, names);
            return has_twice(names);
        }
        let mut names: Vec<&[u8]> = vec![b""; object.members];
        self.collect_names(object, &mut names);
        order::sort_by(&mut names, |a, b| a < b);
        names.array_windows().any(|[a, b]| a == b)
    }

    fn collect_names<'n>(&'n self, object: &Open, names: &mut [&'n [u8]]) {
        let mut index = object.node.saturating_add(1);
        for place in names {
            // A name has no children: its value is the next node.
            let pair = self.tape.get(index..).and_then(|rest| rest.first_chunk());
            let Some([name, value]) = pair else { return };
            *place = self.span_text(name.kind);
            index = usize::try_from(value.end).unwrap_or(usize::MAX);
        }
    }

    fn span_text(&self, kind: Kind) -> &[u8] {
        let (span, text) = match kind {
            Kind::Unescaped(span) => (span, self.unescaped.as_str()),
            Kind::String(span) | Kind::Number(span) => (span, self.text),
            Kind::Null | Kind::Bool(_) | Kind::Array | Kind::Object => return b"",
        };
        let start = usize::try_from(span.start).unwrap_or(usize::MAX);
        let end = usize::try_from(span.end).unwrap_or(usize::MAX);
        text.as_bytes().get(start..end).unwrap_or_default()
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), JsonError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.syntax());
        }
        self.at = self.at.saturating_add(word.len());
        self.push(kind);
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.bump();
        }
        match self.peek() {
            Some(b'0') => self.bump(),
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.syntax()),
        }
        if self.peek() == Some(b'.') {
            self.bump();
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.bump();
            if let Some(b'+' | b'-') = self.peek() {
                self.bump();
            }
            self.digits()?;
        }
        if self.at.saturating_sub(start) > NUMBER_BYTES {
            return Err(JsonError::NumberTooLong { at: start });
        }
        self.push(Kind::Number(Span { start: offset(start), end: offset(self.at) }));
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.bump();
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonError> {
        self.bump();
        let start = self.at;
        let plain = self.plain_length();
        self.at = self.at.saturating_add(plain);
        match self.peek() {
            Some(b'"') => {
                self.push(Kind::String(Span { start: offset(start), end: offset(self.at) }));
                self.bump();
                Ok(())
            }
            Some(b'\\') => self.escaped_string(start),
            _ => Err(self.syntax()),
        }
    }

    /// The rest of a string that holds at least one escape; what stands before it is plain.
    fn escaped_string(&mut self, start: usize) -> Result<(), JsonError> {
        let begin = self.unescaped.len();
        let mut plain_start = start;
        loop {
            let plain = self.text.get(plain_start..self.at).unwrap_or("");
            self.unescaped.push_str(plain);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.syntax()),
            }
            plain_start = self.at;
            self.at = self.at.saturating_add(self.plain_length());
        }
        self.bump();
        let end = offset(self.unescaped.len());
        self.push(Kind::Unescaped(Span { start: offset(begin), end }));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.bump();
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.syntax()),
        };
        self.bump();
        self.unescaped.push(character);
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), JsonError> {
        let first = self.four_digits()?;
        let mut code = u32::from(first);
        if (0xD800..0xDC00).contains(&first) {
            if self.peek() != Some(b'\\') {
                return Err(self.syntax());
            }
            self.bump();
            if self.peek() != Some(b'u') {
                return Err(self.syntax());
            }
            let second = self.four_digits()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.syntax());
            }
            let high = u32::from(first & 0x3FF) << 10;
            code = (high | u32::from(second & 0x3FF)).saturating_add(0x1_0000);
        }
        // A lone low surrogate is no character.
        let character = char::from_u32(code).ok_or_else(|| self.syntax())?;
        self.unescaped.push(character);
        Ok(())
    }

    /// Reads the `u` of an escape and its four digits.
    fn four_digits(&mut self) -> Result<u16, JsonError> {
        self.bump();
        let digits = self.rest().get(..4).ok_or_else(|| self.syntax())?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.syntax());
        }
        let digits = core::str::from_utf8(digits).map_err(|_| self.syntax())?;
        let code = u16::from_str_radix(digits, 16).map_err(|_| self.syntax())?;
        self.at = self.at.saturating_add(4);
        Ok(code)
    }

    /// How many bytes from here need no escape and do not end the string.
    #[inline(always)]
    fn plain_length(&self) -> usize {
        scan::plain_length(self.rest())
    }

    #[inline(always)]
    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.bump();
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn bump(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    #[inline(always)]
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    fn push(&mut self, kind: Kind) {
        let end = offset(self.tape.len()).saturating_add(1);
        self.tape.push(Node { kind, end });
    }

    fn syntax(&self) -> JsonError {
        JsonError::Syntax { at: self.at }
    }
}

/// Whether a name is there twice. Most are told from all others by one of 64 bits.
fn has_twice(names: &[&[u8]]) -> bool {
    let mut seen = 0;
    names.iter().any(|name| {
        let bit = 1_u64.rotate_left(spread(name));
        let may_be_second = seen & bit != 0;
        seen |= bit;
        may_be_second && names.iter().filter(|other| *other == name).nth(1).is_some()
    })
}

/// Few different names have the same of these 64 values.
fn spread(name: &[u8]) -> u32 {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX).wrapping_mul(29);
    let ends = name.first().zip(name.last());
    ends.map_or(0, |(first, last)| {
        length.wrapping_add(u32::from(*first).wrapping_mul(7)).wrapping_add(u32::from(*last)) & 63
    })
}

/// Offsets fit: no bound on a text is near 4 GiB.
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::View;
    use alloc::format;

    const BOUNDS: Bounds = Bounds { bytes: 1 << 20, depth: 32, members: 1024 };

    fn parse(text: &str) -> Result<Document, JsonError> {
        Document::parse(text.as_bytes(), &BOUNDS)
    }

    #[test]
    fn canonical_form_sorts_members_and_drops_white_space() {
        let document =
            parse("{ \"b\" : [1, 2.50, {\"z\":null,\"a\":true}], \"\\u0061\": \"\\u00e9\\n\\/\" }")
                .unwrap();
        assert_eq!(
            document.canonical(),
            "{\"a\":\"é\\n/\",\"b\":[1,2.50,{\"a\":true,\"z\":null}]}"
        );
    }

    #[test]
    fn a_duplicate_is_seen_after_unescaping_and_at_depth() {
        assert!(matches!(parse(r#"{"alg":1,"\u0061lg":2}"#), Err(JsonError::Duplicate { .. })));
        assert!(matches!(
            parse(r#"[{"x":{"a":1,"b":2,"a":3}}]"#),
            Err(JsonError::Duplicate { .. })
        ));
        assert!(parse(r#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn a_duplicate_is_seen_among_few_names_and_among_many() {
        for count in [2, 15, 16, 17, 18, 40] {
            let names: Vec<_> = (0..count).map(|n| alloc::format!("\"{n}\":0")).collect();
            assert!(parse(&alloc::format!("{{{}}}", names.join(","))).is_ok(), "{count}");
            for place in [0, (count - 1) / 2, count - 2] {
                let mut names = names.clone();
                names[count - 1] = names[place].clone();
                let text = alloc::format!("{{{}}}", names.join(","));
                assert!(parse(&text).is_err(), "{count} with {place} twice");
            }
        }
    }

    #[test]
    fn depth_is_allowed_at_the_bound_and_refused_past_it() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(32)).is_ok());
        assert_eq!(parse(&nested(33)).unwrap_err(), JsonError::TooDeep { at: 32 });
        assert!(matches!(parse(&"[".repeat(100_000)), Err(JsonError::TooDeep { .. })));
    }

    #[test]
    fn width_is_allowed_at_the_bound_and_refused_past_it() {
        let wide = |n: usize| format!("[{}0]", "0,".repeat(n - 1));
        assert!(parse(&wide(1024)).is_ok());
        assert!(matches!(parse(&wide(1025)), Err(JsonError::TooWide { .. })));
    }

    #[test]
    fn a_number_is_allowed_at_32_characters_and_refused_at_33() {
        assert!(parse(&"1".repeat(32)).is_ok());
        assert_eq!(parse(&"1".repeat(33)).unwrap_err(), JsonError::NumberTooLong { at: 0 });
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "01",
            "+1",
            "1.",
            ".5",
            "-",
            "1e",
            "0x1",
            "NaN",
            "tru",
            "nulL",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\u12g4\"",
            "\"\\u+123\"",
            "\"",
            "1 2",
            "[1]]",
            "// c\n1",
            "\u{feff}1",
            "[1}",
            "{\"a\":1]",
        ] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(
            Document::parse(b"\"\xff\"", &BOUNDS).unwrap_err(),
            JsonError::NotUtf8 { at: 1 }
        );
    }

    #[test]
    fn members_are_found_behind_nested_values() {
        let document = parse(r#"{"a":[[],{}],"b":{"c":"\ud83d\ude00"},"d":-0.1e2}"#).unwrap();
        let root = document.root().as_object().unwrap();
        let inner = root.get("b").unwrap().as_object().unwrap();
        assert_eq!(inner.get("c").unwrap().as_str(), Some("😀"));
        assert!(matches!(root.get("d").unwrap().view(), View::Number(n) if n.text() == "-0.1e2"));
        assert!(root.get("c").is_none());
        assert_eq!(root.get("a").unwrap().as_array().unwrap().count(), 2);
    }
}
