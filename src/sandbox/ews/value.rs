//! Reads simple values: booleans, numbers, words of an enumeration.

use super::{element::Element, fault::Fault, vocabulary::value_of};

/// An `xs:boolean`.
pub(super) fn boolean(element: &Element) -> Result<bool, Fault> {
    parse_boolean(element.value()?).ok_or_else(|| element.invalid("http://www.w3.org/2001/XMLSchema:boolean"))
}

/// The text of an `xs:boolean`.
pub(super) fn parse_boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// An `xs:int` in a range that the schema or the server sets.
pub(super) fn number(element: &Element, range: std::ops::RangeInclusive<u32>) -> Result<u32, Fault> {
    let number: Option<u32> = element.value()?.trim().parse().ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| element.invalid("http://www.w3.org/2001/XMLSchema:int"))
}

/// A word of an enumeration.
pub(super) fn word<T: Copy>(element: &Element, words: &[(&str, T)]) -> Result<T, Fault> {
    value_of(words, element.value()?).ok_or_else(|| element.invalid("an enumeration of the schema"))
}

/// A word in an attribute, which the schema lets be absent.
pub(super) fn word_attribute<T: Copy>(element: &Element, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Fault> {
    let Some(text) = element.attribute(name) else { return Ok(None) };
    match value_of(words, text) {
        Some(value) => Ok(Some(value)),
        None => {
            Err(Fault::schema(element, format!("The '{name}' attribute is invalid - The value '{text}' is invalid.")))
        }
    }
}

/// A whole number in an attribute.
pub(super) fn number_attribute(element: &Element, name: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = element.attribute(name) else { return Ok(None) };
    match text.trim().parse::<i32>() {
        Ok(number) => Ok(Some(i64::from(number))),
        Err(_) => {
            Err(Fault::schema(element, format!("The '{name}' attribute is invalid - The value '{text}' is invalid.")))
        }
    }
}
