//! The state: one story from the first intent to a restart, and the ways in which a file can be unusable.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, fs, path::Path};

use calsyncd::{
    model::{
        address::Address,
        echo::Echo,
        fingerprint::Fingerprint,
        history::{Entry, Step},
        hold::Verdict,
        key::{Kind, SourceKey},
        link::{Intent, ItemRef, Link, Repairs, Verb},
        occurrences::WrittenOccurrences,
        side::Side,
        source::Rejection,
    },
    state::{
        Access, Advance, Decision, FollowedCalendar, MailboxPlace, MailboxState, Parked, Settlement, Standing,
        StateError, Store, Wait, WaitScope,
    },
};
use jiff::Timestamp;

fn mailbox(name: &str) -> Address {
    Address::parse(&format!("{name}@example.test")).unwrap()
}

fn key(id: &str) -> SourceKey {
    SourceKey::new("erp", Kind::Appointment, id)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn intent(id: &str, verb: Verb) -> Intent {
    Intent { key: key(id), verb, generation: 7, ends: at(1_000), repairs: Repairs { since: at(5), count: 2 } }
}

fn link(id: &str) -> Link {
    let item = ItemRef { id: format!("Item/{id}+="), change_key: "Aa".to_owned() };
    Link {
        generation: 7,
        repairs: Repairs { since: at(5), count: 2 },
        occurrences: WrittenOccurrences::parse("2026-11-30T09:00:00 0123456789ab,2026-12-07T09:00:00 cancelled"),
        echo: Echo::parse(&format!("1:{}:0123456789ab", "0123456789ab".repeat(10) + "------------")),
        deleted_at: Some(at(9)),
        ..Link::new(key(id), item, Fingerprint::unknown())
    }
}

async fn open(path: &Path) -> Store {
    Store::open(path, Access::Exclusive).await.unwrap()
}

#[tokio::test]
async fn a_story_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/state é.sqlite");
    let (ana, bob) = (mailbox("ana"), mailbox("bob"));
    let store = open(&path).await;
    let owner = store.owner().clone();

    store
        .intend(&ana, &[intent("1", Verb::Create), intent("2", Verb::Update), intent("3", Verb::Delete)])
        .await
        .unwrap();
    store.intend(&ana, &[intent("1", Verb::Create)]).await.unwrap();
    store.settle(&ana, &[Settlement::Linked(link("1")), Settlement::Dropped(key("3"))], at(10)).await.unwrap();
    let refused = Settlement::Refused {
        key: key("4"),
        fingerprint: Fingerprint::unknown(),
        code: "ErrorInvalidRequest".to_owned(),
        message: "no".to_owned(),
        retry_at: at(99),
    };
    store.settle(&bob, &[refused], at(11)).await.unwrap();
    let parked = Parked {
        since: at(14),
        until: at(77),
        code: "ErrorQuotaExceeded".to_owned(),
        message: "full".to_owned(),
        hint: None,
        asked: true,
    };
    let state = MailboxState {
        cursor: Some("H4sI".to_owned()),
        read_at: Some(at(12)),
        finished_at: Some(at(13)),
        parked: Some(parked),
        parked_times: 3,
        ..MailboxState::new(bob.clone())
    };
    store.save_mailbox(&state).await.unwrap();
    store.replace_holds(&ana, &[(key("8"), "no longer in the source".to_owned())], |_| false, at(20)).await.unwrap();
    let rejection = Rejection { key: None, place: "a.jsonl:3".to_owned(), reason: "not JSON".to_owned() };
    assert_eq!(
        store.replace_rejections("erp", std::slice::from_ref(&rejection), at(21)).await.unwrap(),
        std::slice::from_ref(&rejection)
    );
    store.close().await;
    drop(store);

    let store = open(&path).await;
    assert_eq!(*store.owner(), owner, "the instance keeps its name");
    assert_eq!(store.links(&ana).await.unwrap(), [link("1")]);
    assert_eq!(store.links(&bob).await.unwrap(), []);
    assert_eq!(store.intents(&ana).await.unwrap(), [intent("2", Verb::Update)]);
    assert_eq!(store.mailbox(&bob).await.unwrap(), state);
    assert_eq!(store.mailboxes().await.unwrap().len(), 2, "a mailbox with links is known too");
    assert_eq!(store.link_counts().await.unwrap(), [(ana.clone(), 1)]);
    assert_eq!(store.refusals(Some(&bob)).await.unwrap()[0].code, "ErrorInvalidRequest");
    assert_eq!(store.refusals(Some(&ana)).await.unwrap(), []);
    assert_eq!(store.refusals(None).await.unwrap().len(), 1);

    store
        .replace_holds(
            &ana,
            &[(key("8"), "no longer in the source".to_owned()), (key("9"), "handed over".to_owned())],
            |_| false,
            at(50),
        )
        .await
        .unwrap();
    let since: Vec<Timestamp> = store.holds(None).await.unwrap().iter().map(|held| held.since).collect();
    assert_eq!(since, [at(20), at(50)], "what was held before keeps its date");
    assert_eq!(store.replace_rejections("erp", &[rejection], at(60)).await.unwrap(), [], "what was known is not news");
    assert_eq!(store.rejections().await.unwrap()[0].since, at(21));

    store.settle(&ana, &[Settlement::Unlinked(key("1"))], at(70)).await.unwrap();
    store.settle(&bob, &[Settlement::Linked(link("4"))], at(70)).await.unwrap();
    assert_eq!(store.links(&ana).await.unwrap(), []);
    assert_eq!(store.refusals(None).await.unwrap(), [], "a write that goes through ends the refusal");
}

