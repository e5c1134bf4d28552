//! The seeds of the fuzz targets, and 1 MiB of what costs most, through every entry.
//!
//! Here they are to end without a panic. Time and memory are measured where the targets run, which have limits on both:
//! with `CALSYNCD_WORST_CASES` set to a folder, the inputs are written there, one folder for each target.

use std::{fs, path::Path};

/// The length of a worst case.
const BYTES: usize = 1024 * 1024;

type Entry = fn(&[u8]);

const TARGETS: [(&str, Entry); 6] = [
    ("icalendar", super::icalendar),
    ("json_lines", super::json_lines),
    ("ews", super::ews),
    ("graph", super::graph),
    ("rule", super::rule),
    ("template", super::template),
];

fn entry(target: &str) -> Entry {
    TARGETS.iter().find(|(name, _)| *name == target).unwrap().1
}

#[test]
fn seeds_are_read() {
    for (target, entry) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
        assert!(seeds.len() > 4, "{target}");
        for seed in seeds {
            entry(&fs::read(seed).unwrap());
        }
    }
}

/// `unit(0)`, `unit(1)`… between `head` and `tail`, up to the length of a worst case.
fn filled(head: &str, unit: impl Fn(usize) -> String, tail: &str) -> Vec<u8> {
    let mut text = head.to_owned();
    for number in 0.. {
        let next = unit(number);
        if text.len() + next.len() + tail.len() > BYTES {
            break;
        }
        text.push_str(&next);
    }
    text.push_str(tail);
    text.into_bytes()
}

fn repeated(head: &str, unit: &str, tail: &str) -> Vec<u8> {
    filled(head, |_| unit.to_owned(), tail)
}

fn check(target: &str, cases: Vec<(&str, Vec<u8>)>) {
    let folder = std::env::var_os("CALSYNCD_WORST_CASES").map(|folder| Path::new(&folder).join(target));
    if let Some(folder) = &folder {
        fs::create_dir_all(folder).unwrap();
    }
    for (name, input) in cases {
        assert!(input.len() > BYTES / 2 && input.len() <= BYTES, "{target} {name}: {} bytes", input.len());
        if let Some(folder) = &folder {
            fs::write(folder.join(name), &input).unwrap();
        }
        entry(target)(&input);
    }
}

