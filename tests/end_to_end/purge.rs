//! Everything of ours goes from one calendar, after asking, whatever comes between.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use calsyncd::sandbox::store::Target;
use serde_json::json;

use crate::harness::{Ended, Face, KilledOnDrop, World, eventually, many, program};

through!(a_purge_that_is_killed_is_finished_by_the_next: Ews Graph);
through!(a_copy_outlives_every_purge: Ews Graph);
through!(a_purge_asks_on_a_terminal: Ews Graph);

const ANA: &str = "ana@example.test";
const PURGE: [&str; 5] = ["purge", "--mailbox", ANA, "--yes", "--json"];

fn a_purge_that_is_killed_is_finished_by_the_next(face: Face) {
    let mut world = World::with(face, |settings| settings.latency_ms = 15);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let events = [many("ana", 70), many("bob", 2)].concat();
    world.events(&events);
    world.sync();
    assert_eq!(world.item_count("ana"), 70);
    for left in [66, 44, 22] {
        let mut command = program(world.path());
        let mut child = command.arg("--config").arg(world.settings_path()).args(PURGE).spawn().unwrap();
        eventually("some removals", || (world.item_count("ana") <= left).then_some(()));
        child.kill().unwrap();
        world.kept(Ended::of(child));
    }
    assert!(world.item_count("ana") > 0, "killed in the middle");
    let said = world.command(&PURGE).expect(0, &[]).json();
    assert_eq!((&said["failed"], &said["error"]), (&json!(0), &json!(null)));
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (0, 2));
    assert_eq!(world.command(&PURGE).expect(0, &[]).json()["found"], 0);

    // The sources are the reference: that it comes back is said before, and [rollout] except prevents it.
    assert_eq!(said["comes_back"], 70);
    world.configure(|config| config.set("rollout", "except", "[\"ana@example.test\"]"));
    let said = world.command(&PURGE).expect(0, &[]).json();
    assert_eq!(said["comes_back"], 0);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!(world.item_count("ana"), 0);
    world.configure(|config| config.set("rollout", "except", "[]"));
    assert_eq!(world.sync().changes(), [70, 0, 0]);
    world.assert_exactly("ana", &events);
}

/// A copy carries our mark. Once the original is gone nothing in the calendar tells them apart.
fn a_copy_outlives_every_purge(face: Face) {
    let world = World::new(face);
    let events = many("ana", 3);
    world.events(&events);
    world.sync();
    let original = world.shown("ana").one("appointment/ana-000").id.clone();
    let copy = world.store().copy_item(ANA, &original, None).unwrap();
    let copied = || format!("{:?}", world.store().get(ANA, &Target::Id(copy.id.clone())).unwrap());
    let before = copied();
    for found in [3, 0, 0] {
        let said = world.command(&PURGE).expect(0, &[]).json();
        assert_eq!((&said["found"], &said["removed"], &said["copies_left"]), (&json!(found), &json!(found), &json!(1)));
        assert_eq!((world.item_count("ana"), copied()), (1, before.clone()));
    }
    // Nor is it taken for the item of its event when that is written again, changed and deleted.
    assert_eq!(world.sync().changes(), [3, 0, 0]);
    world.events(&events[1..]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
    world.command(&["plan"]).expect(0, &[]);
    assert_eq!((world.item_count("ana"), copied()), (3, before));
}

/// Runs the purge on a terminal of its own, where somebody reads the question and types `answer`.
fn on_a_terminal(world: &World, answer: &str) -> (i32, String) {
    let words = [env!("CARGO_BIN_EXE_calsyncd"), "--config", "calsyncd.toml", "purge", "--mailbox", ANA];
    let mut script = Command::new("script");
    script.current_dir(world.path()).env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", world.path());
    script.args(["--quiet", "--return", "--command", &format!("exec {}", words.join(" ")), "/dev/null"]);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let shown = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&shown);
    let reader = thread::spawn(move || {
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = stdout.read(&mut bytes) {
            kept.lock().unwrap().extend_from_slice(&bytes[..count]);
        }
    });
    let text = || String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
    let mut child = KilledOnDrop(child);
    eventually("the question", || text().contains("to go on:").then_some(()));
    stdin.write_all(answer.as_bytes()).unwrap();
    let code = child.end();
    reader.join().unwrap();
    (code, world.kept(Ended { code, out: text(), err: String::new() }).out)
}

fn a_purge_asks_on_a_terminal(face: Face) {
    let world = World::new(face);
    world.events(&many("ana", 5));
    world.sync();
    let question = [
        "5 items of ours would be removed from the calendar of ana@example.test, past ones too.",
        "The next pass writes 5 items there again",
        "Type ana@example.test to go on:",
    ];
    // Nothing, a word, another's address, the end of the input, Ctrl-C.
    for answer in ["\n", "yes\n", "bob@example.test\n", "\u{4}", "\u{3}"] {
        let (code, text) = on_a_terminal(&world, answer);
        let said = question.iter().chain(&["nothing was removed"]).all(|words| text.contains(words));
        assert!(code == 1 && said, "{answer:?}: {code}, {text}");
        assert_eq!(world.item_count("ana"), 5, "{answer:?}");
    }
    let (code, text) = on_a_terminal(&world, "Ana@example.test\n");
    assert!(code == 0 && text.contains("5 of 5 items removed"), "{code}, {text}");
    assert_eq!(world.item_count("ana"), 0);
}
