//! What EWS and Graph cost on this side of the wire: requests written and answers read, against a server in memory that
//! has its answers ready. `cargo bench --bench wire`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

mod sample;

use std::{future::Future, hint::black_box, pin::Pin, sync::Arc};

use bytes::Bytes;
use calsyncd::{
    auth::Authorization,
    clock::SystemClock,
    gateway::{
        Calendar, Gateway, Later, Outcome, PROPERTY_SET, Pace, RequestReport, Write,
        ews::{EwsConfig, EwsGateway},
        graph::{GraphConfig, GraphGateway},
    },
    http::{Answer, Request, Response, Transport},
    model::{
        address::Address,
        event::DesiredEvent,
        fault::Fault,
        fingerprint::Field,
        link::{ItemRef, Owner},
        occurrences::Occurrences,
        snapshot::Snapshot,
    },
    settings::{EwsAccess, ServerVersion},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

/// Events of one measured call.
const EVENTS: usize = 1_000;
/// Items of one request.
const BATCH: usize = 20;
const OWNER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A server in memory: it knows one answer for each sort of request.
#[derive(Debug, Default)]
struct Server {
    answers: Vec<(&'static str, Bytes)>,
}

impl Transport for Server {
    fn send(&self, request: Request) -> Answer<'_> {
        let action = request.headers.get("soapaction").and_then(|value| value.to_str().ok()).unwrap_or(&request.url);
        let found = self.answers.iter().find(|(name, _)| action.contains(name));
        let body = found.map(|(_, body)| body.clone()).unwrap_or_default();
        black_box(request.body.len());
        Box::pin(std::future::ready(Ok(Response { status: 200, headers: HeaderMap::new(), body })))
    }
}

impl Authorization for Server {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(HeaderValue::from_static("Bearer sample"))))
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        false
    }
}

impl Pace for Server {
    fn admit<'a>(&'a self, _: &'a Address, _: u32) -> Later<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn report(&self, _: RequestReport<'_>) {}
}

fn id(number: usize) -> String {
    format!("AAMkAGVjZTI3{number:0130}=")
}

fn change_key(number: usize) -> String {
    format!("DwAAABYAAAD{number:029}")
}

fn events() -> Vec<Arc<DesiredEvent>> {
    let zone = sample::zone();
    (0..EVENTS).map(|number| Arc::new(sample::event(number, &zone))).collect()
}

/// The answer of Exchange to one operation, around its response messages.
fn ews_answer(operation: &str, messages: impl Iterator<Item = String>) -> Bytes {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <s:Header><h:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"1\" MajorBuildNumber=\"2507\" MinorBuildNumber=\"6\" \
         Version=\"V2017_07_11\" xmlns:h=\"http://schemas.microsoft.com/exchange/services/2006/types\"/></s:Header><s:Body>\
         <m:{operation}Response xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
         xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>"
    );
    for message in messages {
        text.push_str(&format!(
            "<m:{operation}ResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>{message}\
             </m:{operation}ResponseMessage>"
        ));
    }
    text.push_str(&format!("</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>"));
    text.into()
}

fn ews_item(number: usize, inside: &str) -> String {
    let (id, key) = (id(number), change_key(number));
    format!("<t:CalendarItem><t:ItemId Id=\"{id}\" ChangeKey=\"{key}\"/>{inside}</t:CalendarItem>")
}

fn ews_found(number: usize, event: &DesiredEvent) -> String {
    let properties: String = properties(event)
        .iter()
        .map(|(name, value)| {
            format!(
                "<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId=\"{PROPERTY_SET}\" PropertyName=\"{name}\" \
                 PropertyType=\"String\"/><t:Value>{value}</t:Value></t:ExtendedProperty>"
            )
        })
        .collect();
    ews_item(number, &properties)
}

