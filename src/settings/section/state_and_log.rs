//! `[state]` and `[log]`.

use std::{path::PathBuf, time::Duration};

use super::super::{
    Log, LogFormat, LogLevel, State,
    reader::{Reader, Section},
    schema, words,
};

const STATE_PATH: &str = "/var/lib/calsyncd/state.sqlite";
const DAY: Duration = Duration::from_hours(24);
const KEEP_HISTORY: Duration = Duration::from_hours(24 * 400);
const TEN_YEARS: Duration = Duration::from_hours(24 * 3_660);

pub(in super::super) fn state(reader: &mut Reader<'_>, section: &Section<'_>) -> State {
    reader.unknown_keys(section, schema::STATE);
    let path =
        reader.text(section, "path").map_or_else(|| PathBuf::from(STATE_PATH), |given| PathBuf::from(given.value));
    let host = reader.text(section, "host").map(|given| given.value);
    let keep_history =
        reader.duration(section, "keep_history", DAY..=TEN_YEARS).map_or(KEEP_HISTORY, |given| given.value);
    State { path: reader.folder().join(path), host, keep_history }
}

pub(in super::super) fn log(reader: &mut Reader<'_>, section: &Section<'_>) -> Log {
    reader.unknown_keys(section, schema::LOG);
    Log {
        format: reader.word(section, "format", words::LOG_FORMATS).map_or(LogFormat::Auto, |given| given.value),
        level: reader.word(section, "level", words::LOG_LEVELS).map_or(LogLevel::Info, |given| given.value),
    }
}
