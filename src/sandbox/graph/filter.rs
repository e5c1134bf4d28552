//! `$filter` on events.

use jiff::Timestamp;

use super::{
    super::store::{Entry, EntryKind, Filter},
    error::GraphError,
    odata::Reader,
    property_id::property_name,
};

/// A condition on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// On an extended property.
    Property(Filter),
    /// `subject eq '…'`.
    Subject(String),
    /// `type eq '…'`.
    Type(String),
    /// `isAllDay eq …`.
    AllDay(bool),
    /// On a time.
    Time(TimeField, Comparison, Timestamp),
    /// All of them.
    And(Vec<Condition>),
    /// One of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
}

/// The times that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeField {
    Start,
    End,
    Modified,
}

/// How times are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Before,
    NotAfter,
    After,
    NotBefore,
}

impl Condition {
    /// Whether it holds for an event.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        match self {
            Self::Property(filter) => filter.holds(&entry.content),
            Self::Subject(subject) => entry.content.subject.to_lowercase() == subject.to_lowercase(),
            Self::Type(name) => type_name(entry.kind) == name,
            Self::AllDay(all_day) => entry.content.all_day == *all_day,
            Self::Time(field, comparison, instant) => {
                let value = match field {
                    TimeField::Start => entry.content.start,
                    TimeField::End => entry.content.end,
                    TimeField::Modified => entry.modified,
                };
                match comparison {
                    Comparison::Equal => value == *instant,
                    Comparison::Before => value < *instant,
                    Comparison::NotAfter => value <= *instant,
                    Comparison::After => value > *instant,
                    Comparison::NotBefore => value >= *instant,
                }
            }
            Self::And(parts) => parts.iter().all(|part| part.holds(entry)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(entry)),
            Self::Not(part) => !part.holds(entry),
        }
    }

    /// A condition that the store can check itself and that holds wherever this one does.
    pub(super) fn in_store(&self) -> Filter {
        match self {
            Self::Property(filter) => filter.clone(),
            Self::And(parts) => Filter::And(parts.iter().map(Self::in_store).collect()),
            Self::Or(parts) => Filter::Or(parts.iter().map(Self::in_store).collect()),
            Self::Subject(_) | Self::Type(_) | Self::AllDay(_) | Self::Time(..) | Self::Not(_) => Filter::All,
        }
    }

    /// Whether it asks for an extended property.
    pub(super) fn has_property(&self) -> bool {
        match self {
            Self::Property(_) => true,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_property),
            Self::Not(part) => part.has_property(),
            Self::Subject(_) | Self::Type(_) | Self::AllDay(_) | Self::Time(..) => false,
        }
    }
}

/// The value of `type`.
pub(super) const fn type_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Single => "singleInstance",
        EntryKind::Master => "seriesMaster",
        EntryKind::Occurrence => "occurrence",
        EntryKind::Exception => "exception",
    }
}

/// Reads `$filter`.
pub(super) fn filter(expression: &str) -> Result<Condition, GraphError> {
    let mut reader = Reader::new(expression)?;
    let condition = alternatives(&mut reader, 0)?;
    if reader.is_done() { Ok(condition) } else { Err(reader.bad()) }
}

