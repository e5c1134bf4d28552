//! JSON Lines: one event per line; the schema is `docs/event.schema.json`.

use std::io::{self, BufRead, Read};

use jiff::civil::DateTime;
use serde::Deserialize;

use super::{
    files::Gathered,
    json_values::{
        BodyTypeWord, DataValue, ImportanceWord, KindWord, LengthValue, LinkValue, PeriodWord, ReminderValue,
        SensitivityWord, ShowAsWord,
    },
    moments, surrogates,
    zones::Zones,
};
use crate::model::{
    address::Address,
    event::{Body, BodyKind},
    key::{Kind, SourceKey},
    source::{
        Period, Recipient, Rejection, SourceChange, SourceContent, SourceEvent, SourceException, SourceRecurrence,
        SourceTime,
    },
    time::EventTime,
    zone::Zone,
};

/// The longest line, in bytes; a body is at most 1 MiB in the calendar.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The longest schedule, in half-days: ten years. What is too long for a calendar is for the job to say.
const HALF_DAYS_MAX: u32 = 7_320;

/// One line, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: KindWord,
    id: String,
    person: Option<String>,
    mailbox: Option<String>,
    #[serde(default)]
    generic: bool,
    #[serde(default)]
    cancelled: bool,
    start: Option<String>,
    end: Option<String>,
    duration: Option<LengthValue>,
    #[serde(default)]
    all_day: bool,
    zone: Option<String>,
    date: Option<String>,
    period: Option<PeriodWord>,
    days: Option<f64>,
    recurrence: Option<String>,
    #[serde(default)]
    additional: Vec<String>,
    #[serde(default)]
    exceptions: Vec<ExceptionPart>,
    subject: Option<String>,
    location: Option<String>,
    body: Option<String>,
    body_type: Option<BodyTypeWord>,
    show_as: Option<ShowAsWord>,
    sensitivity: Option<SensitivityWord>,
    importance: Option<ImportanceWord>,
    categories: Option<Vec<String>>,
    reminder_minutes: Option<ReminderValue>,
    url: Option<LinkValue>,
    online_meeting_url: Option<LinkValue>,
    data: Option<DataValue>,
}

/// One occurrence that differs, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionPart {
    original: String,
    #[serde(default)]
    cancelled: bool,
    all_day: Option<bool>,
    start: Option<String>,
    end: Option<String>,
    duration: Option<LengthValue>,
    subject: Option<String>,
    location: Option<String>,
    body: Option<String>,
    body_type: Option<BodyTypeWord>,
    show_as: Option<ShowAsWord>,
    sensitivity: Option<SensitivityWord>,
    importance: Option<ImportanceWord>,
    categories: Option<Vec<String>>,
    reminder_minutes: Option<ReminderValue>,
    url: Option<LinkValue>,
    online_meeting_url: Option<LinkValue>,
    data: Option<DataValue>,
}

/// The last line of a file that is whole.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndMarker {
    end: bool,
    count: u64,
}

/// Reads a file line by line; each line stands or falls by itself.
pub(super) struct JsonLines<'a> {
    /// The name of the source.
    pub(super) source: &'a str,
    /// The file, as it is named to the operator.
    pub(super) file: &'a str,
    /// Whether the file must end with a marker.
    pub(super) end_marker: bool,
}

