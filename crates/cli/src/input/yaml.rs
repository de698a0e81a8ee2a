//! YAML files: the part of YAML that means the same to everybody.
//!
//! Refused: anchors, aliases and merge keys, tags, directives, duplicate keys, keys that are no
//! strings or port numbers, words that YAML 1.1 and 1.2 read differently, control characters, a
//! byte order mark, and more nesting, values or documents than the bounds.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{DEPTH, Document, Mark, Node, Place, SourceFile, Value, scalar};
use crate::error::{CliError, Problem};

/// Most documents of one file.
const DOCUMENTS: usize = 1_000;

/// Most values of one file.
const NODES: usize = 200_000;

pub(super) fn read(file: &SourceFile) -> Result<Vec<Document>, CliError> {
    let place = Place::whole(file.file.clone());
    let text = &file.file.text;
    if let Some((mark, character)) = forbidden_character(text) {
        let problem = Problem::Character { code: u32::from(character) };
        return Err(CliError::input(place.at(Some(mark)), problem));
    }
    let options = granit_parser::options! {
        strict_indentation: false,
        disallow_directives: true,
        block_nesting_limit: DEPTH,
        flow_nesting_limit: DEPTH,
        emit_comments: false,
        emit_unresolved_aliases: true,
    };
    let events = Parser::new_from_str_with_options(text, options);
    Reader { events, nodes: 0, place }.documents()
}

/// The first character that no policy needs: controls, and a byte order mark.
fn forbidden_character(text: &str) -> Option<(Mark, char)> {
    let (mut line, mut column) = (1_usize, 0_usize);
    for character in text.chars() {
        column = column.saturating_add(1);
        let found = Mark { line, column, length: 1 };
        match character {
            '\n' => (line, column) = (line.saturating_add(1), 0),
            '\t' | '\r' => {}
            '\u{feff}' => return Some((found, character)),
            _ if character.is_control() => return Some((found, character)),
            _ => {}
        }
    }
    None
}

/// Where a span begins, and how much of its first line it covers.
fn mark(span: &Span) -> Mark {
    let length = if span.start.line() == span.end.line() {
        span.end.col().saturating_sub(span.start.col())
    } else {
        1
    };
    Mark { line: span.start.line(), column: span.start.col().saturating_add(1), length }
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    nodes: usize,
    place: Place,
}

impl<'a> Reader<'a> {
    fn documents(mut self) -> Result<Vec<Document>, CliError> {
        let mut documents = Vec::new();
        let mut number = 0_usize;
        while let Some(root) = self.document(&mut number)? {
            if !matches!(root.value, Value::Null) {
                let place = self.place.at(Some(root.mark));
                documents.push(Document { place, root });
            }
        }
        if let [only] = documents.as_mut_slice() {
            only.place.document = None;
        }
        Ok(documents)
    }

    /// The next document, if there is one.
    fn document(&mut self, number: &mut usize) -> Result<Option<Node>, CliError> {
        loop {
            let (event, _) = self.next()?;
            if matches!(event, Event::StreamEnd) {
                return Ok(None);
            }
            if matches!(event, Event::DocumentStart(..)) {
                *number = number.saturating_add(1);
                self.place.document = Some(*number);
                if *number > DOCUMENTS {
                    return Err(self.refuse(None, Problem::TooManyDocuments(DOCUMENTS)));
                }
                return self.value(DEPTH).map(Some);
            }
        }
    }

    fn value(&mut self, deeper: usize) -> Result<Node, CliError> {
        let (event, span) = self.next()?;
        self.node(event, span, deeper)
    }

