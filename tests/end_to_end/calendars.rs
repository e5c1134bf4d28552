//! A calendar beside the default one: made or found once, followed by its id, never guessed at.

use crate::harness::{Face, World, many};

through!(a_calendar_is_made_and_followed: Ews Delegate Graph);
through!(a_calendar_that_is_deleted_parks_the_mailbox: Ews Graph);
through!(items_are_never_left_in_another_calendar: Ews Graph);

fn world(face: Face, create: bool) -> World {
    let mut world = World::new(face);
    world.configure(|config| {
        config.set("exchange", "calendar", "\"Planning\"");
        config.set("exchange", "create_calendar", if create { "true" } else { "false" });
    });
    world.events(&many("ana", 3));
    world
}

/// The calendars of Ana by name, with the number of their items.
fn calendars(world: &World) -> Vec<(String, usize)> {
    let folders = world.store().folders("ana@example.test").unwrap();
    folders.into_iter().map(|folder| (folder.name, folder.item_count)).collect()
}

fn folder_id(world: &World, name: &str) -> String {
    let folders = world.store().folders("ana@example.test").unwrap();
    folders.into_iter().find(|folder| folder.name == name).unwrap().id
}

fn named(calendars: &[(&str, usize)]) -> Vec<(String, usize)> {
    calendars.iter().map(|(name, items)| ((*name).to_owned(), *items)).collect()
}

fn a_calendar_is_made_and_followed(face: Face) {
    let world = world(face, true);
    world.command(&["plan"]).expect(10, &["3 to create"]);
    assert_eq!(calendars(&world), named(&[("Calendar", 0)]), "looking makes nothing");
    assert_eq!(world.sync().changes(), [3, 0, 0]);
    assert_eq!(calendars(&world), named(&[("Calendar", 0), ("Planning", 3)]));

    // Its owner calls it something else, and makes another one of the old name.
    world.store().rename_folder("ana@example.test", &folder_id(&world, "Planning"), "Work").unwrap();
    world.store().add_folder("ana@example.test", "Planning").unwrap();
    world.events(&many("ana", 4));
    assert_eq!(world.sync().changes(), [1, 0, 0]);
    assert_eq!(calendars(&world), named(&[("Calendar", 0), ("Work", 4), ("Planning", 0)]));
    world.command(&["test", "--user", "ana@example.test"]).expect(0, &["open the calendar \"Planning\""]);
    world.assert_exactly("ana", &many("ana", 4));
}

fn a_calendar_that_is_deleted_parks_the_mailbox(face: Face) {
    let mut world = world(face, false);
    let missing = world.try_sync();
    assert_eq!((missing.code, missing.changes()), (1, [0, 0, 0]), "{:#}", missing.json);
    assert!(missing.json.to_string().contains("CalendarMissing"), "{:#}", missing.json);
    world.store().add_folder("ana@example.test", "planning").unwrap();
    assert_eq!(world.sync().changes(), [3, 0, 0]);

    world.store().delete_folder("ana@example.test", &folder_id(&world, "planning")).unwrap();
    world.store().add_folder("ana@example.test", "Planning").unwrap();
    let gone = world.try_sync();
    assert_eq!((gone.code, gone.changes()), (1, [0, 0, 0]), "{:#}", gone.json);
    assert!(gone.json.to_string().contains("CalendarGone"), "{:#}", gone.json);
    assert_eq!(calendars(&world), named(&[("Calendar", 0), ("Planning", 0)]));

    world.configure(|config| config.set("exchange", "create_calendar", "true"));
    assert_eq!(world.sync().changes(), [3, 0, 0]);
    assert_eq!(calendars(&world), named(&[("Calendar", 0), ("Planning", 3)]));
}

fn items_are_never_left_in_another_calendar(face: Face) {
    let mut world = World::new(face);
    world.events(&many("ana", 3));
    world.sync();
    world.configure(|config| {
        config.set("exchange", "calendar", "\"Planning\"");
        config.set("exchange", "create_calendar", "true");
    });
    let refused = world.try_sync();
    assert_eq!((refused.code, refused.changes()), (1, [0, 0, 0]), "{:#}", refused.json);
    assert!(refused.json.to_string().contains("CalendarChanged"), "{:#}", refused.json);
    assert_eq!(calendars(&world), named(&[("Calendar", 3)]), "nothing is made in vain");

    world.command(&["purge", "--mailbox", "ana@example.test", "--yes"]).expect(0, &["3 of 3 items removed"]);
    assert_eq!(world.sync().changes(), [3, 0, 0]);
    assert_eq!(calendars(&world), named(&[("Calendar", 0), ("Planning", 3)]));
    // And back.
    world.command(&["purge", "--mailbox", "ana@example.test", "--yes"]).expect(0, &["3 of 3 items removed"]);
    world.configure(|config| {
        config.unset("exchange", "calendar");
        config.unset("exchange", "create_calendar");
    });
    assert_eq!(world.sync().changes(), [3, 0, 0]);
    assert_eq!(calendars(&world), named(&[("Calendar", 3), ("Planning", 0)]));
}