#[test]
fn icalendar_files_that_cost_most() {
    let (head, tail) = ("BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n");
    let event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261124T090000Z\r\n";
    let end = "END:VEVENT\r\nEND:VCALENDAR\r\n";
    let inside = |text: &str| format!("{head}{event}{text}");
    let series = |number: usize, start: &str, rule: &str, more: &str| {
        format!("BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:{start}\r\nRRULE:{rule}\r\n{more}END:VEVENT\r\n")
    };
    let day = |number: usize| {
        let first = jiff::civil::date(2026, 11, 24);
        first
            .checked_add(jiff::Span::new().days(i64::try_from(number).unwrap()))
            .unwrap()
            .strftime("%Y%m%d")
            .to_string()
    };
    check(
        "icalendar",
        vec![
            ("components", repeated(head, "BEGIN:X\r\n", "")),
            ("nested_alarms", repeated(&inside(""), "BEGIN:VALARM\r\nBEGIN:X\r\nEND:X\r\nEND:VALARM\r\n", end)),
            ("alarms", repeated(&inside(""), "BEGIN:VALARM\r\nTRIGGER:PT1M\r\nEND:VALARM\r\n", end)),
            ("long_line", repeated(&inside("DESCRIPTION:"), "x", &format!("\r\n{end}"))),
            ("long_html", repeated(&inside("X-ALT-DESC;FMTTYPE=text/html:"), "<b>\\n", &format!("\r\n{end}"))),
            ("escapes", repeated(&inside("SUMMARY:"), "\\", &format!("\r\n{end}"))),
            ("folds", repeated(&inside("DESCRIPTION:"), "\r\n x", &format!("\r\n{end}"))),
            ("empty_folds", repeated(&inside("DESCRIPTION:"), "\n ", &format!("\r\n{end}"))),
            ("empty_lines", repeated(head, "\n", tail)),
            ("quotes", repeated(&inside("SUMMARY;X="), "\"", &format!("\r\n{end}"))),
            ("parameters", repeated(&inside("SUMMARY"), ";X=y", &format!(":z\r\n{end}"))),
            ("values", repeated(&inside("CATEGORIES:a"), ",a", &format!("\r\n{end}"))),
            ("categories", filled(&inside("CATEGORIES:a"), |number| format!(",{number}"), &format!("\r\n{end}"))),
            ("properties", repeated(&inside(""), "X-A:1\r\n", end)),
            ("summaries", repeated(&inside(""), "SUMMARY:a\r\n", end)),
            ("rules", repeated(&inside(""), "RRULE:FREQ=DAILY\r\n", end)),
            ("long_rule", repeated(&inside("RRULE:FREQ=DAILY;BYDAY=MO"), ",MO", &format!("\r\n{end}"))),
            ("events", filled(head, |number| format!("BEGIN:VEVENT\r\nUID:{number}\r\nEND:VEVENT\r\n"), tail)),
            ("same_events", repeated(head, &format!("{event}END:VEVENT\r\n"), tail)),
            ("without_uid", repeated(head, "BEGIN:VEVENT\r\nEND:VEVENT\r\n", tail)),
            (
                "excluded",
                filled(
                    &inside("RRULE:FREQ=DAILY\r\nEXDATE:20261124"),
                    |n| format!(",{}", day(n)),
                    &format!("\r\n{end}"),
                ),
            ),
            (
                "overrides",
                filled(
                    &format!("{}END:VEVENT\r\n", inside("RRULE:FREQ=DAILY\r\n")),
                    |n| {
                        format!(
                            "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:{0}\r\nDTSTART:{0}T100000Z\r\nEND:VEVENT\r\n",
                            day(n)
                        )
                    },
                    tail,
                ),
            ),
            ("old_series_in_a_zone", filled(head, |n| series(n, "19000101T020000", "FREQ=DAILY", ""), tail)),
            ("old_months", filled(head, |n| series(n, "19000101T000000Z", "FREQ=MONTHLY", ""), tail)),
            (
                "late_exceptions",
                filled(head, |n| series(n, "20261124T090000Z", "FREQ=DAILY", "EXDATE:22000101T090000Z\r\n"), tail),
            ),
            ("busy_series", filled(head, |n| series(n, "20261124T090000Z", "FREQ=SECONDLY", ""), tail)),
            ("expanded", filled(head, |n| series(n, "20261124T090000Z", "FREQ=HOURLY;INTERVAL=6", ""), tail)),
            ("never", filled(head, |n| series(n, "20261124", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", ""), tail)),
            (
                "zones",
                filled(
                    head,
                    |n| format!("BEGIN:VTIMEZONE\r\nTZID:{n}\r\nX-LIC-LOCATION:{n}\r\nEND:VTIMEZONE\r\n"),
                    tail,
                ),
            ),
            (
                "zone_names",
                filled(
                    head,
                    |n| format!("BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART;TZID=/a/b/c/{n}:20261124T090000\r\nEND:VEVENT\r\n"),
                    tail,
                ),
            ),
            ("long_zone", repeated(&inside("EXDATE;TZID=/a"), "/a", &format!(":20261124T090000\r\n{end}"))),
            ("latin_1", [b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n".to_vec(), vec![0xe9; BYTES - 100]].concat()),
        ],
    );
}

#[test]
fn json_lines_that_cost_most() {
    let start = r#"{"kind":"appointment","id":"1","person":"a","start":"2026-11-24T09:00","duration":30"#;
    let inside = |text: &str| format!("{start},{text}");
    let series = |number: usize, start: &str, rule: &str| {
        format!(
            "{{\"kind\":\"appointment\",\"id\":\"{number}\",\"person\":\"a\",\"start\":\"{start}\",\"duration\":30,\"recurrence\":\"{rule}\"}}\n"
        )
    };
    check(
        "json_lines",
        vec![
            ("arrays", repeated("", "[", "")),
            ("objects", repeated("", "{\"a\":", "")),
            ("arrays_inside", repeated(&inside("\"zone\":"), "[", "")),
            ("lines", repeated("", "{}\n", "")),
            ("empty_lines", repeated("", "\n", "{}")),
            ("marks", repeated("", "{\"end\":true,\"count\":0}\n", "")),
            ("long_text", repeated(&inside("\"body\":\""), "\\u00e9", "\"}")),
            ("surrogates", repeated(&inside("\"subject\":\""), "\\ud83d\\ude00", "\"}")),
            ("blanks", repeated(&inside("\"subject\":\""), " a", "\"}")),
            ("digits", repeated(&inside("\"reminder_minutes\":1"), "0", "}")),
            ("categories", filled(&inside("\"categories\":[\"a\""), |number| format!(",\"{number}\""), "]}")),
            ("unknown", filled(&inside("\"a\":1"), |number| format!(",\"{number}\":1"), "}")),
            (
                "exceptions",
                repeated(
                    &inside("\"recurrence\":\"FREQ=DAILY\",\"exceptions\":[{\"original\":\"2026-11-24T09:00\"}"),
                    ",{\"original\":\"2026-11-24T09:00\"}",
                    "]}",
                ),
            ),
            ("old_series", filled("", |n| series(n, "1900-01-01T00:00", "FREQ=DAILY"), "")),
            ("old_months", filled("", |n| series(n, "1900-01-01T00:00", "FREQ=MONTHLY;BYDAY=-1MO"), "")),
            ("same", repeated("", &format!("{start}}}\n"), "")),
            ("latin_1", vec![0xe9; BYTES]),
        ],
    );
}

fn soap(call: &str, head: &str, unit: impl Fn(usize) -> String, tail: &str) -> Vec<u8> {
    let open = format!("{call}\0<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>{head}");
    filled(&open, unit, &format!("{tail}</s:Body></s:Envelope>"))
}

#[test]
fn soap_answers_that_cost_most() {
    let message = |operation: &str, inside: &str| {
        format!(
            "<{operation}Response><ResponseMessages><{operation}ResponseMessage ResponseClass='Success'><ResponseCode>NoError</ResponseCode>{inside}"
        )
    };
    let end = |operation: &str, inside: &str| {
        format!("{inside}</{operation}ResponseMessage></ResponseMessages></{operation}Response>")
    };
    let find = message("FindItem", "<RootFolder IncludesLastItemInRange='true'><Items>");
    let found = end("FindItem", "</Items></RootFolder>");
    let property = "<ExtendedProperty><ExtendedFieldURI PropertyName='SourceKey'/><Value>erp/appointment/1</Value></ExtendedProperty>";
    let sync = message(
        "SyncFolderItems",
        "<SyncState>a</SyncState><IncludesLastItemInRange>true</IncludesLastItemInRange><Changes>",
    );
    let synced = end("SyncFolderItems", "</Changes>");
    let named = |number: usize| format!(" xmlns:a{number}='a'");
    check(
        "ews",
        vec![
            ("elements", soap("open", "", |_| "<a/>".to_owned(), "")),
            ("depth", soap("open", "", |_| "<a>".to_owned(), "")),
            ("depth_to_and_fro", soap("open", "", |_| format!("{}{}", "<a>".repeat(50), "</a>".repeat(50)), "")),
            ("attributes", soap("open", "<a", |_| " b=''".to_owned(), "/>")),
            ("text", soap("open", "<a>", |_| "x".to_owned(), "</a>")),
            ("references", soap("open", "<a>", |_| "&lt;".to_owned(), "</a>")),
            ("cdata", soap("open", "<a>", |_| "<![CDATA[x]]>".to_owned(), "</a>")),
            ("comments", soap("open", "<a>", |_| "<!---->".to_owned(), "</a>")),
            ("long_name", soap("open", "<", |_| "a".to_owned(), "/>")),
            ("names_of_names", soap("open", "<a", named, "/>")),
            ("prefixes", {
                let many: String = (0..20_000).map(named).collect();
                soap("open", &format!("<a{many}>"), |_| "<b:c/>".to_owned(), "</a>")
            }),
            (
                "messages",
                soap(
                    "apply",
                    "<CreateItemResponse><ResponseMessages>",
                    |_| "<m/>".to_owned(),
                    "</ResponseMessages></CreateItemResponse>",
                ),
            ),
            (
                "faults",
                soap(
                    "apply",
                    "<CreateItemResponse><ResponseMessages>",
                    |_| "<m ResponseClass='Error'/>".to_owned(),
                    "</ResponseMessages></CreateItemResponse>",
                ),
            ),
            ("details", soap("open", "<Fault><faultstring>", |_| "x".to_owned(), "</faultstring></Fault>")),
            ("items", soap("probe", &find, |n| format!("<i><ItemId Id='{n}'/>{property}</i>"), &found)),
            ("foreign_items", soap("probe", &find, |_| "<i><ItemId Id=''/></i>".to_owned(), &found)),
            (
                "properties",
                soap("probe", &format!("{find}<i><ItemId Id=''/>"), |_| property.to_owned(), &format!("</i>{found}")),
            ),
            ("changes", soap("changes", &sync, |n| format!("<Create><i><ItemId Id='{n}'/></i></Create>"), &synced)),
            ("gone", soap("changes", &sync, |_| "<Delete><ItemId Id=''/></Delete>".to_owned(), &synced)),
            (
                "pages",
                filled(
                    "read",
                    |n| {
                        let page = end("SyncFolderItems", "<IncludesLastItemInRange>false</IncludesLastItemInRange>");
                        let page =
                            format!("{}{page}", message("SyncFolderItems", &format!("<SyncState>{n}</SyncState>")));
                        format!(
                            "\0<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>{page}</s:Body></s:Envelope>"
                        )
                    },
                    "",
                ),
            ),
            ("blanks", repeated("open\0", " ", "")),
            ("answers", repeated("apply", "\0", "")),
            ("page", repeated("open\0", "<html", "")),
        ],
    );
}

#[test]
fn graph_answers_that_cost_most() {
    let event = |n: usize| {
        format!(
            "{{\"id\":\"{n}\",\"changeKey\":\"c\",\"singleValueExtendedProperties\":[{{\"id\":\"String {{0ab89da0-c8e5-4849-914a-1396b47752b5}} Name SourceKey\",\"value\":\"erp/appointment/{n}\"}}]}}"
        )
    };
    let instance =
        "{\"id\":\"1\",\"type\":\"occurrence\",\"originalStart\":\"2026-11-30T08:00:00Z\",\"changeKey\":\"c\"}";
    let written = "{\"responses\":[{\"id\":\"1\",\"status\":201,\"body\":{\"id\":\"1\",\"changeKey\":\"c\"}},{\"id\":\"2\",\"status\":201,\"body\":{\"id\":\"1\",\"changeKey\":\"c\"}},{\"id\":\"3\",\"status\":201,\"body\":{\"id\":\"1\",\"changeKey\":\"c\"}}]}";
    check(
        "graph",
        vec![
            ("arrays", repeated("read\0", "[", "")),
            ("objects", repeated("read\0", "{\"a\":", "")),
            ("arrays_inside", repeated("read\0{\"value\":[", "[", "")),
            ("events", filled("read\0{\"value\":[{}", |n| format!(",{}", event(n)), "]}")),
            ("empty_events", repeated("read\0{\"value\":[{}", ",{}", "]}")),
            ("properties", repeated("read\0{\"value\":[{\"singleValueExtendedProperties\":[{}", ",{}", "]}]}")),
            ("text", repeated("read\0{\"value\":[{\"id\":\"", "\\u00e9", "\"}]}")),
            ("error", repeated("open\x00500\n\n{\"error\":{\"code\":\"", "x", "\"}}")),
            (
                "responses",
                filled(
                    "probe\0{\"responses\":[{\"id\":\"\",\"status\":200}",
                    |n| format!(",{{\"id\":\"{n}\",\"status\":200}}"),
                    "]}",
                ),
            ),
            (
                "same_responses",
                repeated(
                    "probe\0{\"responses\":[{\"id\":\"1\",\"status\":200}",
                    ",{\"id\":\"1\",\"status\":200}",
                    "]}",
                ),
            ),
            (
                "headers",
                filled(
                    "probe\0{\"responses\":[{\"id\":\"1\",\"status\":429,\"headers\":{\"a\":\"b\"",
                    |n| format!(",\"x{n}\":\"b\""),
                    "}}]}",
                ),
            ),
            (
                "instances",
                repeated(
                    &format!(
                        "apply\0{written}\0{{\"responses\":[{{\"id\":\"1\",\"status\":200,\"body\":{{\"value\":[{instance}"
                    ),
                    &format!(",{instance}"),
                    "]}}]}",
                ),
            ),
            (
                "pages",
                filled(
                    "read",
                    |n| format!("\0{{\"value\":[],\"@odata.nextLink\":\"https://graph.example.test/v1.0/a?{n}\"}}"),
                    "",
                ),
            ),
            ("digits", repeated("probe\0{\"responses\":[{\"id\":\"1\",\"status\":1", "0", "}]}")),
            ("token", repeated("token\0{\"token_type\":\"Bearer\",\"access_token\":\"", "x", "\"}")),
            ("answers", repeated("apply", "\0", "")),
            ("halves", repeated("apply", "\x00400\n\n", "")),
        ],
    );
}

#[test]
fn rules_that_cost_most() {
    let start = "2026-11-24T09:00\nEurope/Paris\nFREQ=DAILY";
    let far = |n: usize| format!("\n{:04}-06-01T09:00", 2026 + n % 170);
    check(
        "rule",
        vec![
            ("long", repeated(&format!("{start};BYDAY=MO"), ",MO", "")),
            ("cancelled", filled(start, far, "")),
            ("moved", filled(start, |n| format!("{0} {1}", far(n), "2026-11-24T10:00"), "")),
            ("same", repeated(start, "\n2026-11-24T09:00", "")),
            ("empty", repeated(start, "\n", "")),
        ],
    );
}

#[test]
fn templates_that_cost_most() {
    let escaped = "<".repeat(BYTES - 100);
    let with_body =
        |template: &str| format!("{template}\0{}", &escaped[..BYTES - 1 - template.len().max(99)]).into_bytes();
    let deep = format!("{}x{}", "{% if subject %}".repeat(400), "{% endif %}".repeat(400));
    let loops = "{% for a in categories %}".repeat(100) + "{{ body }}" + &"{% endfor %}".repeat(100);
    check(
        "template",
        vec![
            ("long", repeated("{{ subject }}", "x", "")),
            ("escaped", with_body("{{ body | escape }}")),
            ("twice", with_body("{{ body | escape | escape | escape }}")),
            ("replaced", with_body("{{ body | replace('<', '<<<<<<<<<<<<<<<<') }}")),
            ("split", with_body("{{ body | split('<') | join('----------------') }}")),
            ("title", with_body("{{ body | title | upper | lower | trim }}")),
            ("joined", with_body("{{ body ~ body ~ body ~ body ~ body }}")),
            ("padded", with_body("{{ body | pad(1000000000) }}")),
            ("deep", with_body(&deep)),
            ("loops", with_body(&loops)),
            ("parentheses", with_body(&format!("{{{{ {} }}}}", "(".repeat(8000)))),
            ("minus", with_body(&format!("{{{{ {}1 }}}}", "-".repeat(8000)))),
            ("brackets", with_body(&format!("{{{{ {} }}}}", "[".repeat(8000)))),
        ],
    );
}

#[test]
fn short_rules_that_cost_most() {
    let starts = ["1900-01-01T02:30", "2026-11-24T02:30", "2200-12-30", "1900-02-28"];
    let rules = [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=999;UNTIL=99991231",
        "FREQ=DAILY;COUNT=4294967295",
        "FREQ=WEEKLY;INTERVAL=99",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=SU;BYMONTH=2",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;INTERVAL=65535;BYYEARDAY=366",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTHDAY=1;BYMONTH=6",
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=100000;BYSECOND=59",
        "FREQ=MINUTELY;BYSETPOS=-366;BYHOUR=0",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYYEARDAY=366;BYHOUR=23;BYMINUTE=59;BYSECOND=59",
        "FREQ=MINUTELY;INTERVAL=59;BYWEEKNO=53;BYMONTH=6",
        "FREQ=WEEKLY;BYMONTH=2;BYSETPOS=366",
        "FREQ=DAILY;COUNT=10000;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30;BYSETPOS=-1",
    ];
    for (number, (start, rule)) in starts.iter().flat_map(|start| rules.map(|rule| (start, rule))).enumerate() {
        let input = format!("{start}\nEurope/Paris\n{rule}\n2200-01-01T02:30\n2200-01-02T02:30 2200-01-02T03:30");
        for input in [input.as_str(), input.rsplitn(3, '\n').last().unwrap()] {
            super::rule(input.as_bytes());
        }
        if let Some(folder) = std::env::var_os("CALSYNCD_WORST_CASES") {
            let folder = Path::new(&folder).join("rule");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("short_{number}")), input).unwrap();
        }
    }
}
