//! The gateway against a server that answers what it is told to.

#![allow(clippy::unwrap_used)]

mod occurrences;

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::{
    EwsGateway,
    sample::{self, Given, Latest, Server, block_on, ok, status},
};
use crate::{
    auth::basic::Basic,
    clock::SystemClock,
    gateway::{Gateway, Later, Outcome, Pace, Reading, RequestReport, Write},
    http::{Answer, Request, Transport, TransportError},
    model::{
        address::Address,
        event::DesiredEvent,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Field,
        key::{Kind, SourceKey},
        link::{FoundItem, ItemRef},
        occurrences::Occurrences,
        snapshot::Snapshot,
    },
};

const ENVELOPE: &str = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>";

/// An answer with one message for each code, with something inside.
fn answer(operation: &str, messages: &[(&str, &str)]) -> Given {
    let mut text = format!("{ENVELOPE}<{operation}Response><ResponseMessages>");
    for (code, inside) in messages {
        let class = if *code == "NoError" { "Success" } else { "Error" };
        text.push_str(&format!(
            "<{operation}ResponseMessage ResponseClass='{class}'><ResponseCode>{code}</ResponseCode>{inside}</{operation}ResponseMessage>"
        ));
    }
    text.push_str(&format!("</ResponseMessages></{operation}Response></s:Body></s:Envelope>"));
    ok(&text)
}

fn soap_fault(code: &str, values: &str) -> Given {
    let text = format!(
        "{ENVELOPE}<s:Fault><faultcode>s:Client</faultcode><faultstring>A sentence.</faultstring><detail>\
         <ResponseCode>{code}</ResponseCode><MessageXml>{values}</MessageXml></detail></s:Fault></s:Body></s:Envelope>"
    );
    status(500, &[], &text)
}

fn item(id: &str, change_key: &str) -> String {
    format!("<Items><CalendarItem><ItemId Id='{id}' ChangeKey='{change_key}'/></CalendarItem></Items>")
}

fn item_with_key(id: &str, change_key: &str, key: &str) -> String {
    format!(
        "<Items><CalendarItem><ItemId Id='{id}' ChangeKey='{change_key}'/><ExtendedProperty><ExtendedFieldURI \
         PropertyName='SourceKey'/><Value>{key}</Value></ExtendedProperty></CalendarItem></Items>"
    )
}

fn sync(state: &str, is_last: bool, changes: &str) -> Given {
    let inside = format!(
        "<SyncState>{state}</SyncState><IncludesLastItemInRange>{is_last}</IncludesLastItemInRange><Changes>{changes}</Changes>"
    );
    answer("SyncFolderItems", &[("NoError", &inside)])
}

fn find(is_last: bool, next: u32, keys: &[&str]) -> Given {
    let items: String = keys.iter().map(|key| item_with_key(&format!("id-{key}"), "c", key)).collect();
    let items = items.replace("<Items>", "").replace("</Items>", "");
    let inside = format!(
        "<RootFolder IncludesLastItemInRange='{is_last}' IndexedPagingOffset='{next}'><Items>{items}</Items></RootFolder>"
    );
    answer("FindItem", &[("NoError", &inside)])
}

fn item_ref(id: &str, change_key: &str) -> ItemRef {
    ItemRef { id: id.to_owned(), change_key: change_key.to_owned() }
}

fn create(event: DesiredEvent) -> Write {
    Write::Create { event: Arc::new(event), generation: 1 }
}

fn update(event: DesiredEvent, fields: &[Field]) -> Write {
    let lays_out = |field: &Field| matches!(field, Field::Time | Field::Recurrence | Field::Occurrences);
    let anew = event.series.is_some() && fields.iter().any(lays_out);
    update_occurrences(event, fields, if anew { Occurrences::All } else { Occurrences::NONE })
}

fn update_occurrences(event: DesiredEvent, fields: &[Field], occurrences: Occurrences) -> Write {
    Write::Update {
        item: item_ref("I", "old"),
        event: Arc::new(event),
        generation: 2,
        fields: fields.to_vec(),
        occurrences,
    }
}