    fn node(&mut self, event: Event<'a>, span: Span, deeper: usize) -> Result<Node, CliError> {
        let mark = mark(&span);
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > NODES {
            return Err(self.refuse(Some(mark), Problem::TooManyValues(NODES)));
        }
        if let Some(problem) = decoration(&event) {
            return Err(self.refuse(Some(mark), problem));
        }
        let value = if let Event::Scalar(text, style, ..) = event {
            self.scalar(&text, style, mark)?
        } else if matches!(event, Event::SequenceStart(..)) {
            self.sequence(self.inside(deeper, mark)?)?
        } else if matches!(event, Event::MappingStart(..)) {
            self.mapping(self.inside(deeper, mark)?)?
        } else {
            return Err(self.refuse(Some(mark), Problem::NotAValue));
        };
        Ok(Node { mark, name: None, value })
    }

    /// Text between quotes may spell any character with an escape; policies need no controls.
    fn scalar(&self, text: &str, style: ScalarStyle, mark: Mark) -> Result<Value, CliError> {
        if style == ScalarStyle::Plain {
            return scalar::plain(text).map_err(|problem| self.refuse(Some(mark), problem));
        }
        match text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            Some(character) => {
                Err(self.refuse(Some(mark), Problem::Character { code: u32::from(character) }))
            }
            None => Ok(Value::String(text.to_owned())),
        }
    }

    fn sequence(&mut self, deeper: usize) -> Result<Value, CliError> {
        let mut elements = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(elements));
            }
            elements.push(self.node(event, span, deeper)?);
        }
    }

    fn mapping(&mut self, deeper: usize) -> Result<Value, CliError> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Object(members));
            }
            let mark = mark(&span);
            let name = self.key(event, span)?;
            if !names.insert(name.clone()) {
                return Err(self.refuse(Some(mark), Problem::Duplicate { name }));
            }
            let mut value = self.value(deeper)?;
            value.name = Some(mark);
            members.push((name, value));
        }
    }

    /// A key: a string, or a whole number such as a port, which kubectl turns into a string too.
    fn key(&mut self, event: Event<'a>, span: Span) -> Result<String, CliError> {
        let mark = Some(mark(&span));
        if matches!(event, Event::SequenceStart(..) | Event::MappingStart(..)) {
            return Err(self.refuse(mark, Problem::KeyNotString));
        }
        if matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<") {
            return Err(self.refuse(mark, Problem::MergeKey));
        }
        match self.node(event, span, 0)?.value {
            Value::String(name) => Ok(name),
            Value::Number(name) if name.bytes().all(|byte| byte.is_ascii_digit()) => Ok(name),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Err(self.refuse(mark, Problem::KeyNotString)),
        }
    }

    fn inside(&self, deeper: usize, mark: Mark) -> Result<usize, CliError> {
        deeper.checked_sub(1).ok_or_else(|| self.refuse(Some(mark), Problem::TooDeep(DEPTH)))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), CliError> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.scan_error(&error)),
            None => Err(self.refuse(None, Problem::NotAValue)),
        }
    }

    fn scan_error(&self, error: &ScanError) -> CliError {
        let at = error.marker();
        let mark = Mark { line: at.line(), column: at.col().saturating_add(1), length: 1 };
        self.refuse(Some(mark), Problem::Yaml(error.info()))
    }

    fn refuse(&self, mark: Option<Mark>, problem: Problem) -> CliError {
        CliError::input(self.place.at(mark), problem)
    }
}