#[tokio::test]
async fn ids_that_differ_in_case_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    store
        .settle(&mailbox("ana"), &[Settlement::Linked(link("a")), Settlement::Linked(link("A"))], at(1))
        .await
        .unwrap();
    assert_eq!(store.links(&mailbox("ana")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn links_of_a_batch_and_intents_of_the_next_are_written_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let ana = mailbox("ana");
    let name = |number: usize| format!("{number:04}");
    let intents = |numbers: std::ops::Range<usize>| numbers.map(|n| intent(&name(n), Verb::Create)).collect::<Vec<_>>();
    // More than one statement holds.
    store.intend(&ana, &intents(0..250)).await.unwrap();
    store.intend(&mailbox("bob"), &intents(0..1)).await.unwrap();
    let links = (0..250).map(|number| Settlement::Linked(link(&name(number)))).collect::<Vec<_>>();
    let next = intents(250..400);
    let step = Advance { settlements: &links, intents: &next, ..Advance::default() };
    store.advance(&ana, &step, at(10)).await.unwrap();
    assert_eq!(store.links(&ana).await.unwrap(), (0..250).map(|number| link(&name(number))).collect::<Vec<_>>());
    assert_eq!(store.intents(&ana).await.unwrap(), intents(250..400));
    let mut settlements: Vec<Settlement> = (0..120).map(|number| Settlement::Unlinked(key(&name(number)))).collect();
    settlements.extend((250..400).map(|number| Settlement::Dropped(key(&name(number)))));
    store.settle(&ana, &settlements, at(11)).await.unwrap();
    assert_eq!(store.links(&ana).await.unwrap().len(), 130);
    assert_eq!(store.intents(&ana).await.unwrap(), []);
    assert_eq!(store.intents(&mailbox("bob")).await.unwrap().len(), 1, "another mailbox is another matter");
}

#[tokio::test]
async fn one_process_writes_and_others_may_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    assert!(matches!(Store::open(&path, Access::Shared).await, Err(StateError::Open { .. })), "nothing to look at");
    let store = open(&path).await;
    assert!(matches!(Store::open(&path, Access::Exclusive).await, Err(StateError::InUse { .. })));
    let looker = Store::open(&path, Access::Shared).await.unwrap();
    assert_eq!(looker.owner(), store.owner());
    drop((store, looker));
    open(&path).await;
}