fn delete(id: &str) -> Write {
    Write::Delete { key: SourceKey::new("erp", Kind::Appointment, id), item: item_ref(id, "old") }
}

fn apply(server: &Arc<Server>, writes: &[Write]) -> Vec<Outcome> {
    crate::gateway::Answer::outcomes(block_on(server.gateway(Latest.config()).apply(&sample::calendar(), writes)))
}

fn read(server: &Arc<Server>, cursor: Option<&str>) -> Result<Reading, Fault> {
    block_on(server.gateway(Latest.config()).read(&sample::calendar(), cursor))
}

fn keys(reading: &Reading) -> Vec<&str> {
    match &reading.snapshot {
        Snapshot::Whole(items) => items.iter().map(|item| item.key.as_str()).collect(),
        Snapshot::NotRead | Snapshot::Changes { .. } => panic!("{reading:?}"),
    }
}

fn fault_of(outcome: &Outcome) -> &Fault {
    match outcome {
        Outcome::Failed(fault) | Outcome::Partly { fault, .. } => fault,
        Outcome::Written { .. } | Outcome::Gone => panic!("{outcome:?}"),
    }
}

#[test]
fn a_request_says_who_it_is_for() {
    let folder = include_str!("../../../tests/goldens/ews/get_folder.answer.xml");
    let server = Server::new([ok(folder)]);
    let calendar = block_on(server.gateway(Latest.config()).open(&sample::mailbox())).unwrap();
    assert_eq!(calendar, sample::calendar());
    let requests = server.requests.lock().unwrap();
    let header = |name: &str| requests[0].headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("x-anchormailbox"), "ana@example.test");
    assert_eq!(header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(header("soapaction"), "\"http://schemas.microsoft.com/exchange/services/2006/messages/GetFolder\"");
    assert_eq!(header("authorization"), "Bearer sample");
    assert!(header("user-agent").starts_with("calsyncd/"));
    assert_eq!(header("client-request-id").len(), 36);
    assert_eq!(*server.log.lock().unwrap(), ["admit ana@example.test 1", "GetFolder Some(200) 1"]);
}

#[test]
fn large_requests_are_compressed_by_setting() {
    let server = Server::new([answer("CreateItem", &[("NoError", &item("A", "1"))])]);
    let gateway = server.gateway(super::EwsConfig { gzip_requests: true, ..Latest.config() });
    block_on(gateway.apply(&sample::calendar(), &[create(sample::meeting())]));
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests[0].headers.get("content-encoding").unwrap(), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&requests[0].body[..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("<m:CreateItem"));
}

#[test]
fn everything_of_ours_is_read_to_the_last_page() {
    let server = Server::new([sync("s1", false, ""), sync("s2", true, ""), find(true, 2, &["erp/a", "erp/b"])]);
    let reading = read(&server, None).unwrap();
    assert_eq!((keys(&reading), reading.cursor.as_deref()), (vec!["erp/a", "erp/b"], Some("s2")));
    assert!(server.bodies()[1].contains("<m:SyncState>s1</m:SyncState>"));

    // Something came or went between two pages: the pages do not fit together, and the reading starts again.
    let gone = "<Delete><ItemId Id='X'/></Delete>";
    let server = Server::new([
        sync("s1", true, ""),
        find(false, 250, &["erp/a"]),
        find(true, 500, &["erp/a"]),
        sync("s2", true, gone),
        find(false, 250, &["erp/a"]),
        find(true, 500, &["erp/a", "erp/b"]),
        sync("s3", true, ""),
    ]);
    let reading = read(&server, None).unwrap();
    assert_eq!((keys(&reading), reading.cursor.as_deref()), (vec!["erp/a", "erp/b"], Some("s3")));
}

