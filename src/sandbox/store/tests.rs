//! The store in tables.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use jiff::civil::{Date, DateTime, Weekday, date};

use super::*;
use crate::clock::SystemClock;

const ANA: &str = "ana@example.test";
const SET: &str = "0ab89da0-c8e5-4849-914a-1396b47752b5";

fn store() -> Store {
    let store = Store::new(Arc::new(SystemClock), 7);
    let mut ana = MailboxSettings::new(ANA);
    ana.aliases.push("a.lovelace@example.test".to_owned());
    store.add_mailbox(ana).unwrap();
    store.add_mailbox(MailboxSettings::new("bob@example.test")).unwrap();
    store
}

fn paris() -> Zone {
    Zone::windows("Romance Standard Time").unwrap()
}

fn wall(text: &str) -> Moment {
    Moment::Wall(text.parse::<DateTime>().unwrap())
}

fn draft(start: &str, end: &str) -> Draft {
    Draft { subject: "S".to_owned(), ..Draft::new(wall(start), wall(end), paris()) }
}

fn series(start: &str, end: &str, pattern: Pattern, range: RecurrenceEnd) -> Draft {
    let first = start.parse::<DateTime>().unwrap().date();
    Draft { recurrence: Some(Recurrence { pattern, start: first, end: range }), ..draft(start, end) }
}

fn every_day() -> Pattern {
    Pattern::Daily { interval: 1 }
}

fn index(entry: &Entry, index: u32) -> Target {
    Target::Index { master: entry.id.clone(), index }
}

fn id(entry: &Entry) -> Target {
    Target::Id(entry.id.clone())
}

fn name() -> PropertyName {
    PropertyName::new(SET, "SourceKey")
}

#[test]
fn expands_patterns() {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let weekdays = vec![Monday, Tuesday, Wednesday, Thursday, Friday];
    let weekly = |interval, days: &[Weekday], first_day| Pattern::Weekly { interval, days: days.to_vec(), first_day };
    let cases: Vec<(&str, Pattern, Date, RecurrenceEnd, &str)> = vec![
        (
            "every third day",
            Pattern::Daily { interval: 3 },
            date(2026, 2, 26),
            RecurrenceEnd::After(3),
            "02-26 03-01 03-04",
        ),
        ("end on its day", every_day(), date(2026, 3, 1), RecurrenceEnd::On(date(2026, 3, 2)), "03-01 03-02"),
        (
            "two days a week",
            weekly(1, &[Thursday, Monday], Monday),
            date(2026, 3, 3),
            RecurrenceEnd::After(3),
            "03-05 03-09 03-12",
        ),
        (
            "every other week from Monday",
            weekly(2, &[Sunday, Tuesday], Monday),
            date(2026, 3, 3),
            RecurrenceEnd::After(4),
            "03-03 03-08 03-17 03-22",
        ),
        (
            "every other week from Sunday",
            weekly(2, &[Sunday, Tuesday], Sunday),
            date(2026, 3, 3),
            RecurrenceEnd::After(4),
            "03-03 03-15 03-17 03-29",
        ),
        (
            "day 31",
            Pattern::AbsoluteMonthly { interval: 1, day: 31 },
            date(2026, 1, 31),
            RecurrenceEnd::After(4),
            "01-31 02-28 03-31 04-30",
        ),
        (
            "last Friday",
            Pattern::RelativeMonthly { interval: 1, days: vec![Friday], index: WeekIndex::Last },
            date(2026, 2, 1),
            RecurrenceEnd::After(2),
            "02-27 03-27",
        ),
        (
            "last workday",
            Pattern::RelativeMonthly { interval: 2, days: weekdays, index: WeekIndex::Last },
            date(2026, 1, 15),
            RecurrenceEnd::After(2),
            "01-30 03-31",
        ),
        (
            "second weekend day",
            Pattern::RelativeMonthly { interval: 1, days: vec![Saturday, Sunday], index: WeekIndex::Second },
            date(2026, 3, 2),
            RecurrenceEnd::After(2),
            "03-07 04-05",
        ),
        (
            "29 February",
            Pattern::AbsoluteYearly { interval: 1, day: 29, month: 2 },
            date(2026, 2, 1),
            RecurrenceEnd::After(3),
            "02-28 02-28 02-29",
        ),
        (
            "first Monday of May",
            Pattern::RelativeYearly { interval: 1, days: vec![Monday], index: WeekIndex::First, month: 5 },
            date(2026, 5, 5),
            RecurrenceEnd::After(2),
            "05-03 05-01",
        ),
    ];
    for (what, pattern, start, end, expected) in cases {
        let recurrence = Recurrence { pattern, start, end };
        recurrence.validate().unwrap();
        let dates: Vec<String> = recurrence.dates().map(|date| date.strftime("%m-%d").to_string()).collect();
        assert_eq!(dates.join(" "), expected, "{what}");
    }
}

