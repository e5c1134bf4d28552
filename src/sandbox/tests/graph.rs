use serde_json::{Value, json};

use super::{
    super::{ApplicationSettings, Fault, FaultKind, RetryAfterForm, Scope, ThrottlingSettings},
    *,
};

const KEY: &str = "String {0ab89da0-c8e5-4849-914a-1396b47752b5} Name SourceKey";
const EVENTS: &str = "/v1.0/users/ana@example.test/events";

fn at(wall: &str) -> Value {
    json!({"dateTime": wall, "timeZone": "Romance Standard Time"})
}

fn kick_off() -> Value {
    json!({
        "subject": "Kick-off",
        "body": {"contentType": "text", "content": "Agenda"},
        "start": at("2026-11-23T09:00:00"),
        "end": at("2026-11-23T10:00:00"),
        "location": {"displayName": "Lyon"},
        "sensitivity": "private",
        "categories": ["Project"],
        "singleValueExtendedProperties": [{"id": KEY, "value": "src/appointment/4711"}],
    })
}

fn weekly() -> Value {
    with(
        kick_off(),
        json!({"recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
            "range": {"type": "numbered", "startDate": "2026-11-23", "numberOfOccurrences": 5},
        }}),
    )
}

fn with(mut value: Value, change: Value) -> Value {
    value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    value
}

fn path(id: &Value) -> String {
    format!("{EVENTS}/{}", super::super::urlencoded::encode(id.as_str().unwrap()))
}

fn code(got: &Got) -> (u16, &str) {
    (got.status, got.body["error"]["code"].as_str().unwrap_or("-"))
}

#[tokio::test]
async fn an_event_is_created_read_found_changed_and_deleted() {
    let running = Running::start(settings()).await;
    let created = running.send("POST", EVENTS, kick_off()).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let (id, key) = (&created.body["id"], &created.body["changeKey"]);
    assert_eq!(created.body["start"], json!({"dateTime": "2026-11-23T08:00:00.0000000", "timeZone": "UTC"}));

    let filter =
        format!("singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'SRC/appointment/4711')");
    let expand = format!("singleValueExtendedProperties($filter=id eq '{KEY}')");
    let encode = super::super::urlencoded::encode;
    let list = format!("{EVENTS}?$filter={}&$expand={}&$select=id,changeKey", encode(&filter), encode(&expand));
    let found = running.send("GET", &list, Value::Null).await;
    let expected = json!([{
        "@odata.etag": format!("W/\"{}\"", key.as_str().unwrap()),
        "id": id, "changeKey": key,
        "singleValueExtendedProperties": [{"id": KEY, "value": "src/appointment/4711"}],
    }]);
    assert_eq!(found.body["value"], expected);
    let wrong_case = list.replace("SourceKey", "sourcekey");
    assert_eq!(running.send("GET", &wrong_case, Value::Null).await.body["value"], json!([]));

    let changed = running.send("PATCH", &path(id), json!({"subject": "Start"})).await;
    assert_eq!((changed.status, changed.body["subject"].as_str()), (200, Some("Start")));
    assert_ne!(&changed.body["changeKey"], key);
    let stale = running.request("PATCH", &path(id), &json!({"subject": "x"}));
    let stale = read(stale.header("if-match", format!("W/\"{}\"", key.as_str().unwrap())).send().await.unwrap()).await;
    assert_eq!(code(&stale), (412, "ErrorIrresolvableConflict"));

    assert_eq!(running.send("DELETE", &path(id), Value::Null).await.status, 204);
    assert_eq!(code(&running.send("GET", &path(id), Value::Null).await), (404, "ErrorItemNotFound"));
    assert_eq!(running.sandbox.counters().mails_sent, 0);
}