#[test]
fn changes_are_read_from_the_cursor() {
    let first = "<Create><CalendarItem><ItemId Id='A' ChangeKey='1'/></CalendarItem></Create>\
                 <Create><CalendarItem><ItemId Id='B' ChangeKey='1'/></CalendarItem></Create>";
    let restored = item_with_key("C", "1", "erp/c").replace("<Items>", "").replace("</Items>", "");
    let second = "<Update><CalendarItem><ItemId Id='A' ChangeKey='2'/></CalendarItem></Update>\
                  <Delete><ItemId Id='B' ChangeKey='1'/></Delete>";
    let second = format!("{second}<Create>{restored}</Create>");
    let server = Server::new([sync("s2", false, first), sync("s3", true, &second)]);
    let ours = FoundItem::new(item_ref("C", "1"), "erp/c");
    let changed = vec![item_ref("A", "2"), item_ref("C", "1")];
    let snapshot = Snapshot::Changes { changed, ours: vec![ours], gone: vec!["B".to_owned()] };
    assert_eq!(read(&server, Some("s1")).unwrap(), Reading { snapshot, cursor: Some("s3".to_owned()) });
}

#[test]
fn an_unknown_cursor_leads_to_a_whole_reading() {
    let server = Server::new([
        answer("SyncFolderItems", &[("ErrorInvalidSyncStateData", "")]),
        sync("s9", true, ""),
        find(true, 1, &["erp/a"]),
    ]);
    let reading = read(&server, Some("old")).unwrap();
    assert_eq!((keys(&reading), reading.cursor.as_deref()), (vec!["erp/a"], Some("s9")));
}

#[test]
fn a_reading_that_fails_on_the_way_is_no_reading() {
    for answers in [
        vec![sync("s1", true, ""), find(false, 250, &["erp/a"]), status(500, &[], "")],
        vec![sync("s1", true, ""), find(false, 250, &["erp/a"]), find(false, 250, &[])],
        vec![sync("s1", false, ""), sync("s1", false, "")],
        vec![sync("s1", true, ""), Err(interrupted())],
    ] {
        let fault = read(&Server::new(answers), None).unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault:?}");
    }
}

#[test]
fn a_probe_compares_byte_by_byte() {
    let keys = ["4711", "4712"].map(|id| SourceKey::new("erp", Kind::Appointment, id));
    let server = Server::new([find(true, 2, &["erp/appointment/4711", "ERP/appointment/4712"])]);
    let found = block_on(server.gateway(Latest.config()).probe(&sample::calendar(), &keys)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key, "erp/appointment/4711");
    let none = block_on(server.gateway(Latest.config()).probe(&sample::calendar(), &[])).unwrap();
    assert!(none.is_empty(), "no keys, no request");
}

#[test]
fn outcomes_are_in_the_order_of_the_writes() {
    let server = Server::new([
        answer("CreateItem", &[("NoError", &item("A", "1")), ("ErrorCalendarDurationIsTooLong", "")]),
        answer("UpdateItem", &[("ErrorItemNotFound", "")]),
        answer("DeleteItem", &[("NoError", ""), ("ErrorItemNotFound", "")]),
    ]);
    let (meeting, all_day) = (sample::meeting(), sample::all_day());
    let fingerprint = meeting.fingerprint();
    let writes =
        [delete("D1"), create(meeting.clone()), update(meeting, &[Field::Subject]), create(all_day), delete("D2")];
    let outcomes = apply(&server, &writes);
    assert_eq!(server.operations(), ["CreateItem", "UpdateItem", "DeleteItem"]);
    assert_eq!(outcomes[0], Outcome::Gone);
    assert_eq!(outcomes[1], Outcome::Written { item: item_ref("A", "1"), fingerprint });
    assert_eq!(outcomes[2], Outcome::Gone);
    assert_eq!(fault_of(&outcomes[3]).kind, FaultKind::Permanent);
    assert_eq!(outcomes[4], Outcome::Gone);
    for body in server.bodies() {
        assert!(body.contains("=\"SendToNone\"") && !body.contains("Attendee"), "{body}");
    }
}