#[test]
fn a_series_keeps_its_wall_time_over_a_clock_change() {
    let store = store();
    let weekly = Pattern::Weekly { interval: 1, days: vec![Weekday::Sunday], first_day: Weekday::Monday };
    let draft = series("2026-03-22T02:30:00", "2026-03-22T03:30:00", weekly, RecurrenceEnd::After(3));
    let master = store.create(ANA, None, draft).unwrap();
    let starts = (1..=3).map(|n| store.get(ANA, &index(&master, n)).unwrap().content.start.to_string());
    // On 29 March 02:30 does not exist in Paris: it is 03:30 there.
    let expected = ["2026-03-22T01:30:00Z", "2026-03-29T01:30:00Z", "2026-04-05T00:30:00Z"];
    assert_eq!(starts.collect::<Vec<_>>(), expected);
}

#[test]
fn snaps_whole_days_in_the_zone_of_the_item() {
    for (start, end, expected) in [
        ("2026-03-29T00:00:00", "2026-03-30T00:00:00", ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")),
        ("2026-03-29T10:00:00", "2026-03-29T11:00:00", ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")),
        ("2026-10-25T00:00:00", "2026-10-25T00:00:00", ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")),
    ] {
        let entry = store().create(ANA, None, Draft { all_day: true, ..draft(start, end) }).unwrap();
        let times = (entry.content.start.to_string(), entry.content.end.to_string());
        assert_eq!((times.0.as_str(), times.1.as_str()), expected, "{start}");
    }
}

#[test]
fn refuses_what_exchange_refuses() {
    let good = || draft("2026-03-02T09:00:00", "2026-03-02T10:00:00");
    let recurring = |pattern, end| series("2026-03-02T09:00:00", "2026-03-02T10:00:00", pattern, end);
    let long = series("2026-03-02T09:00:00", "2026-03-04T10:00:00", every_day(), RecurrenceEnd::After(3));
    let cases = [
        ("end before start", draft("2026-03-02T09:00:00", "2026-03-02T08:00:00"), StoreError::EndBeforeStart),
        ("too long", draft("2026-03-02T09:00:00", "2031-04-02T08:00:00"), StoreError::DurationTooLong),
        ("subject", Draft { subject: "é".repeat(256), ..good() }, StoreError::SubjectTooLong),
        ("category", Draft { categories: vec![String::new()], ..good() }, StoreError::InvalidCategory),
        ("reminder", Draft { reminder_minutes: Some(2_629_801), ..good() }, StoreError::ReminderOutOfRange),
        ("no occurrence", recurring(every_day(), RecurrenceEnd::On(date(2026, 3, 1))), StoreError::NoOccurrence),
        ("late", recurring(every_day(), RecurrenceEnd::On(date(4500, 9, 2))), StoreError::RecurrenceEndTooLate),
        ("longer than its interval", long, StoreError::OccurrenceTooLong),
        (
            "interval",
            recurring(Pattern::Daily { interval: 1000 }, RecurrenceEnd::Never),
            StoreError::InvalidRecurrence("the interval is out of range"),
        ),
    ];
    for (what, draft, expected) in cases {
        assert_eq!(store().create(ANA, None, draft).map(|entry| entry.id), Err(expected), "{what}");
    }
    assert!(store().create(ANA, None, Draft { subject: "é".repeat(255), ..good() }).is_ok());
}

#[test]
fn gives_reminders_unless_told_otherwise() {
    for (set, minutes, expected) in
        [(None, None, (true, 15)), (Some(false), None, (false, 15)), (Some(true), Some(5), (true, 5))]
    {
        let draft = Draft {
            reminder_set: set,
            reminder_minutes: minutes,
            ..draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")
        };
        let content = store().create(ANA, None, draft).unwrap().content;
        assert_eq!((content.reminder_set, content.reminder_minutes), expected);
    }
}

#[test]
fn indexes_count_deleted_occurrences_and_the_change_key_is_shared() {
    let store = store();
    let draft = series("2026-03-02T09:00:00", "2026-03-02T10:00:00", every_day(), RecurrenceEnd::After(4));
    let master = store.create(ANA, None, draft).unwrap();
    store.delete(ANA, &index(&master, 2), &Guard::Any).unwrap();
    let third = store.get(ANA, &index(&master, 3)).unwrap();
    assert_eq!(third.occurrence.unwrap().date, date(2026, 3, 4));
    assert_eq!(store.get(ANA, &index(&master, 2)).unwrap_err(), StoreError::OccurrenceDeleted);
    assert_eq!(store.get(ANA, &index(&master, 5)).unwrap_err(), StoreError::IndexOutOfRange);
    assert_eq!(store.get(ANA, &index(&master, 0)).unwrap_err(), StoreError::IndexOutOfRange);
    let present = store.get(ANA, &id(&master)).unwrap();
    assert_ne!(present.change_key, master.change_key);
    assert_eq!(present.change_key, third.change_key);
    assert_eq!(store.get(ANA, &id(&third)).unwrap().content, third.content);
    for n in [1, 3] {
        store.delete(ANA, &index(&master, n), &Guard::Any).unwrap();
    }
    store.delete(ANA, &index(&master, 4), &Guard::Any).unwrap();
    assert_eq!(store.get(ANA, &id(&master)).unwrap_err(), StoreError::UnknownItem, "the last takes the series with it");
}

#[test]
fn an_occurrence_stays_between_its_neighbours() {
    let daily = |store: &Store| {
        let pattern = Pattern::Daily { interval: 3 };
        let draft = series("2026-03-02T09:00:00", "2026-03-02T10:00:00", pattern, RecurrenceEnd::After(4));
        store.create(ANA, None, draft).unwrap()
    };
    for (day, fits) in [(2, false), (3, true), (7, true), (8, false), (9, false)] {
        let store = store();
        let master = daily(&store);
        let changes = [
            Change::Start(wall(&format!("2026-03-{day:02}T12:00:00"))),
            Change::End(wall(&format!("2026-03-{day:02}T13:00:00"))),
        ];
        let result = store.update(ANA, &index(&master, 2), &changes, ChangeOrder::Together, &Guard::Any);
        match result {
            Ok(entry) => assert!(fits && entry.kind == EntryKind::Exception, "{day}"),
            Err(error) => assert!(!fits && error == StoreError::CrossingBoundary, "{day}: {error}"),
        }
    }
}

#[test]
fn changing_the_times_of_a_series_drops_its_exceptions() {
    let rule = |count| Recurrence { pattern: every_day(), start: date(2026, 3, 2), end: RecurrenceEnd::After(count) };
    let cases: [(Change, bool); 9] = [
        (Change::Subject("N".to_owned()), true),
        (Change::Property(name(), Some("k".to_owned())), true),
        (Change::Start(wall("2026-03-02T08:00:00")), false),
        (Change::AllDay(true), false),
        (Change::Recurrence(Some(rule(5))), false),
        // What is there already.
        (Change::AllDay(false), true),
        (Change::Start(wall("2026-03-02T09:00:00")), true),
        (Change::StartZone(paris()), true),
        (Change::Recurrence(Some(rule(4))), true),
    ];
    for (change, stays) in cases {
        let store = store();
        let draft = series("2026-03-02T09:00:00", "2026-03-02T10:00:00", every_day(), RecurrenceEnd::After(4));
        let master = store.create(ANA, None, draft).unwrap();
        let location = [Change::Location(Some("L".to_owned()))];
        store.update(ANA, &index(&master, 2), &location, ChangeOrder::OneByOne, &Guard::Any).unwrap();
        store.update(ANA, &id(&master), std::slice::from_ref(&change), ChangeOrder::OneByOne, &Guard::Any).unwrap();
        let exceptions = store.exceptions(ANA, &master.id).unwrap();
        assert_eq!(exceptions.changed.len(), usize::from(stays), "{change:?}");
        let second = store.get(ANA, &index(&master, 2)).unwrap();
        assert_eq!(second.content.location.is_some(), stays);
        assert_eq!(second.content.subject, "S", "an exception keeps what it had");
        let expected = if change == Change::Subject("N".to_owned()) { "N" } else { "S" };
        assert_eq!(store.get(ANA, &index(&master, 3)).unwrap().content.subject, expected, "the others follow");
    }
}

#[test]
fn a_recurrence_that_is_removed_takes_the_exceptions_with_it() {
    let store = store();
    let draft = series("2026-03-02T09:00:00", "2026-03-02T10:00:00", every_day(), RecurrenceEnd::After(4));
    let master = store.create(ANA, None, draft).unwrap();
    let write = |target: &Target, changes: &[Change]| {
        store.update(ANA, target, changes, ChangeOrder::OneByOne, &Guard::Any).unwrap()
    };
    write(&index(&master, 2), &[Change::Location(Some("L".to_owned()))]);
    store.delete(ANA, &index(&master, 3), &Guard::Any).unwrap();
    let revision = |number| store.get(ANA, &index(&master, number)).unwrap().revision;
    assert!(revision(1).is_none() && revision(2).is_some());
    let same = master.series.as_ref().unwrap().recurrence.clone();
    write(&id(&master), &[Change::Recurrence(Some(same.clone()))]);
    assert_eq!(store.exceptions(ANA, &master.id).unwrap().deleted.len(), 1, "the same rule keeps them");
    write(&id(&master), &[Change::Recurrence(None), Change::Recurrence(Some(same))]);
    let exceptions = store.exceptions(ANA, &master.id).unwrap();
    assert_eq!((exceptions.changed.len(), exceptions.deleted.len(), revision(2)), (0, 0, None));
}

#[test]
fn updates_apply_in_order_or_together() {
    let later = [Change::Start(wall("2026-03-02T11:00:00")), Change::End(wall("2026-03-02T12:00:00"))];
    for (order, expected) in [(ChangeOrder::OneByOne, Err(StoreError::EndBeforeStart)), (ChangeOrder::Together, Ok(()))]
    {
        let store = store();
        let entry = store.create(ANA, None, draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")).unwrap();
        assert_eq!(store.update(ANA, &id(&entry), &later, order, &Guard::Any).map(|_| ()), expected);
    }
}

#[test]
fn a_zone_alone_keeps_the_wall_time() {
    let store = store();
    let entry = store.create(ANA, None, draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")).unwrap();
    let london = Zone::windows("GMT Standard Time").unwrap();
    let alone = [Change::StartZone(london.clone()), Change::EndZone(london)];
    let changed = store.update(ANA, &id(&entry), &alone, ChangeOrder::OneByOne, &Guard::Any).unwrap();
    assert_eq!(changed.content.start.to_string(), "2026-03-02T09:00:00Z");
}

#[test]
fn guards_by_change_key() {
    let store = store();
    let entry = store.create(ANA, None, draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")).unwrap();
    let write = |key: &str| {
        let guard = Guard::ChangeKey(key.to_owned());
        store.update(ANA, &id(&entry), &[Change::Subject("N".to_owned())], ChangeOrder::OneByOne, &guard)
    };
    let changed = write(&entry.change_key).unwrap();
    assert_ne!(changed.change_key, entry.change_key);
    assert_eq!(write(&entry.change_key).unwrap_err(), StoreError::Conflict);
    assert_eq!(write("rubbish").unwrap_err(), StoreError::InvalidChangeKey);
}

#[test]
fn ids_are_reproducible_and_differ_in_case_alone() {
    let ids = || {
        let store = store();
        let make = |_| store.create(ANA, None, draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")).unwrap().id;
        (0..4).map(make).collect::<Vec<_>>()
    };
    let (first, second) = (ids(), ids());
    assert_eq!(first, second);
    assert_eq!(first[1].to_lowercase(), first[2].to_lowercase());
    assert_ne!(first[1], first[2]);
    let store = store();
    assert_eq!(store.get(ANA, &Target::Id("AAA=".to_owned())).unwrap_err(), StoreError::MalformedId);
    let folder = store.folder(ANA, None).unwrap().id;
    assert_eq!(store.get(ANA, &Target::Id(folder)).unwrap_err(), StoreError::WrongKindOfId);
}

#[test]
fn a_copy_carries_the_properties_and_a_move_changes_the_id() {
    let store = store();
    let keyed =
        Draft { properties: [(name(), "k".to_owned())].into(), ..draft("2026-03-02T09:00:00", "2026-03-02T10:00:00") };
    let entry = store.create(ANA, None, keyed).unwrap();
    let copy = store.copy_item(ANA, &entry.id, None).unwrap();
    assert_ne!((copy.id.as_str(), copy.immutable_id.as_str()), (entry.id.as_str(), entry.immutable_id.as_str()));
    assert_eq!(store.find(ANA, None, &Filter::Equals(name(), "K".to_owned())).unwrap().len(), 2);
    let other = store.add_folder(ANA, "Duty").unwrap();
    assert_eq!(store.add_folder(ANA, "duty").unwrap_err(), StoreError::FolderExists);
    let moved = store.move_item(ANA, &entry.id, Some(&other.id)).unwrap();
    assert_ne!(moved.id, entry.id);
    assert_eq!(moved.immutable_id, entry.immutable_id);
    assert_eq!(store.get(ANA, &id(&entry)).unwrap_err(), StoreError::UnknownItem);
    assert_eq!(store.get(ANA, &Target::Id(entry.immutable_id)).unwrap().id, moved.id);
}

#[test]
fn named_properties_are_found() {
    let store = store();
    let keyed = |key: &str| Draft {
        properties: [(name(), key.to_owned())].into(),
        ..draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")
    };
    store.create(ANA, None, keyed("a")).unwrap();
    store.create(ANA, None, keyed("b")).unwrap();
    store.create(ANA, None, draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")).unwrap();
    let a = Filter::Equals(name(), "a".to_owned());
    let cases = [
        (Filter::All, 3),
        (Filter::Exists(name()), 2),
        (Filter::Exists(PropertyName::new(SET, "sourcekey")), 0),
        (Filter::Exists(PropertyName::new("{0AB89DA0-C8E5-4849-914A-1396B47752B5}", "SourceKey")), 2),
        (a.clone(), 1),
        (Filter::Or(vec![a.clone(), Filter::Equals(name(), "b".to_owned())]), 2),
        (Filter::And(vec![a.clone(), Filter::Equals(name(), "b".to_owned())]), 0),
        (Filter::Not(Box::new(a)), 2),
    ];
    for (filter, count) in cases {
        assert_eq!(store.find(ANA, None, &filter).unwrap().len(), count, "{filter:?}");
    }
}

#[test]
fn a_view_shows_what_overlaps_the_window() {
    let store = store();
    let daily = series("2026-03-02T09:00:00", "2026-03-02T10:00:00", every_day(), RecurrenceEnd::Never);
    let master = store.create(ANA, None, daily).unwrap();
    store.create(ANA, None, draft("2026-03-03T23:00:00", "2026-03-04T01:00:00")).unwrap();
    store.delete(ANA, &index(&master, 3), &Guard::Any).unwrap();
    let moved = [Change::Start(wall("2026-03-05T20:00:00")), Change::End(wall("2026-03-05T21:00:00"))];
    store.update(ANA, &index(&master, 4), &moved, ChangeOrder::Together, &Guard::Any).unwrap();
    let at = |text: &str| paris().instant(text.parse().unwrap()).unwrap();
    let window = (at("2026-03-03T10:00:00"), at("2026-03-06T09:00:00"));
    let entries = store.view(ANA, None, window.0, window.1).unwrap();
    let starts: Vec<String> = entries.iter().map(|entry| entry.content.start_wall().to_string()).collect();
    assert_eq!(starts, ["2026-03-03T23:00:00", "2026-03-05T20:00:00"]);
    assert_eq!(store.instances(ANA, &master.id, window.0, window.1).unwrap().len(), 1);
}

#[test]
fn sync_states_tell_what_changed() {
    let store = store();
    let make = || store.create(ANA, None, draft("2026-03-02T09:00:00", "2026-03-02T10:00:00")).unwrap();
    let (one, two, three) = (make(), make(), make());
    store.update(ANA, &id(&one), &[Change::Subject("N".to_owned())], ChangeOrder::OneByOne, &Guard::Any).unwrap();
    let kinds = |changes: &Changes| -> String {
        let letter = |change: &FolderChange| match change {
            FolderChange::Created(_) => 'c',
            FolderChange::Updated(_) => 'u',
            FolderChange::Deleted { .. } => 'd',
        };
        changes.changes.iter().map(letter).collect()
    };
    let mut first = store.changes(ANA, None, None, 2).unwrap();
    assert_eq!((kinds(&first).as_str(), first.is_last), ("cc", false));
    first = store.changes(ANA, None, Some(&first.state), 2).unwrap();
    // The first one was changed after the last of the first page: it comes now, and as new.
    assert_eq!((kinds(&first).as_str(), first.is_last), ("c", true));
    let state = first.state;
    store.delete(ANA, &id(&two), &Guard::Any).unwrap();
    store.update(ANA, &id(&three), &[Change::Subject("N".to_owned())], ChangeOrder::OneByOne, &Guard::Any).unwrap();
    let brief = make();
    store.delete(ANA, &id(&brief), &Guard::Any).unwrap();
    make();
    let next = store.changes(ANA, None, Some(&state), 512).unwrap();
    assert_eq!(kinds(&next), "duc");
    assert!(store.changes(ANA, None, Some(&next.state), 512).unwrap().changes.is_empty());
    for bad in ["", "AAAA", "rubbish"] {
        assert_eq!(store.changes(ANA, None, Some(bad), 9).unwrap_err(), StoreError::InvalidSyncState);
    }
    assert_eq!(store.changes("bob@example.test", None, Some(&state), 9).unwrap_err(), StoreError::InvalidSyncState);
    store.reset();
    assert_eq!(store.changes(ANA, None, Some(&state), 9).unwrap_err(), StoreError::InvalidSyncState);
}

#[test]
fn mailboxes_are_found_by_any_address_and_may_be_away() {
    let store = store();
    assert_eq!(store.mailbox("A.Lovelace@EXAMPLE.test").unwrap().settings.address, ANA);
    assert!(store.mailbox("nobody@example.test").is_err());
    for (state, expected) in [
        (MailboxState::Moving, StoreError::MailboxMoving(ANA.to_owned())),
        (MailboxState::Elsewhere, StoreError::MailboxElsewhere(ANA.to_owned())),
    ] {
        store.set_state(ANA, state).unwrap();
        assert_eq!(store.folders(ANA).unwrap_err(), expected);
    }
}

#[test]
fn a_transaction_id_works_once() {
    let store = store();
    let keyed =
        || Draft { transaction_id: Some("t".to_owned()), ..draft("2026-03-02T09:00:00", "2026-03-02T10:00:00") };
    assert!(store.transaction(ANA, "t").unwrap().is_none());
    let entry = store.create(ANA, None, keyed()).unwrap();
    assert_eq!(store.create(ANA, None, keyed()).unwrap_err(), StoreError::DuplicateTransaction);
    assert_eq!(store.transaction(ANA, "t").unwrap().unwrap().unwrap().id, entry.id);
    store.delete(ANA, &id(&entry), &Guard::Any).unwrap();
    assert!(store.transaction(ANA, "t").unwrap().unwrap().is_none());
}

#[test]
fn bodies_come_back_otherwise() {
    let page = "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n\
                <body>\r\n<p>Hi</p>\r\n</body>\r\n</html>\r\n";
    let cases = [
        (Body::text("a  \nb\n\n"), BodyKind::Text, "a\r\nb"),
        (Body::html("<p>Hi</p>"), BodyKind::Html, page),
        (Body::html("<html><body x><p onclick='x()'>Hi</p><ScRipt>1</script></body></html>"), BodyKind::Html, page),
        (Body::html("<p>a &lt; b</p><p>c</p>"), BodyKind::Text, "a < b\r\nc"),
        (Body::html(page), BodyKind::Html, page),
    ];
    for (body, kind, expected) in cases {
        assert_eq!(body.read_back(kind), expected, "{body:?}");
    }
}

#[test]
fn zones_are_those_that_windows_knows() {
    assert!(Zone::all().len() > 130);
    assert_eq!(Zone::iana("Europe/Berlin").unwrap().id(), "W. Europe Standard Time");
    assert_eq!(Zone::windows("tzone://Microsoft/Utc").unwrap(), Zone::utc());
    assert!(Zone::windows("Europe/Berlin").is_err());
}
