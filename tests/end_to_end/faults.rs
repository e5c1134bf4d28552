//! A bad day of the server: whatever it does, everything arrives, and once.

use calsyncd::sandbox::{Fault, FaultKind, RetryAfterForm, ThrottlingSettings};

use crate::harness::{Face, World, appointment, many};

/// A fault that strikes the first so many requests of an operation.
fn first(kind: FaultKind, times: u64, operation: &str) -> Fault {
    Fault { times, operation: Some(operation.to_owned()), ..Fault::new(kind) }
}

/// The same, with a wait that the server asks for.
fn asking(kind: FaultKind, times: u64, operation: &str, retry_after_s: f64) -> Fault {
    Fault { retry_after_s: Some(retry_after_s), ..first(kind, times, operation) }
}

/// One first push of 45 events under these faults, then one change and one deletion, then nothing.
#[track_caller]
fn survives(face: Face, form: RetryAfterForm, faults: &[Fault]) {
    let world = World::with(face, |settings| {
        settings.throttling.retry_after_form = form;
        settings.faults = faults.to_vec();
    });
    let mut events = [many("ana", 25), many("bob", 20)].concat();
    world.events(&events);
    let pass = world.sync();
    assert!(world.counts().faults > 0, "no fault struck: {:?}", world.counts());
    world.assert_exactly("ana", &events);
    world.assert_exactly("bob", &events);
    assert_eq!(pass.total("failed"), 0);

    for fault in faults {
        world.inject(fault.clone());
    }
    events[3]["location"] = "Paris".into();
    events.remove(7);
    events.push(appointment("late", "bob", 12, "09:00"));
    world.events(&events);
    world.sync();
    world.assert_exactly("ana", &events);
    world.assert_exactly("bob", &events);
    world.sandbox().sandbox().calm();
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

through!(the_answer_to_a_create_is_lost: Ews Delegate Graph);
through!(answers_to_updates_and_deletes_are_lost: Ews Graph);
through!(the_connection_breaks_before_anything_is_done: Ews Graph);
through!(the_server_fails: Ews Graph);
through!(the_server_asks_to_wait_in_whole_seconds: Ews Graph);
through!(the_server_asks_to_wait_for_a_fraction: Ews Graph);
through!(the_server_asks_to_wait_until_a_date: Ews Graph);
through!(everything_goes_wrong_sometimes: Ews Graph);
through!(a_storm_of_refusals: Ews Graph);

fn the_answer_to_a_create_is_lost(face: Face) {
    let drop = Fault { every: 2, times: 2, ..Fault::nth(FaultKind::DropAnswerAfterCommit, 1, face.create()) };
    survives(face, RetryAfterForm::Integer, &[drop]);
}

#[test]
fn the_answer_to_a_whole_batch_is_lost() {
    survives(Face::Graph, RetryAfterForm::Integer, &[first(FaultKind::DropAnswerAfterCommit, 2, "Batch")]);
}

fn answers_to_updates_and_deletes_are_lost(face: Face) {
    let [_, update, delete] = face.writes();
    let faults = [update, delete].map(|operation| first(FaultKind::DropAnswerAfterCommit, 1, operation));
    let world = World::new(face);
    let mut events = many("ana", 10);
    world.events(&events);
    world.sync();
    faults.into_iter().for_each(|fault| world.inject(fault));
    events[0]["subject"] = "Changed".into();
    events.remove(5);
    world.events(&events);
    world.sync();
    assert_eq!(world.counts().faults, 2);
    world.assert_exactly("ana", &events);
    assert_eq!(world.shown("ana").one("appointment/ana-000").content.subject, "Changed");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn the_connection_breaks_before_anything_is_done(face: Face) {
    survives(face, RetryAfterForm::Integer, &[first(FaultKind::Reset, 2, face.create())]);
}

fn the_server_fails(face: Face) {
    survives(face, RetryAfterForm::Integer, &[first(FaultKind::Http500, 2, face.create())]);
}

fn the_server_asks_to_wait_in_whole_seconds(face: Face) {
    survives(face, RetryAfterForm::Integer, &[asking(FaultKind::Http503, 1, face.create(), 1.0)]);
}

fn the_server_asks_to_wait_for_a_fraction(face: Face) {
    survives(face, RetryAfterForm::Fraction, &[asking(FaultKind::Http503, 2, face.create(), 0.6)]);
}

fn the_server_asks_to_wait_until_a_date(face: Face) {
    survives(face, RetryAfterForm::Date, &[asking(FaultKind::Http503, 1, face.create(), 0.2)]);
}

#[test]
fn exchange_is_busy() {
    for operation in ["CreateItem", "GetFolder", "FindItem"] {
        survives(Face::Ews, RetryAfterForm::Integer, &[asking(FaultKind::ServerBusy, 1, operation, 0.7)]);
    }
}

#[test]
fn requests_of_a_batch_are_refused() {
    let refused = Fault { every: 3, times: 8, retry_after_s: Some(0.5), ..Fault::new(FaultKind::Batch429) };
    survives(Face::Graph, RetryAfterForm::Fraction, &[refused]);
}

#[test]
fn tokens_are_refused_once() {
    for fault in [asking(FaultKind::Http429, 1, "Token", 1.0), first(FaultKind::TokenRevoked, 1, "CreateEvent")] {
        survives(Face::Graph, RetryAfterForm::Integer, &[fault]);
    }
}

fn everything_goes_wrong_sometimes(face: Face) {
    let kinds = [FaultKind::DropAnswerAfterCommit, FaultKind::Reset, FaultKind::Http500, FaultKind::Http503];
    let faults = kinds.map(|kind| Fault { rate: 0.1, times: 1, retry_after_s: Some(0.5), ..Fault::new(kind) });
    survives(
        face,
        RetryAfterForm::Fraction,
        &[faults.as_slice(), &[first(FaultKind::Reset, 1, face.create())]].concat(),
    );
}

/// A limit of requests in a window: a client that waits as long as it is asked meets few refusals, one that tries all the
/// time meets hundreds.
fn a_storm_of_refusals(face: Face) {
    let mut world = World::with(face, |settings| {
        settings.throttling = ThrottlingSettings {
            requests_per_window: if face == Face::Graph { 12 } else { 4 },
            window_s: 2,
            ews_back_off_ms: 1500,
            ..ThrottlingSettings::default()
        };
    });
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let events = many("ana", 24);
    world.events(&events);
    world.sync();
    world.assert_exactly("ana", &events);
    let counts = world.counts();
    assert!(counts.rejected > 0 && counts.rejected <= 60, "{counts:?}");
}

/// What only somebody's help ends is not waited for by hand.
#[test]
fn a_server_that_will_never_answer_ends_a_run_by_hand() {
    let world = World::with(Face::Ews, |settings| settings.ews_version_max = Some("Exchange2010".to_owned()));
    world.events(&many("ana", 2));
    let pass = world.try_sync();
    assert_eq!((pass.code, world.item_count("ana")), (1, 0), "{:#}", pass.json);
    assert!(pass.json.to_string().contains("ErrorInvalidServerVersion"), "{:#}", pass.json);
}
