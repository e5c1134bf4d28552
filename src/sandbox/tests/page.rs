use serde_json::{Value, json};

use super::*;

fn event(subject: &str, start: &str, end: &str, change: &Value) -> Value {
    let at = |wall: &str| json!({"dateTime": wall, "timeZone": "Romance Standard Time"});
    let mut event = json!({"subject": subject, "start": at(start), "end": at(end)});
    event.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap_or_default());
    event
}

async fn page(running: &Running, query: &str) -> String {
    let response = running.client.get(format!("{}/{query}", running.sandbox.url())).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    response.text().await.unwrap()
}

#[tokio::test]
async fn a_week_shows_its_events_and_no_others() {
    let running = Running::start(settings()).await;
    let weekly = json!({"sensitivity": "private", "location": {"displayName": "Room <1>"}, "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
        "range": {"type": "numbered", "startDate": "2026-11-16", "numberOfOccurrences": 3},
    }});
    let events = "/v1.0/users/ana@example.test/events";
    for event in [
        event("Series & <co>", "2026-11-16T09:00:00", "2026-11-16T10:00:00", &weekly),
        event("Holiday", "2026-11-28T00:00:00", "2026-12-02T00:00:00", &json!({"isAllDay": true})),
        event("Elsewhen", "2026-12-09T09:00:00", "2026-12-09T10:00:00", &Value::Null),
    ] {
        assert_eq!(running.send("POST", events, event).await.status, 201);
    }
    for query in ["?week=2026-11-26", "?week=2026-11-23&mailbox=ana%40example.test"] {
        let html = page(&running, query).await;
        for expected in ["Series &amp; &lt;co&gt;", "09:00", "Holiday", "class=\"lock\"", "class=\"loop\"", "week 48"] {
            assert!(html.contains(expected), "{query}: {expected}");
        }
        assert!(!html.contains("Elsewhen") && !html.contains("<co>") && !html.contains("<script"), "{query}");
        assert!(html.contains("/?week=2026-11-16") && html.contains("/?week=2026-11-30"), "{query}");
        for tag in ["div", "span", "table", "td", "th", "tr", "a", "main", "nav"] {
            let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{query}: {tag}");
        }
    }
    assert!(page(&running, "?week=2026-11-30&mailbox=ana@example.test").await.contains("grid-column:2/4"));
    assert!(page(&running, "?mailbox=%3Cb%3E").await.contains("&lt;b&gt;"));
}