#[test]
fn the_exceptions_of_a_series_are_a_second_wave() {
    let event = sample::series_with_exceptions();
    let (whole, first) = (event.fingerprint(), event.fingerprint().without_occurrences());
    let key = event.key.as_str().to_owned();
    let server = Server::new([
        answer("CreateItem", &[("NoError", &item("M", "1"))]),
        answer("DeleteItem", &[("ErrorCalendarOccurrenceIsDeletedFromRecurrence", "")]),
        answer("UpdateItem", &[("NoError", &item("O3", "3")), ("NoError", &item("O4", "4"))]),
        answer("GetItem", &[("NoError", &item_with_key("M", "4", &key))]),
        answer("UpdateItem", &[("NoError", &item("M", "5"))]),
    ]);
    let outcomes = apply(&server, &[create(event)]);
    assert_eq!(outcomes, [Outcome::Written { item: item_ref("M", "5"), fingerprint: whole.clone() }]);
    let bodies = server.bodies();
    assert!(bodies[0].contains(first.as_str()) && !bodies[0].contains(whole.as_str()));
    assert!(bodies[1].contains("RecurringMasterId=\"M\" InstanceIndex=\"2\""));
    assert!(bodies[2].contains("InstanceIndex=\"3\"") && bodies[2].contains("InstanceIndex=\"4\""));
    assert!(bodies[4].contains(whole.as_str()) && bodies[4].contains("Id=\"M\" ChangeKey=\"4\""));
}

#[test]
fn a_series_without_all_its_exceptions_is_written_partly() {
    let event = sample::series_with_exceptions();
    let fingerprint = event.fingerprint().without_occurrences();
    let key = event.key.as_str().to_owned();
    let crossing = "ErrorOccurrenceCrossingBoundary";
    let server = Server::new([
        answer("UpdateItem", &[("NoError", &item("I", "1"))]),
        answer("DeleteItem", &[("NoError", "")]),
        answer("UpdateItem", &[("NoError", &item("O4", "4")), (crossing, "")]),
        answer("GetItem", &[("NoError", &item_with_key("I", "4", &key))]),
    ]);
    let outcomes = apply(&server, &[update(event.clone(), &[Field::Time])]);
    let Outcome::Partly { item: master, fingerprint: written, fault } = &outcomes[0] else {
        panic!("{outcomes:?}");
    };
    assert_eq!((master, written, fault.code.as_str()), (&item_ref("I", "4"), &fingerprint, crossing));

    // The answer to the exceptions is lost: what is there is said, and the rest is due again.
    let server = Server::new([answer("CreateItem", &[("NoError", &item("M", "1"))]), Err(interrupted())]);
    let outcomes = apply(&server, &[create(event)]);
    let Outcome::Partly { item, fault, .. } = &outcomes[0] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(item, &item_ref("M", "1"));
    assert!(matches!(fault.kind, FaultKind::Doubtful { .. }), "{fault:?}");
}

#[test]
fn the_content_of_a_series_leaves_its_exceptions_alone() {
    let event = sample::series_with_exceptions();
    let server = Server::new([answer("UpdateItem", &[("NoError", &item("I", "1"))])]);
    let fingerprint = event.fingerprint();
    let outcomes = apply(&server, &[update(event, &[Field::Sensitivity])]);
    assert_eq!(outcomes, [Outcome::Written { item: item_ref("I", "1"), fingerprint }]);
    assert!(!server.bodies()[0].contains("Recurrence"));
}

#[test]
fn one_error_in_place_of_many_does_not_quarantine_the_neighbours() {
    let one = |code| answer("CreateItem", &[(code, "")]);
    let server = Server::new([
        one("ErrorInvalidPropertyRequest"),
        answer("CreateItem", &[("NoError", &item("A", "1"))]),
        one("ErrorInvalidPropertyRequest"),
        one("ErrorInvalidPropertyRequest"),
        answer("CreateItem", &[("NoError", &item("C", "1"))]),
    ]);
    let outcomes = apply(&server, &[create(sample::meeting()), create(sample::all_day()), create(sample::ambiguous())]);
    assert!(matches!(outcomes[0], Outcome::Written { .. }), "{outcomes:?}");
    assert_eq!((fault_of(&outcomes[1]).scope, fault_of(&outcomes[1]).kind), (FaultScope::Item, FaultKind::Permanent));
    assert!(matches!(outcomes[2], Outcome::Written { .. }), "{outcomes:?}");
}

