//! The text of a file, and finding a place in it.

use std::sync::OnceLock;

/// How many characters stand between two places of a line that are known.
const STEP: usize = 256;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Text {
    /// As the user named it.
    pub(crate) name: String,
    pub(crate) text: String,
    places: OnceLock<Vec<Known>>,
}

/// Line and column, both counted from 1, and the byte that is there.
type Known = (usize, usize, usize);

impl Text {
    pub(crate) const fn new(name: String, text: String) -> Self {
        Self { name, text, places: OnceLock::new() }
    }

    /// The text from a line and a column on; none if there is no such line.
    ///
    /// Only the first call reads the whole file: a file may be one line with many findings.
    pub(crate) fn from(&self, line: usize, column: usize) -> Option<&str> {
        let places = self.places.get_or_init(|| known_places(&self.text));
        let before = places.partition_point(|(l, c, _)| (*l, *c) <= (line, column));
        let (known, at, byte) = places.get(before.checked_sub(1)?)?;
        let rest = self.text.get(*byte..).filter(|rest| *known == line && !rest.is_empty())?;
        let skipped = rest.char_indices().nth(column.checked_sub(*at)?);
        Some(skipped.map_or("", |(skipped, _)| rest.get(skipped..).unwrap_or_default()))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

impl Eq for Text {}

fn known_places(text: &str) -> Vec<Known> {
    let mut places = vec![(1, 1, 0)];
    let (mut line, mut column) = (1_usize, 1_usize);
    for (byte, character) in text.char_indices() {
        let next = byte.saturating_add(character.len_utf8());
        if character == '\n' {
            (line, column) = (line.saturating_add(1), 1);
            places.push((line, column, next));
            continue;
        }
        column = column.saturating_add(1);
        if column % STEP == 1 {
            places.push((line, column, next));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str, line: usize, column: usize) -> Option<String> {
        Text::new("a".to_owned(), text.to_owned()).from(line, column).map(str::to_owned)
    }

    #[test]
    fn lines_and_columns_are_found() {
        assert_eq!(from("ab\ncde\n", 1, 1).unwrap(), "ab\ncde\n");
        assert_eq!(from("ab\ncde\n", 2, 3).unwrap(), "e\n");
        assert_eq!(from("äb\ncde", 1, 2).unwrap(), "b\ncde");
        assert_eq!(from("ab\n", 2, 1), None);
        assert_eq!(from("ab", 0, 1), None);
        assert_eq!(from("ab", 1, 0), None);
        assert_eq!(from("", 1, 1), None);
    }

    #[test]
    fn every_column_of_a_long_line_is_found() {
        let line: String = ('a'..='z').cycle().take(3 * STEP).collect();
        let text = format!("x\n{line}\n");
        for column in 1..=line.len() {
            let rest = from(&text, 2, column).unwrap();
            assert_eq!(rest.trim_end(), line.get(column - 1..).unwrap(), "{column}");
        }
    }
}
