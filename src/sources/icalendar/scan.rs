//! The content lines of an iCalendar file (RFC 5545 §3.1): unfolded, with their line numbers, cut into components, and
//! within limits, before any parser sees them.

use super::time_zone::Definition;

/// The deepest nesting of components.
const DEPTH_MAX: usize = 16;
/// The longest line after unfolding, in bytes.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest event, in bytes.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One `VEVENT`, unfolded, as text for the parser.
#[derive(Debug)]
pub(super) struct Block {
    /// The line of its `BEGIN`.
    pub(super) line: usize,
    /// Its content lines, from `BEGIN:VEVENT` to `END:VEVENT`.
    pub(super) lines: Vec<String>,
    /// How long its lines are together.
    bytes: usize,
    /// What is wrong with one of its lines.
    pub(super) fault: Option<String>,
}

impl Block {
    /// The raw values of a property of the event itself, as they stand in the file.
    pub(super) fn raw<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut depth = 0_usize;
        self.lines.iter().filter_map(move |line| {
            let (head, value) = split(line)?;
            let (own, parameters) = head.split_once(';').unwrap_or((head, ""));
            if own.eq_ignore_ascii_case("BEGIN") {
                depth += 1;
            } else if own.eq_ignore_ascii_case("END") {
                depth = depth.saturating_sub(1);
            }
            (depth == 1 && own.eq_ignore_ascii_case(name)).then_some((parameters, value))
        })
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Its events.
    pub(super) events: Vec<Block>,
    /// Its `VTIMEZONE`s.
    pub(super) zones: Vec<Definition>,
    /// Whether its `METHOD` is `CANCEL`.
    pub(super) cancels: bool,
    /// Why it may hold more than was found.
    pub(super) broken: Option<String>,
}

/// Splits a content line at the colon that ends its name and parameters.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b':' if !quoted => return Some((&line[..index], &line[index + 1..])),
            _ => {}
        }
    }
    None
}

/// Cuts a file into components. What is not well formed costs the event or the zone that it is in, and nothing after it; the
/// first such place outside of them, or that leaves open where a component ends, is told: the file is not whole then.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut scanner = Scanner::default();
    let mut logical: Vec<u8> = Vec::new();
    let mut logical_number = 0;
    for (index, physical) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let physical = physical.strip_suffix(b"\r").unwrap_or(physical);
        if let Some(rest) = physical.strip_prefix(b" ").or_else(|| physical.strip_prefix(b"\t")) {
            // One byte more than a line may have tells that it is too long; the rest is not kept.
            logical.extend_from_slice(rest.get(..LINE_BYTES_MAX + 1 - logical.len()).unwrap_or(rest));
            continue;
        }
        scanner.take(logical_number, &logical);
        logical.clear();
        logical.extend_from_slice(physical.get(..=LINE_BYTES_MAX).unwrap_or(physical));
        logical_number = index + 1;
    }
    scanner.take(logical_number, &logical);
    if let Some(open) = scanner.stack.last() {
        let reason = format!("the file ends before END:{open}");
        scanner.note(reason);
    } else if !scanner.seen_calendar {
        scanner.note("the file holds no BEGIN:VCALENDAR".to_owned());
    }
    scanner.found
}

#[derive(Debug, Default)]
struct Scanner {
    found: Scan,
    stack: Vec<String>,
    /// How many components are open below the deepest of the stack.
    too_deep: usize,
    seen_calendar: bool,
    block: Option<Block>,
    zone: Option<Definition>,
}

impl Scanner {
    fn take(&mut self, number: usize, bytes: &[u8]) {
        if bytes.trim_ascii().is_empty() {
            return;
        }
        if bytes.len() > LINE_BYTES_MAX {
            return self.spoil(number, "is longer than 4 MiB");
        }
        let lossy = String::from_utf8_lossy(bytes);
        let is_text = matches!(lossy, std::borrow::Cow::Borrowed(_));
        let Some((head, value)) = split(&lossy) else {
            return self.spoil(number, "has no colon");
        };
        let name = head.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("BEGIN") {
            let opens_zone = self.stack.len() == 1 && value.trim().eq_ignore_ascii_case("VTIMEZONE");
            self.begin(number, value);
            if opens_zone {
                self.zone = Some(Definition::default());
                return;
            }
        }
        if let Some(block) = &mut self.block {
            block.bytes += lossy.len();
            if block.bytes > EVENT_BYTES_MAX {
                block.fault.get_or_insert_with(|| "the event is longer than 8 MiB".to_owned());
            } else if is_text {
                block.lines.push(lossy.to_string());
            } else {
                self.spoil(number, "is not UTF-8");
            }
        } else if let Some(zone) = &mut self.zone {
            // The END of the definition itself is not part of it.
            if !is_text {
                self.spoil(number, "is not UTF-8");
            } else if self.stack.len() > 2 || !name.eq_ignore_ascii_case("END") {
                zone.take(&lossy);
            }
        } else if self.stack.is_empty() {
            self.note(format!("line {number} stands outside a calendar"));
        } else if !is_text {
            self.spoil(number, "is not UTF-8");
        }
        if self.stack.len() == 1 && name.eq_ignore_ascii_case("METHOD") {
            self.found.cancels |= value.trim().eq_ignore_ascii_case("CANCEL");
        }
        if name.eq_ignore_ascii_case("END") {
            self.end(number, value);
        }
    }