fn properties(event: &DesiredEvent) -> [(&'static str, String); 3] {
    let fingerprint = event.fingerprint().as_str().to_owned();
    [("SourceKey", event.key.as_str().to_owned()), ("Fingerprint", fingerprint), ("Owner", OWNER.to_owned())]
}

fn ews(events: &[Arc<DesiredEvent>]) -> EwsGateway {
    let written = |number: usize| format!("<m:Items>{}</m:Items>", ews_item(number, ""));
    let found: String = events.iter().enumerate().map(|(number, event)| ews_found(number, event)).collect();
    let page = format!(
        "<m:RootFolder TotalItemsInView=\"{}\" IncludesLastItemInRange=\"true\"><t:Items>{found}</t:Items></m:RootFolder>",
        events.len()
    );
    let sync =
        "<m:SyncState>H4sI2=</m:SyncState><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange><m:Changes/>";
    let answers = vec![
        ("CreateItem", ews_answer("CreateItem", (0..BATCH).map(written))),
        ("UpdateItem", ews_answer("UpdateItem", (0..BATCH).map(written))),
        ("DeleteItem", ews_answer("DeleteItem", (0..BATCH).map(|_| String::new()))),
        ("FindItem", ews_answer("FindItem", std::iter::once(page))),
        ("SyncFolderItems", ews_answer("SyncFolderItems", std::iter::once(sync.to_owned()))),
    ];
    let server = Arc::new(Server { answers });
    let config = EwsConfig {
        url: "https://mail.example.test/EWS/Exchange.asmx".to_owned(),
        version: ServerVersion::Exchange2016,
        access: EwsAccess::impersonation(),
        owner: Owner(OWNER.to_owned()),
        batch_size: BATCH,
        gzip_requests: false,
    };
    EwsGateway::new(server.clone(), server.clone(), server, config)
}

/// An event as Graph answers a create: the whole of it.
fn graph_event(number: usize, event: &DesiredEvent) -> Value {
    json!({
        "@odata.etag": format!("W/\"{}\"", change_key(number)),
        "id": id(number),
        "createdDateTime": "2026-11-23T08:00:00.0000000Z",
        "lastModifiedDateTime": "2026-11-23T08:00:00.0000000Z",
        "changeKey": change_key(number),
        "categories": event.content.categories,
        "originalStartTimeZone": "Romance Standard Time",
        "originalEndTimeZone": "Romance Standard Time",
        "iCalUId": format!("040000008200E00074C5B7101A82E008{number:032}"),
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": true,
        "subject": event.content.subject,
        "bodyPreview": event.content.body.content,
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": false,
        "type": "singleInstance",
        "body": {"contentType": "text", "content": event.content.body.content},
        "start": {"dateTime": "2026-11-23T08:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-23T09:30:00.0000000", "timeZone": "UTC"},
        "location": {"displayName": "Lyon", "locationType": "default", "uniqueIdType": "unknown"},
        "attendees": [],
        "organizer": {"emailAddress": {"name": "Ana", "address": "ana@example.test"}},
    })
}

fn graph_found(number: usize, event: &DesiredEvent) -> Value {
    let property = |(name, value): &(&str, String)| json!({"id": format!("String {{{PROPERTY_SET}}} Name {name}"), "value": value});
    json!({
        "@odata.etag": format!("W/\"{}\"", change_key(number)),
        "id": id(number),
        "changeKey": change_key(number),
        "type": "singleInstance",
        "singleValueExtendedProperties": properties(event).iter().map(property).collect::<Vec<_>>(),
    })
}

fn graph(events: &[Arc<DesiredEvent>]) -> GraphGateway {
    let listed = events.iter().enumerate();
    let page = json!({"value": listed.map(|(number, event)| graph_found(number, event)).collect::<Vec<_>>()});
    let written = |(number, event): (usize, &Arc<DesiredEvent>)| {
        let headers = json!({"Content-Type": "application/json"});
        json!({"id": (number + 1).to_string(), "status": 201, "headers": headers, "body": graph_event(number, event)})
    };
    let batch = json!({"responses": events.iter().take(BATCH).enumerate().map(written).collect::<Vec<_>>()});
    let answers = vec![("/$batch", batch.to_string().into()), ("/events?", page.to_string().into())];
    let server = Arc::new(Server { answers });
    let root = "https://graph.example.test".to_owned();
    let config = GraphConfig { root, owner: Owner(OWNER.to_owned()), page_size: EVENTS, gzip_requests: false };
    GraphGateway::new(server.clone(), server.clone(), server, Arc::new(SystemClock), config)
}

/// Carries out all writes, a batch at a time, and makes sure that every one of them went through.
async fn apply(gateway: &dyn Gateway, calendar: &Calendar, writes: &[Write]) {
    for batch in writes.chunks(BATCH) {
        let answers = gateway.apply(calendar, batch).await;
        assert!(answers.iter().all(|answer| matches!(answer.outcome, Outcome::Written { .. })), "{answers:?}");
    }
}

/// Reads the calendar and makes sure that everything was found.
async fn read(gateway: &dyn Gateway, calendar: &Calendar) {
    match gateway.read(calendar, None).await.map(|reading| reading.snapshot) {
        Ok(Snapshot::Whole(items)) => assert_eq!(items.len(), EVENTS),
        other => panic!("{other:?}"),
    }
}

fn face(criterion: &mut Criterion, name: &str, gateway: &dyn Gateway, events: &[Arc<DesiredEvent>]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let calendar = Calendar { mailbox: Address::parse("ana@example.test").unwrap(), id: "AQMkAGVjZTI3=".to_owned() };
    let create = |event: &Arc<DesiredEvent>| Write::Create { event: Arc::clone(event), generation: 1 };
    let update = |(number, event): (usize, &Arc<DesiredEvent>)| Write::Update {
        item: ItemRef { id: id(number), change_key: change_key(number) },
        event: Arc::clone(event),
        generation: 2,
        fields: vec![Field::Subject, Field::Time],
        occurrences: Occurrences::NONE,
    };
    let creates: Vec<Write> = events.iter().map(create).collect();
    let updates: Vec<Write> =
        events.iter().enumerate().filter(|(_, event)| event.series.is_none()).map(update).take(980).collect();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("create 1,000 events", |bencher| {
        bencher.iter(|| runtime.block_on(apply(gateway, &calendar, black_box(&creates))));
    });
    group.bench_function("find 1,000 events", |bencher| bencher.iter(|| runtime.block_on(read(gateway, &calendar))));
    group.throughput(Throughput::Elements(updates.len() as u64));
    group.bench_function("change 980 events", |bencher| {
        bencher.iter(|| runtime.block_on(apply(gateway, &calendar, black_box(&updates))));
    });
    group.finish();
}

fn faces(criterion: &mut Criterion) {
    let events = events();
    face(criterion, "ews", &ews(&events), &events);
    face(criterion, "graph", &graph(&events), &events);
}

criterion_group!(benches, faces);
criterion_main!(benches);
