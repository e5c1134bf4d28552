//! A canary: an item of the test's own that is written, read back, changed and deleted. It is private, free and silent, carries
//! a key that no source can have, and is removed whatever happens; what a killed test left is removed by the next one.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{AccessStep, StepResult, Test};
use crate::{
    gateway::{Answer, Calendar, Gateway, Outcome, Write},
    model::{
        event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Field,
        key::SourceKey,
        link::ItemRef,
        occurrences::Occurrences,
        shown::Shown,
        time::EventTime,
        zone::Zone,
    },
};

const SUBJECT: &str = "calsyncd test (is removed at once)";
const CHANGED: &str = "calsyncd test, changed (is removed at once)";

/// The keys of the canaries: one with clock times, one of a whole day.
fn keys() -> [SourceKey; 2] {
    ["times", "day"].map(SourceKey::canary)
}

impl<F: FnMut(&StepResult)> Test<'_, F> {
    /// Lets canaries live and die in a calendar.
    pub(super) async fn canary(&mut self, calendar: &Calendar) {
        let gateway = Arc::clone(&self.here.outlook.gateway);
        let (mailbox, stop) = (calendar.mailbox.clone(), self.stop.clone());
        let zone = self.settings.jobs.values().next().map(|job| job.zone.clone());
        let zone = zone.or_else(|| Zone::parse("UTC").ok());
        let left = remove(&*gateway, calendar).await;
        let tried = "remove what an earlier test left".to_owned();
        match left {
            Ok(0) => {}
            Ok(count) => {
                self.tell(AccessStep::Delete, Some(&mailbox), tried, Ok(format!("{count} removed")));
            }
            Err(fault) => {
                self.tell(AccessStep::Delete, Some(&mailbox), tried, Err(fault));
                return;
            }
        }
        let Some(zone) = zone else { return };
        let events = canaries(&zone, self.now());
        let lived = tokio::select! {
            () = stop.cancelled() => None,
            lived = self.live(&gateway, calendar, &events) => Some(lived),
        };
        if lived == Some(true) {
            return;
        }
        // It may be there although the answer says no.
        let tried = "remove what was written".to_owned();
        let result = remove(&*gateway, calendar).await;
        if lived.is_none() || result.as_ref().is_ok_and(|count| *count > 0) || result.is_err() {
            self.tell(AccessStep::Delete, Some(&mailbox), tried, result.map(|count| format!("{count} removed")));
        }
    }

    /// Writes, reads back, changes and deletes; returns whether all went well.
    async fn live(&mut self, gateway: &Arc<dyn Gateway>, calendar: &Calendar, events: &[DesiredEvent; 2]) -> bool {
        let mailbox = &calendar.mailbox;
        let [times, day] = events;
        let (start, end) = (times.time.start(), times.time.end());
        let clocks = times.time.end_instant().duration_since(times.time.start_instant()) != end.duration_since(start);
        let change = if clocks { " (clocks change in between)" } else { "" };
        let told = format!(
            "write a private item on {}, {} to {}{change}, and one of that whole day",
            start.date(),
            start.strftime("%H:%M"),
            end.strftime("%H:%M")
        );
        let generation = self.now().as_millisecond();
        let create = |event: &DesiredEvent| Write::Create { event: Arc::new(event.clone()), generation };
        let written = items(gateway.apply(calendar, &[create(times), create(day)]).await);
        let said = written.as_ref().map_err(Clone::clone).map(|_| "both are there".to_owned());
        if !self.tell(AccessStep::Write, Some(mailbox), told, said) {
            return false;
        }
        let Ok(written) = written else { return false };
        let shown = read_back(&**gateway, calendar, &written, events, SUBJECT).await;
        let told = format!("read them back, in {}", times.time.zone());
        if !self.tell(AccessStep::ReadBack, Some(mailbox), told, shown) {
            return false;
        }
        let changed = events.clone().map(|event| shifted(event, CHANGED));
        let updates: Vec<Write> =
            written.iter().zip(&changed).map(|(item, event)| update(item, event, generation)).collect();
        let result = match items(gateway.apply(calendar, &updates).await) {
            Ok(items) => read_back(&**gateway, calendar, &items, &changed, CHANGED).await,
            Err(fault) => Err(fault),
        };
        if !self.tell(AccessStep::Change, Some(mailbox), "change them, and read them again".to_owned(), result) {
            return false;
        }
        let gone = match remove(&**gateway, calendar).await {
            Ok(count) => match gateway.probe(calendar, &keys()).await {
                Ok(found) if found.is_empty() => Ok(format!("{count} removed, nothing is left")),
                Ok(_) => Err(differs("a deleted item is still there")),
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        };
        self.tell(AccessStep::Delete, Some(mailbox), "delete them".to_owned(), gone)
    }
}

