//! `[jobs.NAME]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::civil::Time;

use super::{
    super::{
        Departure, Job, Source,
        reader::{Given, Place, Reader, Section},
        schema, words,
    },
    working_days,
};
use super::{keeps, templates};
use crate::model::{
    address::Address,
    event::{Importance, REMINDER_MINUTES_MAX, Sensitivity, ShowAs},
    key::Kind,
    zone::Zone,
};

/// Graph reads at most five years of a calendar at a time.
const WINDOW_DAYS_MAX: u16 = 1_825;
const EVERY_DEFAULT: Duration = Duration::from_secs(15 * 60);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// Ten years: who wants no cap says so by a number that nobody reaches.
const MAX_DAYS_MAX: u16 = 3_660;
/// A quarter of worked days.
const MAX_DAYS_DEFAULT: u16 = 60;
const CANCELLED_SUBJECT_DEFAULT: &str = "Cancelled:";
const TEXT_LENGTH_MAX: usize = 255;

/// What the other sections say about sources.
pub(in super::super) struct Sources<'a> {
    /// Those that were read.
    pub(in super::super) read: &'a BTreeMap<String, Source>,
    /// The names of all, also of the faulty ones.
    pub(in super::super) names: &'a [String],
}

pub(in super::super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, sources: &Sources<'_>) -> Option<Job> {
    reader.unknown_keys(section, schema::JOB);
    let source = source(reader, section, sources);
    let own_zone = reader.zone(section, "zone");
    let kinds = kinds(reader, section);
    let people = persons(reader, section, "people");
    let generic_people = persons(reader, section, "generic_people");
    let people_domain = people_domain(reader, section);
    let addresses = addresses(reader, section);
    let window_days_back =
        reader.number(section, "window_days_back", 0..=WINDOW_DAYS_MAX).map_or(30, |given| given.value);
    let window_days_ahead =
        reader.number(section, "window_days_ahead", 1..=WINDOW_DAYS_MAX).map_or(180, |given| given.value);
    let every =
        reader.duration(section, "every", Duration::from_secs(1)..=WEEK).map_or(EVERY_DEFAULT, |given| given.value);
    let (morning, afternoon) = hours(reader, section);
    let working_days = working_days::read(reader, section);
    let max_days = reader.number(section, "max_days", 1..=MAX_DAYS_MAX).map_or(MAX_DAYS_DEFAULT, |given| given.value);
    let show_as = reader.word(section, "show_as", words::SHOW_AS).map_or(ShowAs::Busy, |given| given.value);
    let sensitivity =
        reader.word(section, "sensitivity", words::SENSITIVITY).map_or(Sensitivity::Normal, |given| given.value);
    let importance =
        reader.word(section, "importance", words::IMPORTANCE).map_or(Importance::Normal, |given| given.value);
    let categories = categories(reader, section);
    let reminder_minutes =
        reader.number(section, "reminder_minutes", 0..=REMINDER_MINUTES_MAX).map(|given| given.value);
    let private_subject = short_text(reader, section, "private_subject");
    let templates = templates::read(reader, section);
    let departure =
        |reader: &mut Reader<'_>, key| reader.word(section, key, words::DEPARTURES).map(|given| given.value);
    let cancelled = departure(reader, "cancelled").unwrap_or(Departure::Delete);
    let cancelled_subject =
        short_text(reader, section, "cancelled_subject").unwrap_or_else(|| CANCELLED_SUBJECT_DEFAULT.to_owned());
    let out_of_scope = departure(reader, "out_of_scope").unwrap_or(Departure::Keep);
    let keeps = keeps::read(reader, section);
    let zone = zone(own_zone, section, &source, sources)?;
    Some(Job {
        source: source?,
        kinds,
        people,
        generic_people,
        people_domain,
        addresses,
        window_days_back,
        window_days_ahead,
        every,
        zone,
        morning,
        afternoon,
        working_days,
        max_days,
        show_as,
        sensitivity,
        importance,
        categories,
        reminder_minutes,
        private_subject,
        templates,
        cancelled,
        cancelled_subject,
        out_of_scope,
        keeps,
    })
}

fn source(reader: &mut Reader<'_>, section: &Section<'_>, sources: &Sources<'_>) -> Option<String> {
    reader.needed(section, "source", "to know what is pushed", "name one of [sources.NAME]");
    let given = reader.text(section, "source")?;
    if sources.names.contains(&given.value) {
        return Some(given.value);
    }
    let names = sources.names.iter().map(String::as_str);
    let hint = match schema::nearest(&given.value, names.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if sources.names.is_empty() => "there is no [sources.NAME] at all: add one".to_owned(),
        None => format!("the sources are {}", names.collect::<Vec<_>>().join(", ")),
    };
    reader.error(&given.place, format!("there is no source {:?}", given.value), &hint);
    None
}

