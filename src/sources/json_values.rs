//! The members of a line of JSON Lines that may take several forms.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

use super::moments::Length;
use crate::model::{
    event::{BodyKind, Importance, Sensitivity, ShowAs},
    source::{Period, SourceReminder},
};

/// `duration`: minutes, or an ISO 8601 duration.
#[derive(Debug, Clone, Copy)]
pub(super) struct LengthValue(pub(super) Length);

impl<'de> Deserialize<'de> for LengthValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = LengthValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of minutes or an ISO 8601 duration")
            }

            fn visit_u64<E: de::Error>(self, minutes: u64) -> Result<LengthValue, E> {
                let minutes = u32::try_from(minutes).map_err(|_| E::custom("too many minutes"))?;
                Ok(LengthValue(Length::minutes(minutes)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LengthValue, E> {
                Length::parse(text).map(LengthValue).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// `reminder_minutes`: minutes, `false` or `"off"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReminderValue(pub(super) SourceReminder);

impl<'de> Deserialize<'de> for ReminderValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = ReminderValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of minutes, false or \"off\"")
            }

            fn visit_u64<E: de::Error>(self, minutes: u64) -> Result<ReminderValue, E> {
                let minutes = u32::try_from(minutes).map_err(|_| E::custom("too many minutes"))?;
                Ok(ReminderValue(SourceReminder::Minutes(minutes)))
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<ReminderValue, E> {
                if on {
                    Err(E::custom("true says no number of minutes"))
                } else {
                    Ok(ReminderValue(SourceReminder::Off))
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ReminderValue, E> {
                if text == "off" {
                    Ok(ReminderValue(SourceReminder::Off))
                } else {
                    Err(E::custom("expected minutes, false or \"off\""))
                }
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// A choice of words, each standing for a value of the model.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $target:ty, $($word:literal => $value:expr),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(super) struct $name(pub(super) $target);

        impl $name {
            /// The words, as the schema lists them.
            pub(super) const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                match word.as_str() {
                    $($word => Ok(Self($value)),)+
                    other => Err(de::Error::unknown_variant(other, Self::WORDS)),
                }
            }
        }
    };
}

words!(
    /// `body_type`.
    BodyTypeWord, BodyKind, "text" => BodyKind::Text, "html" => BodyKind::Html
);
words!(
    /// `show_as`.
    ShowAsWord, ShowAs,
    "free" => ShowAs::Free, "tentative" => ShowAs::Tentative, "busy" => ShowAs::Busy,
    "out_of_office" => ShowAs::OutOfOffice, "working_elsewhere" => ShowAs::WorkingElsewhere
);
words!(
    /// `sensitivity`.
    SensitivityWord, Sensitivity,
    "normal" => Sensitivity::Normal, "personal" => Sensitivity::Personal,
    "private" => Sensitivity::Private, "confidential" => Sensitivity::Confidential
);
words!(
    /// `importance`.
    ImportanceWord, Importance,
    "low" => Importance::Low, "normal" => Importance::Normal, "high" => Importance::High
);
words!(
    /// `period`.
    PeriodWord, Period, "day" => Period::Day, "morning" => Period::Morning, "afternoon" => Period::Afternoon
);
words!(
    /// `kind`.
    KindWord, crate::model::key::Kind,
    "schedule" => crate::model::key::Kind::Schedule, "appointment" => crate::model::key::Kind::Appointment
);
