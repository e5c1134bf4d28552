//! Opening, inventory and probe.

use serde_json::{Value, json};

use super::{ROOT, Stage, batch, calendar, error, item, key, mailbox, reply};
use crate::{
    gateway::Gateway,
    model::fault::{FaultKind, FaultScope},
};

const SET: &str = "0ab89da0-c8e5-4849-914a-1396b47752b5";

fn event(id: &str, key: &str) -> Value {
    json!({
        "id": id, "changeKey": format!("ck-{id}"), "type": "singleInstance",
        "singleValueExtendedProperties": [
            {"id": format!("String {{{}}} Name SourceKey", SET.to_uppercase()), "value": key},
            {"id": format!("String {{{SET}}} Name Fingerprint"), "value": format!("1:{}", "ab".repeat(66))},
            {"id": format!("String {{{SET}}} Name Owner"), "value": "calsyncd-1"},
        ],
    })
}

fn own_calendar(owner: &str) -> Value {
    json!({"id": "AAMk/cal+1=", "name": "Calendar", "owner": {"name": "Ana", "address": owner}})
}

#[tokio::test]
async fn the_calendar_is_opened() {
    let stage = Stage::new([reply(200, own_calendar("Ana@Example.test"))]);
    let opened = stage.gateway.open(&mailbox()).await;
    assert_eq!(opened.as_ref(), Ok(&calendar()));
    stage.golden("get_calendar", &opened);
    assert_eq!(*stage.limits.reports.lock().unwrap(), [("GET /users/{id}/calendar", Some(200), 0)]);
}

#[tokio::test]
async fn only_the_mailboxs_own_calendar_is_opened() {
    let cases = [
        (200, own_calendar("bob@example.test"), "OwnerMismatch"),
        (200, json!({"id": "c"}), "OwnerUnknown"),
        (404, error("MailboxNotEnabledForRESTAPI"), "MailboxNotEnabledForRESTAPI"),
        (404, error("ErrorInvalidUser"), "ErrorInvalidUser"),
        (403, error("ErrorAccessDenied"), "ErrorAccessDenied"),
    ];
    for (status, answer, code) in cases {
        let fault = Stage::new([reply(status, answer)]).gateway.open(&mailbox()).await.unwrap_err();
        assert_eq!((fault.scope, fault.kind), (FaultScope::Mailbox, FaultKind::Permanent), "{code}");
        assert!(fault.code == code && fault.hint.is_some(), "{fault:?}");
    }
}

#[tokio::test]
async fn the_inventory_follows_its_pages() {
    let next = format!("{ROOT}/v1.0/users/ana@example.test/calendars/AAMk/events?$skip=1&a=b c");
    let occurrence = json!({"id": "o", "changeKey": "c", "type": "occurrence"});
    let stage = Stage::new([
        reply(200, json!({"value": [event("A", "erp/appointment/1"), occurrence], "@odata.nextLink": next})),
        reply(200, json!({"value": [event("a", "erp/appointment/2")]})),
    ]);
    let read = stage.gateway.read(&calendar(), Some("a cursor of old")).await;
    stage.golden("list_events", &read);
}