impl JsonLines<'_> {
    /// Reads the whole file into `gathered`.
    pub(super) fn read(&self, mut input: impl BufRead, zones: &mut Zones, gathered: &mut Gathered) -> io::Result<()> {
        let mut buffer = Vec::new();
        let (mut number, mut count, mut marker) = (0_usize, 0_u64, None);
        loop {
            buffer.clear();
            if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut buffer)? == 0 {
                break;
            }
            number += 1;
            let place = format!("{}:{number}", self.file);
            if buffer.len() as u64 == LINE_BYTES_MAX && buffer.last() != Some(&b'\n') {
                skip_line(&mut input)?;
                gathered.reject(None, place, "the line is longer than 4 MiB".to_owned());
                count += 1;
                continue;
            }
            let bytes = if number == 1 { buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&buffer) } else { &buffer };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            if marker.is_some() {
                gathered.incomplete(format!("{place} comes after the end marker"));
            }
            if let Ok(found) = serde_json::from_slice::<EndMarker>(bytes) {
                marker = Some(found);
                continue;
            }
            count += 1;
            match self.line(bytes, &place, zones) {
                Ok(event) => gathered.events.push(event),
                Err(rejection) => gathered.rejections.push(rejection),
            }
        }
        self.judge_end(number, count, marker, gathered);
        Ok(())
    }

    fn judge_end(&self, lines: usize, count: u64, marker: Option<EndMarker>, gathered: &mut Gathered) {
        let file = self.file;
        match marker {
            Some(marker) if !marker.end || marker.count != count => gathered.incomplete(format!(
                "{file} holds {count} events and its end marker says {}",
                if marker.end { marker.count.to_string() } else { "that this is not the end".to_owned() }
            )),
            Some(_) => {}
            None if self.end_marker => gathered.incomplete(format!("{file} does not end with an end marker")),
            // A writer that truncates before it writes leaves such a file for a moment.
            None if lines == 0 => gathered.incomplete(format!("{file} is empty: write an end marker if that is meant")),
            None => {}
        }
    }

    fn line(&self, bytes: &[u8], place: &str, zones: &mut Zones) -> Result<SourceEvent, Rejection> {
        let reject = |key, reason| Rejection { key, place: place.to_owned(), reason };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(reject(None, "the line is not UTF-8".to_owned()));
        };
        let mended = surrogates::mended(text);
        let text = mended.as_ref();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let line: Line = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| {
                let path = error.path().to_string();
                let error = error.into_inner();
                let reason = without_content(&error);
                if path == "." || !error.is_data() { reason } else { format!("`{path}`: {reason}") }
            })
            .and_then(|line| deserializer.end().map(|()| line).map_err(|error| without_content(&error)))
            .map_err(|reason| reject(self.key_of(text), reason))?;
        if line.id.is_empty() {
            return Err(reject(None, "`id` is empty".to_owned()));
        }
        let key = SourceKey::new(self.source, line.kind.0, &line.id);
        event(key.clone(), line, place, zones).map_err(|reason| reject(Some(key), reason))
    }

    /// The key of a line that is otherwise unfit, if it tells kind and id.
    fn key_of(&self, text: &str) -> Option<SourceKey> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let kind = Kind::parse(value.get("kind")?.as_str()?)?;
        let id = match value.get("id")? {
            serde_json::Value::String(id) if !id.is_empty() => id.clone(),
            serde_json::Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(SourceKey::new(self.source, kind, &id))
    }
}

/// Reads on to the end of a line that is not kept.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(());
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |position| position + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// The message of an error without the value that it quotes: values are content of a calendar.
fn without_content(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    if let Some(position) = message.rfind(" at line ") {
        message.truncate(position);
    }
    if let Some(start) = message.find("string \"") {
        let end = message.rfind("\", expected").map_or(message.len(), |end| end + 1);
        message.replace_range(start + 6..end, "");
    }
    if message.starts_with("unknown field")
        && let Some(comma) = message.find(", expected")
    {
        message.truncate(comma);
    }
    if error.is_data() { message } else { format!("the line is not one JSON object: {message}") }
}

fn event(key: SourceKey, line: Line, place: &str, zones: &mut Zones) -> Result<SourceEvent, String> {
    let recipient = match (&line.person, &line.mailbox) {
        (Some(person), None) if !person.trim().is_empty() => Recipient::Person(person.trim().to_owned()),
        (None, Some(mailbox)) => Recipient::Mailbox(Address::parse(mailbox).map_err(|error| error.to_string())?),
        _ => return Err("it needs either `person` or `mailbox`".to_owned()),
    };
    let kind = line.kind.0;
    let time = match kind {
        Kind::Schedule if line.start.is_none() => schedule_time(&line, zones)?,
        Kind::Schedule | Kind::Appointment => SourceTime::Fixed(fixed_time(&line, zones)?),
    };
    let recurrence = recurrence(&line, &time)?;
    let (generic, cancelled) = (line.generic, line.cancelled);
    let content = SourceContent {
        subject: line.subject,
        body: body(line.body, line.body_type),
        location: line.location,
        show_as: line.show_as.map(|word| word.0),
        sensitivity: line.sensitivity.map(|word| word.0),
        importance: line.importance.map(|word| word.0),
        categories: line.categories,
        reminder: line.reminder_minutes.map(|value| value.0),
        url: line.url.map(|value| value.0),
        online_meeting_url: line.online_meeting_url.map(|value| value.0),
        data: line.data.map(|value| value.0),
    };
    Ok(SourceEvent { key, kind, place: place.to_owned(), recipient, generic, cancelled, time, recurrence, content })
}

fn body(content: Option<String>, kind: Option<BodyTypeWord>) -> Option<Body> {
    content.map(|content| Body { kind: kind.map_or(BodyKind::Text, |word| word.0), content })
}

fn zone(name: Option<&str>, zones: &mut Zones) -> Result<Zone, String> {
    zones.named(name).map_err(|error| error.to_string())
}

