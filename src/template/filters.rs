//! The filters of templates: each takes texts or a list of texts, and gives no more than [`TEXT_BYTES_MAX`] bytes.

use std::fmt::Write;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value, value::ValueKind};

/// The longest text that a filter makes.
const TEXT_BYTES_MAX: usize = super::BODY_BYTES_MAX;
/// The most parts that `split` makes.
const PARTS_MAX: usize = 1000;
/// The widest number that `pad` makes.
const DIGITS_MAX: usize = 20;

/// The names of the filters.
pub(super) const NAMES: [&str; 16] = [
    "default", "e", "escape", "first", "join", "last", "length", "link", "lower", "pad", "replace", "split", "title",
    "trim", "truncate", "upper",
];

/// Adds every filter.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("default", default);
    environment.add_filter("e", escape);
    environment.add_filter("escape", escape);
    environment.add_filter("first", |value: Value| end_of(&value, 0));
    environment.add_filter("join", join);
    environment.add_filter("last", |value: Value| end_of(&value, -1));
    environment.add_filter("length", length);
    environment.add_filter("link", link);
    environment.add_filter("lower", |value: Value| text(&value).map(|text| text.to_lowercase()));
    environment.add_filter("pad", pad);
    environment.add_filter("replace", replace);
    environment.add_filter("split", split);
    environment.add_filter("title", title);
    environment.add_filter("trim", trim);
    environment.add_filter("truncate", truncate);
    environment.add_filter("upper", |value: Value| text(&value).map(|text| text.to_uppercase()));
}

/// A text for HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn fault(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The text that a value is, or that a number or switch is written as.
fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Number | ValueKind::Bool | ValueKind::Plain => Ok(value.to_string()),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => Err(fault("a text is needed, not a list")),
    }
}

/// The texts of a list.
fn list(value: &Value) -> Result<Vec<Value>, Error> {
    if value.kind() != ValueKind::Seq {
        return Err(fault("a list is needed"));
    }
    Ok(value.try_iter()?.collect())
}

/// What is empty, `none` or not there is replaced.
fn default(value: Value, other: Value) -> Value {
    let is_empty = value.is_undefined() || value.is_none() || value.as_str().is_some_and(str::is_empty);
    if is_empty { other } else { value }
}

fn escape(value: Value) -> Result<Value, Error> {
    if value.is_safe() { Ok(value) } else { Ok(Value::from_safe_string(escaped(&text(&value)?))) }
}

/// An anchor in HTML, the address itself in a text.
fn link(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    let address = text(&value)?;
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    match state.auto_escape() {
        AutoEscape::Html if is_web => {
            let escaped = escaped(&address);
            Ok(Value::from_safe_string(format!("<a href=\"{escaped}\">{escaped}</a>")))
        }
        _ => Ok(Value::from(address)),
    }
}

fn length(value: Value) -> Result<usize, Error> {
    if value.kind() == ValueKind::Seq { Ok(list(&value)?.len()) } else { Ok(text(&value)?.chars().count()) }
}

/// The first or last element of a list or character of a text; empty when there is none.
fn end_of(value: &Value, index: i64) -> Result<Value, Error> {
    if value.kind() == ValueKind::Seq {
        let mut elements = list(value)?;
        let element = if index == 0 { elements.drain(..).next() } else { elements.pop() };
        return Ok(element.unwrap_or_else(|| Value::from("")));
    }
    let text = text(value)?;
    let character = if index == 0 { text.chars().next() } else { text.chars().next_back() };
    Ok(Value::from(character.map(String::from).unwrap_or_default()))
}

fn join(value: Value, between: Option<Value>) -> Result<String, Error> {
    let between = between.map_or(Ok(String::new()), |between| text(&between))?;
    let mut joined = String::new();
    for (index, element) in list(&value)?.iter().enumerate() {
        if index > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&text(element)?);
        if joined.len() > TEXT_BYTES_MAX {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
    }
    Ok(joined)
}

fn split(value: Value, at: Value) -> Result<Vec<String>, Error> {
    let (text, at) = (text(&value)?, text(&at)?);
    if at.is_empty() {
        return Err(fault("split needs the text to split at"));
    }
    let parts: Vec<String> = text.split(&at).take(PARTS_MAX + 1).map(str::to_owned).collect();
    if parts.len() > PARTS_MAX { Err(Error::from(ErrorKind::OutOfFuel)) } else { Ok(parts) }
}

fn replace(value: Value, from: Value, to: Value) -> Result<String, Error> {
    let (text, from, to) = (text(&value)?, text(&from)?, text(&to)?);
    if from.is_empty() {
        return Err(fault("replace needs a text to replace"));
    }
    let grows = text.matches(&from).count().saturating_mul(to.len().saturating_sub(from.len()));
    if text.len().saturating_add(grows) > TEXT_BYTES_MAX {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    Ok(text.replace(&from, &to))
}

fn title(value: Value) -> Result<String, Error> {
    let mut at_start = true;
    let mut titled = String::new();
    for character in text(&value)?.chars() {
        if at_start {
            titled.extend(character.to_uppercase());
        } else {
            titled.extend(character.to_lowercase());
        }
        at_start = !character.is_alphanumeric() && character != '\'' && character != '’';
    }
    Ok(titled)
}

fn trim(value: Value) -> Result<Value, Error> {
    let trimmed = text(&value)?.trim().to_owned();
    Ok(if value.is_safe() { Value::from_safe_string(trimmed) } else { Value::from(trimmed) })
}

/// At most so many characters, the last of them `…` when something was cut off.
fn truncate(value: Value, characters: usize) -> Result<String, Error> {
    let text = text(&value)?;
    match text.char_indices().nth(characters) {
        None => Ok(text),
        Some(_) if characters == 0 => Ok(String::new()),
        Some(_) => {
            let mut kept: String = text.chars().take(characters - 1).collect();
            kept.push('…');
            Ok(kept)
        }
    }
}

/// A number with leading zeros.
fn pad(value: Value, digits: usize) -> Result<String, Error> {
    let mut padded = String::new();
    let _ = write!(padded, "{:0>width$}", text(&value)?, width = digits.min(DIGITS_MAX));
    Ok(padded)
}
