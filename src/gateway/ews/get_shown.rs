//! `GetItem`: what items show, their bodies as text. Of a series also which occurrences are exceptions; what those show takes a
//! request of their own.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation>

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    batch::{Parcel, Sender},
    client::Client,
    document::{Element, Unreadable},
    fault::is_gone,
    operation::{Effect, Operation, ReadError, item_id, item_ref},
    xml::Xml,
};
use crate::{
    gateway::Calendar,
    model::{
        fault::{Fault, FaultKind, FaultScope},
        link::ItemRef,
        shown::{Seen, Shown, ShownException, ShownTime, zone_by_rules},
    },
    settings::{Feature, ServerVersion},
};

/// The properties that are asked for, in the order of the schema.
const PROPERTIES: [&str; 15] = [
    "item:Subject",
    "item:Sensitivity",
    "item:Body",
    "item:Categories",
    "item:Importance",
    "item:ReminderIsSet",
    "item:ReminderMinutesBeforeStart",
    "calendar:Start",
    "calendar:End",
    "calendar:IsAllDayEvent",
    "calendar:LegacyFreeBusyStatus",
    "calendar:Location",
    "calendar:Recurrence",
    "calendar:ModifiedOccurrences",
    "calendar:DeletedOccurrences",
];

/// Asks what items show.
#[derive(Debug)]
pub(super) struct GetShown {
    /// The ids.
    pub(super) ids: Vec<String>,
}

/// What an item shows, and the items of the exceptions among its occurrences, by their originals.
#[derive(Debug)]
pub(super) struct Answer {
    seen: Seen,
    exceptions: Vec<(String, ItemRef)>,
}