#[test]
fn a_stale_change_key_is_asked_for_once() {
    let event = sample::meeting();
    let key = event.key.as_str().to_owned();
    let conflict = || answer("UpdateItem", &[("ErrorIrresolvableConflict", "")]);
    let server = Server::new([
        conflict(),
        answer("GetItem", &[("NoError", &item_with_key("I", "7", &key))]),
        answer("UpdateItem", &[("NoError", &item("I", "8"))]),
    ]);
    let outcomes = apply(&server, &[update(event.clone(), &[Field::Subject])]);
    assert!(matches!(&outcomes[0], Outcome::Written { item, .. } if *item == item_ref("I", "8")), "{outcomes:?}");
    assert!(server.bodies()[2].contains("Id=\"I\" ChangeKey=\"7\""));

    let again = || answer("GetItem", &[("NoError", &item_with_key("I", "7", &key))]);
    let outcomes = apply(&Server::new([conflict(), again(), conflict()]), &[update(event.clone(), &[Field::Subject])]);
    assert_eq!(fault_of(&outcomes[0]).code, "ErrorIrresolvableConflict");

    let other = answer("GetItem", &[("NoError", &item_with_key("I", "7", "erp/appointment/other"))]);
    let outcomes = apply(&Server::new([conflict(), other]), &[update(event.clone(), &[Field::Subject])]);
    assert_eq!(fault_of(&outcomes[0]).code, "NotOurs", "an item of another key is not overwritten");

    let stale = answer("DeleteItem", &[("ErrorStaleObject", "")]);
    let gone = answer("GetItem", &[("ErrorItemNotFound", "")]);
    assert_eq!(apply(&Server::new([stale, gone]), &[delete("D")]), [Outcome::Gone]);
}

#[test]
fn times_that_the_server_takes_in_one_order_only_are_sent_in_that() {
    let server = Server::new([
        answer("UpdateItem", &[("ErrorCalendarEndDateIsEarlierThanStartDate", "")]),
        answer("UpdateItem", &[("NoError", &item("I", "1"))]),
    ]);
    let outcomes = apply(&server, &[update(sample::meeting(), &[Field::Time])]);
    assert!(matches!(outcomes[0], Outcome::Written { .. }), "{outcomes:?}");
    let order = |body: &str| body.find("<t:Start>").unwrap() < body.find("<t:End>").unwrap();
    let bodies = server.bodies();
    assert_eq!((order(&bodies[0]), order(&bodies[1])), (false, true));
}

#[test]
fn a_recurrence_that_cannot_be_removed_is_left_to_be_set() {
    let mut event = sample::series_with_exceptions();
    event.series.as_mut().unwrap().exceptions.clear();
    let server = Server::new([
        answer("UpdateItem", &[("ErrorInvalidPropertyDelete", "")]),
        answer("UpdateItem", &[("NoError", &item("I", "1"))]),
    ]);
    let outcomes = apply(&server, &[update(event, &[Field::Recurrence])]);
    assert!(matches!(outcomes[0], Outcome::Written { .. }), "{outcomes:?}");
    let removes: Vec<bool> = server.bodies().iter().map(|body| body.contains("DeleteItemField")).collect();
    assert_eq!(removes, [true, false]);
}

#[test]
fn one_event_that_does_not_fit_the_schema_does_not_hold_up_the_others() {
    let violation = || soap_fault("ErrorSchemaValidation", "");
    let server = Server::new([
        violation(),
        answer("CreateItem", &[("NoError", &item("A", "1"))]),
        violation(),
        violation(),
        answer("CreateItem", &[("NoError", &item("C", "1"))]),
    ]);
    let outcomes = apply(&server, &[create(sample::meeting()), create(sample::all_day()), create(sample::ambiguous())]);
    assert!(matches!(outcomes[0], Outcome::Written { .. }));
    assert_eq!((fault_of(&outcomes[1]).scope, fault_of(&outcomes[1]).kind), (FaultScope::Item, FaultKind::Permanent));
    assert!(matches!(outcomes[2], Outcome::Written { .. }));
}

