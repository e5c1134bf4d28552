//! The closed lists of words that settings take, each with its value.

use jiff::civil::Weekday;

use super::{AddressForm, AssertionAlgorithm, Authentication, Departure, LogFormat, LogLevel};
use crate::model::{
    event::{Importance, Sensitivity, ShowAs},
    key::Kind,
};

/// Words and their values.
pub(super) type Words<T> = &'static [(&'static str, T)];

pub(super) const AUTHENTICATIONS: Words<Authentication> =
    &[("auto", Authentication::Auto), ("basic", Authentication::Basic), ("ntlm", Authentication::Ntlm)];
pub(super) const ASSERTION_ALGORITHMS: Words<AssertionAlgorithm> =
    &[("auto", AssertionAlgorithm::Auto), ("PS256", AssertionAlgorithm::Ps256), ("RS256", AssertionAlgorithm::Rs256)];

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

pub(super) const DEPARTURES: Words<Departure> = &[("delete", Departure::Delete), ("keep", Departure::Keep)];

pub(super) const ADDRESS_FORMS: Words<AddressForm> =
    &[("smtp_address", AddressForm::SmtpAddress), ("upn", AddressForm::PrincipalName)];

pub(super) const WEEKDAYS: Words<Weekday> = &[
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

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

/// The word for a value.
pub(super) fn word<T: PartialEq>(words: Words<T>, value: &T) -> &'static str {
    words.iter().find(|(_, candidate)| candidate == value).map_or("", |(word, _)| *word)
}
