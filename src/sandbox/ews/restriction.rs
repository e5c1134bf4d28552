//! Restrictions of a FindItem.

use jiff::Timestamp;

use super::{
    element::{Element, Space, unexpected},
    fault::{Fault, ItemFault},
    path::{self, Path},
    time::Time,
    version::Version,
    vocabulary::{FREE_BUSY, IMPORTANCES, SENSITIVITIES, word_of},
};
use crate::sandbox::store::{Entry, EntryKind, Zone};

/// A condition.
#[derive(Debug, Clone)]
pub(super) enum Restriction {
    Exists(Path),
    Compare(Path, Comparison, String),
    Contains(Path, Containment, String),
    And(Vec<Restriction>),
    Or(Vec<Restriction>),
    Not(Box<Restriction>),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// How one text is in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Containment {
    Full,
    Prefix,
    Substring,
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("IsEqualTo", Comparison::Equal),
    ("IsNotEqualTo", Comparison::NotEqual),
    ("IsGreaterThan", Comparison::Greater),
    ("IsGreaterThanOrEqualTo", Comparison::GreaterOrEqual),
    ("IsLessThan", Comparison::Less),
    ("IsLessThanOrEqualTo", Comparison::LessOrEqual),
];

/// Reads a `Restriction`.
pub(super) fn read(element: &Element, version: Version) -> Result<Restriction, Fault> {
    match element.children.as_slice() {
        [child] => read_expression(element, child, version),
        [] => Err(Fault::schema(element, "The element 'Restriction' has incomplete content.")),
        [_, second, ..] => Err(Fault::schema(second, unexpected(element, second))),
    }
}

fn read_expression(parent: &Element, element: &Element, version: Version) -> Result<Restriction, Fault> {
    let fault = || Fault::schema(element, unexpected(parent, element));
    if element.space != Space::Types {
        return Err(fault());
    }
    let parts = || {
        let parts = element.children.iter().map(|child| read_expression(element, child, version));
        parts.collect::<Result<Vec<_>, Fault>>()
    };
    let incomplete = || Fault::schema(element, format!("The element '{}' has incomplete content.", element.name));
    match element.name.as_str() {
        "And" if element.children.len() > 1 => return Ok(Restriction::And(parts()?)),
        "Or" if element.children.len() > 1 => return Ok(Restriction::Or(parts()?)),
        "Not" if element.children.len() == 1 => {
            return parts()?.pop().map(|part| Restriction::Not(Box::new(part))).ok_or_else(incomplete);
        }
        "And" | "Or" | "Not" => return Err(incomplete()),
        _ => {}
    }
    let mut sequence = element.sequence();
    let path = path::read(sequence.next().ok_or_else(incomplete)?, version)?;
    let restriction = match element.name.as_str() {
        "Exists" => Restriction::Exists(path),
        "Contains" => {
            let constant = sequence.required(Space::Types, "Constant")?.required("Value")?.to_owned();
            let containment = match element.attribute("ContainmentMode") {
                Some("FullString" | "ExactPhrase") => Containment::Full,
                Some("Prefixed" | "PrefixOnWords") => Containment::Prefix,
                Some("Substring") | None => Containment::Substring,
                Some(_) => return Err(Fault::schema(element, "The 'ContainmentMode' attribute is invalid.")),
            };
            Restriction::Contains(path, containment, constant)
        }
        name => {
            let (_, comparison) = COMPARISONS.iter().find(|(word, _)| *word == name).ok_or_else(fault)?;
            let value = sequence.required(Space::Types, "FieldURIOrConstant")?;
            let mut inner = value.sequence();
            let constant = inner.required(Space::Types, "Constant")?.required("Value")?.to_owned();
            inner.finish()?;
            Restriction::Compare(path, *comparison, constant)
        }
    };
    sequence.finish()?;
    Ok(restriction)
}