#[test]
fn one_item_for_which_the_whole_request_is_refused_does_not_hold_up_the_others() {
    let codes = ["ErrorInvalidRequest", "ErrorInvalidPropertyRequest", "ErrorInvalidIdMalformed"];
    for code in codes {
        let refused = || soap_fault(code, "");
        let gone = |count: usize| answer("DeleteItem", &vec![("NoError", ""); count]);
        let server = Server::new([refused(), gone(1), refused(), refused(), gone(1)]);
        let outcomes = apply(&server, &[delete("1"), delete("2"), delete("3")]);
        assert_eq!((&outcomes[0], &outcomes[2]), (&Outcome::Gone, &Outcome::Gone), "{code}");
        let fault = fault_of(&outcomes[1]);
        assert_eq!((fault.scope, fault.kind, fault.code.as_str()), (FaultScope::Item, FaultKind::Permanent, code));
    }
    // That one is gone does not say that all are.
    let server = Server::new([
        soap_fault("ErrorItemNotFound", ""),
        soap_fault("ErrorItemNotFound", ""),
        answer("DeleteItem", &[("ErrorAccessDenied", "")]),
    ]);
    let outcomes = apply(&server, &[delete("1"), delete("2")]);
    assert_eq!((&outcomes[0], fault_of(&outcomes[1]).code.as_str()), (&Outcome::Gone, "ErrorAccessDenied"));
}

#[test]
fn nothing_is_sent_after_the_server_asks_to_wait() {
    let value = "<Value Name='BackOffMilliseconds'>30000</Value>";
    let server = Server::new([soap_fault("ErrorServerBusy", value)]);
    let outcomes = apply(&server, &[create(sample::meeting()), delete("D")]);
    let fault = fault_of(&outcomes[0]);
    let kind = FaultKind::Transient { wait: Some(Duration::from_secs(30)) };
    assert_eq!((fault.scope, fault.kind), (FaultScope::Mailbox, kind));
    assert_eq!(fault_of(&outcomes[1]).kind, FaultKind::NotAttempted);
}

fn interrupted() -> TransportError {
    TransportError::Interrupted { host: "mail.example.test:443".to_owned(), cause: "reset".to_owned() }
}

#[test]
fn answers_without_a_soap_body_are_judged_by_status_and_effect() {
    use FaultScope::{Credential, Item, Mailbox, Server as Whole};
    let wait = |milliseconds| Some(Duration::from_millis(milliseconds));
    let later = |wait| FaultKind::Transient { wait };
    let doubt = |wait| FaultKind::Doubtful { wait };
    let page = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let half = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><CreateItemRes";
    let wrong =
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><Other/></s:Body></s:Envelope>";
    let unreachable =
        Err(TransportError::Unreachable { host: "mail.example.test:443".to_owned(), cause: "refused".to_owned() });
    let too_large = Err(TransportError::TooLarge { host: "mail.example.test:443".to_owned(), limit_bytes: 1 });
    let error_page = [("location", "/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx")];
    let cases: Vec<(&str, Given, FaultScope, FaultKind, FaultKind)> = vec![
        ("unreachable", unreachable, Whole, later(None), later(None)),
        ("interrupted", Err(interrupted()), Mailbox, later(None), doubt(None)),
        ("too large", too_large, Mailbox, later(None), doubt(None)),
        ("page", ok(page), Whole, later(None), doubt(None)),
        ("empty", ok(""), Mailbox, later(None), doubt(None)),
        ("half", ok(half), Mailbox, later(None), doubt(None)),
        ("wrong", ok(wrong), Mailbox, later(None), doubt(None)),
        ("302 error page", status(302, &error_page, ""), Whole, later(None), later(None)),
        ("302", status(302, &[("location", "/x")], ""), Whole, FaultKind::Permanent, FaultKind::Permanent),
        ("401", status(401, &[], page), Credential, FaultKind::Permanent, FaultKind::Permanent),
        ("403", status(403, &[], page), Mailbox, FaultKind::Permanent, FaultKind::Permanent),
        ("404", status(404, &[], page), Whole, FaultKind::Permanent, FaultKind::Permanent),
        ("413", status(413, &[], ""), Item, FaultKind::Permanent, FaultKind::Permanent),
        ("400", status(400, &[], page), Mailbox, FaultKind::Permanent, FaultKind::Permanent),
        ("451", status(451, &[], ""), Mailbox, FaultKind::Permanent, FaultKind::Permanent),
        ("429", status(429, &[("retry-after", "2.128")], ""), Whole, later(wait(2128)), later(wait(2128))),
        ("503", status(503, &[("retry-after", "900")], page), Whole, later(wait(900_000)), later(wait(900_000))),
        ("503 bare", status(503, &[], page), Whole, later(None), doubt(None)),
        ("500", status(500, &[], page), Mailbox, later(None), doubt(None)),
        ("502", status(502, &[("retry-after", "5")], ""), Mailbox, later(wait(5000)), doubt(wait(5000))),
    ];
    for (name, given, scope, of_read, of_write) in cases {
        let fault = read(&Server::new([given.clone()]), Some("s")).unwrap_err();
        assert_eq!((fault.scope, fault.kind), (scope, of_read), "{name}: {fault:?}");
        assert!(fault.request_id.is_some(), "{name}");
        let outcomes = apply(&Server::new([given.clone()]), &[create(sample::meeting())]);
        let fault = fault_of(&outcomes[0]);
        assert_eq!((fault.scope, fault.kind), (scope, of_write), "{name}: {fault:?}");
    }
}