/// Removes every canary, and nothing else; returns how many there were.
async fn remove(gateway: &dyn Gateway, calendar: &Calendar) -> Result<usize, Fault> {
    let found = gateway.probe(calendar, &keys()).await?;
    let delete = |item: &ItemRef, key: &str| {
        keys().into_iter().find(|one| one.as_str() == key).map(|key| Write::Delete { key, item: item.clone() })
    };
    let writes: Vec<Write> = found.iter().filter_map(|found| delete(&found.item, &found.key)).collect();
    for chunk in writes.chunks(gateway.batch_limits().writes.max(1)) {
        for answer in gateway.apply(calendar, chunk).await {
            match answer.outcome {
                Outcome::Written { .. } | Outcome::Gone => {}
                Outcome::Partly { fault, .. } | Outcome::Failed(fault) => return Err(fault),
            }
        }
    }
    Ok(writes.len())
}

/// A canary across the next change of clocks, and one of that whole day; tomorrow where clocks are never changed.
fn canaries(zone: &Zone, now: Timestamp) -> [DesiredEvent; 2] {
    let tomorrow = now.checked_add(SignedDuration::from_hours(24)).unwrap_or(now);
    let change = zone.rules().following(tomorrow).next().map_or(tomorrow, |change| change.timestamp());
    let date = zone.wall(change).date();
    let [times, day] = keys();
    let hours = EventTime::Timed { start: date.at(0, 30, 0, 0), end: date.at(5, 0, 0, 0), zone: zone.clone() };
    [canary(times, hours), canary(day, whole(date, zone))]
}

fn whole(date: Date, zone: &Zone) -> EventTime {
    EventTime::AllDay { first: date, last: date, zone: zone.clone() }
}

fn canary(key: SourceKey, time: EventTime) -> DesiredEvent {
    let content = Content {
        subject: SUBJECT.to_owned(),
        body: Body { kind: BodyKind::Text, content: String::new() },
        location: String::new(),
        show_as: ShowAs::Free,
        sensitivity: Sensitivity::Private,
        importance: Importance::Normal,
        categories: Vec::new(),
        reminder_minutes: None,
    };
    DesiredEvent { key, time, series: None, content, keeps: None, said: None }
}

/// The same with another subject, an hour or a day longer.
fn shifted(mut event: DesiredEvent, subject: &str) -> DesiredEvent {
    event.content.subject = subject.to_owned();
    match &mut event.time {
        EventTime::Timed { end, .. } => *end = end.checked_add(SignedDuration::from_hours(1)).unwrap_or(*end),
        EventTime::AllDay { last, .. } => *last = last.tomorrow().unwrap_or(*last),
    }
    event
}

fn update(item: &ItemRef, event: &DesiredEvent, generation: i64) -> Write {
    Write::Update {
        item: item.clone(),
        event: Arc::new(event.clone()),
        generation,
        fields: vec![Field::Subject, Field::Time],
        occurrences: Occurrences::NONE,
    }
}

/// The items that were written.
fn items(answers: Vec<Answer>) -> Result<Vec<ItemRef>, Fault> {
    let item = |outcome| match outcome {
        Outcome::Written { item, .. } => Ok(item),
        Outcome::Gone => Err(differs("the item is gone")),
        Outcome::Partly { fault, .. } | Outcome::Failed(fault) => Err(fault),
    };
    Answer::outcomes(answers).into_iter().map(item).collect()
}

