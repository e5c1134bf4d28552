//! Reads XML into a small tree that remembers where each element stood.

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::ResolveResult,
};

use super::fault::Fault;

/// Deeper nesting is refused: no EWS request needs it.
const DEPTH_MAX: usize = 64;

/// The namespaces that a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Soap,
    Messages,
    Types,
    Other,
}

impl Space {
    fn of(uri: &str) -> Self {
        match uri {
            super::SOAP => Self::Soap,
            super::MESSAGES => Self::Messages,
            super::TYPES => Self::Types,
            _ => Self::Other,
        }
    }

    const fn uri(self) -> &'static str {
        match self {
            Self::Soap => super::SOAP,
            Self::Messages => super::MESSAGES,
            Self::Types => super::TYPES,
            Self::Other => "(unknown)",
        }
    }
}

/// An element with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) space: Space,
    pub(super) name: String,
    /// Without namespace declarations and without attributes of other namespaces.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Element {
    /// The root of a document.
    pub(super) fn parse(document: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(document).map_err(|_| Fault::not_xml("the document is not UTF-8", 1, 1))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(at) = text.find(|character| !is_xml(character)) {
            let (line, column) = position(text, at);
            return Err(Fault::not_xml("hexadecimal value of an invalid character", line, column));
        }
        Reading { text, open: Vec::new(), root: None, place: Place::default() }.run()
    }

    /// A child by name.
    pub(super) fn child(&self, space: Space, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.space == space && child.name == name)
    }

    /// Whether it has this name in the types namespace.
    pub(super) fn is_type(&self, name: &str) -> bool {
        self.space == Space::Types && self.name == name
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An attribute that the schema requires.
    pub(super) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.attribute(name).ok_or_else(|| Fault::schema(self, format!("The required attribute '{name}' is missing.")))
    }

    /// Refuses attributes beside these.
    pub(super) fn only_attributes(&self, allowed: &[&str]) -> Result<(), Fault> {
        match self.attributes.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
            Some((key, _)) => Err(Fault::schema(self, format!("The '{key}' attribute is not declared."))),
            None => Ok(()),
        }
    }

    /// The text of an element that holds nothing else.
    pub(super) fn value(&self) -> Result<&str, Fault> {
        match self.children.first() {
            Some(child) => Err(Fault::schema(child, unexpected(self, child))),
            None => Ok(&self.text),
        }
    }

    /// The children, to be taken in the order of the schema.
    pub(super) const fn sequence(&self) -> Sequence<'_> {
        Sequence { parent: self, position: 0 }
    }

    /// A fault about the value of this element.
    pub(super) fn invalid(&self, kind: &str) -> Fault {
        let violation = format!(
            "The '{}:{}' element is invalid - The value '{}' is invalid according to its datatype '{kind}'.",
            self.space.uri(),
            self.name,
            self.text
        );
        Fault::schema(self, violation)
    }
}

/// The children of an element, taken one after the other.
pub(super) struct Sequence<'a> {
    parent: &'a Element,
    position: usize,
}

impl<'a> Sequence<'a> {
    /// The next child, if it has this name.
    pub(super) fn optional(&mut self, space: Space, name: &str) -> Option<&'a Element> {
        let child = self.peek().filter(|child| child.space == space && child.name == name)?;
        self.position += 1;
        Some(child)
    }

    /// The next child, which must have this name.
    pub(super) fn required(&mut self, space: Space, name: &str) -> Result<&'a Element, Fault> {
        if let Some(child) = self.optional(space, name) {
            return Ok(child);
        }
        Err(self.peek().map_or_else(
            || {
                let violation =
                    format!("The element '{}' has incomplete content: '{name}' expected.", self.parent.name);
                Fault::schema(self.parent, violation)
            },
            |child| Fault::schema(child, unexpected(self.parent, child)),
        ))
    }

    /// The next child, whatever it is.
    pub(super) fn peek(&self) -> Option<&'a Element> {
        self.parent.children.get(self.position)
    }

    /// Takes the next child, whatever it is.
    pub(super) fn next(&mut self) -> Option<&'a Element> {
        let child = self.peek()?;
        self.position += 1;
        Some(child)
    }

    /// Refuses what is left.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        self.peek().map_or(Ok(()), |child| Err(Fault::schema(child, unexpected(self.parent, child))))
    }
}