#[test]
fn a_refused_token_is_replaced_once() {
    let folder = include_str!("../../../tests/goldens/ews/get_folder.answer.xml");
    let refused = || status(401, &[], "");
    let open = |server: &Arc<Server>| block_on(server.gateway(Latest.config()).open(&sample::mailbox()));
    assert!(open(&Server::with_token([refused(), ok(folder)], true)).is_ok());
    let server = Server::with_token([refused(), refused()], true);
    assert_eq!(open(&server).unwrap_err().scope, FaultScope::Credential);
    assert_eq!(server.requests.lock().unwrap().len(), 2);
    let told = server.log.lock().unwrap().iter().filter(|line| *line == "refused").count();
    assert_eq!(told, 1, "the second refusal is one of the credential, and the token is kept");
    let server = Server::with_token([refused()], false);
    assert_eq!(open(&server).unwrap_err().scope, FaultScope::Credential);
    assert_eq!(server.requests.lock().unwrap().len(), 1, "a password that cannot be renewed is tried once");
}

/// A server that refuses every password, and limits that let four requests go before the first answer.
#[derive(Debug)]
struct Refusing {
    requests: AtomicUsize,
    permits: Semaphore,
}

impl Transport for Refusing {
    fn send(&self, _: Request) -> Answer<'_> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            tokio::task::yield_now().await;
            status(401, &[], "")
        })
    }
}

impl Pace for Refusing {
    fn admit<'a>(&'a self, _: &'a Address, _: u32) -> Later<'a, ()> {
        Box::pin(async { self.permits.acquire().await.unwrap().forget() })
    }

    fn report(&self, _: RequestReport<'_>) {
        self.permits.add_permits(100);
    }
}

#[tokio::test]
async fn a_wrong_password_costs_one_attempt() {
    let start = |permits: usize| {
        let server = Arc::new(Refusing { requests: AtomicUsize::new(0), permits: Semaphore::new(permits) });
        let password = secrecy::SecretString::from("wrong");
        let basic = Arc::new(Basic::new("service", &password, Arc::new(SystemClock)).unwrap());
        (server.clone(), Arc::new(EwsGateway::new(server.clone(), basic, server, Latest.config())))
    };
    let refused = |answers: &[crate::gateway::Answer]| {
        let fault = fault_of(&answers[0].outcome);
        assert_eq!((fault.scope, fault.kind), (FaultScope::Credential, FaultKind::Permanent));
        assert!(fault.hint.is_some());
    };
    let (server, gateway) = start(1);
    for _ in 0..20 {
        refused(&gateway.apply(&sample::calendar(), &[delete("D")]).await);
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);

    // Those that wait when the first refusal comes do not try any more.
    let (server, gateway) = start(4);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let gateway = gateway.clone();
        tasks.spawn(async move { gateway.apply(&sample::calendar(), &[delete("D")]).await });
    }
    tasks.join_all().await.iter().for_each(|answers| refused(answers));
    assert_eq!(server.requests.load(Ordering::SeqCst), 4);
}

