//! Creates, updates and deletes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Stage, all_day, batch, calendar, error, item, key, mailbox, paris, series, single, written};
use crate::{
    gateway::{Calendar, Gateway, Outcome, Write},
    model::{
        event::DesiredEvent,
        fault::FaultKind,
        fingerprint::Field,
        occurrences::Occurrences,
        recurrence::{Pattern, RecurrenceEnd},
    },
};

fn weekly() -> Pattern {
    use jiff::civil::Weekday::{Monday, Thursday};
    Pattern::Weekly { interval: 2, days: vec![Monday, Thursday], first_day: Monday }
}

#[tokio::test]
async fn writes_go_out_in_one_batch() {
    let create = |event| Write::Create { event: Arc::new(event), generation: 1 };
    let update = |id: &str, event: DesiredEvent, fields: &[Field]| Write::Update {
        item: item(id),
        occurrences: if event.series.is_some() { Occurrences::Fresh } else { Occurrences::NONE },
        event: Arc::new(event),
        generation: 2,
        fields: fields.to_vec(),
    };
    let mut quiet = single("quiet", paris());
    quiet.content.reminder_minutes = None;
    quiet.content.categories.clear();
    let writes = [
        create(single("new", paris())),
        create(series("weekly", paris(), weekly(), RecurrenceEnd::After(5))),
        update("I/1=", quiet, &[Field::Subject, Field::Categories, Field::Reminder]),
        update(
            "I2",
            single("no-series", all_day("2026-11-23", "2026-11-24", "Europe/Paris")),
            &[Field::Recurrence, Field::Time],
        ),
        update("I3", series("s", paris(), weekly(), RecurrenceEnd::Never), &[Field::Time, Field::Subject]),
        Write::Delete { key: key("old"), item: item("I4") },
    ];
    let stage = Stage::new([batch([
        (6, 204, Value::Null),
        (3, 200, written("I/1=", "c3")),
        (1, 201, written("N1", "c1")),
        (5, 200, written("I3", "c5")),
        (2, 201, written("N2", "c2")),
        (4, 200, written("I2", "c4")),
    ])]);
    let outcomes = stage.apply(&calendar(), &writes).await;
    stage.golden("apply", &outcomes);
    assert_eq!(stage.limits.cost.load(std::sync::atomic::Ordering::SeqCst), 6);
    assert_eq!(*stage.limits.reports.lock().unwrap(), [("POST /$batch", Some(200), 6)]);
    let sent = String::from_utf8(stage.requests()[0].body.to_vec()).unwrap();
    assert!(!sent.contains("attendees") && !sent.contains("dependsOn"));
    assert_eq!(sent.matches("transactionId").count(), 2, "in creates only");
}

#[tokio::test]
async fn nothing_to_write_sends_nothing() {
    let stage = Stage::new([]);
    assert!(stage.apply(&calendar(), &[]).await.is_empty());
}

#[tokio::test]
async fn a_batch_has_one_write_for_each_item() {
    let delete = |id: &str, name: &str| Write::Delete { key: key(id), item: item(name) };
    let create = |id: &str| Write::Create { event: Arc::new(single(id, paris())), generation: 0 };
    let writes = [delete("1", "I"), delete("2", "I"), create("3"), create("3"), delete("4", "i"), delete("3", "J")];
    let stage =
        Stage::new([batch([(1, 204, Value::Null), (2, 201, written("N", "c")), (3, 404, error("ErrorItemNotFound"))])]);
    let outcomes = stage.apply(&calendar(), &writes).await;
    let not_attempted =
        |outcome: &Outcome| matches!(outcome, Outcome::Failed(fault) if fault.kind == FaultKind::NotAttempted);
    let second: Vec<bool> = outcomes.iter().map(not_attempted).collect();
    assert_eq!(second, [false, true, false, true, false, true]);
    assert!(matches!((&outcomes[0], &outcomes[4]), (Outcome::Gone, Outcome::Gone)));
}

#[tokio::test]
async fn more_than_twenty_writes_are_several_batches() {
    let writes: Vec<Write> =
        (0..25).map(|n| Write::Delete { key: key(&n.to_string()), item: item(&format!("I{n}")) }).collect();
    let answers = |count| batch((1..=count).map(|id| (id, 204, Value::Null)));
    let stage = Stage::new([answers(20), answers(5)]);
    let outcomes = stage.apply(&calendar(), &writes).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Gone));
    assert_eq!(stage.gateway.batch_limits().writes, 20);
}

#[tokio::test]
async fn transaction_ids_name_mailbox_key_and_generation() {
    let transaction_id = async |id: &str, generation, calendar: Calendar| {
        let stage = Stage::new([batch([(1, 201, written("N", "c"))])]);
        let write = Write::Create { event: Arc::new(single(id, paris())), generation };
        stage.apply(&calendar, &[write]).await;
        let sent: Value = serde_json::from_slice(&stage.requests()[0].body).unwrap();
        sent["requests"][0]["body"]["transactionId"].as_str().unwrap().to_owned()
    };
    let other_calendar = Calendar { id: "another".to_owned(), mailbox: mailbox() };
    let first = transaction_id("1", 0, calendar()).await;
    assert_eq!(first, transaction_id("1", 0, other_calendar).await);
    assert_ne!(first, transaction_id("2", 0, calendar()).await);
    assert_ne!(first, transaction_id("1", 1, calendar()).await);
}

#[tokio::test]
async fn large_bodies_are_compressed_when_asked() {
    use std::io::Read;
    let mut event = single("1", paris());
    event.content.body.content = "long ".repeat(1000);
    let write = [Write::Create { event: Arc::new(event), generation: 0 }];
    let reply = || batch([(1, 201, written("N", "c"))]);
    let (plain, zipped) = (Stage::new([reply()]), Stage::with_gzip([reply()], true));
    plain.apply(&calendar(), &write).await;
    zipped.apply(&calendar(), &write).await;
    let (plain, zipped) = (&plain.requests()[0], &zipped.requests()[0]);
    assert!(!plain.headers.contains_key("content-encoding") && zipped.headers["content-encoding"] == "gzip");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    let small = Stage::with_gzip([batch([(1, 204, json!(null))])], true);
    small.apply(&calendar(), &[Write::Delete { key: key("1"), item: item("I") }]).await;
    assert!(!small.requests()[0].headers.contains_key("content-encoding"));
}