fn alternatives(reader: &mut Reader<'_>, depth: usize) -> Result<Condition, GraphError> {
    const DEPTH_MAX: usize = 20;
    if depth > DEPTH_MAX {
        return Err(reader.bad());
    }
    let mut parts = vec![conjunction(reader, depth)?];
    while reader.take_word("or") {
        parts.push(conjunction(reader, depth)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
}

fn conjunction(reader: &mut Reader<'_>, depth: usize) -> Result<Condition, GraphError> {
    let mut parts = vec![single(reader, depth)?];
    while reader.take_word("and") {
        parts.push(single(reader, depth)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
}

fn single(reader: &mut Reader<'_>, depth: usize) -> Result<Condition, GraphError> {
    if reader.take_word("not") {
        return Ok(Condition::Not(Box::new(single(reader, depth + 1)?)));
    }
    if reader.take_sign('(') {
        let inner = alternatives(reader, depth + 1)?;
        reader.sign(')')?;
        return Ok(inner);
    }
    let field = reader.word()?;
    if field.eq_ignore_ascii_case("singleValueExtendedProperties/any") {
        return any(reader);
    }
    let operator = reader.word()?.to_lowercase();
    match (field.as_str(), operator.as_str()) {
        ("subject", "eq") => Ok(Condition::Subject(reader.text()?)),
        ("type", "eq") => Ok(Condition::Type(reader.text()?)),
        ("isAllDay", "eq") => match reader.word()?.as_str() {
            "true" => Ok(Condition::AllDay(true)),
            "false" => Ok(Condition::AllDay(false)),
            _ => Err(reader.bad()),
        },
        ("start/dateTime", _) => time(reader, TimeField::Start, &operator),
        ("end/dateTime", _) => time(reader, TimeField::End, &operator),
        ("lastModifiedDateTime", _) => time(reader, TimeField::Modified, &operator),
        _ => Err(reader.bad()),
    }
}

fn time(reader: &mut Reader<'_>, field: TimeField, operator: &str) -> Result<Condition, GraphError> {
    let comparison = match operator {
        "eq" => Comparison::Equal,
        "lt" => Comparison::Before,
        "le" => Comparison::NotAfter,
        "gt" => Comparison::After,
        "ge" => Comparison::NotBefore,
        _ => return Err(reader.bad()),
    };
    // start and end are compared with texts, the others with dates.
    let value = if field == TimeField::Modified { reader.word()? } else { reader.text()? };
    Ok(Condition::Time(field, comparison, instant(&value).ok_or_else(|| reader.bad())?))
}

/// An instant, or a time without offset, which is UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let wall: jiff::civil::DateTime = text.parse().ok()?;
        wall.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// `(ep: ep/id eq '…' and ep/value eq '…')`, or `ne null` for any value.
fn any(reader: &mut Reader<'_>) -> Result<Condition, GraphError> {
    reader.sign('(')?;
    let variable = reader.word()?;
    reader.sign(':')?;
    let (mut name, mut value) = (None, None);
    loop {
        let field = reader.word()?;
        let operator = reader.word()?.to_lowercase();
        match (field.strip_prefix(&variable), operator.as_str()) {
            (Some("/id"), "eq") => name = Some(property_name(&reader.text()?)?),
            (Some("/value"), "eq") => value = Some(reader.text()?),
            (Some("/value"), "ne") if reader.take_word("null") => {}
            _ => return Err(reader.bad()),
        }
        if !reader.take_word("and") {
            break;
        }
    }
    reader.sign(')')?;
    let name = name.ok_or_else(|| reader.bad())?;
    Ok(Condition::Property(match value {
        Some(value) => Filter::Equals(name, value),
        None => Filter::Exists(name),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{super::super::store::PropertyName, *};

    const SET: &str = "0ab89da0-c8e5-4849-914a-1396b47752b5";

    fn key() -> PropertyName {
        PropertyName::new(SET, "SourceKey")
    }

    #[test]
    fn what_is_understood() {
        let id = format!("String {{{SET}}} Name SourceKey");
        let equals = Condition::Property(Filter::Equals(key(), "a/b'c".into()));
        let exists = Condition::Property(Filter::Exists(key()));
        let any = format!("singleValueExtendedProperties/Any(ep: ep/id eq '{id}' and ep/value eq 'a/b''c')");
        for (text, expected) in [
            (any.clone(), equals.clone()),
            (any.replace("Any(ep: ", "any(ep:"), equals.clone()),
            (any.replace("eq 'a/b''c'", "ne null"), exists.clone()),
            (
                format!("{any} or not ({any})"),
                Condition::Or(vec![equals.clone(), Condition::Not(Box::new(equals.clone()))]),
            ),
            (
                format!("{any} and start/dateTime ge '1970-01-01T00:00:00'"),
                Condition::And(vec![
                    equals,
                    Condition::Time(TimeField::Start, Comparison::NotBefore, Timestamp::UNIX_EPOCH),
                ]),
            ),
            ("subject eq 'x'".to_owned(), Condition::Subject("x".into())),
        ] {
            assert_eq!(filter(&text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "subject",
            "subject ne 'x'",
            "colour eq 'red'",
            "singleValueExtendedProperties/Any(ep: ep/value eq 'x')",
            "singleValueExtendedProperties/Any(ep: ep/id eq 'x' and ep/value eq 'y')",
            "subject eq 'x' subject eq 'y'",
            "start/dateTime ge 'noon'",
        ] {
            assert!(filter(text).is_err(), "{text}");
        }
    }
}
