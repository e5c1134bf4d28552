//! `[limits]` and `[brake]`.

use std::{ops::RangeInclusive, time::Duration};

use super::super::{
    Brake, Limits,
    reader::{Reader, Section},
    schema,
};

const SECOND: Duration = Duration::from_secs(1);
const TEN_MINUTES: Duration = Duration::from_secs(600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

pub(in super::super) fn limits(reader: &mut Reader<'_>, section: &Section<'_>) -> Limits {
    reader.unknown_keys(section, schema::LIMITS);
    let mut duration = |key: &str, range: RangeInclusive<Duration>, default_seconds: u64| {
        reader.duration(section, key, range).map_or(Duration::from_secs(default_seconds), |given| given.value)
    };
    let request_timeout = duration("request_timeout", SECOND..=TEN_MINUTES, 75);
    let drift_every = duration("drift_every", SECOND..=WEEK, 3_600);
    let stop_timeout = duration("stop_timeout", SECOND..=TEN_MINUTES, 90);
    let number = |given: Option<super::super::reader::Given<u32>>, default| given.map_or(default, |given| given.value);
    Limits {
        requests_per_minute: number(reader.number(section, "requests_per_minute", 1..=1_000_000), 1_500),
        mailbox_requests_per_minute: number(reader.number(section, "mailbox_requests_per_minute", 1..=1_000_000), 600),
        request_timeout,
        batch_size: reader.number(section, "batch_size", 1..=100).map_or(20, |given| given.value),
        gzip_requests: reader.switch(section, "gzip_requests").is_some_and(|given| given.value),
        drift_every,
        freeze_days: reader.number(section, "freeze_days", 0_u16..=3_650).map_or(7, |given| given.value),
        stop_timeout,
    }
}

pub(in super::super) fn brake(reader: &mut Reader<'_>, section: &Section<'_>) -> Brake {
    reader.unknown_keys(section, schema::BRAKE);
    let share = reader.number(section, "share_percent", 0_u8..=100);
    let number = reader.number(section, "number", 0_u32..=1_000_000);
    if let (Some(share), Some(100)) = (&share, share.as_ref().map(|given| given.value)) {
        reader.warn(
            &share.place,
            "a share of 100 % never holds a deletion: the brake is off",
            "20 is a good share; it can be raised for one run when many deletions are meant",
        );
    }
    Brake { share_percent: share.map_or(20, |given| given.value), number: number.map_or(10, |given| given.value) }
}