#[tokio::test]
async fn files_that_are_no_state_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage");
    fs::write(&garbage, vec![b'x'; 5_000]).unwrap();
    let error = Store::open(&garbage, Access::Exclusive).await.unwrap_err();
    assert!(matches!(error, StateError::Unreadable { .. }), "{error:?}");
    assert!(!error.hint().is_empty());
    assert_eq!(fs::read(&garbage).unwrap(), vec![b'x'; 5_000], "it is left as it was");
    let error = Store::open(folder.path(), Access::Exclusive).await.unwrap_err();
    assert!(matches!(error, StateError::Open { .. }), "{error:?}");
    let below_a_file = garbage.join("state.sqlite");
    let error = Store::open(&below_a_file, Access::Exclusive).await.unwrap_err();
    assert!(matches!(error, StateError::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn looking_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/state.sqlite");
    let store = Store::look(&path).await.unwrap();
    assert_eq!(store.mailboxes().await.unwrap(), []);
    assert!(!folder.path().join("state").exists());
    let written = Store::open(&path, Access::Exclusive).await.unwrap();
    let beside = Store::look(&path).await.unwrap();
    assert_eq!(beside.owner(), written.owner());
}

#[tokio::test]
async fn what_was_said_of_a_held_deletion_stays_as_long_as_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let (ana, bob) = (mailbox("ana"), mailbox("bob"));
    let store = open(&path).await;
    let held = |ids: &[&str]| ids.iter().map(|id| (key(id), "no longer in the source".to_owned())).collect::<Vec<_>>();
    store.replace_holds(&ana, &held(&["1", "2", "3"]), |_| false, at(20)).await.unwrap();
    store.replace_holds(&bob, &held(&["1"]), |_| false, at(20)).await.unwrap();

    // An operator's command works beside the daemon that has the state.
    let beside = Store::open(&path, Access::Shared).await.unwrap();
    let holds = beside.holds(Some(&ana)).await.unwrap();
    let decision = Decision { verdict: Verdict::Approved, by: "kim".to_owned(), at: at(30) };
    store.replace_holds(&ana, &held(&["1", "2"]), |_| false, at(40)).await.unwrap();
    let some: Vec<_> = holds.iter().filter(|hold| hold.key != key("1")).collect();
    assert_eq!(beside.decide_holds(&some, &decision).await.unwrap(), 1, "the third is no longer held");
    beside.close().await;

    let verdicts = async |mailbox: &Address| {
        let holds = store.holds(Some(mailbox)).await.unwrap();
        holds.into_iter().map(|hold| (hold.key, hold.since, hold.decision)).collect::<Vec<_>>()
    };
    let expected = vec![(key("1"), at(20), None), (key("2"), at(20), Some(decision))];
    assert_eq!(verdicts(&ana).await, expected);
    store.replace_holds(&ana, &held(&["1", "2"]), |_| false, at(50)).await.unwrap();
    assert_eq!(verdicts(&ana).await, expected, "still held");
    store.replace_holds(&ana, &[], |_| true, at(60)).await.unwrap();
    assert_eq!(verdicts(&ana).await, expected, "nothing is known of them now");
    store.settle(&ana, &[Settlement::Unlinked(key("2"))], at(70)).await.unwrap();
    assert_eq!(verdicts(&ana).await, expected[..1], "gone from the calendar");
    store.replace_holds(&ana, &[], |_| false, at(80)).await.unwrap();
    store.replace_holds(&ana, &held(&["2"]), |_| false, at(90)).await.unwrap();
    assert_eq!(verdicts(&ana).await, [(key("2"), at(90), None)], "held anew: nobody has decided about it");
    assert_eq!(verdicts(&bob).await, [(key("1"), at(20), None)]);
}

#[tokio::test]
async fn a_calendar_is_followed_and_takes_no_cursor_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let (ana, bob) = (mailbox("ana"), mailbox("bob"));
    let followed = |id: &str| FollowedCalendar { name: "Planning".to_owned(), folder_id: id.to_owned() };
    for (calendar, expected) in [(None, None), (Some("1"), Some("1")), (Some("2"), Some("2")), (None, None)] {
        let read =
            MailboxState { cursor: Some("c".to_owned()), read_at: Some(at(10)), ..MailboxState::new(ana.clone()) };
        store.save_mailbox(&read).await.unwrap();
        store.follow(&ana, calendar.map(followed).as_ref()).await.unwrap();
        assert_eq!(store.calendar(&ana).await.unwrap(), expected.map(followed));
        assert_eq!(store.calendar(&bob).await.unwrap(), None);
        let state = store.mailbox(&ana).await.unwrap();
        assert_eq!((state.cursor, state.read_at), (None, None));
    }
}

