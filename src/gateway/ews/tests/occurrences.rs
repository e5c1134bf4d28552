//! Single occurrences of a series, written without the others.

use super::{Server, answer, apply, item, item_ref, item_with_key, sample, update_occurrences};
use crate::{
    gateway::Outcome,
    model::{fault::FaultKind, fingerprint::Field, occurrences::Occurrences},
};

/// One occurrence changes, the next one goes back to the rule, and the third of the exceptions stays as it is.
#[test]
fn single_occurrences_are_written_without_the_others() {
    let mut event = sample::series_with_exceptions();
    let at = |text: &str| text.parse().unwrap();
    event.series.as_mut().unwrap().exceptions.remove(2);
    let (whole, first) = (event.fingerprint(), event.fingerprint().without_occurrences());
    let key = event.key.as_str().to_owned();
    let only = Occurrences::Only(vec![at("2026-03-16T09:00"), at("2026-03-23T09:00")]);
    let server = Server::new([
        answer("UpdateItem", &[("NoError", &item("I", "2"))]),
        answer("UpdateItem", &[("NoError", &item("O4", "3")), ("NoError", &item("O3", "4"))]),
        answer("GetItem", &[("NoError", &item_with_key("I", "4", &key))]),
        answer("UpdateItem", &[("NoError", &item("I", "5"))]),
    ]);
    let outcomes = apply(&server, &[update_occurrences(event, &[Field::Occurrences], only)]);
    assert_eq!(outcomes, [Outcome::Written { item: item_ref("I", "5"), fingerprint: whole.clone() }]);
    let bodies = server.bodies();
    assert!(bodies[0].contains(first.as_str()) && bodies[3].contains(whole.as_str()));
    assert!(bodies.iter().all(|body| !body.contains("calendar:Recurrence")), "the rule is not written");
    check_wire("update_one_occurrence", &bodies);
}

/// Compares requests with `tests/goldens/ews/<name>.xml`, bodies only; writes the file when `UPDATE_GOLDEN` is set.
fn check_wire(name: &str, bodies: &[String]) {
    let body =
        |text: &String| text.split_once("<soap:Body>").unwrap().1.split_once("</soap:Body>").unwrap().0.to_owned();
    let written = bodies.iter().map(body).collect::<Vec<_>>().join("\n\n").replace("><", ">\n<") + "\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/ews/{name}.xml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    assert_eq!(written, std::fs::read_to_string(&path).unwrap_or_default(), "{name}: see check_request");
}

#[test]
fn an_occurrence_is_written_the_other_way_when_the_server_asks_for_it() {
    let event = sample::series_with_exceptions();
    let key = event.key.as_str().to_owned();
    let at = |text: &str| text.parse().unwrap();
    let only = || Occurrences::Only(vec![at("2026-03-16T09:00"), at("2026-03-23T09:00")]);
    let write = || update_occurrences(event.clone(), &[Field::Occurrences], only());
    let master = || answer("UpdateItem", &[("NoError", &item("I", "2"))]);
    let refresh = || answer("GetItem", &[("NoError", &item_with_key("I", "4", &key))]);
    let server = Server::new([
        master(),
        answer(
            "UpdateItem",
            &[("ErrorOccurrenceCrossingBoundary", ""), ("ErrorCalendarEndDateIsEarlierThanStartDate", "")],
        ),
        answer("UpdateItem", &[("ErrorOccurrenceCrossingBoundary", ""), ("NoError", &item("O3", "3"))]),
        answer("UpdateItem", &[("NoError", &item("O4", "4"))]),
        refresh(),
        answer("UpdateItem", &[("NoError", &item("I", "5"))]),
    ]);
    let outcomes = apply(&server, &[write()]);
    assert!(matches!(outcomes[0], Outcome::Written { .. }), "{outcomes:?}");
    let third = server.bodies()[2].clone();
    let third = third.split_once("InstanceIndex=\"3\"").unwrap().1;
    assert!(third.find("<t:Start>").unwrap() < third.find("<t:End>").unwrap());

    // Somebody deleted one of them: the series is due as a whole, and soon.
    let gone =
        answer("UpdateItem", &[("ErrorCalendarOccurrenceIsDeletedFromRecurrence", ""), ("NoError", &item("O3", "3"))]);
    let outcomes = apply(&Server::new([master(), gone, refresh()]), &[write()]);
    let Outcome::Partly { fingerprint, fault, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(*fingerprint, event.fingerprint().without_occurrences());
    assert_eq!(fault.kind, FaultKind::Transient { wait: None });
}
