//! The closed lists of words that settings take, each with its value.

use super::{LogFormat, LogLevel, ServerVersion};
use crate::model::{
    event::{Importance, Sensitivity, ShowAs},
    key::Kind,
};

/// Words and their values.
pub(super) type Words<T> = &'static [(&'static str, T)];

pub(super) const SHOW_AS: Words<ShowAs> = &[
    ("free", ShowAs::Free),
    ("tentative", ShowAs::Tentative),
    ("busy", ShowAs::Busy),
    ("out_of_office", ShowAs::OutOfOffice),
    ("working_elsewhere", ShowAs::WorkingElsewhere),
];

pub(super) const SENSITIVITY: Words<Sensitivity> = &[
    ("normal", Sensitivity::Normal),
    ("personal", Sensitivity::Personal),
    ("private", Sensitivity::Private),
    ("confidential", Sensitivity::Confidential),
];

pub(super) const IMPORTANCE: Words<Importance> =
    &[("low", Importance::Low), ("normal", Importance::Normal), ("high", Importance::High)];

pub(super) const KINDS: Words<Kind> =
    &[(Kind::Schedule.as_str(), Kind::Schedule), (Kind::Appointment.as_str(), Kind::Appointment)];

pub(super) const LOG_FORMATS: Words<LogFormat> = &[
    (LogFormat::Auto.as_str(), LogFormat::Auto),
    (LogFormat::Json.as_str(), LogFormat::Json),
    (LogFormat::Journald.as_str(), LogFormat::Journald),
    (LogFormat::Human.as_str(), LogFormat::Human),
];

pub(super) const LOG_LEVELS: Words<LogLevel> = &[
    (LogLevel::Error.as_str(), LogLevel::Error),
    (LogLevel::Warn.as_str(), LogLevel::Warn),
    (LogLevel::Info.as_str(), LogLevel::Info),
    (LogLevel::Debug.as_str(), LogLevel::Debug),
];

pub(super) const SERVER_VERSIONS: Words<ServerVersion> = &[
    (ServerVersion::Exchange2007_SP1.as_str(), ServerVersion::Exchange2007_SP1),
    (ServerVersion::Exchange2010.as_str(), ServerVersion::Exchange2010),
    (ServerVersion::Exchange2010_SP1.as_str(), ServerVersion::Exchange2010_SP1),
    (ServerVersion::Exchange2010_SP2.as_str(), ServerVersion::Exchange2010_SP2),
    (ServerVersion::Exchange2013.as_str(), ServerVersion::Exchange2013),
    (ServerVersion::Exchange2013_SP1.as_str(), ServerVersion::Exchange2013_SP1),
    (ServerVersion::Exchange2016.as_str(), ServerVersion::Exchange2016),
];

/// The word for a value.
pub(super) fn word<T: PartialEq>(words: Words<T>, value: &T) -> &'static str {
    words.iter().find(|(_, candidate)| candidate == value).map_or("", |(word, _)| *word)
}
