//! Reads an answer into elements: by local name, whatever the prefix; what is unknown stays in the tree unread.

use std::fmt;

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
    name::ResolveResult,
};

/// The namespace of a SOAP 1.1 envelope.
pub(super) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Elements inside each other; EWS stays under 20.
const DEPTH_MAX: usize = 64;

/// An element of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) struct Unreadable {
    /// Where: the names of the elements that were open.
    path: String,
    /// What is wrong there.
    reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at /{}", self.reason, self.path)
    }
}

impl Unreadable {
    pub(super) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

impl Element {
    /// The local name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text directly inside.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// An attribute by its local name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The elements directly inside.
    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element at the end of a path of names.
    #[cfg(test)]
    pub(super) fn descend(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// Takes the children of the element at the end of a path of names.
    ///
    /// # Errors
    /// When there is no such element.
    pub(super) fn take(&mut self, path: &[&str]) -> Result<Vec<Self>, Unreadable> {
        let mut element = self;
        for name in path {
            let parent = element.name.clone();
            element = element
                .children
                .iter_mut()
                .find(|child| child.name == *name)
                .ok_or_else(|| Unreadable::new(parent, format!("no element {name}")))?;
        }
        Ok(std::mem::take(&mut element.children))
    }

    /// The first child of that name.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn require(&self, name: &str) -> Result<&Self, Unreadable> {
        self.child(name).ok_or_else(|| Unreadable::new(self.name.as_str(), format!("no element {name}")))
    }

    /// An attribute by its local name.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn require_attribute(&self, name: &str) -> Result<&str, Unreadable> {
        self.attribute(name).ok_or_else(|| Unreadable::new(self.name.as_str(), format!("no attribute {name}")))
    }
}

/// Reads the body of a SOAP 1.1 answer: the element `Body`.
///
/// # Errors
/// When the answer is not well-formed XML in UTF-8, has a document type, or is not a SOAP 1.1 envelope with a body.
pub(super) fn soap_body(bytes: &[u8]) -> Result<Element, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::new("", "not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.is_empty() {
        return Err(Unreadable::new("", "the answer is empty"));
    }
    let mut envelope = tree(text)?;
    let body = envelope.children.iter().position(|child| child.name == "Body");
    body.map(|position| envelope.children.swap_remove(position))
        .ok_or_else(|| Unreadable::new("Envelope", "no element Body"))
}

/// Reads a whole document whose root is a SOAP envelope.
fn tree(text: &str) -> Result<Element, Unreadable> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let (namespace, event) =
            reader.read_resolved_event().map_err(|fault| at(&open, format!("not well-formed XML: {fault}")))?;
        match event {
            Event::Start(start) => {
                admit(&open, root.is_some(), &namespace, &start)?;
                open.push(element(&open, &start)?);
            }
            Event::Empty(start) => {
                admit(&open, root.is_some(), &namespace, &start)?;
                let element = element(&open, &start)?;
                close(&mut open, &mut root, element);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(&mut open, &mut root, element);
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(text) => append(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                match character.or_else(|| resolve_xml_entity(&reference).map(str::to_owned)) {
                    Some(value) => append(&mut open, &value),
                    None => return Err(at(&open, "an unknown entity")),
                }
            }
            Event::DocType(_) => return Err(at(&open, "a document type")),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or_else(|| at(&open, "no element")),
            Event::Eof => return Err(at(&open, "the answer is cut off")),
        }
    }
}

fn at(open: &[Element], reason: impl Into<String>) -> Unreadable {
    let names: Vec<&str> = open.iter().map(|element| element.name.as_str()).collect();
    Unreadable::new(names.join("/"), reason)
}

/// Refuses what is not the one envelope, and nesting without end.
fn admit(
    open: &[Element],
    done: bool,
    namespace: &ResolveResult<'_>,
    start: &BytesStart<'_>,
) -> Result<(), Unreadable> {
    if open.len() >= DEPTH_MAX {
        return Err(at(open, "too many elements inside each other"));
    }
    if !open.is_empty() {
        return Ok(());
    }
    let is_soap = matches!(namespace, ResolveResult::Bound(name) if name.as_ref() == SOAP);
    if done || !is_soap || start.local_name().as_ref() != "Envelope" {
        return Err(at(open, format!("{} in place of a SOAP 1.1 envelope", start.local_name().as_ref())));
    }
    Ok(())
}

fn element(open: &[Element], start: &BytesStart<'_>) -> Result<Element, Unreadable> {
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|fault| at(open, format!("not well-formed XML: {fault}")))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|fault| at(open, format!("not well-formed XML: {fault}")))?;
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

fn close(open: &mut [Element], root: &mut Option<Element>, mut element: Element) {
    // The blanks between elements say nothing.
    if !element.children.is_empty() && element.text.trim().is_empty() {
        element.text = String::new();
    }
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::soap_body;

    #[test]
    fn prefixes_do_not_matter() {
        let text = "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'>\
            <e:Header><x/></e:Header><e:Body><Answer xmlns='urn:a' Id='a&amp;b'> <z:Unknown xmlns:z='urn:z'/>\
            <Text>a &lt; <![CDATA[b & ]]>&#233;</Text></Answer></e:Body></e:Envelope>";
        let body = soap_body(text.as_bytes()).unwrap();
        let answer = body.child("Answer").unwrap();
        assert_eq!(answer.attribute("Id"), Some("a&b"));
        assert_eq!(answer.child("Text").unwrap().text(), "a < b & é");
        assert!(answer.descend(&["Text", "Missing"]).is_none());
    }

    #[test]
    fn what_is_not_an_answer_is_refused_with_its_place() {
        let soap = |inside: &str| {
            format!("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>{inside}</s:Envelope>")
        };
        let deep = format!("<s:Body>{}{}</s:Body>", "<a>".repeat(100), "</a>".repeat(100));
        let cases = [
            (String::new(), "the answer is empty at /"),
            ("  \r\n".to_owned(), "the answer is empty at /"),
            ("Service Unavailable".to_owned(), "no element at /"),
            ("<!DOCTYPE html><html></html>".to_owned(), "a document type at /"),
            ("<html><body>Sign in</body></html>".to_owned(), "html in place of a SOAP 1.1 envelope at /"),
            ("<Envelope/>".to_owned(), "Envelope in place of a SOAP 1.1 envelope at /"),
            (soap(""), "no element Body at /Envelope"),
            (soap("<s:Body><A>&nbsp;</A></s:Body>"), "an unknown entity at /Envelope/Body/A"),
            (soap("<s:Body><A>").replace("</s:Envelope>", ""), "the answer is cut off at /Envelope/Body/A"),
            (soap(&deep), "too many elements inside each other"),
            (soap("<s:Body/>") + &soap("<s:Body/>"), "Envelope in place of a SOAP 1.1 envelope at /"),
        ];
        for (text, expected) in cases {
            let fault = soap_body(text.as_bytes()).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{text:?}: {fault}");
        }
        let fault = soap_body(soap("<s:Body><A></B></s:Body>").as_bytes()).unwrap_err().to_string();
        assert!(fault.starts_with("not well-formed XML") && fault.contains("/Envelope/Body/A"), "{fault}");
        assert!(soap_body(b"\xff\xfe<").is_err());
    }
}