/// What makes a node more than its text: an anchor, a tag, or that it is an alias.
fn decoration(event: &Event<'_>) -> Option<Problem> {
    if matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_)) {
        return Some(Problem::Alias);
    }
    if event.anchor_id().is_some_and(|id| id != 0) {
        return Some(Problem::Anchor);
    }
    event.tag().map(|_| Problem::Tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Format, Text};

    fn read_text(text: &str) -> Result<Vec<Document>, CliError> {
        let file = Text::new("a.yaml".into(), text.to_owned());
        read(&SourceFile { format: Format::Yaml, file: std::rc::Rc::new(file) })
    }

    fn problem(text: &str) -> String {
        match read_text(text) {
            Ok(documents) => panic!("accepted {documents:?}"),
            Err(CliError::Input { place, problem }) => format!("{place}: {problem}"),
            Err(other) => panic!("other error {other}"),
        }
    }

    #[test]
    fn documents_keep_their_lines() {
        let documents =
            read_text("---\na:\n  b:\n  - x\n  - w: {z: [1]}\n---\n---\nc: d\n...\n").unwrap();
        assert_eq!(documents.len(), 2);
        let root = &documents.first().unwrap().root;
        let place = |pointer| {
            let mark = root.mark_of(pointer);
            (mark.line, mark.column, mark.length)
        };
        assert_eq!(place("/a/b/1/w/z/0"), (5, 13, 1));
        assert_eq!(place("/a/b/0"), (4, 5, 1));
        assert_eq!(place("/a/b"), (3, 3, 1));
        assert_eq!(place("/a/nothing/here"), (2, 1, 1));
        assert_eq!(documents.get(1).unwrap().place.to_string(), "a.yaml:8:1");
    }

    #[test]
    fn quoted_words_are_strings_and_keys_may_be_ports() {
        let documents = read_text("a: 'no'\nb: \"010\"\n8080: x\n").unwrap();
        let root = &documents.first().unwrap().root;
        assert_eq!(root.get("a").unwrap().as_str(), Some("no"));
        assert_eq!(root.get("b").unwrap().as_str(), Some("010"));
        assert_eq!(root.get("8080").unwrap().as_str(), Some("x"));
    }

    #[test]
    fn what_can_be_read_two_ways_is_refused() {
        for (text, expected) in [
            ("a: &x b\n", "anchor"),
            ("a: &x b\nc: *x\n", "anchor"),
            ("a: *x\n", "alias"),
            ("a: [*, b]\n", "a.yaml:1"),
            ("<<: {a: b}\n", "merge key"),
            ("a: !!str b\n", "tag"),
            ("a: !x b\n", "tag"),
            ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: duplicate key `a`"),
            ("{a: 1, \"a\": 2}\n", "duplicate key `a`"),
            ("a: no\n", "quote it"),
            ("- 010\n", "quote it"),
            ("true: a\n", "key"),
            ("no: a\n", "quote it"),
            ("? [a]\n: b\n", "key"),
            ("? {a: b}\n: b\n", "key"),
            ("%YAML 1.1\n---\na: b\n", "a.yaml:1"),
            ("\u{feff}a: b\n", "character U+FEFF"),
            ("a: \u{0}\n", "character U+0000"),
            ("a: \"\\0\"\n", "character U+0000"),
            ("a: \"\\x07\"\n", "character U+0007"),
            ("a: [1, 2\n", "a.yaml:"),
            ("a: b: c\n", "a.yaml:1"),
            ("a:\n\t- b\n", "a.yaml:"),
        ] {
            let message = problem(text);
            assert!(message.contains(expected), "{text:?} gave {message}");
        }
    }

    #[test]
    fn nesting_stops_at_the_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read_text(&nested(DEPTH)).is_ok());
        assert!(problem(&nested(DEPTH + 1)).contains("a.yaml:1"));
        assert!(problem(&nested(100_000)).contains("a.yaml:1"));
        let blocks = |depth: usize| {
            (0..depth).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>()
        };
        assert!(read_text(&blocks(DEPTH)).is_ok());
        assert!(problem(&blocks(DEPTH + 1)).contains("a.yaml:"));
    }

    #[test]
    fn documents_and_values_stop_at_their_bounds() {
        assert!(read_text(&"---\na: b\n".repeat(DOCUMENTS)).is_ok());
        assert!(problem(&"---\na: b\n".repeat(DOCUMENTS + 1)).contains("documents"));
        let wide = |count: usize| format!("[{}]", vec!["a"; count].join(","));
        assert!(read_text(&wide(NODES - 1)).is_ok());
        assert!(problem(&wide(NODES)).contains("values"));
    }

    #[test]
    fn laughter_is_cut_short() {
        let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n";
        assert!(problem(bomb).contains("anchor"));
    }
}
