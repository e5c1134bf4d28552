use serde_json::{Value, json};

use super::*;

const ITEMS: &str = "/sandbox/mailboxes/ana@example.test/items";

fn own(subject: &str) -> Value {
    let at =
        |hour: u32| json!({"dateTime": format!("2026-11-25T{hour:02}:00:00"), "timeZone": "Romance Standard Time"});
    json!({"subject": subject, "start": at(9), "end": at(10), "singleValueExtendedProperties":
        [{"id": "String {0ab89da0-c8e5-4849-914a-1396b47752b5} Name SourceKey", "value": "k"}]})
}

#[tokio::test]
async fn a_person_adds_edits_copies_moves_and_deletes() {
    let running = Running::start(settings()).await;
    let added = running.send("POST", ITEMS, own("Dentist")).await;
    assert_eq!(added.status, 200, "{}", added.body);
    let item = |id: &Value| format!("{ITEMS}/{}", super::super::urlencoded::encode(id.as_str().unwrap()));
    let edited = running.send("PATCH", &item(&added.body["id"]), json!({"subject": "Doctor"})).await.body;
    assert_eq!(edited["subject"], "Doctor");
    assert_ne!(edited["change_key"], added.body["change_key"]);
    let touched = running.send("POST", &format!("{}/touch", item(&edited["id"])), json!({})).await.body;
    assert!(touched["change_key"] != edited["change_key"] && touched["subject"] == "Doctor");
    let settle = "/sandbox/mailboxes/ana@example.test/settle";
    assert_eq!(running.send("POST", settle, json!({})).await.status, 200);
    let copy = running.send("POST", &format!("{}/copy", item(&edited["id"])), json!({})).await.body;
    assert_eq!(copy["properties"], json!({"0ab89da0-c8e5-4849-914a-1396b47752b5/SourceKey": "k"}));
    let moved = running.send("POST", &format!("{}/move", item(&copy["id"])), json!({"folder": null})).await.body;
    assert!(moved["id"] != copy["id"] && moved["immutable_id"] == copy["immutable_id"]);
    let all = running.send("GET", ITEMS, Value::Null).await.body;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(running.send("DELETE", &item(&edited["id"]), Value::Null).await.status, 200);
    assert_eq!(running.send("DELETE", &item(&edited["id"]), Value::Null).await.status, 404);
    let view = "/sandbox/mailboxes/ana@example.test/view?from=2026-11-25T00:00:00Z&to=2026-11-26T00:00:00Z";
    assert_eq!(running.send("GET", view, Value::Null).await.body[0]["start_wall"], "2026-11-25T09:00:00");
}

#[tokio::test]
async fn an_administrator_moves_breaks_revokes_and_resets() {
    let running = Running::start(settings()).await;
    running.send("POST", ITEMS, own("x")).await;
    let state = "/sandbox/mailboxes/ana@example.test/state";
    let events = "/v1.0/users/ana@example.test/events";
    for (state_name, status) in [("moving", 503), ("elsewhere", 404), ("active", 200)] {
        let set = running.send("PUT", state, json!({"state": state_name})).await;
        assert_eq!(set.body["state"], state_name);
        assert_eq!(running.send("GET", events, Value::Null).await.status, status);
    }
    running.send("PUT", state, json!({"state": "full"})).await;
    let event = own("x");
    assert_eq!(running.send("POST", events, event).await.status, 507);
    assert_eq!(running.send("GET", events, Value::Null).await.status, 200);
    running.send("PUT", state, json!({"state": "active"})).await;
    let fault = json!({"kind": "http_503", "operation": "ListEvents", "nth": 1});
    assert_eq!(running.send("POST", "/sandbox/faults", fault.clone()).await.status, 200);
    assert_eq!(running.send("GET", events, Value::Null).await.status, 503);
    running.send("POST", "/sandbox/faults", fault).await;
    running.send("DELETE", "/sandbox/faults", Value::Null).await;
    assert_eq!(running.send("GET", events, Value::Null).await.status, 200);
    running.send("POST", "/sandbox/tokens/revoke", json!({})).await;
    assert_eq!(running.send("GET", events, Value::Null).await.status, 401);
    let counters = running.send("GET", "/sandbox/counters", Value::Null).await.body;
    assert_eq!(counters["operations"]["ListEvents"], 6);
    running.send("POST", "/sandbox/reset", json!({})).await;
    let mailboxes = running.send("GET", "/sandbox/mailboxes", Value::Null).await.body;
    assert_eq!(mailboxes[0]["items"], 0);
    for (method, path) in
        [("POST", "/sandbox/faults"), ("GET", "/sandbox/nothing"), ("GET", "/sandbox/mailboxes/x/items")]
    {
        let got = running.send(method, path, json!({"kind": "earthquake"})).await;
        assert!(got.status >= 400 && got.body["error"].is_string(), "{path}");
    }
}
