//! The difference of two settings.

use super::{
    super::{
        Environment, LogFormat,
        diff::{NamesDiff, diff, until_restart},
    },
    Bench, GOOD,
};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn changed_keys_are_named_and_told_apart() {
    let old = Bench::new(GOOD).load(&Environment::default()).unwrap().settings;
    let cases: [(&str, String, &[&str], &[&str]); 8] = [
        ("nothing", GOOD.to_owned(), &[], &[]),
        ("level", format!("{GOOD}[log]\nlevel = \"debug\"\n"), &["log.level"], &[]),
        ("format", format!("{GOOD}[log]\nformat = \"json\"\n"), &["log.format"], &["log.format"]),
        ("state", format!("{GOOD}[state]\npath = \"/tmp/x\"\n"), &["state.path"], &["state.path"]),
        (
            "threads",
            GOOD.replace("use_impersonation = true", "use_impersonation = true\nmax_threads = 9"),
            &["exchange.max_threads"],
            &[],
        ),
        ("template", format!("{GOOD}templates.schedule.body = \"x\"\n"), &["jobs.team.templates.schedule.body"], &[]),
        ("private", format!("{GOOD}private_when = \"all_day\"\n"), &["jobs.team.private_when"], &[]),
        ("secret", GOOD.replace("\"password\"", "\"secret\""), &["exchange.linked_password"], &[]),
    ];
    for (what, text, changed, needs_restart) in cases {
        // The folders of sources are relative: both files stand for the same one.
        let mut new = Bench::new(text).load(&Environment::default()).unwrap().settings;
        new.sources.clone_from(&old.sources);
        let found = diff(&old, &new);
        assert_eq!(found.changed, names(changed), "{what}");
        assert_eq!(found.needs_restart, names(needs_restart), "{what}");
        assert_eq!(found.is_empty(), changed.is_empty(), "{what}");
        assert_eq!(found.exchange, changed.iter().any(|key| key.starts_with("exchange.")), "{what}");
        assert_eq!(found.log_level, what == "level");
        assert!(diff(&until_restart(&old, &new), &new).changed == names(needs_restart), "{what}");
        assert!(!format!("{found:?}").contains("-1"), "{what}");
    }
}

#[test]
fn jobs_and_sources_appear_change_and_go() {
    let mut old = Bench::new(GOOD).load(&Environment::default()).unwrap().settings;
    let mut new = old.clone();
    let job = old.jobs["team"].clone();
    old.jobs.insert("gone".to_owned(), job.clone());
    new.jobs.insert("added".to_owned(), job);
    new.jobs.get_mut("team").unwrap().window_days_ahead = 7;
    new.log.format = LogFormat::Json;
    let found = diff(&old, &new);
    assert_eq!(
        found.jobs,
        NamesDiff { added: names(&["added"]), removed: names(&["gone"]), changed: names(&["team"]) }
    );
    assert_eq!(found.sources, NamesDiff::default());
    assert!(found.changed.contains(&"jobs.team.window_days_ahead".to_owned()));
}

/// Nothing in the settings file says that the file of holidays has changed: what it lists is compared.
#[test]
fn a_file_of_holidays_is_read_again() {
    let bench = Bench::new(format!("{GOOD}holidays_file = \"holidays.txt\"\n"));
    let load = |text: &str| {
        std::fs::write(bench.folder.path().join("holidays.txt"), text).unwrap();
        bench.load(&Environment::default()).unwrap().settings
    };
    let (old, same, new) = (load("2026-12-25\n"), load("2026-12-25 # again\n"), load("2026-12-25\n2027-01-01\n"));
    assert!(diff(&old, &same).is_empty());
    let found = diff(&old, &new);
    assert_eq!((found.changed, found.jobs.changed), (names(&["jobs.team.holidays_file"]), names(&["team"])));
    let new_year = jiff::civil::date(2027, 1, 1);
    assert!(old.jobs["team"].working_days.count(new_year) && !new.jobs["team"].working_days.count(new_year));
}
