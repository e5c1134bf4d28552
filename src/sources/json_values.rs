//! The members of a line of JSON Lines that may take several forms.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use super::{links::link, moments::Length};
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
                // What no calendar can hold is cut to what it can, like all long values.
                Ok(ReminderValue(SourceReminder::Minutes(u32::try_from(minutes).unwrap_or(u32::MAX))))
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

/// `url` and `online_meeting_url`: a link; an empty text is none.
#[derive(Debug, Clone)]
pub(super) struct LinkValue(pub(super) String);

impl<'de> Deserialize<'de> for LinkValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Ok(Self(String::new()));
        }
        link(&text).map(|link| Self(link.to_owned())).map_err(de::Error::custom)
    }
}

/// The most fields of `data`.
const FIELDS_MAX: usize = 64;
/// The longest name of a field, in characters.
const FIELD_NAME_MAX: usize = 64;
/// The longest text of a field, in bytes.
const FIELD_BYTES_MAX: usize = 4096;

/// `data`: the source's own fields, each a text, a number or a switch. A field that is `null` is not there.
#[derive(Debug, Clone)]
pub(super) struct DataValue(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for DataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = DataValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of texts, numbers, true and false")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<DataValue, M::Error> {
                let mut fields = BTreeMap::new();
                let mut names = BTreeSet::new();
                while let Some(name) = members.next_key::<String>()? {
                    if name.is_empty() || name.chars().count() > FIELD_NAME_MAX || name.contains(char::is_control) {
                        return Err(de::Error::custom("the name of a field has 1 to 64 characters"));
                    }
                    if names.len() == FIELDS_MAX {
                        return Err(de::Error::custom("there are more than 64 fields"));
                    }
                    if !names.insert(name.clone()) {
                        return Err(de::Error::custom("a field is there twice"));
                    }
                    if let Some(FieldValue(text)) = members.next_value::<Option<FieldValue>>()? {
                        fields.insert(name, text);
                    }
                }
                Ok(DataValue(fields))
            }
        }
        deserializer.deserialize_map(Form)
    }
}

/// One field of `data`, as text.
struct FieldValue(String);

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = FieldValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a number, true or false")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldValue, E> {
                if text.len() > FIELD_BYTES_MAX {
                    return Err(E::custom("the text of a field is longer than 4096 bytes"));
                }
                Ok(FieldValue(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<FieldValue, E> {
                Ok(FieldValue(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<FieldValue, E> {
                Ok(FieldValue(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<FieldValue, E> {
                Ok(FieldValue(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, switch: bool) -> Result<FieldValue, E> {
                Ok(FieldValue(switch.to_string()))
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