#[tokio::test]
async fn copies_of_users_are_known_until_a_whole_reading_misses_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let (ana, bob) = (mailbox("ana"), mailbox("bob"));
    let ids = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let steps: [(&[&str], bool, &[&str]); 5] = [
        (&["b", "a"], false, &["a", "b"]),
        (&[], false, &["a", "b"]),
        (&["b", "c"], false, &["a", "b", "c"]),
        (&["c", "A"], true, &["A", "c"]),
        (&[], true, &[]),
    ];
    for (found, is_whole, known) in steps {
        store.note_copies(&ana, &ids(found), is_whole).await.unwrap();
        let kept: Vec<String> = store.copies(&ana).await.unwrap().into_iter().collect();
        assert_eq!(kept, ids(known), "after {found:?}");
        assert!(store.copies(&bob).await.unwrap().is_empty());
    }
}

fn entry(second: i64, mailbox: Option<&Address>, key: &SourceKey, word: &'static str) -> Entry {
    Entry::new(at(second), mailbox, key, Step::Decision, word)
}

#[tokio::test]
async fn everything_of_a_step_is_written_together_and_told_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let (ana, bob) = (mailbox("ana"), mailbox("bob"));
    let store = open(&path).await;
    let part = key("1").part("2026-11-30T09:00".parse().unwrap());
    let whole = Entry {
        verb: Some(Verb::Update),
        source: Some("changed".into()),
        code: Some("source_changed".into()),
        detail: Some("subject, start".to_owned()),
        request_id: Some("r-1".into()),
        span: Some((at(1_000), at(2_000))),
        ..entry(10, Some(&ana), &key("1"), "update")
    };
    let entries = [
        whole.clone(),
        entry(10, Some(&ana), &part, "create"),
        entry(10, Some(&ana), &key("12"), "create"),
        entry(10, Some(&ana), &key("1"), "forget"),
    ];
    let standing = |id: &str, code: &str| Standing {
        key: key(id),
        action: "quarantine".to_owned(),
        code: code.to_owned(),
        since: at(10),
        retry_at: Some(at(99)),
    };
    let end =
        MailboxState { cursor: Some("c".to_owned()), finished_at: Some(at(10)), ..MailboxState::new(ana.clone()) };
    let step = Advance {
        settlements: &[Settlement::Linked(link("1"))],
        entries: &entries,
        held: &[(key("7"), "gone".to_owned())],
        standings: &[standing("8", "a"), standing("9", "b")],
        end: Some(&end),
        ..Advance::default()
    };
    store.advance(&ana, &step, at(10)).await.unwrap();
    store.close().await;
    drop(store);

    let store = open(&path).await;
    let told = store.history(&key("1")).await.unwrap();
    assert_eq!(told, [whole.clone(), entries[1].clone(), entries[3].clone()], "the event and its parts, no other");
    assert_eq!(store.mailbox(&ana).await.unwrap(), end);
    assert_eq!((store.links(&ana).await.unwrap().len(), store.holds(None).await.unwrap().len()), (1, 1));
    assert_eq!(
        store.standings(Some(&ana)).await.unwrap(),
        [(ana.clone(), standing("8", "a")), (ana.clone(), standing("9", "b"))]
    );
    let passed = [key("8")];
    let step = Advance { released: &[key("7")], passed: &passed, ..Advance::default() };
    store.advance(&ana, &step, at(11)).await.unwrap();
    assert_eq!((store.standings(None).await.unwrap().len(), store.holds(None).await.unwrap().len()), (1, 0));

    // A day: everything of the keys that take place then, to the one that ends as it begins.
    for (from, to, expected) in [(0, 1_000, 0), (500, 1_500, 2), (1_999, 3_000, 2), (2_000, 3_000, 0)] {
        assert_eq!(store.history_between(&ana, at(from), at(to)).await.unwrap().len(), expected, "{from} to {to}");
    }
    assert_eq!(store.history_between(&bob, at(500), at(1_500)).await.unwrap(), []);
}