#[tokio::test]
async fn a_listing_that_is_not_whole_is_a_fault() {
    let link = |link: String| json!({"value": [], "@odata.nextLink": link});
    let here = |page: u32| link(format!("{ROOT}/v1.0/users/x/events?$skip={page}"));
    let cases: Vec<Vec<Value>> = vec![
        vec![link("https://evil.example.test/v1.0/users/x/events".to_owned())],
        vec![link(format!("{ROOT}.evil.test/v1.0/users/x/events"))],
        vec![link(format!("{ROOT}:444/v1.0/users/x/events"))],
        vec![link(format!("{ROOT}/beta/users/x/events"))],
        vec![here(1), here(2), here(1)],
        vec![json!({"values": []})],
        vec![json!([])],
        vec![json!({"value": [{"id": "A", "changeKey": "c"}]})],
        vec![json!({"value": [{"id": "A", "changeKey": null, "singleValueExtendedProperties": []}]})],
    ];
    for pages in cases {
        let text = format!("{pages:?}");
        let stage = Stage::new(pages.into_iter().map(|page| reply(200, page)));
        let fault = stage.gateway.read(&calendar(), None).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Transient { wait: None }, "{text}");
        assert!(stage.script.replies.lock().unwrap().is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_probe_finds_exactly_its_keys() {
    let keys = [key("Aé'1"), key("gone"), key("copied")];
    let next = format!("{ROOT}/v1.0/users/ana@example.test/calendars/c/events?$skip=1");
    let stage = Stage::new([
        batch([
            (3, 200, json!({"value": [event("C", keys[2].as_str())], "@odata.nextLink": next})),
            (1, 200, json!({"value": [event("A", keys[0].as_str()), event("B", "erp/appointment/a%C3%A9'1")]})),
            (2, 200, json!({"value": []})),
        ]),
        batch([(1, 200, json!({"value": [event("D", keys[2].as_str())]}))]),
    ]);
    let found = stage.gateway.probe(&calendar(), &keys).await;
    let ids: Vec<_> = found.iter().flatten().map(|found| found.item.id.as_str()).collect();
    assert_eq!(ids, ["A", "C", "D"]);
    stage.golden("probe", &found);
}

#[tokio::test]
async fn a_probe_that_is_not_whole_is_a_fault() {
    let page = json!({"value": []});
    let cases = [
        vec![(1, 200, page.clone())],
        vec![(1, 200, page.clone()), (2, 429, error("ApplicationThrottled"))],
        vec![(1, 200, page.clone()), (2, 200, json!("text"))],
        vec![(1, 200, page), (2, 504, error("UnknownError"))],
    ];
    for answers in cases {
        let text = format!("{answers:?}");
        let fault = Stage::new([batch(answers)]).gateway.probe(&calendar(), &[key("1"), key("2")]).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{text}: {fault:?}");
    }
}

#[tokio::test]
async fn items_are_looked_at_with_their_exceptions() {
    let moment = |text: &str| json!({"dateTime": format!("{text}:00.0000000"), "timeZone": "UTC"});
    let shows = |id: &str, subject: &str, start: &str, end: &str| {
        json!({"id": id, "changeKey": "c", "subject": subject, "body": {"contentType": "text", "content": "Agenda\r\n"},
            "start": moment(start), "end": moment(end), "isAllDay": false, "showAs": "busy", "sensitivity": "normal",
            "importance": "normal", "categories": ["Project"], "isReminderOn": true, "reminderMinutesBeforeStart": 15,
            "location": {"displayName": "Lyon"}, "originalStartTimeZone": "Romance Standard Time"})
    };
    let mut series = shows("S", "Weekly", "2026-03-02T08:00", "2026-03-02T09:00");
    series["recurrence"] = json!({"pattern": {"type": "weekly", "interval": 1},
        "range": {"type": "numbered", "numberOfOccurrences": 5, "recurrenceTimeZone": "Romance Standard Time"}});
    let mut moved = shows("O", "Moved", "2026-03-09T13:00", "2026-03-09T14:00");
    moved["originalStart"] = json!("2026-03-09T08:00:00Z");
    series["exceptionOccurrences"] = json!([moved]);
    series["cancelledOccurrences"] = json!(["OID.S.2026-03-16"]);
    let mut off = shows("B", "Off", "2026-03-02T08:00", "2026-03-02T09:00");
    off["isReminderOn"] = json!(false);
    let stage = Stage::new([batch([(1, 200, series), (2, 200, off), (3, 404, error("ErrorItemNotFound"))])]);
    let seen = stage.gateway.look(&calendar(), &[item("S"), item("B"), item("gone")]).await.unwrap();
    assert_eq!(seen.len(), 2, "what is gone is left out");
    let shown = &seen[0].shown;
    assert_eq!((seen[0].item.id.as_str(), seen[0].item.change_key.as_str()), ("S", "c"));
    assert_eq!(
        (shown.subject.as_str(), shown.body.as_str(), shown.location.as_str()),
        ("Weekly", "Agenda\r\n", "Lyon")
    );
    assert_eq!(shown.time.start.to_string(), "2026-03-02T08:00:00Z");
    assert_eq!(
        shown.recurrence,
        "interval=1;type=\"weekly\";numberOfOccurrences=5;type=\"numbered\";3600,7200,7200,3600"
    );
    let originals: Vec<&str> = shown.exceptions.iter().map(|exception| exception.original.as_str()).collect();
    assert_eq!(originals, ["2026-03-16", "2026-03-09T08:00:00Z"]);
    assert_eq!(shown.exceptions[1].shown.as_ref().unwrap().subject, "Moved");
    assert_eq!((shown.reminder_minutes, seen[1].shown.reminder_minutes), (Some(15), None));
    let request = String::from_utf8(stage.requests()[0].body.to_vec()).unwrap();
    assert!(request.contains("outlook.body-content-type=\\\"text\\\"") && request.contains("ImmutableId"), "{request}");
    assert!(request.contains("$expand=exceptionOccurrences") && request.contains("cancelledOccurrences"), "{request}");
}

#[tokio::test]
async fn a_look_that_is_throttled_is_a_fault() {
    let stage = Stage::new([batch([(1, 429, error("ApplicationThrottled"))])]);
    let fault = stage.gateway.look(&calendar(), &[item("S")]).await.unwrap_err();
    assert_eq!(fault.code, "ApplicationThrottled");
}
