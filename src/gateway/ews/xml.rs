//! Writes XML that any reader accepts: what XML 1.0 forbids is left out, everything else is escaped.

use std::borrow::Cow;

use quick_xml::{
    Writer,
    escape::escape,
    events::{BytesEnd, BytesStart, BytesText, Event},
};

/// An XML text under construction.
pub(super) struct Xml(Writer<Vec<u8>>);

impl Xml {
    /// An empty text.
    pub(super) fn new() -> Self {
        Self(Writer::new(Vec::with_capacity(4096)))
    }

    /// An element with attributes, whose content `content` writes.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(start(name, attributes)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element without attributes that holds a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.text_with(name, &[], text);
    }

    /// An element with attributes that holds a text.
    pub(super) fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |xml| xml.event(Event::Text(BytesText::from_escaped(escaped(text)))));
    }

    /// An element with attributes and no content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// The finished text.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_inner()
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing into memory does not fail.
        let _ = self.0.write_event(event);
    }
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (name, value) in attributes {
        start.push_attribute((*name, &*legal(value)));
    }
    start
}

/// The text as XML says it; a carriage return becomes a reference, because a reader takes a bare one for a line feed.
fn escaped(text: &str) -> Cow<'_, str> {
    match legal(text) {
        Cow::Borrowed(text) => escape(text),
        Cow::Owned(text) => Cow::Owned(escape(text).into_owned()),
    }
}

/// The text without the characters that XML 1.0 forbids (§2.2, Char). `desired` leaves them out too; one that slips
/// through would make the server refuse the whole batch.
fn legal(text: &str) -> Cow<'_, str> {
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|character| allowed(*character)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Xml;

    #[test]
    fn texts_are_escaped_and_cleaned() {
        let cases = [
            ("plain", "plain"),
            ("a < b & c > d \"e\" 'f'", "a &lt; b &amp; c &gt; d &quot;e&quot; &apos;f&apos;"),
            ("nul \0 bell \u{7} vt \u{b} esc \u{1b} end \u{fffe}\u{ffff}", "nul  bell  vt  esc  end "),
            ("tab\tline\r\nend", "tab\tline&#13;\nend"),
            ("é 🎉 \u{85}", "é 🎉 \u{85}"),
            ("]]>", "]]&gt;"),
        ];
        for (text, expected) in cases {
            let mut xml = Xml::new();
            xml.text("t:Subject", text);
            let written = String::from_utf8(xml.into_bytes()).unwrap();
            assert_eq!(written, format!("<t:Subject>{expected}</t:Subject>"), "{text:?}");
        }
    }

    #[test]
    fn attributes_are_escaped_and_cleaned() {
        let mut xml = Xml::new();
        xml.empty("t:ItemId", &[("Id", "A\"<&\u{1}B")]);
        assert_eq!(String::from_utf8(xml.into_bytes()).unwrap(), "<t:ItemId Id=\"A&quot;&lt;&amp;B\"/>");
    }
}
