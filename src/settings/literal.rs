//! Texts as they are written in the file: where a character of a value stands.

use std::{collections::BTreeMap, ops::Range};

use super::document::Lines;

/// The texts of a file.
#[derive(Debug, Default)]
pub(super) struct Literals {
    text: String,
    spans: BTreeMap<String, Range<usize>>,
}

impl Literals {
    pub(super) fn new(text: &str, spans: BTreeMap<String, Range<usize>>) -> Self {
        Self { text: text.to_owned(), spans }
    }

    /// Line and column of the byte `offset` of the value at `path`.
    pub(super) fn position(&self, path: &str, value: &str, offset: usize) -> Option<(usize, usize)> {
        let span = self.spans.get(path)?;
        let raw = self.text.get(span.clone())?;
        Some(Lines::new(&self.text).position(span.start + raw_offset(raw, value, offset)))
    }
}

/// Where in a TOML string, quotes included, the byte `offset` of its value stands.
fn raw_offset(raw: &str, value: &str, offset: usize) -> usize {
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let escapes = raw.starts_with('"');
    let mut at = quotes;
    let rest = |at: usize| raw.get(at..).unwrap_or_default();
    if quotes == 3 {
        // The line end that follows the quotes is not a part of the value.
        at += if rest(at).starts_with("\r\n") { 2 } else { usize::from(rest(at).starts_with('\n')) };
    }
    let mut characters = value.char_indices().take_while(|(index, _)| *index < offset);
    loop {
        let here = rest(at);
        if escapes && here.starts_with('\\') {
            let after = here.get(1..).unwrap_or_default();
            if after.starts_with(|character: char| character.is_ascii_whitespace()) {
                // A line that goes on: the line end and all blanks after it are left out.
                at += 1 + after.len() - after.trim_start().len();
                continue;
            }
            if characters.next().is_none() {
                return at;
            }
            at += match after.chars().next() {
                Some('u') => 6,
                Some('U') => 10,
                Some('x') => 4,
                Some(escaped) => 1 + escaped.len_utf8(),
                None => return at,
            };
            continue;
        }
        let Some((_, expected)) = characters.next() else { return at };
        at += match here.chars().next() {
            Some('\r') if expected == '\n' => 2,
            Some(character) => character.len_utf8(),
            None => return at,
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{collections::BTreeMap, path::Path};

    use super::super::document::Document;
    use config::ValueKind;

    /// Where the `!` of a value stands.
    fn mark(text: &str) -> (usize, usize) {
        let document = Document::parse(Path::new("x.toml"), text).unwrap();
        let values: BTreeMap<_, _> = document.values.into_iter().collect();
        let ValueKind::String(value) = &values["a"].kind else { unreachable!() };
        document.literals.position("a", value, value.find('!').unwrap()).unwrap()
    }

    #[test]
    fn a_character_of_a_value_is_found_in_the_file() {
        let cases = [
            ("a = '!'", (1, 6)),
            ("a = 'é!'", (1, 7)),
            (r#"a = "x\t\u00e9!""#, (1, 15)),
            ("a = \"\"\"!\"\"\"", (1, 8)),
            ("a = '''\none\n two!'''", (3, 5)),
            ("a = \"\"\"\none\r\ntwo\\\n   three\n!\"\"\"", (5, 1)),
            ("\na = \"\"\"\r\none\r\ntwo!\"\"\"", (4, 4)),
        ];
        for (text, expected) in cases {
            assert_eq!(mark(text), expected, "{text:?}");
        }
    }
}
