//! The gateway against the sandbox, in this process.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use http::{HeaderValue, header::AUTHORIZATION};

use super::{
    EwsGateway,
    sample::{self, Latest, Server},
};
use crate::{
    clock::SystemClock,
    gateway::{Calendar, Gateway, Outcome, Write},
    http::{Answer, Request, Response, Transport},
    model::{
        event::DesiredEvent,
        fingerprint::Field,
        link::{FoundItem, ItemRef},
        occurrences::Occurrences,
        snapshot::Snapshot,
        time::EventTime,
        zone::Zone,
    },
    sandbox::{
        AccountSettings, MailboxSettings, Sandbox, SandboxSettings, Scope,
        store::{self, Draft, Moment, Target},
    },
};

const ANA: &str = "ana@example.test";

/// Leads requests to a sandbox, in the name of its account.
#[derive(Debug)]
struct Line(Sandbox);

impl Transport for Line {
    fn send(&self, request: Request) -> Answer<'_> {
        let mut inner = http::Request::builder().method(request.method).uri(request.url);
        *inner.headers_mut().unwrap() = request.headers;
        let password = HeaderValue::from_static("Basic c2VydmljZTpzZWNyZXQ=");
        inner.headers_mut().unwrap().insert(AUTHORIZATION, password);
        let request = inner.body(request.body).unwrap();
        Box::pin(async move {
            let crate::sandbox::Outcome::Answer(answer) = self.0.handle(request).await else { panic!("broken") };
            let (parts, body) = answer.into_parts();
            Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body })
        })
    }
}

struct Stage {
    sandbox: Sandbox,
    gateway: EwsGateway,
    calendar: Calendar,
}

impl Stage {
    async fn new() -> Self {
        let (user, password) = ("service".to_owned(), "secret".to_owned());
        let account = AccountSettings { user, password, impersonate: Scope::All, ..AccountSettings::default() };
        let settings = SandboxSettings {
            mailboxes: vec![MailboxSettings { address: ANA.to_owned(), ..MailboxSettings::default() }],
            accounts: vec![account],
            ..SandboxSettings::default()
        };
        let sandbox = Sandbox::new(settings, None, Arc::new(SystemClock)).unwrap();
        let port = Server::new([]);
        let gateway = EwsGateway::new(Arc::new(Line(sandbox.clone())), port.clone(), port, Latest.config());
        let calendar = gateway.open(&sample::mailbox()).await.unwrap();
        Self { sandbox, gateway, calendar }
    }

    async fn apply(&self, write: Write) -> ItemRef {
        let answers = self.gateway.apply(&self.calendar, &[write]).await;
        let Outcome::Written { item, .. } = &answers[0].outcome else { panic!("{answers:?}") };
        assert!(answers[0].request_id.is_some(), "{answers:?}");
        item.clone()
    }

    /// When the calendar shows the item.
    fn times(&self, item: &ItemRef) -> (String, String) {
        let entry = self.sandbox.store().get(ANA, &Target::Id(item.id.clone())).unwrap();
        (entry.content.start.to_string(), entry.content.end.to_string())
    }

    async fn create(&self, event: &DesiredEvent) -> ItemRef {
        self.apply(Write::Create { event: Arc::new(event.clone()), generation: 0 }).await
    }

    async fn update(&self, item: &ItemRef, event: &DesiredEvent, fields: &[Field]) -> ItemRef {
        let (item, event) = (item.clone(), Arc::new(event.clone()));
        self.apply(Write::Update {
            item,
            event,
            generation: 2,
            fields: fields.to_vec(),
            occurrences: Occurrences::NONE,
        })
        .await
    }

    /// How many items changed since, and those of ours.
    async fn changes(&self, cursor: &str) -> (usize, Vec<FoundItem>) {
        let reading = self.gateway.read(&self.calendar, Some(cursor)).await.unwrap();
        let Snapshot::Changes { changed, ours, .. } = reading.snapshot else { panic!("{reading:?}") };
        (changed.len(), ours)
    }
}

#[tokio::test]
async fn changes_tell_which_items_are_ours() {
    let stage = Stage::new().await;
    let event = sample::meeting();
    let cursor = stage.gateway.read(&stage.calendar, None).await.unwrap().cursor.unwrap();
    let item = stage.create(&event).await;
    let at = |text: &str| Moment::Instant(text.parse().unwrap());
    let foreign = Draft::new(at("2026-03-02T08:00:00Z"), at("2026-03-02T09:00:00Z"), store::Zone::utc());
    stage.sandbox.store().create(ANA, None, foreign).unwrap();
    let (changed, ours) = stage.changes(&cursor).await;
    assert_eq!((changed, ours.len()), (2, 1));
    assert_eq!((&ours[0].item, ours[0].key.as_str()), (&item, event.key.as_str()));
    assert_eq!((&ours[0].fingerprint, &ours[0].owner), (&Some(event.fingerprint()), &Some(sample::owner())));

    // Deleted and restored it has another id.
    let cursor = stage.gateway.read(&stage.calendar, Some(&cursor)).await.unwrap().cursor.unwrap();
    let restored = stage.sandbox.store().copy_item(ANA, &item.id, None).unwrap().id;
    stage.gateway.apply(&stage.calendar, &[Write::Delete { key: event.key.clone(), item }]).await;
    let (changed, ours) = stage.changes(&cursor).await;
    assert_eq!((changed, ours.len(), ours[0].item.id.as_str()), (1, 1, restored.as_str()));
    assert_eq!(ours[0].key, event.key.as_str());
}

/// Midnight of 24 April 2026 does not exist in Cairo: the day begins at one o'clock.
#[tokio::test]
async fn a_day_that_begins_late_does_not_make_an_event_longer() {
    let stage = Stage::new().await;
    let mut event = sample::all_day();
    let zone = Zone::parse("Africa/Cairo").unwrap();
    let day = "2026-04-23".parse().unwrap();
    event.time = EventTime::AllDay { first: day, last: day, zone };
    let expected = ("2026-04-22T22:00:00Z".to_owned(), "2026-04-23T22:00:00Z".to_owned());
    let mut item = stage.create(&event).await;
    assert_eq!(stage.times(&item), expected);
    for fields in [[Field::Time], [Field::Subject]] {
        item = stage.update(&item, &event, &fields).await;
        assert_eq!(stage.times(&item), expected, "{fields:?}");
    }
}
