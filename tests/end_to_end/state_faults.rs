//! The file of the state is broken, locked or full: a clear error, an untouched calendar, and no loss once it is mended.

use std::{
    fs,
    io::{Seek, Write},
    path::PathBuf,
};

use calsyncd::state::{Access, Store};
use serde_json::json;
use sqlx::{AnyConnection, Connection};

use crate::harness::{Ended, Face, World, many, program};

through!(a_broken_state_is_refused_and_goes_on_once_mended: Ews Graph);
through!(a_full_disk_stops_the_writing: Ews Graph);
through!(a_state_that_breaks_under_a_run_stops_the_writing: Ews Graph);

/// Puts the state aside, breaks it, expects `sync` to refuse without a write, and mends it.
fn broken(world: &World, what: &str, words: &[&str], fault: impl Fn(&PathBuf)) {
    let (state, kept) = (world.path().join("state"), world.path().join("kept"));
    let _ = fs::remove_dir_all(&kept);
    let copied = std::process::Command::new("cp").arg("-a").arg(&state).arg(&kept).status();
    assert!(copied.unwrap().success());
    fault(&world.state_path());
    let writes = world.writes();
    for command in [&["sync"][..], &["run"]] {
        let said = world.command(command);
        let all = format!("{} {}", said.out, said.err);
        assert_eq!(said.code, 1, "{what}: {said:#?}");
        assert!(all.contains("hint"), "{what}: no hint in {said:#?}");
        for word in words.iter().chain(&["calsyncd.sqlite"]) {
            assert!(all.contains(word), "{what}: {word:?} is not in {said:#?}");
        }
    }
    assert_eq!(world.writes(), writes, "{what}");
    fs::remove_dir_all(&state).unwrap();
    fs::rename(&kept, &state).unwrap();
}

fn a_broken_state_is_refused_and_goes_on_once_mended(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 60);
    world.events(&events);
    assert_eq!(world.sync().changes(), [60, 0, 0]);
    events[0]["subject"] = json!("Changed");
    events.push(many("ana", 61).remove(60));
    world.events(&events);

    broken(&world, "not a database", &["cannot be read", "backup"], |path| fs::write(path, "no database\n").unwrap());
    broken(&world, "garbage", &["cannot be read"], |path| fs::write(path, vec![0xA5; 40_000]).unwrap());
    broken(&world, "cut off", &["backup"], |path| {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(fs::metadata(path).unwrap().len() / 3).unwrap();
    });
    broken(&world, "pages overwritten", &["malformed", "backup"], |path| {
        let size = fs::metadata(path).unwrap().len();
        let mut file = fs::File::options().write(true).open(path).unwrap();
        file.seek(std::io::SeekFrom::Start(4096)).unwrap();
        file.write_all(&vec![0xA5; usize::try_from(size).unwrap() - 4096]).unwrap();
    });
    broken(&world, "a newer schema", &["newer"], |path| {
        let path = path.clone();
        world.block_on(async move {
            sqlx::any::install_default_drivers();
            let mut database = AnyConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
            let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                          VALUES (9999, 'later', TRUE, X'00', 0)";
            sqlx::query(insert).execute(&mut database).await.unwrap();
            database.close().await.unwrap();
        });
    });
    broken(&world, "a log that cannot be opened", &[], |path| {
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let _ = fs::remove_file(&log);
        fs::create_dir(&log).unwrap();
    });
    broken(&world, "a folder in its place", &["cannot open the state"], |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    });

    // Another process has it.
    let store = world.block_on(Store::open(&world.state_path(), Access::Exclusive)).unwrap();
    let writes = world.writes();
    world.command(&["sync"]).expect(1, &["in use by another calsyncd", "calsyncd.sqlite", "hint"]);
    world.command(&["status"]).expect(0, &[]);
    world.block_on(store.close());
    drop(store);
    assert_eq!(world.writes(), writes);

    // Nothing of all this left a trace.
    assert_eq!(world.sync().changes(), [1, 1, 0]);
    world.assert_exactly("ana", &events);
    world.command(&["plan"]).expect(0, &[]);
}

/// Runs `sync` with a limit on the size of every file that it writes, in blocks of 512 bytes: what a full disk is to SQLite.
fn sync_within(world: &World, blocks: u64) -> Ended {
    let mut command = std::process::Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_calsyncd"));
    command.arg("--config").arg(world.settings_path()).args(["sync", "--json"]);
    let like = program(world.path());
    command.env_clear().current_dir(like.get_current_dir().unwrap()).env("PATH", "/usr/bin:/bin");
    command.env("TMPDIR", world.path()).stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    world.kept(Ended::of(command.spawn().unwrap()))
}

fn a_full_disk_stops_the_writing(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let events = many("ana", 120);
    world.events(&events);
    // Too small to open, to write the first intents, and somewhere in the middle.
    let mut full = 0;
    for blocks in [1, 100, 300, 420] {
        let ended = sync_within(&world, blocks);
        if ended.code == 0 {
            continue;
        }
        full += 1;
        assert_eq!(ended.code, 1, "{ended:#?}");
        let all = format!("{}{}", ended.out, ended.err);
        assert!(all.contains("free space") || all.contains("hint"), "{blocks}: {ended:#?}");
    }
    assert!(full > 1, "the limits are too wide to be met");
    // There is room again: what was written is found, and nothing is there twice.
    world.sync();
    world.assert_exactly("ana", &events);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn a_state_that_breaks_under_a_run_stops_the_writing(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("jobs.inbox", "every", "\"1s\""));
    let mut events = many("ana", 40);
    world.events(&events);
    world.sync();
    let kept = fs::read(world.state_path()).unwrap();
    let daemon = world.daemon();
    daemon.wait("mailbox_pass_finished");
    // Everything but the first page, under the daemon's feet.
    let mut file = fs::File::options().write(true).open(world.state_path()).unwrap();
    file.seek(std::io::SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xA5; kept.len() - 4096]).unwrap();
    let writes = world.writes();
    let mark = daemon.mark();
    events.iter_mut().for_each(|event| event["subject"] = json!("Changed"));
    world.events(&events);
    daemon.wait_after(mark, "state_error", |_| true);
    assert_eq!(world.writes(), writes, "nothing is written without an intent on disk");
    daemon.kill();
    for name in ["calsyncd.sqlite-wal", "calsyncd.sqlite-shm"] {
        let _ = fs::remove_file(world.path().join("state").join(name));
    }
    fs::write(world.state_path(), kept).unwrap();
    assert_eq!(world.sync().changes(), [0, 40, 0]);
    world.assert_exactly("ana", &events);
}
