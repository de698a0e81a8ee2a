//! Colours, where somebody looks at them.

use std::io::IsTerminal;

/// When to write colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless the environment has `NO_COLOR` or `TERM=dumb`
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// What that means for what is written to `stream`.
    pub(crate) fn style(self, stream: &impl IsTerminal) -> Style {
        Style(match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                stream.is_terminal() && !set("NO_COLOR") && !dumb
            }
        })
    }
}

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style(bool);

impl Style {
    /// Text without colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self(false);

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("34", text)
    }
}

/// Text from outside without what could command a terminal or reverse a line.
pub(crate) fn visible(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if hostile(character) {
            visible.extend(character.escape_unicode());
        } else {
            visible.push(character);
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_when_asked_for() {
        assert_eq!(Colour::Always.style(&std::io::stdout()).bad("x"), "\u{1b}[1;31mx\u{1b}[0m");
        assert_eq!(Colour::Never.style(&std::io::stdout()).bad("x"), "x");
    }

    #[test]
    fn text_from_outside_cannot_command_the_terminal() {
        assert_eq!(visible("a\u{9b}b\u{202e}\u{1b}[2J"), "a\\u{9b}b\\u{202e}\\u{1b}[2J");
    }
}