impl Restriction {
    /// Whether the server can search for it.
    pub(super) fn check(&self) -> Result<(), ItemFault> {
        let path = match self {
            Self::Exists(path) | Self::Compare(path, ..) | Self::Contains(path, ..) => path,
            Self::And(parts) | Self::Or(parts) => return parts.iter().try_for_each(Self::check),
            Self::Not(part) => return part.check(),
        };
        match path {
            Path::Field("UID" | "Body" | "Recurrence" | "ModifiedOccurrences" | "DeletedOccurrences", _) => {
                let message = "The property is not valid for searching.";
                Err(ItemFault::on("ErrorUnsupportedPathForQuery", message, path.label()))
            }
            Path::Field(..) | Path::Foreign(_) | Path::Named(_) | Path::Extended(_) => Ok(()),
        }
    }

    /// Whether it holds for an item. `zone` is that of constants that say none.
    pub(super) fn holds(&self, entry: &Entry, zone: &Zone) -> bool {
        match self {
            Self::Exists(path) => value_of(path, entry).is_some(),
            Self::Compare(path, comparison, constant) => match value_of(path, entry) {
                Some(value) => compare(&value, *comparison, constant, zone),
                None => *comparison == Comparison::NotEqual,
            },
            Self::Contains(path, containment, constant) => match value_of(path, entry) {
                Some(Value::Text(text)) => {
                    let (text, constant) = (text.to_lowercase(), constant.to_lowercase());
                    match containment {
                        Containment::Full => text == constant,
                        Containment::Prefix => text.starts_with(&constant),
                        Containment::Substring => text.contains(&constant),
                    }
                }
                Some(Value::Instant(_)) | None => false,
            },
            Self::And(parts) => parts.iter().all(|part| part.holds(entry, zone)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(entry, zone)),
            Self::Not(part) => !part.holds(entry, zone),
        }
    }
}

/// A value that can be compared.
pub(super) enum Value {
    Text(String),
    Instant(Timestamp),
}

/// The value of a path in an item.
pub(super) fn value_of(path: &Path, entry: &Entry) -> Option<Value> {
    let content = &entry.content;
    let boolean = |value: bool| Some(Value::Text(value.to_string()));
    match path {
        Path::Named(name) => content.properties.get(name).cloned().map(Value::Text),
        Path::Field(name, _) => match *name {
            "Start" => Some(Value::Instant(content.start)),
            "End" => Some(Value::Instant(content.end)),
            "DateTimeCreated" | "DateTimeReceived" => Some(Value::Instant(entry.created)),
            "LastModifiedTime" => Some(Value::Instant(entry.modified)),
            "Subject" => Some(Value::Text(content.subject.clone())),
            "Location" => content.location.clone().map(Value::Text),
            "ItemClass" => Some(Value::Text("IPM.Appointment".to_owned())),
            "Categories" => content.categories.first().cloned().map(Value::Text),
            "IsAllDayEvent" => boolean(content.all_day),
            "IsRecurring" => boolean(entry.kind != EntryKind::Single),
            "ReminderIsSet" => boolean(content.reminder_set),
            "LegacyFreeBusyStatus" => Some(Value::Text(word_of(FREE_BUSY, &content.show_as).to_owned())),
            "Sensitivity" => Some(Value::Text(word_of(SENSITIVITIES, &content.sensitivity).to_owned())),
            "Importance" => Some(Value::Text(word_of(IMPORTANCES, &content.importance).to_owned())),
            _ => None,
        },
        Path::Foreign(_) | Path::Extended(_) => None,
    }
}

fn compare(value: &Value, comparison: Comparison, constant: &str, zone: &Zone) -> bool {
    let ordering = match value {
        Value::Text(text) => text.to_lowercase().cmp(&constant.to_lowercase()),
        Value::Instant(instant) => match Time::parse(constant).and_then(|time| time.instant(zone)) {
            Some(constant) => instant.cmp(&constant),
            None => return false,
        },
    };
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
    }
}
