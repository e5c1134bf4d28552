//! Takes typed values out of the layered tree and notes everything that is wrong on the way.
//!
//! A derived `Deserialize` stops at the first fault; an administrator wants them all. So each key is read on its own: a fault
//! becomes a finding with its place, and reading goes on.

use std::{collections::BTreeMap, ops::RangeInclusive, path::Path, time::Duration};

use config::{Map, Value, ValueKind};

use super::{
    Strictness,
    document::{Document, ORIGIN_FILE, Positions},
    duration,
    environment::Environment,
    finding::{Finding, Severity},
    literal::Literals,
    schema::{self, Key},
    words::Words,
};
use crate::model::{address::Address, zone::Zone};

/// Where a value was said.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The dotted key.
    pub(super) key: String,
    /// Line and column in the file.
    pub(super) position: Option<(usize, usize)>,
    /// The variable, when the environment said it.
    pub(super) variable: Option<String>,
}

/// A value that somebody gave.
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    /// The value.
    pub(super) value: T,
    /// Where it was said.
    pub(super) place: Place,
}

/// One section of the tree; empty when the file leaves it out.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    /// The dotted name.
    pub(super) path: String,
    /// Its values.
    pub(super) values: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.values.and_then(|values| values.get(key))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

/// Reads typed values and collects findings.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    pub(super) positions: &'a Positions,
    pub(super) literals: &'a Literals,
    pub(super) environment: &'a Environment,
    pub(super) strictness: Strictness,
    /// The permission bits of the settings file.
    pub(super) mode: Option<u32>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(
        file: &'a Path,
        document: &'a Document,
        environment: &'a Environment,
        strictness: Strictness,
        mode: Option<u32>,
    ) -> Self {
        let (positions, literals) = (&document.positions, &document.literals);
        Self { file, positions, literals, environment, strictness, mode, findings: Vec::new() }
    }
}

