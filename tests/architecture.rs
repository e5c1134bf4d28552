//! The shape of the code: imports go down only, files and functions stay small, some things are banned.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function.
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Files that hold tests only.
fn is_test(name: &str) -> bool {
    name.ends_with("tests.rs") || name.ends_with("/sample.rs") || name.contains("/tests/")
}

/// The code before the tests at the end of a file.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ").map_or(text, |end| &text[..end])
}

/// The levels of the rooms, from the table of `docs/ARCHITECTURE.md`.
fn levels() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let level = cells.first()?.parse().ok()?;
        let room = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        Some((room.to_owned(), level))
    });
    rows.collect()
}

fn room_of(name: &str) -> Option<&str> {
    let inside = name.strip_prefix("src/")?;
    let room = inside.split('/').next()?.trim_end_matches(".rs");
    (!matches!(room, "lib" | "main")).then_some(room)
}

/// The rooms that a text imports: every `crate::room`, also inside braces.
fn imports(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(braced) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            for letter in braced.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 1 && (letter.is_alphanumeric() || letter == '_') {
                    word.push(letter);
                } else if depth >= 1 && !word.is_empty() {
                    if letter == ':' || letter == ',' || letter == '\n' || letter == '}' {
                        rooms.push(std::mem::take(&mut word));
                    } else {
                        word.clear();
                    }
                }
                if depth == 0 {
                    rooms.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                    break;
                }
            }
        } else {
            rooms.push(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    rooms
}

#[test]
fn rooms_import_lower_ones_only() {
    let levels = levels();
    assert!(levels.len() >= 14, "the table of docs/ARCHITECTURE.md was not found: {levels:?}");
    let mut faults = Vec::new();
    for (name, text) in sources() {
        let Some(room) = room_of(&name) else { continue };
        let Some(level) = levels.get(room) else {
            faults.push(format!("{name}: the room `{room}` is not in the table"));
            continue;
        };
        for imported in imports(&text) {
            let Some(other) = levels.get(&imported) else { continue };
            if imported != room && other >= level {
                faults.push(format!("{name}: `{room}` (level {level}) imports `{imported}` (level {other})"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_sandbox_shares_no_code_with_the_daemon() {
    for (name, text) in sources().iter().filter(|(name, _)| name.starts_with("src/sandbox/")) {
        let levels = levels();
        let foreign: Vec<String> = imports(text)
            .into_iter()
            .filter(|room| levels.contains_key(room) && room != "clock" && room != "sandbox")
            .collect();
        assert!(foreign.is_empty(), "{name} imports {foreign:?}");
    }
}

#[test]
fn files_and_functions_are_small() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        if is_test(&name) {
            continue;
        }
        let code = without_tests(&text);
        let lines = code.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{name}: {lines} lines, at most {FILE_LINES_MAX}; split it by meaning"));
        }
        faults.extend(long_functions(&name, code));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Functions as rustfmt lays them out: from `fn` to the closing brace in the same column.
fn long_functions(name: &str, code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().collect();
    let mut faults = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_function = ["fn ", "async fn ", "const fn "].iter().any(|word| {
            trimmed.starts_with(word) || (trimmed.starts_with("pub") && trimmed.contains(&format!(" {word}")))
        });
        if !is_function {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let length = lines[first..].iter().position(|other| *other == end).map_or(1, |offset| offset + 1);
        let ends_at_once = trimmed.ends_with(';') || trimmed.ends_with('}');
        if !ends_at_once && length > FUNCTION_LINES_MAX {
            faults.push(format!("{name}:{}: a function of {length} lines, at most {FUNCTION_LINES_MAX}", first + 1));
        }
    }
    faults
}

#[test]
fn banned_words_are_not_used() {
    // What is banned, where it is allowed all the same, and what to use instead.
    let bans: [(&str, &[&str], &str); 9] = [
        ("std::thread::sleep", &[], "clock::Clock::sleep"),
        ("println!", &["src/cli/"], "an event of the catalogue"),
        ("std::env::var", &["src/settings/environment.rs", "src/observability/"], "settings::Environment"),
        ("Timestamp::now()", &["src/clock.rs", "src/state/instance.rs"], "clock::Clock::now"),
        ("Zoned::now()", &["src/cli/"], "clock::Clock::now"),
        ("RequiredAttendees", &["src/sandbox/"], "nothing: no attendee is ever written"),
        ("SendToAll", &["src/sandbox/"], "SendToNone"),
        ("danger_accept_invalid", &[], "a certificate authority in the settings"),
        ("tracing::info!", &["src/observability/"], "an event of the catalogue"),
    ];
    let mut faults = Vec::new();
    for (name, text) in sources() {
        if is_test(&name) {
            continue;
        }
        for (line, content) in without_tests(&text).lines().enumerate() {
            if content.trim_start().starts_with("//") {
                continue;
            }
            for (banned, allowed, instead) in bans {
                if content.contains(banned) && !allowed.iter().any(|place| name.starts_with(place)) {
                    faults.push(format!("{name}:{}: `{banned}` is banned; use {instead}", line + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_room_is_a_drawer() {
    for (name, _) in sources() {
        for drawer in ["util", "utils", "common", "helpers", "misc"] {
            let found = name.split('/').any(|part| part.trim_end_matches(".rs") == drawer);
            assert!(!found, "{name}: name the file for the one thing that it does");
        }
    }
}