    /// Notes why the file may hold more than is found; the first reason is told.
    fn note(&mut self, reason: String) {
        self.found.broken.get_or_insert(reason);
    }

    /// What is wrong with a line spoils its event or its zone; outside of them the file is not whole.
    fn spoil(&mut self, number: usize, reason: &str) {
        match (&mut self.block, &mut self.zone) {
            (Some(block), _) => {
                block.fault.get_or_insert_with(|| format!("line {number} {reason}"));
            }
            (None, Some(zone)) => {
                zone.fault.get_or_insert_with(|| format!("has a line {number} that {reason}"));
            }
            (None, None) => self.note(format!("line {number} {reason}")),
        }
    }

    /// Nobody knows where the open component was meant to end: it is spoilt, and the file is not whole.
    fn misplaced(&mut self, number: usize, reason: &str) {
        if self.block.is_some() || self.zone.is_some() {
            self.spoil(number, reason);
        }
        self.note(format!("line {number} {reason}"));
    }

    fn begin(&mut self, number: usize, value: &str) {
        let name = value.trim().to_ascii_uppercase();
        if self.stack.is_empty() {
            if name != "VCALENDAR" {
                self.note(format!("line {number} begins a component outside a calendar"));
            }
            self.seen_calendar = true;
            if name == "VEVENT" {
                self.stack.push("VCALENDAR".to_owned());
            }
        }
        if name == "VEVENT" {
            if self.stack.len() != 1 {
                self.misplaced(number, "begins an event inside another component");
                self.close(1);
            }
            self.block = Some(Block { line: number, lines: Vec::new(), bytes: 0, fault: None });
        }
        if self.stack.len() >= DEPTH_MAX {
            self.too_deep += 1;
            return self.spoil(number, &format!("nests components deeper than {DEPTH_MAX}"));
        }
        self.stack.push(name);
    }

    fn end(&mut self, number: usize, value: &str) {
        let name = value.trim().to_ascii_uppercase();
        let closes_event = name == "VEVENT" || name == "VCALENDAR";
        if self.too_deep > 0 && !closes_event {
            self.too_deep -= 1;
            return;
        }
        let is_next = self.too_deep == 0 && self.stack.last() == Some(&name);
        if !is_next {
            self.misplaced(number, "ends a component that is not open");
        }
        if let Some(place) = self.stack.iter().rposition(|open| *open == name) {
            self.close(place);
        }
    }