#[test]
fn a_mailbox_that_is_closed_to_us_does_not_stop_the_others() {
    let folder = include_str!("../../../tests/goldens/ews/get_folder.answer.xml");
    let refused = || status(401, &[], "");
    let server = Server::with_token([ok(folder), refused(), refused(), refused(), refused()], true);
    let gateway = server.gateway(Latest.config());
    let bob = Address::parse("bob@example.test").unwrap();
    assert!(block_on(gateway.open(&sample::mailbox())).is_ok());
    let fault = block_on(gateway.open(&bob)).unwrap_err();
    assert_eq!((fault.scope, fault.kind), (FaultScope::Mailbox, FaultKind::Permanent));
    assert!(fault.hint.is_some_and(|hint| hint.contains("no role on this mailbox")));
    let fault = block_on(gateway.open(&sample::mailbox())).unwrap_err();
    assert_eq!(fault.scope, FaultScope::Credential, "it was good for this mailbox alone");
}

/// The order of the schema for the elements that we write (types.xsd: ItemType, then CalendarItemType).
const SCHEMA_ORDER: [&str; 17] = [
    "Subject",
    "Sensitivity",
    "Body",
    "Categories",
    "Importance",
    "ReminderIsSet",
    "ReminderMinutesBeforeStart",
    "ExtendedProperty",
    "Start",
    "End",
    "IsAllDayEvent",
    "LegacyFreeBusyStatus",
    "Location",
    "Recurrence",
    "MeetingTimeZone",
    "StartTimeZone",
    "EndTimeZone",
];

proptest! {
    #[test]
    fn any_event_is_written_as_the_schema_says(
        (subject, body, location) in (any::<String>(), any::<String>(), "\\PC*|[\u{0}-\u{1f}]*"),
        categories in prop::collection::vec(any::<String>(), 0..3),
        (reminder, base, setting) in (prop::option::of(0_u32..100_000), 0..4_usize, 0..3_usize),
    ) {
        let samples = [sample::meeting, sample::all_day, sample::series_with_exceptions, sample::ambiguous];
        let setting = [sample::Latest, sample::Oldest, sample::Delegate][setting];
        let mut event = samples[base]();
        event.content.subject = subject.clone();
        event.content.body.content = body;
        event.content.location = location;
        event.content.categories = categories;
        event.content.reminder_minutes = reminder;
        let (calendar, owner) = (sample::calendar(), sample::owner());
        let events = vec![(&event, event.fingerprint(), 1)];
        let operation = super::create_item::CreateItem { calendar: &calendar, events, owner: &owner };
        let written = sample::request(&setting, &operation);
        let body = super::document::soap_body(&written).unwrap();
        let item = body.descend(&["CreateItem", "Items", "CalendarItem"]).unwrap();
        let places: Vec<usize> = item
            .children()
            .iter()
            .map(|child| SCHEMA_ORDER.iter().position(|name| *name == child.name()).unwrap())
            .collect();
        prop_assert!(places.is_sorted(), "{places:?}");
        let text = String::from_utf8(written).unwrap();
        let forbidden = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || c == '\u{fffe}' || c == '\u{ffff}';
        prop_assert!(!text.contains(forbidden));
        let kept: String = subject.chars().filter(|c| !forbidden(*c)).collect();
        if !kept.contains('\r') {
            prop_assert_eq!(item.child("Subject").unwrap().text(), kept);
        }
    }
}