/// The time of a schedule in days and half-days.
fn schedule_time(line: &Line, zones: &mut Zones) -> Result<SourceTime, String> {
    if line.end.is_some()
        || line.duration.is_some()
        || line.all_day
        || line.recurrence.is_some()
        || !line.additional.is_empty()
    {
        return Err("a schedule has `date`, `period` and `days`, or the times of an appointment, not both".to_owned());
    }
    let date = moments::date(line.date.as_deref().ok_or("a schedule needs `date` or `start`")?)?;
    let period = line.period.map_or(Period::Day, |word| word.0);
    let days = line.days.unwrap_or(match period {
        Period::Day => 1.0,
        Period::Morning | Period::Afternoon => 0.5,
    });
    let half_days = days * 2.0;
    if half_days.fract() != 0.0 || !(1.0..=f64::from(HALF_DAYS_MAX)).contains(&half_days) {
        return Err(format!("`days` is a number of half-days from 0.5 to {}", HALF_DAYS_MAX / 2));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and between 1 and 7320")]
    let half_days = half_days as u32;
    let zone = line.zone.as_deref().map(|name| zone(Some(name), zones)).transpose()?;
    Ok(SourceTime::Period { date, period, half_days, zone })
}

/// The time of an event with clock times or dates.
fn fixed_time(line: &Line, zones: &mut Zones) -> Result<EventTime, String> {
    if line.date.is_some() || line.period.is_some() || line.days.is_some() {
        return Err("`date`, `period` and `days` belong to a schedule without `start`".to_owned());
    }
    let zone = zone(line.zone.as_deref(), zones)?;
    let start = line.start.as_deref().ok_or("it needs `start`")?;
    let part = Span { start, end: line.end.as_deref(), duration: line.duration, repeats: line.recurrence.is_some() };
    span(line.all_day, zone, &part)
}

/// When something takes place, as written.
struct Span<'a> {
    start: &'a str,
    end: Option<&'a str>,
    duration: Option<LengthValue>,
    repeats: bool,
}

fn span(all_day: bool, zone: Zone, part: &Span<'_>) -> Result<EventTime, String> {
    let Span { start, end, duration, repeats } = *part;
    let time = if all_day {
        let first = moments::date(start)?;
        let last = match (end, duration) {
            (Some(end), None) => moments::date(end)?,
            (None, Some(length)) => length.0.last_day(first)?,
            (None, None) => first,
            (Some(_), Some(_)) => return Err(end_and_duration()),
        };
        EventTime::AllDay { first, last, zone }
    } else {
        let start = moments::wall_time(start)?;
        match (end, duration) {
            (Some(end), None) => EventTime::Timed { start, end: moments::wall_time(end)?, zone },
            (None, Some(length)) => length.0.timed(start, zone, repeats)?,
            (None, None) => return Err("it needs `end` or `duration`".to_owned()),
            (Some(_), Some(_)) => return Err(end_and_duration()),
        }
    };
    moments::checked(time)
}

fn end_and_duration() -> String {
    "it has `end` and `duration`; one of them is enough".to_owned()
}

fn recurrence(line: &Line, time: &SourceTime) -> Result<Option<SourceRecurrence>, String> {
    let (true, SourceTime::Fixed(time)) = (line.recurrence.is_some() || !line.additional.is_empty(), time) else {
        return if line.exceptions.is_empty() { Ok(None) } else { Err("`exceptions` need a `recurrence`".to_owned()) };
    };
    let additional: Result<Vec<_>, String> = line
        .additional
        .iter()
        .map(|text| original(text, time).map_err(|reason| format!("`additional`: {reason}")))
        .collect();
    let exceptions: Result<Vec<_>, String> =
        line.exceptions.iter().enumerate().map(|(index, part)| exception(index, part, time)).collect();
    Ok(Some(SourceRecurrence {
        rules: line.recurrence.iter().map(|rule| rule.trim().to_owned()).collect(),
        additional: additional?,
        excluded_rules: Vec::new(),
        exceptions: exceptions?,
    }))
}

/// The wall time at which an occurrence of `master` starts: a date where it lasts whole days.
fn original(text: &str, master: &EventTime) -> Result<DateTime, String> {
    match master {
        EventTime::Timed { .. } => moments::wall_time(text),
        EventTime::AllDay { .. } => moments::date(text).map(|date| date.at(0, 0, 0, 0)),
    }
}