impl Reader<'_> {
    pub(super) fn find(&mut self, severity: Severity, place: &Place, message: impl Into<String>, hint: Option<&str>) {
        self.findings.push(Finding {
            file: self.file.to_path_buf(),
            line: place.position.map(|(line, _)| line),
            column: place.position.map(|(_, column)| column),
            variable: place.variable.clone(),
            key: place.key.clone(),
            message: message.into(),
            hint: hint.map(str::to_owned),
            severity,
        });
    }

    pub(super) fn error(&mut self, place: &Place, message: impl Into<String>, hint: &str) {
        self.find(Severity::Error, place, message, Some(hint));
    }

    pub(super) fn warn(&mut self, place: &Place, message: impl Into<String>, hint: &str) {
        self.find(Severity::Warning, place, message, Some(hint));
    }

    /// Where a value stands: in the file, or in a variable.
    pub(super) fn place(&self, path: &str, value: Option<&Value>) -> Place {
        let from_file =
            value.is_none_or(|value| matches!(value.kind, ValueKind::Table(_)) || value.origin() == Some(ORIGIN_FILE));
        let position = if from_file { self.positions.get(path).copied() } else { None };
        Place { key: path.to_owned(), position, variable: (!from_file).then(|| Environment::variable(path)) }
    }

    /// The place of a key; of its section, when the key is not there.
    pub(super) fn place_of(&self, section: &Section<'_>, key: &str) -> Place {
        let path = format!("{}.{key}", section.path);
        match section.get(key) {
            Some(value) => self.place(&path, Some(value)),
            None => Place { key: path, ..self.place(&section.path, None) },
        }
    }

    /// The section `name` below `parent`; empty when it is missing or no table.
    pub(super) fn section<'t>(&mut self, parent: &Section<'t>, name: &str) -> Section<'t> {
        let path = if parent.path.is_empty() { name.to_owned() } else { format!("{}.{name}", parent.path) };
        let values = match parent.get(name).map(|value| (&value.kind, value)) {
            Some((ValueKind::Table(values), _)) => Some(values),
            Some((_, value)) => {
                let place = self.place(&path, Some(value));
                let message = format!("this is a section, not {}", form_of(value));
                self.error(&place, message, &format!("write [{path}] and its keys below it"));
                None
            }
            None => None,
        };
        Section { path, values }
    }

    /// The named entries of `[jobs.NAME]` and `[sources.NAME]`, by name; names that cannot be used are reported.
    pub(super) fn entries<'t>(&mut self, section: &Section<'t>) -> Vec<(String, Section<'t>)> {
        let mut names: Vec<&String> = section.values.map(|values| values.keys().collect()).unwrap_or_default();
        names.sort();
        let mut entries = Vec::new();
        for name in names {
            let well_formed = name.len() <= NAME_LENGTH_MAX
                && name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
            if !well_formed {
                let place = self.place_of(section, name);
                self.error(
                    &place,
                    format!("{name:?} is not a name"),
                    "names have at most 40 of a-z, 0-9, - and _, and begin with a letter or digit \
                     (variables and source keys know no capitals)",
                );
            }
            let entry = self.section(section, name);
            entries.push((name.clone(), entry));
        }
        entries
    }

    /// Reports keys that nobody knows, with the nearest that somebody does.
    pub(super) fn unknown_keys(&mut self, section: &Section<'_>, known: &[Key]) {
        for name in section.values.into_iter().flat_map(Map::keys) {
            if known.iter().any(|key| key.name == name) {
                continue;
            }
            let place = self.place_of(section, name);
            let elsewhere = schema::SECTIONS
                .iter()
                .find(|(_, _, keys)| keys.iter().any(|key| key.name == name))
                .map(|(section, named, _)| if *named { format!("[{section}.NAME]") } else { format!("[{section}]") });
            let hint = match (schema::nearest(name, known.iter().map(|key| key.name)), elsewhere) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(elsewhere)) => format!("`{name}` belongs into {elsewhere}"),
                (None, None) => {
                    format!("the keys here are {}", known.iter().map(|key| key.name).collect::<Vec<_>>().join(", "))
                }
            };
            self.error(&place, format!("unknown key `{name}`"), &hint);
        }
    }

    fn wrong_form<T>(&mut self, place: &Place, value: &Value, expected: &str) -> Option<T> {
        self.error(place, format!("{expected} is needed, not {}", form_of(value)), &format!("give {expected}"));
        None
    }

    /// A text, not empty and without blanks around it.
    pub(super) fn text(&mut self, section: &Section<'_>, key: &str) -> Option<Given<String>> {
        let value = section.get(key)?;
        let place = self.place_of(section, key);
        self.text_at(value, place)
    }

    fn text_at(&mut self, value: &Value, place: Place) -> Option<Given<String>> {
        let ValueKind::String(text) = &value.kind else {
            return self.wrong_form(&place, value, "text in quotes");
        };
        if text.trim().is_empty() {
            self.error(&place, "the text is empty", "give a value, or take the key out");
            return None;
        }
        if text.trim() != text || text.contains(char::is_control) {
            self.error(&place, "the text has blanks around it or control characters in it", "take them out");
            return None;
        }
        Some(Given { value: text.clone(), place })
    }

    /// A text of any form: several lines, blanks, nothing at all.
    pub(super) fn raw_text(&mut self, section: &Section<'_>, key: &str) -> Option<Given<String>> {
        let value = section.get(key)?;
        let place = self.place_of(section, key);
        self.raw_text_at(value, place)
    }

    fn raw_text_at(&mut self, value: &Value, place: Place) -> Option<Given<String>> {
        match &value.kind {
            ValueKind::String(text) => Some(Given { value: text.clone(), place }),
            _ => self.wrong_form(&place, value, "text in quotes"),
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, section: &Section<'_>, key: &str) -> Option<Given<bool>> {
        let value = section.get(key)?;
        let place = self.place_of(section, key);
        let switch = match &value.kind {
            ValueKind::Boolean(switch) => Some(*switch),
            ValueKind::String(text) if place.variable.is_some() => text.trim().parse().ok(),
            _ => None,
        };
        match switch {
            Some(value) => Some(Given { value, place }),
            None => self.wrong_form(&place, value, "true or false"),
        }
    }

    /// A whole number inside a range.
    pub(super) fn number<T: TryFrom<i128> + Into<i128> + Copy>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<T>,
    ) -> Option<Given<T>> {
        let value = section.get(key)?;
        let place = self.place_of(section, key);
        let number = match &value.kind {
            ValueKind::I128(number) => Some(*number),
            ValueKind::String(text) if place.variable.is_some() => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else { return self.wrong_form(&place, value, "a whole number") };
        let (low, high): (i128, i128) = ((*range.start()).into(), (*range.end()).into());
        match T::try_from(number) {
            Ok(value) if (low..=high).contains(&number) => Some(Given { value, place }),
            _ => {
                self.error(&place, format!("{number} is out of range"), &format!("give a number from {low} to {high}"));
                None
            }
        }
    }

    /// A duration such as `15m`, inside a range.
    pub(super) fn duration(
        &mut self,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<Duration>,
    ) -> Option<Given<Duration>> {
        let value = section.get(key)?;
        let place = self.place_of(section, key);
        let ValueKind::String(text) = &value.kind else {
            return self.wrong_form(&place, value, "a duration in quotes, such as \"15m\"");
        };
        let Some(length) = duration::parse(text) else {
            self.error(
                &place,
                format!("{text:?} is not a duration"),
                "write it as \"30s\", \"15m\", \"1h30m\" or \"2d\"",
            );
            return None;
        };
        if !range.contains(&length) {
            let (low, high) = (duration::format(*range.start()), duration::format(*range.end()));
            self.error(&place, format!("{text} is out of range"), &format!("give a duration from {low} to {high}"));
            return None;
        }
        Some(Given { value: length, place })
    }

    /// A list of texts; from a variable: separated by commas. `None` when an element is faulty.
    pub(super) fn list(&mut self, section: &Section<'_>, key: &str) -> Option<Given<Vec<Given<String>>>> {
        self.list_of(section, key, Self::text_at)
    }

    /// A list of texts of any form.
    pub(super) fn raw_list(&mut self, section: &Section<'_>, key: &str) -> Option<Given<Vec<Given<String>>>> {
        self.list_of(section, key, Self::raw_text_at)
    }

    fn list_of(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: fn(&mut Self, &Value, Place) -> Option<Given<String>>,
    ) -> Option<Given<Vec<Given<String>>>> {
        let value = section.get(key)?;
        let place = self.place_of(section, key);
        let elements = match &value.kind {
            ValueKind::Array(elements) => {
                let texts = elements.iter().enumerate().map(|(index, element)| {
                    let path = format!("{}[{index}]", place.key);
                    let place = Place { key: place.key.clone(), ..self.place(&path, Some(element)) };
                    read(self, element, place)
                });
                // Collected in two steps, so that every faulty element is reported.
                let all: Vec<_> = texts.collect();
                all.into_iter().collect::<Option<Vec<_>>>()?
            }
            ValueKind::String(text) if place.variable.is_some() => text
                .split(',')
                .map(str::trim)
                .filter(|element| !element.is_empty())
                .map(|element| Given { value: element.to_owned(), place: place.clone() })
                .collect(),
            _ => return self.wrong_form(&place, value, "a list of texts, such as [\"a\", \"b\"]"),
        };
        Some(Given { value: elements, place })
    }

    /// A table of texts, by name.
    pub(super) fn table(&mut self, parent: &Section<'_>, key: &str) -> BTreeMap<String, Given<String>> {
        let section = self.section(parent, key);
        let mut names: Vec<&String> = section.values.map(|values| values.keys().collect()).unwrap_or_default();
        names.sort();
        let texts = names.into_iter().filter_map(|name| Some((name.clone(), self.text(&section, name)?)));
        texts.collect()
    }

    /// One word of a closed list.
    pub(super) fn word<T: Copy + 'static>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        words: Words<T>,
    ) -> Option<Given<T>> {
        let given = self.text(section, key)?;
        self.word_at(&given, words)
    }

    /// The same for a text that is already read.
    pub(super) fn word_at<T: Copy + 'static>(&mut self, given: &Given<String>, words: Words<T>) -> Option<Given<T>> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == given.value) {
            return Some(Given { value: *value, place: given.place.clone() });
        }
        let known = words.iter().map(|(word, _)| *word);
        let list = known.clone().collect::<Vec<_>>().join(", ");
        let hint = match schema::nearest(&given.value, known) {
            Some(near) => format!("did you mean {near:?}? Known are {list}"),
            None => format!("known are {list}"),
        };
        self.error(&given.place, format!("unknown value {:?}", given.value), &hint);
        None
    }

    /// The zone that a text names.
    pub(super) fn zone(&mut self, section: &Section<'_>, key: &str) -> Option<Given<Zone>> {
        let given = self.text(section, key)?;
        match Zone::known_to_outlook(&given.value) {
            Ok(value) => Some(Given { value, place: given.place }),
            Err(error) => {
                self.error(&given.place, error.to_string(), "give an IANA name such as \"Europe/Paris\"");
                None
            }
        }
    }

    /// The address that a text is.
    pub(super) fn address_at(&mut self, given: &Given<String>) -> Option<Address> {
        Address::parse(&given.value)
            .map_err(|error| self.error(&given.place, error.to_string(), "give an address such as \"ana@example.org\""))
            .ok()
    }

    /// Reports a key that must be said and is not.
    pub(super) fn needed(&mut self, section: &Section<'_>, key: &str, reason: &str, hint: &str) {
        if !section.has(key) {
            let place = self.place_of(section, key);
            self.error(&place, format!("`{key}` is needed {reason}"), hint);
        }
    }
}

/// The longest name of a source or job: a source key stays under 200 characters.
const NAME_LENGTH_MAX: usize = 40;

fn form_of(value: &Value) -> &'static str {
    match &value.kind {
        ValueKind::Nil => "a date or time without quotes",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a number",
        ValueKind::Float(_) => "a number with a fraction",
        ValueKind::String(_) => "a text",
        ValueKind::Table(_) => "a table",
        ValueKind::Array(_) => "a list",
    }
}