#[tokio::test]
async fn the_header_decides_id_zone_and_body() {
    let running = Running::start(settings()).await;
    let regular = running.send("POST", EVENTS, kick_off()).await;
    let get = |prefer: &'static str| {
        running.request("GET", &path(&regular.body["id"]), &Value::Null).header("prefer", prefer)
    };
    let prefer = r#"IdType="ImmutableId", outlook.timezone="Romance Standard Time", outlook.body-content-type="text""#;
    let got = read(get(prefer).send().await.unwrap()).await;
    assert_ne!(got.body["id"], regular.body["id"]);
    assert_eq!(
        got.body["start"],
        json!({"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "Romance Standard Time"})
    );
    assert_eq!(got.body["body"], json!({"contentType": "text", "content": "Agenda"}));
    assert!(got.headers["preference-applied"].to_str().unwrap().contains("ImmutableId"));
    let flipped: String = got.body["id"].as_str().unwrap().chars().map(|c| if c == 'A' { 'a' } else { c }).collect();
    assert_eq!(code(&running.send("GET", &path(&json!(flipped)), Value::Null).await), (404, "ErrorItemNotFound"));
    assert_eq!(code(&running.send("GET", &path(&json!("x")), Value::Null).await), (400, "ErrorInvalidIdMalformed"));
}

#[tokio::test]
async fn a_routing_hint_to_another_mailbox_is_refused() {
    let running = Running::start(settings()).await;
    for (hint, status) in [("ANA@example.test", 200), ("smtp:ana@example.test", 200), ("bob@example.test", 400)] {
        let request = running.request("GET", EVENTS, &Value::Null).header("x-anchormailbox", hint);
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{hint}");
    }
}

#[tokio::test]
async fn what_graph_refuses_to_create() {
    let running = Running::start(settings()).await;
    let all_day =
        |start: &str, end: &str| with(kick_off(), json!({"isAllDay": true, "start": at(start), "end": at(end)}));
    let cases = [
        (with(kick_off(), json!({"colour": "red"})), "RequestBodyRead"),
        (with(kick_off(), json!({"id": "x"})), "ErrorInvalidPropertyRequest"),
        (with(kick_off(), json!({"subject": 5})), "RequestBodyRead"),
        (with(kick_off(), json!({"showAs": "away"})), "RequestBodyRead"),
        (with(kick_off(), json!({"start": at("2026-11-23T09:00:00Z")})), "ErrorPropertyValidationFailure"),
        (with(kick_off(), json!({"start": at("2026-11-23T09:00:00+01:00")})), "ErrorPropertyValidationFailure"),
        (with(kick_off(), json!({"start": {"dateTime": "2026-11-23T09:00:00"}})), "ErrorPropertyValidationFailure"),
        (with(kick_off(), json!({"start": null})), "ErrorPropertyValidationFailure"),
        (with(kick_off(), json!({"end": at("2026-11-22T09:00:00")})), "ErrorCalendarEndDateIsEarlierThanStartDate"),
        (
            with(kick_off(), json!({"start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "Mars"}})),
            "TimeZoneNotSupportedException",
        ),
        (all_day("2026-11-23T09:00:00", "2026-11-24T00:00:00"), "ErrorPropertyValidationFailure"),
        (all_day("2026-11-23T00:00:00", "2026-11-23T00:00:00"), "ErrorPropertyValidationFailure"),
        (
            with(weekly(), json!({"start": at("2026-11-24T09:00:00"), "end": at("2026-11-24T10:00:00")})),
            "ErrorPropertyValidationFailure",
        ),
        (
            with(kick_off(), json!({"singleValueExtendedProperties": [{"id": "x", "value": "y"}]})),
            "ErrorInvalidProperty",
        ),
    ];
    for (body, expected) in cases {
        let got = running.send("POST", EVENTS, body.clone()).await;
        assert_eq!(code(&got), (400, expected), "{body}");
        assert!(got.body["error"]["innerError"]["request-id"].is_string());
    }
    assert_eq!(running.sandbox.sandbox().store().mailboxes()[0].item_count, 0);
}

#[tokio::test]
async fn an_instance_is_changed_and_another_deleted() {
    let running = Running::start(settings()).await;
    let master = running.send("POST", EVENTS, weekly()).await;
    assert_eq!(master.body["recurrence"]["range"]["endDate"], "0001-01-01");
    let instances = format!(
        "{}/instances?startDateTime=2026-11-01T00:00:00&endDateTime=2027-01-01T00:00:00Z",
        path(&master.body["id"])
    );
    let all = running.send("GET", &instances, Value::Null).await.body["value"].clone();
    assert_eq!(all.as_array().unwrap().len(), 5);
    assert_eq!(all[1]["originalStart"], "2026-11-30T08:00:00Z");
    let moved = json!({"start": at("2026-11-30T14:00:00"), "end": at("2026-11-30T15:00:00")});
    assert_eq!(running.send("PATCH", &path(&all[1]["id"]), moved).await.body["type"], "exception");
    let far = json!({"start": at("2026-12-07T09:00:00"), "end": at("2026-12-07T10:00:00")});
    assert_eq!(code(&running.send("PATCH", &path(&all[1]["id"]), far).await), (400, "ErrorOccurrenceCrossingBoundary"));
    assert_eq!(running.send("DELETE", &path(&all[2]["id"]), Value::Null).await.status, 204);
    let left = running.send("GET", &instances, Value::Null).await.body["value"].clone();
    let starts: Vec<_> =
        left.as_array().unwrap().iter().map(|one| one["start"]["dateTime"].as_str().unwrap()).collect();
    let expected = ["2026-11-23T08", "2026-11-30T13", "2026-12-14T08", "2026-12-21T08"];
    assert!(
        starts.iter().zip(expected).all(|(start, hour)| start.starts_with(hour)) && starts.len() == 4,
        "{starts:?}"
    );
    let series = format!(
        "{}?$select=id,cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences",
        path(&master.body["id"])
    );
    let series = running.send("GET", &series, Value::Null).await.body;
    let id = master.body["id"].as_str().unwrap();
    assert_eq!(series["cancelledOccurrences"], json!([format!("OID.{id}.2026-12-07")]));
    assert_eq!(series["exceptionOccurrences"][0]["originalStart"], "2026-11-30T08:00:00Z");
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let running = Running::start(settings()).await;
    for number in 0..23 {
        running.send("POST", EVENTS, with(kick_off(), json!({"subject": number.to_string()}))).await;
    }
    let (mut url, mut subjects, mut pages) = (format!("{EVENTS}?$select=subject"), Vec::new(), 0);
    loop {
        let got = running.send("GET", &url, Value::Null).await;
        pages += 1;
        subjects.extend(
            got.body["value"].as_array().unwrap().iter().map(|one| one["subject"].as_str().unwrap().to_owned()),
        );
        match got.body["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, subjects.len()), (3, 23));
    assert_eq!(subjects, (0..23).map(|number| number.to_string()).collect::<Vec<_>>());
    let view =
        "/v1.0/users/ana@example.test/calendarView?startDateTime=2026-11-23T00:00:00&endDateTime=2026-11-24T00:00:00";
    let got = running.send("GET", &format!("{view}&$top=1000"), Value::Null).await;
    assert_eq!(got.body["value"].as_array().unwrap().len(), 23);
    let filter = super::super::urlencoded::encode(&format!(
        "singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value ne null)"
    ));
    assert_eq!(running.send("GET", &format!("{view}&$filter={filter}"), Value::Null).await.status, 500);
    assert_eq!(running.send("GET", view.split('?').next().unwrap(), Value::Null).await.status, 400);
}

#[tokio::test]
async fn a_transaction_counts_once() {
    let running = Running::start(settings()).await;
    let event = with(kick_off(), json!({"transactionId": "t-1"}));
    let first = running.send("POST", EVENTS, event.clone()).await;
    assert_eq!(first.status, 201);
    assert_eq!(code(&running.send("POST", EVENTS, event).await), (409, "ErrorDuplicateTransactionId"));
    let patch = json!({"transactionId": "t-2"});
    assert_eq!(
        code(&running.send("PATCH", &path(&first.body["id"]), patch).await),
        (400, "ErrorInvalidPropertyRequest")
    );
}

#[tokio::test]
async fn attendees_are_mailed_and_counted() {
    let running = Running::start(settings()).await;
    let event =
        with(kick_off(), json!({"attendees": [{"type": "required", "emailAddress": {"address": "bob@example.test"}}]}));
    let created = running.send("POST", EVENTS, event).await;
    running.send("PATCH", &path(&created.body["id"]), json!({"subject": "New"})).await;
    running.send("DELETE", &path(&created.body["id"]), Value::Null).await;
    assert_eq!(running.sandbox.counters().mails_sent, 3);
}

#[tokio::test]
async fn calendars_and_users() {
    let running = Running::start(settings()).await;
    let root = "/v1.0/users/ana@example.test";
    let user = running.send("GET", root, Value::Null).await.body;
    assert_eq!(user["mail"], ANA);
    let created = running.send("POST", &format!("{root}/calendars"), json!({"name": "Duty"})).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let again = running.send("POST", &format!("{root}/calendars"), json!({"name": "duty"})).await;
    assert_eq!(code(&again), (409, "ErrorFolderExists"));
    let by_id = format!("/v1.0/users/{}/calendars", user["id"].as_str().unwrap());
    let names = running.send("GET", &by_id, Value::Null).await.body["value"].clone();
    assert_eq!(names.as_array().unwrap().iter().map(|one| &one["name"]).collect::<Vec<_>>(), ["Calendar", "Duty"]);
    let calendar =
        format!("{root}/calendars/{}", super::super::urlencoded::encode(created.body["id"].as_str().unwrap()));
    assert_eq!(running.send("GET", &calendar, Value::Null).await.body["name"], "Duty");
    assert_eq!(running.send("GET", &format!("{root}/calendar"), Value::Null).await.body["isDefaultCalendar"], true);
    let event = running.send("POST", &format!("{calendar}/events"), kick_off()).await;
    assert_eq!(event.status, 201);
    assert_eq!(running.send("GET", EVENTS, Value::Null).await.body["value"], json!([]));
    assert_eq!(
        running.send("GET", &format!("{calendar}/events"), Value::Null).await.body["value"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        code(&running.send("GET", "/v1.0/users/nobody@example.test/calendar", Value::Null).await),
        (404, "ErrorInvalidUser")
    );
}

#[tokio::test]
async fn rights_end_at_the_scope() {
    let mut settings = settings();
    settings.applications[0].scope = Scope::Only(vec!["bob@example.test".to_owned()]);
    settings.applications.push(ApplicationSettings {
        client_id: "reader".to_owned(),
        roles: vec!["Calendars.Read".to_owned()],
        ..settings.applications[0].clone()
    });
    let mut running = Running::start(settings).await;
    assert_eq!(code(&running.send("GET", EVENTS, Value::Null).await), (403, "ErrorAccessDenied"));
    let bobs = "/v1.0/users/bob@example.test/events";
    assert_eq!(running.send("POST", bobs, kick_off()).await.status, 201);
    let mut reader = TOKEN_FORM;
    reader[1].1 = "reader";
    let got = running.post_form("/tenant/oauth2/v2.0/token", &reader).await;
    running.token = got.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(running.send("GET", bobs, Value::Null).await.status, 200);
    assert_eq!(code(&running.send("POST", bobs, kick_off()).await), (403, "ErrorAccessDenied"));
    running.sandbox.sandbox().revoke_tokens();
    assert_eq!(code(&running.send("GET", bobs, Value::Null).await), (401, "InvalidAuthenticationToken"));
}

fn step(id: &str, method: &str, url: &str, body: Value) -> Value {
    let step = json!({"id": id, "method": method, "url": url});
    if body.is_null() {
        step
    } else {
        with(step, json!({"body": body, "headers": {"Content-Type": "application/json"}}))
    }
}

fn by_id<'a>(got: &'a Got, id: &str) -> &'a Value {
    got.body["responses"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()
}

#[tokio::test]
async fn a_batch_has_a_429_inside_and_goes_on() {
    let throttling = ThrottlingSettings { retry_after_form: RetryAfterForm::Fraction, ..ThrottlingSettings::default() };
    let running = Running::start(SandboxSettings { throttling, ..settings() }).await;
    running.sandbox.inject(Fault { retry_after_s: Some(2.128), ..Fault::nth(FaultKind::Batch429, 2, "CreateEvent") });
    let url = "/users/ana@example.test/events";
    let mut requests: Vec<Value> = (0..4).map(|id| step(&id.to_string(), "POST", url, kick_off())).collect();
    requests.push(with(step("x", "GET", &format!("{url}?$top=50"), Value::Null), json!({"dependsOn": ["1"]})));
    requests.push(with(step("y", "GET", &format!("{url}?$top=50"), Value::Null), json!({"dependsOn": ["0"]})));
    let got = running.send("POST", "/v1.0/$batch", json!({"requests": requests})).await;
    assert_eq!(got.status, 200, "{}", got.body);
    let statuses: Vec<_> =
        ["0", "1", "2", "3", "x", "y"].map(|id| by_id(&got, id)["status"].as_u64().unwrap()).to_vec();
    assert_eq!(statuses, [201, 429, 201, 201, 424, 200]);
    assert_eq!(by_id(&got, "1")["headers"]["Retry-After"], "2.128");
    assert_eq!(by_id(&got, "1")["body"]["error"]["code"], "ApplicationThrottled");
    assert_eq!(running.sandbox.sandbox().store().mailboxes()[0].item_count, 3);
    assert_eq!(running.sandbox.counters().operations["CreateEvent"], 4);
}

#[tokio::test]
async fn an_answer_is_dropped_after_the_commit() {
    let running = Running::start(settings()).await;
    running.sandbox.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, "CreateEvent"));
    running.sandbox.inject(Fault::nth(FaultKind::Reset, 2, "CreateEvent"));
    for stored in [1, 1] {
        running.request("POST", EVENTS, &kick_off()).send().await.expect_err("broken");
        assert_eq!(running.sandbox.sandbox().store().mailboxes()[0].item_count, stored);
    }
    assert_eq!(running.send("POST", EVENTS, kick_off()).await.status, 201);
    // Inside a batch the others are carried out too.
    running.sandbox.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, "CreateEvent"));
    let url = "/users/ana@example.test/events";
    let requests: Vec<Value> = (0..3).map(|id| step(&id.to_string(), "POST", url, kick_off())).collect();
    running.request("POST", "/v1.0/$batch", &json!({"requests": requests})).send().await.expect_err("broken");
    assert_eq!(running.sandbox.sandbox().store().mailboxes()[0].item_count, 5);
}

#[tokio::test]
async fn the_limits_reject_and_count() {
    let throttling = ThrottlingSettings { requests_per_window: 3, window_s: 3600, ..ThrottlingSettings::default() };
    let running = Running::start(SandboxSettings { throttling, ..settings() }).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let got = running.send("GET", EVENTS, Value::Null).await;
        statuses.push(got.status);
        assert_eq!(got.headers.contains_key("retry-after"), got.status == 429);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(running.send("GET", "/v1.0/users/bob@example.test/events", Value::Null).await.status, 200);
    assert_eq!(running.sandbox.counters().rejected, 2);
}

#[tokio::test]
async fn more_at_a_time_than_the_mailbox_allows_is_refused_inside_a_batch() {
    let throttling = ThrottlingSettings { concurrent_per_mailbox: 2, ..ThrottlingSettings::default() };
    let running = Running::start(SandboxSettings { throttling, latency_ms: 1, ..settings() }).await;
    let url = "/users/ana@example.test/events";
    let requests: Vec<Value> = (0..4).map(|id| step(&id.to_string(), "GET", url, Value::Null)).collect();
    let got = running.send("POST", "/v1.0/$batch", json!({"requests": requests})).await;
    let refused = got.body["responses"].as_array().unwrap().iter().filter(|one| one["status"] == 429).count();
    let counts = running.sandbox.counters();
    assert_eq!((refused, counts.rejected, counts.in_flight_max[ANA]), (2, 2, 2));
}

#[tokio::test]
async fn gzip_goes_both_ways() {
    use std::io::Write as _;
    let running = Running::start(settings()).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(kick_off().to_string().as_bytes()).unwrap();
    // A client that leaves the answer as it came.
    let plain = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let request = plain
        .post(format!("{}{EVENTS}", running.sandbox.url()))
        .bearer_auth(&running.token)
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .header("accept-encoding", "gzip")
        .body(encoder.finish().unwrap());
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["content-encoding"].to_str().unwrap()), (201, "gzip"));
    let packed = response.bytes().await.unwrap();
    let event: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap();
    assert_eq!(event["subject"], "Kick-off");
}

