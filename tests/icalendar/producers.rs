//! Files in the shapes that calendar programs write, and what is shown of them: `tests/goldens/icalendar/`.

use std::{fmt::Write as _, fs, path::Path};

use jiff::civil::date;

use crate::shown::{OWNER, Occurrence, Shown, show, window};

/// What a file comes to, as text.
fn told(shown: &Shown) -> String {
    let mut text = format!("{:?}\n", shown.read.completeness);
    for reason in shown.reasons() {
        writeln!(text, "not shown: {reason}").unwrap();
    }
    for event in shown.events() {
        let content = &event.content;
        let key = event.key.as_str().replace(OWNER, "OWNER");
        writeln!(text, "\n{key}").unwrap();
        writeln!(text, "  {:?} in {}", content.subject, event.time.zone().iana()).unwrap();
        writeln!(text, "  location {:?}", content.location).unwrap();
        writeln!(text, "  body {:?} {:?}", content.body.kind, content.body.content).unwrap();
        let reminder = content.reminder_minutes.map_or("off".to_owned(), |minutes| format!("{minutes} minutes"));
        writeln!(
            text,
            "  {:?}, {:?}, {:?}, reminder {reminder}",
            content.show_as, content.sensitivity, content.importance
        )
        .unwrap();
        writeln!(text, "  categories {:?}", content.categories).unwrap();
        if let Some(series) = &event.series {
            writeln!(text, "  {:?} {:?}", series.recurrence.pattern, series.recurrence.end).unwrap();
        }
    }
    text.push('\n');
    for Occurrence { start, end, zone, all_day, subject, .. } in shown.occurrences() {
        if all_day {
            writeln!(text, "{} to {} {subject:?}", start.date(), end.date().yesterday().unwrap()).unwrap();
        } else {
            writeln!(text, "{start} to {end} {zone} {subject:?}").unwrap();
        }
    }
    text
}

#[test]
fn files_of_calendar_programs_are_shown_as_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files: Vec<_> =
        fs::read_dir(root.join("fixtures/icalendar")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6);
    let mut faults = Vec::new();
    for file in files {
        let shown = show(&fs::read(&file).unwrap(), window(date(2026, 11, 23), date(2027, 1, 31), "Europe/Paris"));
        let told = told(&shown);
        let name = file.file_stem().unwrap().to_str().unwrap();
        let golden = root.join(format!("goldens/icalendar/{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &told).unwrap();
        }
        if told != fs::read_to_string(&golden).unwrap_or_default() {
            faults.push(format!("{name} is shown as\n{told}"));
        }
    }
    let hint = "set UPDATE_GOLDEN=1 to write the goldens anew, and read what has changed";
    assert!(faults.is_empty(), "{}\n{hint}", faults.join("\n"));
}

#[test]
fn line_ends_do_not_matter() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/icalendar");
    for name in ["outlook.ics", "google.ics", "apple.ics", "thunderbird.ics"] {
        let text = fs::read_to_string(root.join(name)).unwrap().replace("\r\n", "\n");
        let span = window(date(2026, 11, 23), date(2027, 1, 31), "Europe/Paris");
        let bare = told(&show(text.as_bytes(), span));
        assert_eq!(told(&show(text.replace('\n', "\r\n").as_bytes(), span)), bare, "{name}");
        assert_eq!(told(&show(format!("\u{feff}{text}").as_bytes(), span)), bare, "{name}");
        assert_eq!(told(&show(text.trim_end().as_bytes(), span)), bare, "{name}");
    }
}