#[tokio::test]
async fn the_history_is_pruned_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let ana = mailbox("ana");
    let entries: Vec<Entry> = (0..5_000).map(|second| entry(second, Some(&ana), &key("1"), "create")).collect();
    store.advance(&ana, &Advance { entries: &entries, ..Advance::default() }, at(10)).await.unwrap();
    let (mut rounds, mut pruned) = (0, 0);
    loop {
        match store.prune_history(at(4_500)).await.unwrap() {
            0 => break,
            some => (rounds, pruned) = (rounds + 1, pruned + some),
        }
    }
    assert!(rounds > 1, "some at a time");
    assert_eq!((pruned, store.history(&key("1")).await.unwrap()[0].at), (4_500, at(4_500)));
}

#[tokio::test]
async fn a_wait_keeps_its_date_as_long_as_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let wait = |second: i64, code: &str| Wait {
        scope: WaitScope::Source("erp".to_owned()),
        since: at(second),
        until: at(second + 60),
        code: code.to_owned(),
        message: "no".to_owned(),
        hint: Some("mend it".to_owned()),
        times: 2,
        asked: true,
        proof: Some("salt".to_owned()),
    };
    for (second, code, since) in [(1, "a", 1), (2, "a", 1), (3, "b", 3), (4, "b", 3)] {
        store.save_wait(&wait(second, code)).await.unwrap();
        let expected = Wait { since: at(since), ..wait(second, code) };
        assert_eq!(store.waits().await.unwrap(), [expected]);
    }
    store.end_wait(&WaitScope::Server(Side::Graph)).await.unwrap();
    assert_eq!(store.waits().await.unwrap().len(), 1);
    store.end_wait(&WaitScope::Source("erp".to_owned())).await.unwrap();
    assert_eq!(store.waits().await.unwrap(), []);
}

#[tokio::test]
async fn the_history_tells_verdicts_and_rejections_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let ana = mailbox("ana");
    store.replace_holds(&ana, &[(key("1"), "gone".to_owned())], |_| false, at(1)).await.unwrap();
    let holds = store.holds(None).await.unwrap();
    let decision = Decision { verdict: Verdict::Rejected, by: "eva".to_owned(), at: at(2) };
    store.decide_holds(&holds.iter().collect::<Vec<_>>(), &decision).await.unwrap();
    let rejected = |place: &str, reason: &str| Rejection {
        key: Some(key("1")),
        place: place.to_owned(),
        reason: reason.to_owned(),
    };
    // Another place is no news.
    for (second, rejections) in [
        (3, vec![rejected("a:1", "no end")]),
        (4, vec![rejected("a:2", "no end")]),
        (5, vec![rejected("a:2", "no start")]),
        (6, vec![]),
    ] {
        store.replace_rejections("erp", &rejections, at(second)).await.unwrap();
    }
    let told = store.history(&key("1")).await.unwrap();
    let told: Vec<_> = told.iter().map(|entry| (entry.at.as_second(), &*entry.word, entry.detail.as_deref())).collect();
    let expected = [
        (2, "rejected", Some("by eva")),
        (3, "rejected", Some("a:1: no end")),
        (5, "rejected", Some("a:2: no start")),
        (6, "no_longer_rejected", None),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_place_of_a_mailbox_moves_with_its_links() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.sqlite")).await;
    let ana = mailbox("ana");
    assert_eq!(store.place(&ana).await.unwrap(), None);
    for (second, side, id) in [(1, Side::Ews, "on-premises"), (2, Side::Graph, "online")] {
        let item = ItemRef { id: id.to_owned(), change_key: "1".to_owned() };
        let linked = [Settlement::Linked(Link::new(key("1"), item.clone(), Fingerprint::unknown()))];
        let place = MailboxPlace { side, asked: second == 2, since: at(second) };
        let calendar = FollowedCalendar { name: "Planning".to_owned(), folder_id: id.to_owned() };
        let copies = [format!("copy-{id}")];
        let step = Advance {
            settlements: &linked,
            place: Some(&place),
            calendar: Some(&calendar),
            copies: &copies,
            ..Advance::default()
        };
        store.advance(&ana, &step, at(second)).await.unwrap();
        assert_eq!(store.calendar(&ana).await.unwrap(), Some(calendar));
        assert!(store.copies(&ana).await.unwrap().contains(&copies[0]));
        assert_eq!(store.place(&ana).await.unwrap(), Some(place));
        assert_eq!(store.places().await.unwrap(), BTreeMap::from([(ana.clone(), place)]));
        assert_eq!(store.links(&ana).await.unwrap()[0].item, item);
    }
}