/// The zone of the job, or else of its source.
fn zone(
    own: Option<Given<Zone>>,
    section: &Section<'_>,
    source: &Option<String>,
    sources: &Sources<'_>,
) -> Option<Zone> {
    match own {
        Some(given) => Some(given.value),
        None if section.has("zone") => None,
        None => match sources.read.get(source.as_ref()?)? {
            Source::Files(files) => Some(files.zone.clone()),
        },
    }
}

fn kinds(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<Kind> {
    let Some(given) = reader.list(section, "kinds") else { return vec![Kind::Schedule, Kind::Appointment] };
    if given.value.is_empty() {
        reader.error(
            &given.place,
            "the list is empty: nothing would be pushed",
            "give \"schedule\", \"appointment\", or both",
        );
    }
    let mut kinds = Vec::new();
    for element in &given.value {
        if let Some(kind) = reader.word_at(element, words::KINDS) {
            if kinds.contains(&kind.value) {
                reader.error(&element.place, format!("{:?} is listed twice", element.value), "name it once");
            } else {
                kinds.push(kind.value);
            }
        }
    }
    kinds
}

/// A list of persons and addresses.
fn persons(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Vec<String> {
    let people = reader.list(section, key).map(|given| given.value).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for person in &people {
        if person.value.contains('@') {
            reader.address_at(person);
        }
        if !seen.insert(&person.value) {
            reader.error(&person.place, format!("{:?} is listed twice", person.value), "name each person once");
        }
    }
    people.iter().map(|person| person.value.clone()).collect()
}

fn people_domain(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let given = reader.text(section, "people_domain")?;
    if given.value.contains('@') || Address::parse(&format!("x@{}", given.value)).is_err() {
        let message = format!("{:?} is not the domain of an address", given.value);
        reader.error(&given.place, message, "write it without @: \"example.org\"");
        return None;
    }
    Some(given.value)
}

fn addresses(reader: &mut Reader<'_>, section: &Section<'_>) -> BTreeMap<String, Address> {
    let table = reader.table(section, "addresses");
    table.into_iter().filter_map(|(person, given)| Some((person, reader.address_at(&given)?))).collect()
}

fn categories(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let categories = reader.list(section, "categories").map(|given| given.value).unwrap_or_default();
    for category in &categories {
        if category.value.contains([',', ';']) || category.value.chars().count() > TEXT_LENGTH_MAX {
            let message = format!("{:?} cannot be the name of a category", category.value);
            reader.error(&category.place, message, "Outlook takes at most 255 characters, without , and ;");
        }
    }
    categories.iter().map(|category| category.value.clone()).collect()
}

fn short_text(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    let given = reader.text(section, key)?;
    if given.value.chars().count() > TEXT_LENGTH_MAX {
        reader.error(&given.place, "the text is too long", "Outlook shows at most 255 characters");
        return None;
    }
    Some(given.value)
}

type Hours = (Time, Time);

/// Both halves of the day, in order and apart.
fn hours(reader: &mut Reader<'_>, section: &Section<'_>) -> (Hours, Hours) {
    let morning_default = (clock_time(9, 0), clock_time(12, 30));
    let afternoon_default = (clock_time(14, 0), clock_time(17, 30));
    let morning = half_day(reader, section, "morning");
    let afternoon = half_day(reader, section, "afternoon");
    let (first, second) = (
        morning.as_ref().map_or(morning_default, |given| given.value),
        afternoon.as_ref().map_or(afternoon_default, |given| given.value),
    );
    if first.1 > second.0 && (morning.is_some() || afternoon.is_some()) {
        let place: Option<Place> = afternoon.or(morning).map(|given| given.place);
        if let Some(place) = place {
            let message = format!("the afternoon begins at {:.0}, before the morning ends at {:.0}", second.0, first.1);
            reader.error(&place, message, "half-days must follow each other");
        }
    }
    (first, second)
}

fn clock_time(hour: i8, minute: i8) -> Time {
    Time::new(hour, minute, 0, 0).unwrap_or(Time::MIN)
}

/// `["09:00", "12:30"]`.
fn half_day(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<Given<Hours>> {
    let given = reader.list(section, key)?;
    let hint = "write it as [\"09:00\", \"12:30\"]";
    let [start, end] = given.value.as_slice() else {
        reader.error(&given.place, "a beginning and an end are needed", hint);
        return None;
    };
    let mut read = |element: &Given<String>| {
        let time = time_of_day(&element.value);
        if time.is_none() {
            reader.error(&element.place, format!("{:?} is not a time of day", element.value), hint);
        }
        time
    };
    let (start, end) = (read(start), read(end));
    let (start, end) = (start?, end?);
    if start >= end {
        reader.error(&given.place, "the end does not come after the beginning", hint);
        return None;
    }
    Some(Given { value: (start, end), place: given.place })
}

/// `HH:MM`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}