/// A tour of valid requests: the checker finds nothing wrong in its recording.
#[tokio::test]
async fn a_recording_holds_each_exchange_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(&folder, "sandbox-graph.jsonl");
    let running = Running::start_recorded(settings(), Some(file.clone())).await;
    let created = running.send("POST", EVENTS, kick_off()).await;
    running.sandbox.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, "CreateEvent"));
    running.request("POST", EVENTS, &kick_off()).send().await.expect_err("broken");
    tour(&running, &created.body["id"]).await;
    running.client.get(running.sandbox.url()).send().await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&running.token) && !text.contains("secret=secret"), "{text}");
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let statuses: Vec<_> = entries.iter().map(|entry| entry["response"]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 201, 0, 200, 201, 200, 200, 200, 200, 200, 201, 200, 200, 404, 200, 204]);
    let url = entries[1]["request"]["url"].as_str().unwrap();
    assert_eq!(url, format!("{}{EVENTS}", running.sandbox.url()));
    let sent: Value = serde_json::from_str(entries[1]["request"]["postData"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(sent, kick_off());
}

async fn tour(running: &Running, single: &Value) {
    let expand = super::super::urlencoded::encode(&format!("singleValueExtendedProperties($filter=id eq '{KEY}')"));
    running.send("GET", &format!("{EVENTS}?$expand={expand}"), Value::Null).await;
    let master = running.send("POST", EVENTS, weekly()).await;
    let window = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z";
    let instances = format!("{}/instances?{window}&$top=2&$count=true", path(&master.body["id"]));
    let instances = running.send("GET", &instances, Value::Null).await;
    running
        .send(
            "GET",
            &format!("/v1.0/users/ana@example.test/calendarView?{window}&$orderby=start/dateTime"),
            Value::Null,
        )
        .await;
    let moved = json!({"start": at("2026-11-30T14:00:00"), "end": at("2026-11-30T15:00:00")});
    running.send("PATCH", &path(&instances.body["value"][1]["id"]), moved).await;
    let whole = json!({"isAllDay": true, "start": at("2026-11-24T00:00:00"), "end": at("2026-11-26T00:00:00")});
    running.send("PATCH", &path(single), whole).await;
    running.send("GET", "/v1.0/users/ana@example.test/calendar", Value::Null).await;
    running.send("POST", "/v1.0/users/ana@example.test/calendars", json!({"name": "Duty"})).await;
    running.send("GET", "/v1.0/users/ana@example.test/calendars", Value::Null).await;
    running.send("GET", &path(&master.body["id"]), Value::Null).await;
    running.send("GET", &path(&json!("A".repeat(36))), Value::Null).await;
    let url = "/users/ana@example.test/events";
    let requests = [
        step("1", "POST", url, kick_off()),
        step("2", "GET", url, Value::Null),
        step("3", "DELETE", &format!("{url}/A"), Value::Null),
    ];
    running.send("POST", "/v1.0/$batch", json!({"requests": requests})).await;
    running.send("DELETE", &path(single), Value::Null).await;
}
