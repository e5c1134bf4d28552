//! The manual pages in `docs/man` are those of the program. `UPDATE_DOCS=1 cargo test` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/man")
}

fn names() -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_manual_pages_are_those_of_the_program() {
    let pages: BTreeMap<String, Vec<u8>> = calsyncd::cli::man_pages().unwrap().into_iter().collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(folder()).unwrap();
        for name in names().iter().filter(|name| !pages.contains_key(*name)) {
            fs::remove_file(folder().join(name)).unwrap();
        }
        for (name, text) in &pages {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    assert_eq!(names(), pages.keys().cloned().collect(), "docs/man: UPDATE_DOCS=1 cargo test");
    for (name, text) in &pages {
        let written = fs::read(folder().join(name)).unwrap();
        assert!(written == *text, "docs/man/{name} is not that of the program: UPDATE_DOCS=1 cargo test");
    }
}

#[test]
fn every_page_that_another_one_names_is_there() {
    let pages: BTreeMap<String, Vec<u8>> = calsyncd::cli::man_pages().unwrap().into_iter().collect();
    for (name, text) in &pages {
        let text = String::from_utf8_lossy(text).replace("\\-", "-");
        for named in text.lines().filter_map(|line| line.strip_suffix("(1)")) {
            assert!(pages.contains_key(&format!("{named}.1")), "{name} names {named}(1), which is not there");
        }
    }
    assert!(pages.contains_key("calsyncd.1") && pages.contains_key("calsyncd-config-set.1"));
}
