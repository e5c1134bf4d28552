#![allow(clippy::unwrap_used)]
use std::{fs, path::Path};

use proptest::prelude::*;

use super::Reader;
use crate::{
    model::{
        source::{Completeness, Recipient, SourceRead, SourceTime},
        zone::Zone,
    },
    settings::{FilesSource, Source as SourceSettings},
    sources::SourceError,
};

fn reader(path: &Path, end_marker: bool) -> Reader {
    Reader { name: "erp".to_owned(), path: path.to_owned(), zone: Zone::parse("Europe/Paris").unwrap(), end_marker }
}

fn read_with(files: &[(&str, &[u8])], end_marker: bool) -> SourceRead {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    reader(folder.path(), end_marker).read(&mut || {}).unwrap().1
}

fn read(files: &[(&str, &str)]) -> SourceRead {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
    read_with(&files, false)
}

fn line(text: &str) -> SourceRead {
    read(&[("a.jsonl", text)])
}

fn is_complete(read: &SourceRead) -> bool {
    read.completeness == Completeness::Complete
}

const GOOD: &str = r#"{"kind":"appointment","id":"1","person":"ana","subject":"A","start":"2026-11-23T09:00","end":"2026-11-23T10:00"}"#;

#[test]
fn good_lines_are_read() {
    let cases = [
        (GOOD, "Timed 2026-11-23T09:00:00 2026-11-23T10:00:00 Europe/Paris"),
        (
            r#"{"kind":"appointment","id":"1","mailbox":"Ana@Example.test","start":"2026-11-23T09:00","duration":90,"zone":"Asia/Calcutta"}"#,
            "Timed 2026-11-23T09:00:00 2026-11-23T10:30:00 Asia/Kolkata",
        ),
        (
            r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00:30","duration":"PT1H","zone":"Romance Standard Time","reminder_minutes":"off","subject":null}"#,
            "Timed 2026-11-23T09:00:30 2026-11-23T10:00:30 Europe/Paris",
        ),
        (
            r#"{"kind":"appointment","id":"1","person":"ana","all_day":true,"start":"2026-11-23","end":"2026-11-24"}"#,
            "AllDay 2026-11-23T00:00:00 2026-11-25T00:00:00 Europe/Paris",
        ),
        (
            r#"{"kind":"schedule","id":"1","person":"ana","start":"2026-11-23T09:00","duration":0}"#,
            "Timed 2026-11-23T09:00:00 2026-11-23T09:00:00 Europe/Paris",
        ),
        (
            r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","period":"afternoon","days":1.5}"#,
            "2026-11-23 Afternoon 3",
        ),
        (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23"}"#, "2026-11-23 Day 2"),
        (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","days":3660}"#, "2026-11-23 Day 7320"),
        (
            r#"{"kind":"schedule","id":"1","person":"GEN01","generic":true,"date":"2026-11-23"}"#,
            "2026-11-23 Day 2 generic",
        ),
        (
            r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","period":"morning"}"#,
            "2026-11-23 Morning 1",
        ),
    ];
    for (text, expected) in cases {
        for text in [text.to_owned(), format!("\u{feff}{text}\r\n"), format!("\n{text}\n\n")] {
            let read = line(&text);
            assert_eq!(read.rejections, [], "{text}");
            assert!(is_complete(&read), "{text}");
            let event = read.events.first().unwrap();
            let found = match &event.time {
                SourceTime::Fixed(time) => format!(
                    "{} {} {} {}",
                    if time.is_all_day() { "AllDay" } else { "Timed" },
                    time.start(),
                    time.end(),
                    time.zone()
                ),
                SourceTime::Period { date, period, half_days, .. } => {
                    let generic = if event.generic { " generic" } else { "" };
                    format!("{date} {period:?} {half_days}{generic}")
                }
            };
            assert_eq!(found, expected);
        }
    }
}

/// Lines that are refused, with a part of the reason, and whether the key can be told.
pub(crate) const BAD_LINES: &[(&str, &str, bool)] = &[
    ("{", "EOF", false),
    ("[]", "invalid", false),
    ("not json", "not one JSON object: expected", false),
    (r#"{"kind":"appointment","person":"ana"}"#, "missing field `id`", false),
    (r#"{"kind":"note","id":"1"}"#, "`kind`", false),
    (r#"{"kind":"appointment","id":"","person":"ana"}"#, "`id` is empty", false),
    (r#"{"kind":"appointment","id":"1","person":"ana"}"#, "needs `start`", true),
    (r#"{"kind":"appointment","id":"1","start":"2026-11-23T09:00","duration":5}"#, "`person` or `mailbox`", true),
    (
        r#"{"kind":"appointment","id":"1","person":"a","mailbox":"a@b.test","start":"2026-11-23T09:00","duration":5}"#,
        "`person` or `mailbox`",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","mailbox":"ana","start":"2026-11-23T09:00","duration":5}"#,
        "not an SMTP address",
        true,
    ),
    (r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00"}"#, "`end` or `duration`", true),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","end":"2026-11-23T08:00"}"#,
        "before it starts",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","end":"2026-11-23T10:00","duration":5}"#,
        "one of them",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00Z","duration":5}"#,
        "without an offset",
        true,
    ),
    (r#"{"kind":"appointment","id":"1","person":"ana","start":"0000-01-01T09:00","duration":5}"#, "year", true),
    (r#"{"kind":"appointment","id":"1","person":"ana","start":"9999-12-31T09:00","duration":5}"#, "year", true),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","end":"2033-01-01T00:00"}"#,
        "5 years",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"zone":"Europe/Atlantis"}"#,
        "Europe/Atlantis",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"colour":"red"}"#,
        "unknown field `colour`",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"show_as":"away"}"#,
        "`show_as`",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"reminder_minutes":true}"#,
        "`reminder_minutes`",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"reminder_minutes":-5}"#,
        "`reminder_minutes`",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"all_day":true}"#,
        "not a date",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"date":"2026-11-23"}"#,
        "belong to a schedule",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"exceptions":[{"original":"2026-11-30T09:00"}]}"#,
        "`recurrence`",
        true,
    ),
    (
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"recurrence":"FREQ=WEEKLY","exceptions":[{"original":"2026-11-30"}]}"#,
        "`exceptions[0]`",
        true,
    ),
    (r#"{"kind":"appointment","id":1,"person":"ana","start":"2026-11-23T09:00","duration":5}"#, "`id`", true),
    (r#"{"kind":"schedule","id":"1","person":"ana"}"#, "needs `date`", true),
    (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","days":0.3}"#, "half-days", true),
    (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","days":0}"#, "half-days", true),
    (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","days":3660.5}"#, "0.5 to 3660", true),
    (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","period":"night"}"#, "`period`", true),
    (r#"{"kind":"schedule","id":"1","person":"ana","date":"2026-11-23","all_day":true}"#, "not both", true),
];

#[test]
fn bad_lines_are_refused_and_the_rest_goes_on() {
    for (text, reason, with_key) in BAD_LINES {
        let good = GOOD.replace("\"1\"", "\"good\"");
        let read = line(&format!("{text}\n{good}\n"));
        assert_eq!(read.events.len(), 1, "{text}");
        let [rejection] = read.rejections.as_slice() else { panic!("{text}: {:?}", read.rejections) };
        assert!(rejection.reason.contains(reason), "{text}: {}", rejection.reason);
        assert_eq!(rejection.place, "a.jsonl:1");
        assert_eq!(rejection.key.is_some(), *with_key, "{text}");
        assert_eq!(is_complete(&read), *with_key, "{text}");
    }
}

#[test]
fn exceptions_of_lines_are_read() {
    let head = r#"{"kind":"appointment","id":"1","person":"ana","recurrence":"FREQ=WEEKLY","#;
    let timed = r#""start":"2026-11-23T09:00","duration":60,"exceptions":"#;
    let all_day = r#""all_day":true,"start":"2026-11-23","end":"2026-11-24","exceptions":"#;
    let cases = [
        (timed, r#"[{"original":"2026-11-30T09:00","cancelled":true}]"#, "2026-11-30T09:00:00 cancelled"),
        (
            timed,
            r#"[{"original":"2026-11-30T09:00","start":"2026-11-30T14:00"}]"#,
            "2026-11-30T09:00:00 2026-11-30T14:00:00 2026-11-30T15:00:00",
        ),
        (
            timed,
            r#"[{"original":"2026-11-30T09:00","end":"2026-11-30T12:00"}]"#,
            "2026-11-30T09:00:00 2026-11-30T09:00:00 2026-11-30T12:00:00",
        ),
        (
            timed,
            r#"[{"original":"2026-11-30T09:00","subject":"B","duration":"PT5M"}]"#,
            "2026-11-30T09:00:00 2026-11-30T09:00:00 2026-11-30T09:05:00",
        ),
        (all_day, r#"[{"original":"2026-11-30","cancelled":true}]"#, "2026-11-30T00:00:00 cancelled"),
        (
            all_day,
            r#"[{"original":"2026-11-30","start":"2026-12-01"}]"#,
            "2026-11-30T00:00:00 2026-12-01T00:00:00 2026-12-03T00:00:00",
        ),
        (
            timed,
            r#"[{"original":"2026-11-30T09:00","all_day":true,"start":"2026-12-01"}]"#,
            "2026-11-30T09:00:00 2026-12-01T00:00:00 2026-12-02T00:00:00",
        ),
        (
            all_day,
            r#"[{"original":"2026-11-30","all_day":false,"start":"2026-11-30T09:00","duration":60}]"#,
            "2026-11-30T00:00:00 2026-11-30T09:00:00 2026-11-30T10:00:00",
        ),
    ];
    for (times, exceptions, expected) in cases {
        let read = line(&format!("{head}{times}{exceptions}}}"));
        assert_eq!(read.rejections, [], "{exceptions}");
        let exception = &read.events[0].recurrence.as_ref().unwrap().exceptions[0];
        let change = exception.change.as_ref();
        let to =
            change.map_or("cancelled".to_owned(), |change| format!("{} {}", change.time.start(), change.time.end()));
        assert_eq!(format!("{} {to}", exception.original), expected, "{exceptions}");
    }
    let bad = [
        r#"[{"original":"2026-11-30T09:00","cancelled":true,"start":"2026-11-30T14:00"}]"#,
        r#"[{"original":"2026-11-30T09:00","end":"2026-11-30T08:00"}]"#,
        r#"[{"original":"2026-11-30T09:00","colour":"red"}]"#,
        r#"[{"original":"2026-11-30T09:00","all_day":true}]"#,
    ];
    for exceptions in bad {
        let read = line(&format!("{head}{timed}{exceptions}}}"));
        assert!(read.rejections[0].reason.contains("exceptions[0]"), "{:?}", read.rejections);
    }
}

#[test]
fn additional_times_of_lines_are_read() {
    let head = r#"{"kind":"appointment","id":"1","person":"ana","#;
    let cases = [
        (r#""start":"2026-11-23T09:00","duration":60,"additional":["2026-12-01T14:00"]}"#, "2026-12-01T14:00:00"),
        (r#""all_day":true,"start":"2026-11-23","additional":["2026-12-01"]}"#, "2026-12-01T00:00:00"),
    ];
    for (text, expected) in cases {
        let read = line(&format!("{head}{text}"));
        assert_eq!(read.rejections, [], "{text}");
        let recurrence = read.events[0].recurrence.as_ref().unwrap();
        assert_eq!((recurrence.rules.len(), recurrence.additional[0].to_string().as_str()), (0, expected));
    }
    let bad = line(&format!("{head}\"start\":\"2026-11-23T09:00\",\"duration\":60,\"additional\":[\"2026-12-01\"]}}"));
    assert!(bad.rejections[0].reason.contains("`additional`"), "{:?}", bad.rejections);
}

#[test]
fn reasons_hold_no_content() {
    let read = line(
        r#"{"kind":"appointment","id":"1","person":"ana","start":"2026-11-23T09:00","duration":5,"categories":"Secret \", expected"}"#,
    );
    assert!(!read.rejections[0].reason.contains("Secret"), "{}", read.rejections[0].reason);
    let read = line(&GOOD.replace("2026-11-23T09:00", &"x".repeat(10_000)));
    assert!(read.rejections[0].reason.len() < 350, "{}", read.rejections[0].reason.len());
}

#[test]
fn equal_keys_and_keys_that_differ_in_case_are_told() {
    let two = GOOD.replace("\"1\"", "\"ab\"").replace("ana", "bob");
    let cases = [("ab", "same key"), ("AB", "only in case")];
    for (id, reason) in cases {
        let read = line(&format!("{two}\n{}\n", GOOD.replace("\"1\"", &format!("\"{id}\""))));
        assert_eq!(read.events.len(), 1);
        assert_eq!(read.events[0].recipient, Recipient::Person("bob".to_owned()));
        assert!(read.rejections[0].reason.contains(reason) && read.rejections[0].key.is_some());
        assert!(is_complete(&read));
    }
}

#[test]
fn what_is_not_whole_is_incomplete() {
    let marker = |end: bool, count: u64| format!("{GOOD}\n{{\"end\":{end},\"count\":{count}}}\n");
    let cases: &[(&str, bool, bool)] = &[
        (GOOD, false, true),
        (GOOD, true, false),
        (&marker(true, 1), true, true),
        (&marker(true, 1), false, true),
        (&marker(true, 2), true, false),
        (&marker(true, 2), false, false),
        (&marker(false, 1), true, false),
        (&(marker(true, 1) + GOOD), true, false),
        ("{\"end\":true,\"count\":0}", true, true),
        ("", false, false),
        ("\n", false, true),
        (&GOOD[..GOOD.len() - 5], false, false),
    ];
    for (text, end_marker, complete) in cases {
        let read = read_with(&[("a.jsonl", text.as_bytes())], *end_marker);
        assert_eq!(is_complete(&read), *complete, "{text} {end_marker} {:?}", read.completeness);
    }
    assert!(!is_complete(&read_with(&[], false)));
    assert!(!is_complete(&read_with(&[("note.txt", b"x"), (".hidden.jsonl", GOOD.as_bytes())], false)));
    let latin_1 = read_with(&[("a.jsonl", b"{\"kind\":\"schedule\",\"id\":\"caf\xe9\"}\n")], false);
    assert!(latin_1.rejections[0].reason.contains("UTF-8") && !is_complete(&latin_1));
}

#[test]
fn owners_come_from_folders_and_file_names() {
    let calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20261123T090000\nDTEND:20261123T100000\nEND:VEVENT\nEND:VCALENDAR\n";
    let read = read(&[
        ("ana@example.test/one.ics", calendar),
        ("bob.ics", calendar),
        ("2026/eve@example.test/x.ICS", calendar),
        ("deep/er/lines.jsonl", GOOD),
    ]);
    let keys: Vec<&str> = read.events.iter().map(|event| event.key.as_str()).collect();
    let expected = [
        "erp/appointment/1",
        "erp/appointment/ana@example.test/u",
        "erp/appointment/bob/u",
        "erp/appointment/eve@example.test/u",
    ];
    assert_eq!(keys, expected);
    assert!(is_complete(&read));
    assert_eq!(read.events[1].place, "ana@example.test/one.ics:2");
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = reader(&folder.path().join("missing"), false).read(&mut || {});
    assert!(matches!(missing, Err(SourceError::Unreadable { .. })));
    fs::write(folder.path().join("file"), "").unwrap();
    let file = reader(&folder.path().join("file"), false).read(&mut || {});
    assert!(matches!(file, Err(SourceError::NotAFolder { .. })));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.jsonl"), GOOD).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), GOOD.replace("\"1\"", "\"2\"")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked-folder")).unwrap();
    let steady = reader(folder.path(), false).read(&mut || {}).unwrap().1;
    assert_eq!((steady.events.len(), is_complete(&steady)), (1, true));
    std::os::unix::fs::symlink(outside.path().join("secret.jsonl"), folder.path().join("b.jsonl")).unwrap();
    let read = reader(folder.path(), false).read(&mut || {}).unwrap().1;
    assert_eq!((read.events.len(), is_complete(&read)), (1, false));
}

#[test]
fn files_that_change_while_they_are_read_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, GOOD).unwrap();
    let mut times = 0;
    let (_, once) = reader(folder.path(), false)
        .read(&mut || {
            times += 1;
            if times == 1 {
                fs::write(&path, format!("{GOOD}\n{}", GOOD.replace("\"1\"", "\"2\""))).unwrap();
            }
        })
        .unwrap();
    assert_eq!((once.events.len(), is_complete(&once), times), (2, true, 2));
    let (_, always) = reader(folder.path(), false)
        .read(&mut || {
            times += 1;
            fs::write(&path, format!("{GOOD}{}", " ".repeat(times))).unwrap();
        })
        .unwrap();
    assert!(!is_complete(&always));
    assert_eq!(times, 5);
    // A file that vanishes for good is absent, and the folder is then empty: never complete.
    let (_, vanished) = reader(folder.path(), false).read(&mut || drop(fs::remove_file(&path))).unwrap();
    assert!(vanished.events.is_empty() && !is_complete(&vanished));
}

#[tokio::test]
async fn a_source_is_opened_and_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), GOOD).unwrap();
    let settings = FilesSource { path: folder.path().to_owned(), zone: Zone::utc(), end_marker: false };
    let source = crate::sources::open("erp", &SourceSettings::Files(settings)).unwrap();
    assert_eq!(source.read().await.unwrap().events.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn mutated_files_never_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        line in prop::sample::select(BAD_LINES.iter().map(|(text, ..)| *text).collect::<Vec<_>>()),
    ) {
        let calendar = include_str!("../icalendar/sample.ics");
        let mut lines = format!("{GOOD}\n{line}\n").into_bytes();
        let mut calendar = calendar.as_bytes().to_vec();
        for (index, byte) in cuts {
            let position = index.index(lines.len());
            lines[position] = byte;
            let position = index.index(calendar.len());
            calendar[position] = byte;
        }
        read_with(&[("a.jsonl", &lines), ("ana.ics", &calendar)], false);
    }
}

/// The good line with more members.
fn with(members: &str) -> String {
    format!("{},{members}}}", GOOD.trim_end_matches('}'))
}

#[test]
fn links_and_fields_of_the_source_are_read() {
    let read = line(&with(
        r#""url":" https://erp.test/1 ","online_meeting_url":"","data":{"customer":"ACME","hours":7.5,"n":-3,"billed":true,"phase":null}"#,
    ));
    assert_eq!(read.rejections, []);
    let content = &read.events[0].content;
    assert_eq!(content.url.as_deref(), Some("https://erp.test/1"));
    assert_eq!(content.online_meeting_url.as_deref(), Some(""));
    let fields: Vec<String> = content.data.iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(fields, ["billed=true", "customer=ACME", "hours=7.5", "n=-3"]);
    let exceptions = r#""recurrence":"FREQ=DAILY;COUNT=2","exceptions":[{"original":"2026-11-24T09:00","url":"https://x.test","data":{"a":"b"}}]"#;
    let read = line(&with(exceptions));
    let change = read.events[0].recurrence.as_ref().unwrap().exceptions[0].change.as_ref().unwrap();
    assert_eq!(change.content.url.as_deref(), Some("https://x.test"));
    assert_eq!(change.content.data.as_ref().unwrap()["a"], "b");
}

#[test]
fn malformed_links_and_fields_refuse_their_event() {
    let many: String = (0..65).map(|number| format!("\"f{number}\":{number},")).collect();
    let cases = [
        (r#""url":"javascript:secret""#.to_owned(), "`url`"),
        (r#""url":7"#.to_owned(), "`url`"),
        (r#""online_meeting_url":"https://sec ret""#.to_owned(), "`online_meeting_url`"),
        (format!("\"url\":\"https://secret/{}\"", "x".repeat(2048)), "2048"),
        (r#""data":{"a":{"secret":1}}"#.to_owned(), "`data.a`"),
        (r#""data":{"a":["secret"]}"#.to_owned(), "`data.a`"),
        (r#""data":["secret"]"#.to_owned(), "`data`"),
        (r#""data":"secret""#.to_owned(), "`data`"),
        (r#""data":{"":"secret"}"#.to_owned(), "1 to 64"),
        (r#""data":{"a":1,"a":2}"#.to_owned(), "twice"),
        (format!("\"data\":{{{}}}", many.trim_end_matches(',')), "64 fields"),
        (format!("\"data\":{{\"a\":\"{}\"}}", "secret".repeat(1000)), "4096"),
    ];
    for (members, words) in cases {
        let read = line(&with(&members));
        let [rejection] = read.rejections.as_slice() else { panic!("{members}: {read:?}") };
        let said = format!("{rejection:?}");
        assert!(rejection.key.is_some() && said.contains(words) && !said.contains("secret"), "{members}: {said}");
    }
}

#[test]
fn half_a_surrogate_pair_is_replaced_and_long_reminders_are_cut() {
    let text = GOOD.replace("\"A\"", r#""A\ud83c \ud83c\udf89""#);
    let text = text.replace(r#""start""#, r#""reminder_minutes":99999999999,"start""#);
    let read = line(&text);
    assert_eq!(read.rejections, []);
    assert_eq!(read.events[0].content.subject.as_deref(), Some("A\u{fffd} 🎉"));
    assert!(read.events[0].content.reminder.is_some());
}