async fn read_back(
    gateway: &dyn Gateway,
    calendar: &Calendar,
    items: &[ItemRef],
    events: &[DesiredEvent],
    subject: &str,
) -> Result<String, Fault> {
    let seen = gateway.look(calendar, items).await?;
    for (item, event) in items.iter().zip(events) {
        let seen = seen.iter().find(|seen| seen.item.id == item.id).ok_or_else(|| differs("an item is gone"))?;
        if let Some(difference) = difference(event, &seen.shown, subject) {
            return Err(differs(&difference));
        }
    }
    Ok("as written: subject, times, whole day".to_owned())
}

/// What the calendar shows otherwise than it was written. Whole days come back from midnight in their zone, or in UTC.
fn difference(event: &DesiredEvent, shown: &Shown, subject: &str) -> Option<String> {
    let time = &event.time;
    let utc = |wall: jiff::civil::DateTime| Zone::parse("UTC").map(|utc| utc.instant(wall)).unwrap_or_default();
    let is_there = |wall, instant, shown| shown == instant || (time.is_all_day() && shown == utc(wall));
    if shown.subject != subject {
        return Some("the subject is another one".to_owned());
    }
    if shown.time.is_all_day != time.is_all_day() {
        return Some(format!("whole day: {} in place of {}", shown.time.is_all_day, time.is_all_day()));
    }
    if !is_there(time.start(), time.start_instant(), shown.time.start) {
        return Some(format!("it starts at {} in place of {}", shown.time.start, time.start_instant()));
    }
    let ends = is_there(time.end(), time.end_instant(), shown.time.end);
    (!ends).then(|| format!("it ends at {} in place of {}", shown.time.end, time.end_instant()))
}

fn differs(message: &str) -> Fault {
    Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "ReadBackDiffers", message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{SUBJECT, Shown, canaries, difference};
    use crate::model::{key::SourceKey, shown::ShownTime, zone::Zone};

    #[test]
    fn canaries_live_across_a_change_of_clocks_and_are_no_events() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let [times, day] = canaries(&Zone::parse("Europe/Paris").unwrap(), now);
        let length = times.time.end_instant().duration_since(times.time.start_instant());
        assert_eq!((times.time.start().to_string().as_str(), length.as_mins()), ("2027-03-28T00:30:00", 210));
        assert_eq!(day.time.start().to_string(), "2027-03-28T00:00:00");
        for canary in [&times, &day] {
            assert_eq!(SourceKey::parse(canary.key.as_str()), None);
        }
        let [times, _] = canaries(&Zone::parse("UTC").unwrap(), now);
        assert_eq!(times.time.start().to_string(), "2026-11-21T00:30:00");
    }

    #[test]
    fn what_is_shown_is_compared() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let [times, day] = canaries(&Zone::parse("Europe/Paris").unwrap(), now);
        let shown = |start: &str, end: &str, is_all_day| {
            let time = ShownTime { start: start.parse().unwrap(), end: end.parse().unwrap(), is_all_day };
            Shown { subject: SUBJECT.to_owned(), time, ..Shown::default() }
        };
        for (event, shown, same) in [
            (&times, shown("2027-03-27T23:30:00Z", "2027-03-28T03:00:00Z", false), true),
            (&times, shown("2027-03-27T23:30:00Z", "2027-03-28T04:00:00Z", false), false),
            (&times, shown("2027-03-28T00:30:00Z", "2027-03-28T03:00:00Z", false), false),
            (&day, shown("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z", true), true),
            (&day, shown("2027-03-28T00:00:00Z", "2027-03-29T00:00:00Z", true), true),
            (&day, shown("2027-03-28T00:00:00Z", "2027-03-30T00:00:00Z", true), false),
            (&day, shown("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z", false), false),
        ] {
            assert_eq!(difference(event, &shown, SUBJECT).is_none(), same, "{:?}", shown.time);
        }
        let other = Shown { subject: String::new(), ..shown("2027-03-27T23:30:00Z", "2027-03-28T03:00:00Z", false) };
        assert!(difference(&times, &other, SUBJECT).is_some());
    }
}