    /// Closes the components that are open, down to `depth` of them.
    fn close(&mut self, depth: usize) {
        self.stack.truncate(depth);
        self.too_deep = 0;
        if depth <= 1 {
            self.found.events.extend(self.block.take());
            self.found.zones.extend(self.zone.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::scan;

    #[test]
    fn events_are_cut_out_with_their_lines() {
        let text = "\u{feff}BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nBEGIN:VTIMEZONE\r\nTZID:Mine\r\nX-LIC-LOCATION:Europe/Paris\r\n\
                    END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY;X=\"a:b\":Long\r\n  title\r\nBEGIN:VALARM\r\nUID:x\r\n\
                    END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        for text in [text.to_owned(), text.replace("\r\n", "\n")] {
            let found = scan(text.as_bytes());
            assert_eq!(found.broken, None);
            assert_eq!(found.zones[0].lines, ["TZID:Mine", "X-LIC-LOCATION:Europe/Paris"]);
            assert_eq!(found.events.len(), 1);
            let block = &found.events[0];
            assert_eq!((block.line, &block.fault), (7, &None));
            assert_eq!(block.raw("summary").collect::<Vec<_>>(), [("X=\"a:b\"", "Long title")]);
            assert_eq!(block.raw("UID").count(), 1);
        }
    }

    #[test]
    fn a_file_that_is_not_whole_says_where() {
        let deep = "BEGIN:VCALENDAR\n".to_owned() + &"BEGIN:X\n".repeat(100_000);
        let cases = [
            ("", "the file holds no BEGIN:VCALENDAR"),
            ("\n\n", "the file holds no BEGIN:VCALENDAR"),
            ("hello", "line 1 has no colon"),
            ("a:b", "line 1 stands outside a calendar"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\n", "the file ends before END:VCALENDAR"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", "the file ends before END:VEVENT"),
            ("BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR", "line 2 ends a component that is not open"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VEVENT\n", "line 3 begins an event inside another component"),
            ("BEGIN:VEVENT\nEND:VEVENT\n", "line 1 begins a component outside a calendar"),
            (deep.as_str(), "line 17 nests components deeper than 16"),
        ];
        for (text, reason) in cases {
            assert_eq!(scan(text.as_bytes()).broken.as_deref(), Some(reason));
        }
    }

    #[test]
    fn nonsense_costs_nothing_that_comes_after_it() {
        let event = |uid: &str, more: &str| format!("BEGIN:VEVENT\nUID:{uid}\n{more}END:VEVENT\n");
        let nested = "BEGIN:X\n".repeat(30) + &"END:X\n".repeat(30);
        let open = "BEGIN:X\n".repeat(30);
        let missing = "BEGIN:VEVENT\nUID:bad\n".to_owned();
        // The nonsense, whether the file is whole all the same, and whether the event in it is told.
        let cases = [
            (event("bad", &nested), true, true),
            (event("bad", &open), false, true),
            (event("bad", "BEGIN:VALARM\n"), false, true),
            (event("bad", "END:VALARM\n"), false, true),
            (missing, false, true),
            (event("bad", &event("inner", "")), false, true),
            (format!("BEGIN:VTIMEZONE\nTZID:Z\n{}END:VTIMEZONE\n", event("inner", "")), false, false),
            (format!("BEGIN:VTIMEZONE\nTZID:Z\n{nested}END:VTIMEZONE\n"), true, false),
            (format!("BEGIN:VTODO\n{open}END:VTODO\n"), false, false),
            ("END:STRAY\n".to_owned(), false, false),
            ("no colon\n".to_owned(), false, false),
            ("END:VCALENDAR\nBEGIN:VCALENDAR\n".to_owned(), true, false),
        ];
        for (nonsense, whole, told) in cases {
            let text = format!("BEGIN:VCALENDAR\n{}{nonsense}{}END:VCALENDAR\n", event("first", ""), event("last", ""));
            let found = scan(text.as_bytes());
            assert_eq!(found.broken.is_none(), whole, "{nonsense}: {:?}", found.broken);
            let with = |uid: &str| {
                found.events.iter().find(|block| block.raw("UID").any(|(_, own)| own == uid)).map(|one| &one.fault)
            };
            assert_eq!((with("first"), with("last")), (Some(&None), Some(&None)), "{nonsense}");
            assert_eq!(with("bad").is_some_and(Option::is_some), told, "{nonsense}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_spoils_its_event_only() {
        let event = |uid: &str, more: &str| format!("BEGIN:VEVENT\nUID:{uid}\n{more}END:VEVENT\n");
        let long = format!("DESCRIPTION:{}\n", "x".repeat(10 * 1024 * 1024));
        let folded = format!("DESCRIPTION:\n{}", format!(" {}\n", "x".repeat(74)).repeat(140_000));
        let many = format!("COMMENT:{}\n", "x".repeat(1024)).repeat(10_000);
        let events = [event("1", &long), event("2", &folded), event("3", &many), event("4", "")].concat();
        let found = scan(format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n").as_bytes());
        assert_eq!(found.broken, None);
        let faults: Vec<Option<&str>> = found.events.iter().map(|block| block.fault.as_deref()).collect();
        let expected = [
            Some("line 4 is longer than 4 MiB"),
            Some("line 8 is longer than 4 MiB"),
            Some("the event is longer than 8 MiB"),
            None,
        ];
        assert_eq!(faults, expected);
        for block in &found.events {
            assert!(block.lines.iter().map(String::len).sum::<usize>() <= super::EVENT_BYTES_MAX);
            assert_eq!(block.raw("UID").count(), 1);
        }
        let outside = format!("BEGIN:VCALENDAR\n{long}END:VCALENDAR\n");
        assert_eq!(scan(outside.as_bytes()).broken.as_deref(), Some("line 2 is longer than 4 MiB"));
    }

    #[test]
    fn a_line_in_latin_1_spoils_its_event_only() {
        let text = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:caf\xe9\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR";
        let found = scan(text);
        assert_eq!(found.broken, None);
        assert_eq!(found.events[0].fault.as_deref(), Some("line 4 is not UTF-8"));
        assert_eq!(found.events[1].fault, None);
    }
}