/// The schema's complaint about a child in a wrong place.
pub(super) fn unexpected(parent: &Element, child: &Element) -> String {
    format!(
        "The element '{}' in namespace '{}' has invalid child element '{}' in namespace '{}'.",
        parent.name,
        parent.space.uri(),
        child.name,
        child.space.uri()
    )
}

/// A document being read.
struct Reading<'a> {
    text: &'a str,
    open: Vec<Element>,
    root: Option<Element>,
    place: Place,
}

/// How far the lines are counted.
#[derive(Default)]
struct Place {
    at: usize,
    line: usize,
    line_start: usize,
}

impl Place {
    /// Line and column, from 1, of a byte position that is not before the last one.
    fn advance(&mut self, text: &str, at: usize) -> (usize, usize) {
        let passed = text.as_bytes().get(self.at..at).unwrap_or_default();
        for (offset, _) in passed.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.line += 1;
            self.line_start = self.at + offset + 1;
        }
        self.at = at.max(self.at);
        (self.line + 1, at.saturating_sub(self.line_start) + 1)
    }
}

impl Reading<'_> {
    fn run(mut self) -> Result<Element, Fault> {
        let mut reader = NsReader::from_str(self.text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let fault = |what: &str| {
                let (line, column) = position(self.text, at);
                Fault::not_xml(what, line, column)
            };
            let (resolved, event) = reader.read_resolved_event().map_err(|error| fault(&error.to_string()))?;
            match event {
                Event::Start(start) => {
                    let space = match resolved {
                        ResolveResult::Bound(namespace) => Space::of(namespace.0),
                        ResolveResult::Unbound => Space::Other,
                        ResolveResult::Unknown(_) => return Err(fault("an undeclared prefix")),
                    };
                    if self.open.len() >= DEPTH_MAX || self.root.is_some() {
                        return Err(fault("too deep, or more than one root element"));
                    }
                    let element =
                        begin(&start, space, self.place.advance(self.text, at)).ok_or_else(|| fault("an attribute"))?;
                    self.open.push(element);
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.push(&text.xml10_content()).ok_or_else(|| fault("text outside the root"))?,
                Event::CData(text) => self.push(&text.xml10_content()).ok_or_else(|| fault("text outside the root"))?,
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => predefined(&reference.xml10_content()),
                        Err(_) => None,
                    };
                    let character = character.filter(|character| is_xml(*character));
                    let character = character.ok_or_else(|| fault("an entity or character reference"))?;
                    self.push(character.encode_utf8(&mut [0; 4])).ok_or_else(|| fault("text outside the root"))?;
                }
                Event::DocType(_) => return Err(fault("DTD is prohibited in this document")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Eof => {
                    let unclosed = !self.open.is_empty();
                    return self.root.take().filter(|_| !unclosed).ok_or_else(|| fault("the document ends too early"));
                }
            }
        }
    }

    fn push(&mut self, text: &str) -> Option<()> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return None,
        }
        Some(())
    }

    fn end(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        if !element.children.is_empty() {
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }
}

fn begin(start: &BytesStart<'_>, space: Space, (line, column): (usize, usize)) -> Option<Element> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let key = attribute.key.into_inner();
        if key == "xmlns" || key.contains(':') {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
        if !value.chars().all(is_xml) {
            return None;
        }
        attributes.push((key.to_owned(), value.into_owned()));
    }
    let name = start.local_name().into_inner().to_owned();
    Some(Element { space, name, attributes, children: Vec::new(), text: String::new(), line, column })
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Whether XML 1.0 allows the character.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Line and column, from 1, of a byte position.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}
