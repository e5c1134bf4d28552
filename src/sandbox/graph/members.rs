//! Strict reading of JSON objects: what is not known is refused, as Graph does.

use serde_json::{Map, Value};

use super::error::GraphError;

/// An object whose members are all known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a> {
    map: &'a Map<String, Value>,
    path: &'static str,
}

impl<'a> Members<'a> {
    /// The members of a value at `path`, all of which must be among `known`.
    pub(super) fn of(value: &'a Value, path: &'static str, known: &[&str]) -> Result<Self, GraphError> {
        let Value::Object(map) = value else {
            return Err(GraphError::body(format!("{path}: an object is expected.")));
        };
        match map.keys().find(|name| !known.contains(&name.as_str()) && !name.starts_with("@odata.")) {
            None => Ok(Self { map, path }),
            Some(name) => Err(GraphError::body(format!(
                "The property '{name}' does not exist on type '{path}'. Make sure to only use property names that are \
                 defined by the type."
            ))),
        }
    }

    /// A member that is there, null included.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.map.get(name)
    }

    /// A member that is there and not null.
    pub(super) fn some(self, name: &str) -> Option<&'a Value> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// A text; null counts as absent.
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, GraphError> {
        self.some(name).map(|value| value.as_str().ok_or_else(|| self.wrong(name, "a string"))).transpose()
    }

    /// A number that is not negative.
    pub(super) fn number(self, name: &str) -> Result<Option<u32>, GraphError> {
        let read = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        self.some(name).map(|value| read(value).ok_or_else(|| self.wrong(name, "a number"))).transpose()
    }

    /// A boolean.
    pub(super) fn boolean(self, name: &str) -> Result<Option<bool>, GraphError> {
        self.some(name).map(|value| value.as_bool().ok_or_else(|| self.wrong(name, "a boolean"))).transpose()
    }

    /// A list.
    pub(super) fn list(self, name: &str) -> Result<Option<&'a [Value]>, GraphError> {
        let read = |value: &'a Value| value.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(name, "a list"));
        self.some(name).map(read).transpose()
    }

    /// A list of texts.
    pub(super) fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, GraphError> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| self.wrong(name, "a list of strings"));
        self.list(name)?.map(|values| values.iter().map(text).collect()).transpose()
    }

    /// One word out of a set, in any case.
    pub(super) fn one_of<T: Copy>(self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, GraphError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
            GraphError::body(format!("Requested value '{text}' of '{name}' on '{}' was not found.", self.path))
        })
    }

    fn wrong(self, name: &str, expected: &str) -> GraphError {
        GraphError::body(format!("{}.{name}: {expected} is expected.", self.path))
    }
}