impl Operation for GetShown {
    type Answer = Vec<Result<Answer, Fault>>;
    const NAME: &'static str = "GetItem";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        self.ids.len()
    }

    fn write(&self, xml: &mut Xml, version: ServerVersion) {
        xml.element("m:GetItem", &[], |xml| {
            xml.element("m:ItemShape", &[], |xml| {
                xml.text("t:BaseShape", "IdOnly");
                xml.text("t:BodyType", "Text");
                xml.element("t:AdditionalProperties", &[], |xml| {
                    PROPERTIES.iter().for_each(|uri| xml.empty("t:FieldURI", &[("FieldURI", uri)]));
                    if version.carries(Feature::TimeZones) {
                        xml.empty("t:FieldURI", &[("FieldURI", "calendar:StartTimeZone")]);
                    }
                });
            });
            xml.element("m:ItemIds", &[], |xml| {
                for id in &self.ids {
                    item_id(xml, &ItemRef { id: id.clone(), change_key: String::new() });
                }
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError> {
        let read = |message: Element| {
            let item = message.require("Items")?.children().first();
            answer(item.ok_or_else(|| Unreadable::new("Items", "no item"))?)
        };
        let results = messages.into_iter().map(|message| match message {
            Ok(message) => read(message).map(Ok),
            Err(fault) => Ok(Err(fault)),
        });
        Ok(results.collect::<Result<Vec<_>, Unreadable>>()?)
    }
}

fn answer(item: &Element) -> Result<Answer, Unreadable> {
    let text = |name: &str| item.child(name).map(Element::text).unwrap_or_default().to_owned();
    let of = |name: &str| item.child(name).map(Element::children).unwrap_or_default();
    let start = instant(item, "Start")?;
    let time = ShownTime { start, end: instant(item, "End")?, is_all_day: is_true(item, "IsAllDayEvent") };
    let minutes = || item.child("ReminderMinutesBeforeStart").and_then(|minutes| minutes.text().parse().ok());
    let mut recurrence = String::new();
    if let Some(rule) = item.child("Recurrence") {
        said(rule, &mut recurrence);
        let zone = item.child("StartTimeZone").and_then(|zone| zone.attribute("Id")).unwrap_or_default();
        recurrence.push_str(&zone_by_rules(zone, start));
    }
    let (mut changed, mut exceptions) = (Vec::new(), Vec::new());
    for occurrence in of("ModifiedOccurrences") {
        let original = instant(occurrence, "OriginalStart")?.to_string();
        changed.push((original, item_ref(occurrence.require("ItemId")?)?));
    }
    for occurrence in of("DeletedOccurrences") {
        exceptions.push(ShownException { original: instant(occurrence, "Start")?.to_string(), shown: None });
    }
    let shown = Shown {
        subject: text("Subject"),
        body: text("Body"),
        location: text("Location"),
        time,
        recurrence,
        show_as: text("LegacyFreeBusyStatus"),
        sensitivity: text("Sensitivity"),
        importance: text("Importance"),
        categories: of("Categories").iter().map(|category| category.text().to_owned()).collect(),
        reminder_minutes: if is_true(item, "ReminderIsSet") { minutes() } else { None },
        exceptions,
    };
    Ok(Answer { seen: Seen { item: item_ref(item.require("ItemId")?)?, shown }, exceptions: changed })
}

fn is_true(item: &Element, name: &str) -> bool {
    item.child(name).is_some_and(|value| matches!(value.text().trim(), "true" | "1"))
}

/// An instant; without an offset it is UTC.
fn instant(element: &Element, name: &str) -> Result<Timestamp, Unreadable> {
    let text = element.require(name)?.text().trim();
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(civil).ok_or_else(|| Unreadable::new(name, "not a time"))
}

/// A rule as one text. The date of its beginning and its end come with an offset that is the reader's.
fn said(element: &Element, text: &mut String) {
    text.push_str(element.name());
    text.push('(');
    let value = element.text().trim();
    let is_date = element.name().ends_with("Date");
    text.push_str(if is_date { value.get(..10).unwrap_or(value) } else { value });
    element.children().iter().for_each(|child| said(child, text));
    text.push(')');
}

/// Looks at items. Those that are not there, and those that the server does not show, are left out.
pub(super) async fn look(client: &Client, calendar: &Calendar, items: &[ItemRef]) -> Result<Vec<Seen>, Fault> {
    let mut sender = Sender::new(client, calendar);
    let ids: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
    let mut found = get(&mut sender, &ids).await?;
    let mut owners = Vec::new();
    let mut changed = Vec::new();
    for (place, answer) in found.iter().enumerate() {
        for (original, item) in answer.iter().flat_map(|answer| &answer.exceptions) {
            owners.push((place, original.clone()));
            changed.push(item.id.clone());
        }
    }
    for ((place, original), answer) in owners.into_iter().zip(get(&mut sender, &changed).await?) {
        let Some(Some(series)) = found.get_mut(place) else { continue };
        match answer {
            Some(answer) => {
                series.seen.shown.exceptions.push(ShownException { original, shown: Some(answer.seen.shown) });
            }
            // It changes at this moment: the next look sees it whole.
            None => found[place] = None,
        }
    }
    Ok(found.into_iter().flatten().map(|answer| answer.seen).collect())
}

/// What items show, `None` for each that the server does not show.
async fn get(sender: &mut Sender<'_>, ids: &[String]) -> Result<Vec<Option<Answer>>, Fault> {
    let parcels = (0..ids.len()).map(Parcel::bare).collect();
    let id = |number: &usize| ids.get(*number).cloned().unwrap_or_default();
    let results = sender.send(parcels, |numbers| GetShown { ids: numbers.iter().map(id).collect() }).await;
    let mut found: Vec<Option<Answer>> = ids.iter().map(|_| None).collect();
    let mut worst: Option<Fault> = None;
    for (number, result) in results {
        match result {
            Ok(answer) => found[number] = Some(answer),
            Err(fault) if is_gone(&fault) => {}
            Err(fault) if fault.scope == FaultScope::Item && fault.kind == FaultKind::Permanent => {}
            Err(fault) if worst.as_ref().is_none_or(|worst| worst.scope < fault.scope) => worst = Some(fault),
            Err(_) => {}
        }
    }
    worst.map_or(Ok(found), Err)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::GetShown;
    use crate::gateway::ews::sample::{self, check_answer, check_request};

    fn operation() -> GetShown {
        GetShown { ids: vec!["AAMk1=".to_owned(), "AAMk2=".to_owned()] }
    }

    #[test]
    fn the_request_asks_for_texts_and_exceptions() {
        for (setting, version) in sample::VERSIONS {
            check_request(&format!("get_shown{version}"), &setting, &operation());
        }
    }

    #[test]
    fn the_answer_is_read_item_by_item() {
        let answer = include_str!("../../../tests/goldens/ews/get_shown.answer.xml");
        let answers = check_answer(&operation(), answer).unwrap();
        let series = answers[0].as_ref().unwrap();
        let shown = &series.seen.shown;
        assert_eq!((series.seen.item.id.as_str(), series.seen.item.change_key.as_str()), ("AAMk1=", "DwA9"));
        assert_eq!((shown.subject.as_str(), shown.body.as_str()), ("Kick-off", "Agenda\nNotes"));
        assert_eq!(shown.time.start.to_string(), "2026-03-02T08:00:00Z");
        assert_eq!((shown.categories.as_slice(), shown.reminder_minutes), (&["Project".to_owned()][..], Some(15)));
        let rule = "Recurrence(WeeklyRecurrence(Interval(1)DaysOfWeek(Monday))NumberedRecurrence(StartDate(2026-03-02)\
                    NumberOfOccurrences(5)))3600,7200,7200,3600";
        assert_eq!(shown.recurrence, rule);
        assert_eq!(shown.exceptions[0].original, "2026-03-16T08:00:00Z");
        assert_eq!(series.exceptions[0].0, "2026-03-09T08:00:00Z");
        assert_eq!(series.exceptions[0].1.id, "AAMkO1=");
        assert_eq!(answers[1].as_ref().unwrap_err().code, "ErrorItemNotFound");
    }
}
