//! `[jobs.NAME]`: the days that schedules pass over.

use std::{collections::BTreeSet, fs, io, path::Path};

use jiff::civil::{Date, Weekday};

use super::super::{
    HolidaysFile, WorkingDays,
    finding::{Finding, Severity},
    reader::{Given, Reader, Section},
    words,
    working_days::{parse_date, parse_dates},
};

/// The largest file of holidays: many thousands of days.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Faulty lines that are told; a file named by mistake has many.
const FAULTS_MAX: usize = 20;

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> WorkingDays {
    let skip = reader.switch(section, "skip_non_working_days").is_none_or(|given| given.value);
    let weekdays = weekdays(reader, section).unwrap_or_else(|| WorkingDays::WEEKDAYS.to_vec());
    let holidays = holidays(reader, section);
    let holidays_file = holidays_file(reader, section);
    if !skip {
        for key in ["working_days", "holidays", "holidays_file"].into_iter().filter(|key| section.has(key)) {
            let place = reader.place_of(section, key);
            reader.warn(&place, format!("`{key}` has no effect while skip_non_working_days is off"), "take it out");
        }
    }
    WorkingDays { skip, weekdays, holidays, holidays_file }
}

fn weekdays(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Vec<Weekday>> {
    let given = reader.list(section, "working_days")?;
    if given.value.is_empty() {
        let hint = "name the days, such as [\"monday\", \"tuesday\"], or turn skip_non_working_days off";
        reader.error(&given.place, "the list is empty: no day would be worked", hint);
    }
    let mut weekdays = Vec::new();
    for element in &given.value {
        let Some(weekday) = reader.word_at(element, words::WEEKDAYS) else { continue };
        if weekdays.contains(&weekday.value) {
            reader.error(&element.place, format!("{:?} is listed twice", element.value), "name it once");
        } else {
            weekdays.push(weekday.value);
        }
    }
    weekdays.sort_by_key(|weekday: &Weekday| weekday.to_monday_zero_offset());
    Some(weekdays)
}

fn holidays(reader: &mut Reader<'_>, section: &Section<'_>) -> BTreeSet<Date> {
    let given = reader.list(section, "holidays").map(|given| given.value).unwrap_or_default();
    let mut holidays = BTreeSet::new();
    for element in &given {
        match parse_date(&element.value) {
            Some(date) if holidays.insert(date) => {}
            Some(_) => {
                reader.error(&element.place, format!("{:?} is listed twice", element.value), "name each day once");
            }
            None => {
                let message = format!("{:?} is not a date", element.value);
                reader.error(&element.place, message, "write it as \"2026-12-25\"");
            }
        }
    }
    holidays
}

/// Reads the file that the setting names; its faults stand at their own lines and columns.
fn holidays_file(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<HolidaysFile> {
    let given: Given<String> = reader.text(section, "holidays_file")?;
    let path = reader.folder().join(&given.value);
    let text = match text_of(&path) {
        Ok(text) => text,
        Err(message) => {
            let hint = "name a text file with one date on each line, which the user of the service may read";
            reader.error(&given.place, format!("{}: {message}", path.display()), hint);
            return None;
        }
    };
    let (dates, faults) = parse_dates(&text);
    if dates.is_empty() && faults.is_empty() {
        let message = format!("{} lists no holiday", path.display());
        reader.warn(&given.place, message, "write one date on each line, such as 2026-12-25");
    }
    let (told, more) = faults.split_at(faults.len().min(FAULTS_MAX));
    for fault in told {
        let is_last = !more.is_empty() && Some(fault) == told.last();
        let more = if is_last { format!(", and {} more lines are none", more.len()) } else { String::new() };
        reader.findings.push(Finding {
            file: path.clone(),
            line: Some(fault.line),
            column: Some(fault.column),
            variable: None,
            key: given.place.key.clone(),
            message: format!("{}{more}", fault.message),
            hint: Some("write one date on each line, such as 2026-12-25; # begins a comment".to_owned()),
            severity: Severity::Error,
        });
    }
    Some(HolidaysFile { path, dates })
}

/// The text of a file. Comments may be in any encoding: what is not UTF-8 is replaced.
fn text_of(path: &Path) -> Result<String, String> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err("this is not a file".to_owned());
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err("this is too large for a list of holidays".to_owned());
    }
    let bytes = fs::read(path).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}
