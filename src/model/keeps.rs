//! What users may keep of the items that show an event: their reminder, their categories, their notes, and that they deleted one.

use std::sync::LazyLock;

use jiff::SignedDuration;

use super::event::{Body, BodyKind};

/// What users may keep. The default is nothing: the source is the reference for every field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keeps {
    /// A reminder that a user set stays.
    pub reminder: bool,
    /// Categories that a user added stay.
    pub categories: bool,
    /// What a user writes below this line of the body stays.
    pub notes: Option<String>,
    /// For so long an item that a user deleted is not made again; `None`: it is made again at once.
    pub deleted: Option<SignedDuration>,
}

static NOTHING: LazyLock<Keeps> = LazyLock::new(Keeps::default);

impl Keeps {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> &'static Self {
        &NOTHING
    }

    /// What stands above the marker line of a body that was read as text, and what stands below it. Without the line all is
    /// above.
    #[must_use]
    pub fn split<'a>(&self, body: &'a str) -> (&'a str, &'a str) {
        let Some(marker) = &self.notes else { return (body, "") };
        let mut start = 0;
        for line in body.split_inclusive('\n') {
            let end = start + line.len();
            if words(line).eq(words(marker)) {
                return (&body[..start], body[end..].trim());
            }
            start = end;
        }
        (body, "")
    }

    /// The body that is written, with the marker line at its end. The source cannot say the line itself.
    #[must_use]
    pub fn marked(&self, body: Body) -> Body {
        let Some(marker) = &self.notes else { return body };
        let content = body.content.replace(marker.as_str(), "");
        let body = Body { content, ..body };
        let is_empty = body.content.trim().is_empty();
        below(body, marker, is_empty)
    }

    /// A body that ends with the marker line, with what a user wrote below it.
    #[must_use]
    pub fn with_notes(&self, body: Body, notes: &str) -> Body {
        if notes.is_empty() { body } else { below(body, notes, false) }
    }
}

/// The words of a text: blanks of any kind and number stand between them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character.is_whitespace() || character == '\u{200b}').filter(|word| !word.is_empty())
}

/// A body with a text below it.
fn below(body: Body, text: &str, is_first: bool) -> Body {
    let Body { kind, mut content } = body;
    match kind {
        BodyKind::Text => {
            if is_first {
                content.clear();
            } else if !content.ends_with('\n') {
                content.push('\n');
            }
            content.push_str(text);
        }
        BodyKind::Html => {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let lines: Vec<&str> = escaped.lines().map(str::trim_end).collect();
            let paragraph = format!("<p>{}</p>", lines.join("<br>"));
            let end = content.to_ascii_lowercase().rfind("</body").unwrap_or(content.len());
            content.insert_str(end, &paragraph);
        }
    }
    Body { kind, content }
}

#[cfg(test)]
mod tests {
    use super::{Body, BodyKind, Keeps};

    const MARKER: &str = "--- my notes ---";

    fn keeps() -> Keeps {
        Keeps { notes: Some(MARKER.to_owned()), ..Keeps::default() }
    }

    #[test]
    fn a_body_is_split_at_its_marker_line() {
        let cases = [
            ("", ("", "")),
            ("Agenda", ("Agenda", "")),
            ("Agenda\r\n--- my notes ---", ("Agenda\r\n", "")),
            ("Agenda\r\n  ---\u{a0}my  notes --- \r\n\r\nBring cake\r\n", ("Agenda\r\n", "Bring cake")),
            ("A --- my notes ---\nB", ("A --- my notes ---\nB", "")),
            ("--- my notes ---\nB\n--- my notes ---\nC", ("", "B\n--- my notes ---\nC")),
        ];
        for (body, expected) in cases {
            assert_eq!(keeps().split(body), expected, "{body:?}");
        }
        assert_eq!(Keeps::default().split("A\n--- my notes ---\nB"), ("A\n--- my notes ---\nB", ""));
    }

    #[test]
    fn the_marker_and_the_notes_stand_at_the_end() {
        let text = |content: &str| Body { kind: BodyKind::Text, content: content.to_owned() };
        let html = |content: &str| Body { kind: BodyKind::Html, content: content.to_owned() };
        let cases = [
            (text(""), text("--- my notes ---"), text("--- my notes ---\nx < y\nz")),
            (text("A"), text("A\n--- my notes ---"), text("A\n--- my notes ---\nx < y\nz")),
            (
                text("A\n--- my notes ---\nB"),
                text("A\n\nB\n--- my notes ---"),
                text("A\n\nB\n--- my notes ---\nx < y\nz"),
            ),
            (
                html("<b>A</b>"),
                html("<b>A</b><p>--- my notes ---</p>"),
                html("<b>A</b><p>--- my notes ---</p><p>x &lt; y<br>z</p>"),
            ),
            (
                html("<body>A</BODY>"),
                html("<body>A<p>--- my notes ---</p></BODY>"),
                html("<body>A<p>--- my notes ---</p><p>x &lt; y<br>z</p></BODY>"),
            ),
        ];
        for (body, marked, noted) in cases {
            assert_eq!(keeps().marked(body.clone()), marked);
            assert_eq!(keeps().with_notes(marked.clone(), "x < y\nz"), noted);
            assert_eq!(keeps().with_notes(marked.clone(), ""), marked);
            assert_eq!(Keeps::default().marked(body.clone()), body);
        }
    }
}
