//! The state: one story from the first intent to a restart, and the ways in which a file can be unusable.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path};

use calsyncd::{
    model::{
        address::Address,
        fingerprint::Fingerprint,
        hold::Verdict,
        key::{Kind, SourceKey},
        link::{Intent, ItemRef, Link, Repairs, Verb},
        occurrences::WrittenOccurrences,
        source::Rejection,
    },
    state::{Access, Decision, FollowedCalendar, MailboxState, Parked, Settlement, StateError, Store},
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
    store.advance(&ana, &links, &intents(250..400), at(10)).await.unwrap();
    assert_eq!(store.links(&ana).await.unwrap(), (0..250).map(|number| link(&name(number))).collect::<Vec<_>>());
    assert_eq!(store.intents(&ana).await.unwrap(), intents(250..400));
    let mut settlements: Vec<Settlement> = (0..120).map(|number| Settlement::Unlinked(key(&name(number)))).collect();
    settlements.extend((250..400).map(|number| Settlement::Dropped(key(&name(number)))));
    store.advance(&ana, &settlements, &[], at(11)).await.unwrap();
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