fn exception(index: usize, part: &ExceptionPart, master: &EventTime) -> Result<SourceException, String> {
    let placed = |reason: String| format!("`exceptions[{index}]`: {reason}");
    let original = original(&part.original, master).map_err(placed)?;
    if part.cancelled {
        if part.start.is_some() || part.end.is_some() || part.duration.is_some() || part.subject.is_some() {
            return Err(placed("it is cancelled and changed at once".to_owned()));
        }
        return Ok(SourceException { original, change: None });
    }
    let all_day = part.all_day.unwrap_or(master.is_all_day());
    let time = match part.start.as_deref() {
        None if all_day != master.is_all_day() => {
            Err("with another `all_day` than its series it needs `start`".to_owned())
        }
        start => {
            let start = start.unwrap_or(&part.original);
            if part.end.is_none() && part.duration.is_none() && all_day == master.is_all_day() {
                moved(start, master)
            } else {
                let part = Span { start, end: part.end.as_deref(), duration: part.duration, repeats: false };
                span(all_day, master.zone().clone(), &part)
            }
        }
    }
    .map_err(placed)?;
    let content = SourceContent {
        subject: part.subject.clone(),
        body: body(part.body.clone(), part.body_type),
        location: part.location.clone(),
        show_as: part.show_as.map(|word| word.0),
        sensitivity: part.sensitivity.map(|word| word.0),
        importance: part.importance.map(|word| word.0),
        categories: part.categories.clone(),
        reminder: part.reminder_minutes.map(|value| value.0),
        url: part.url.clone().map(|value| value.0),
        online_meeting_url: part.online_meeting_url.clone().map(|value| value.0),
        data: part.data.clone().map(|value| value.0),
    };
    Ok(SourceException { original, change: Some(SourceChange { time, content }) })
}

/// The time of an occurrence that starts at `start` and lasts as long as its series.
fn moved(start: &str, master: &EventTime) -> Result<EventTime, String> {
    let out_of_range = |_| "it leads out of the calendar".to_owned();
    let time = match master {
        EventTime::Timed { start: first, end, zone } => {
            let start = moments::wall_time(start)?;
            let end = start.checked_add(first.duration_until(*end)).map_err(out_of_range)?;
            EventTime::Timed { start, end, zone: zone.clone() }
        }
        EventTime::AllDay { first, last, zone } => {
            let start = moments::date(start)?;
            let last = start.checked_add(first.duration_until(*last)).map_err(out_of_range)?;
            EventTime::AllDay { first: start, last, zone: zone.clone() }
        }
    };
    moments::checked(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::{EndMarker, ExceptionPart, KindWord, Line};
    use crate::sources::json_values::{BodyTypeWord, ImportanceWord, PeriodWord, SensitivityWord, ShowAsWord};

    fn schema() -> Value {
        serde_json::from_str(include_str!("../../docs/event.schema.json")).unwrap()
    }

    /// The members that a reader accepts, as its own error lists them.
    fn accepted<T: DeserializeOwned>() -> Vec<String> {
        let Err(error) = serde_json::from_str::<T>(r#"{"?":0}"#) else { panic!() };
        let error = error.to_string();
        let names = error.split_once(", expected").unwrap().1;
        let mut names: Vec<String> = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        names.sort();
        names
    }

    #[test]
    fn the_schema_lists_what_the_reader_accepts() {
        let schema = schema();
        let parts = [
            ("event", accepted::<Line>()),
            ("exception", accepted::<ExceptionPart>()),
            ("end_marker", accepted::<EndMarker>()),
        ];
        for (part, accepted) in parts {
            let part = &schema["$defs"][part];
            assert_eq!(part["additionalProperties"], Value::Bool(false));
            let mut listed: Vec<String> = part["properties"].as_object().unwrap().keys().cloned().collect();
            listed.sort();
            assert_eq!(listed, accepted);
            for (name, member) in part["properties"].as_object().unwrap() {
                let says_what_it_is = ["type", "enum", "anyOf", "const"].iter().any(|key| member.get(*key).is_some());
                assert!(says_what_it_is, "{name}");
            }
        }
    }

    #[test]
    fn the_schema_lists_the_words_that_the_reader_knows() {
        let schema = schema();
        let words = [
            ("kind", KindWord::WORDS),
            ("body_type", BodyTypeWord::WORDS),
            ("show_as", ShowAsWord::WORDS),
            ("sensitivity", SensitivityWord::WORDS),
            ("importance", ImportanceWord::WORDS),
            ("period", PeriodWord::WORDS),
        ];
        for (name, known) in words {
            let listed = schema["$defs"]["event"]["properties"][name]["enum"].as_array().unwrap();
            let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
            assert_eq!(listed, known, "{name}");
        }
    }
}
