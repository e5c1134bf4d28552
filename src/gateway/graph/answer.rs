//! What Graph answers, as far as it is read. Unknown members are passed over.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use serde_json::Value;

use crate::model::link::ItemRef;

/// An event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EventAnswer {
    pub(super) id: Option<String>,
    pub(super) change_key: Option<String>,
    pub(super) created_date_time: Option<String>,
    /// `singleInstance`, `occurrence`, `exception` or `seriesMaster`.
    pub(super) r#type: Option<String>,
    /// Of an occurrence: the instant at which the rule lets it start.
    pub(super) original_start: Option<String>,
    pub(super) single_value_extended_properties: Option<Vec<PropertyAnswer>>,
}

impl EventAnswer {
    /// The name of the item; `None` when a part of it is missing.
    pub(super) fn item_ref(&self) -> Option<ItemRef> {
        Some(ItemRef { id: self.id.clone()?, change_key: self.change_key.clone()? })
    }
}

/// A named property of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PropertyAnswer {
    pub(super) id: String,
    pub(super) value: String,
}

/// A page of a listing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageAnswer {
    pub(super) value: Option<Vec<EventAnswer>>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
}

/// A calendar.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CalendarAnswer {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) owner: Option<OwnerAnswer>,
}

/// A page of calendars.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CalendarPage {
    pub(super) value: Option<Vec<CalendarAnswer>>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
}

/// Whose calendar it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnerAnswer {
    pub(super) address: Option<String>,
}

/// An error, as the body of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) error: Option<ErrorAnswer>,
}

/// What is wrong.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct ErrorAnswer {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    pub(super) inner_error: Option<InnerErrorAnswer>,
}

/// The server's name for the request.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct InnerErrorAnswer {
    #[serde(rename = "request-id")]
    pub(super) request_id: Option<String>,
}

/// The answer to a `$batch`.
#[derive(Debug, Deserialize)]
pub(super) struct BatchAnswer {
    pub(super) responses: Vec<InnerAnswer>,
}

/// The answer to one request of a batch.
#[derive(Debug, Deserialize)]
pub(super) struct InnerAnswer {
    pub(super) id: String,
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "object_or_nothing")]
    pub(super) body: Option<InnerBody>,
}

/// The body of an inner answer: an event, a page or an error. One type for all three, read without a detour. What an event
/// shows is there when it was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InnerBody {
    id: Option<String>,
    change_key: Option<String>,
    value: Option<Vec<EventAnswer>>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
    error: Option<ErrorAnswer>,
    pub(super) original_start: Option<String>,
    pub(super) original_start_time_zone: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) body: Option<TextAnswer>,
    pub(super) location: Option<LocationAnswer>,
    pub(super) start: Option<MomentAnswer>,
    pub(super) end: Option<MomentAnswer>,
    pub(super) is_all_day: Option<bool>,
    pub(super) show_as: Option<String>,
    pub(super) sensitivity: Option<String>,
    pub(super) importance: Option<String>,
    pub(super) categories: Option<Vec<String>>,
    pub(super) is_reminder_on: Option<bool>,
    pub(super) reminder_minutes_before_start: Option<u32>,
    pub(super) recurrence: Option<RecurrenceAnswer>,
    pub(super) exception_occurrences: Option<Vec<InnerBody>>,
    pub(super) cancelled_occurrences: Option<Vec<String>>,
    /// The server's name for the request, from the headers.
    #[serde(skip)]
    pub(super) request_id: Option<Arc<str>>,
}

/// A body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TextAnswer {
    pub(super) content: Option<String>,
}

/// A place.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LocationAnswer {
    pub(super) display_name: Option<String>,
}

/// A wall time and its zone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MomentAnswer {
    pub(super) date_time: Option<String>,
    pub(super) time_zone: Option<String>,
}

/// A rule: what its members are called is not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RecurrenceAnswer {
    pub(super) pattern: BTreeMap<String, Value>,
    pub(super) range: BTreeMap<String, Value>,
}

impl InnerBody {
    /// The name of the item.
    pub(super) fn item_ref(&self) -> Option<ItemRef> {
        Some(ItemRef { id: self.id.clone()?, change_key: self.change_key.clone()? })
    }

    /// The item that was written.
    pub(super) fn into_item_ref(self) -> Option<ItemRef> {
        Some(ItemRef { id: self.id?, change_key: self.change_key? })
    }

    /// The page that was read.
    pub(super) fn into_page(self) -> PageAnswer {
        PageAnswer { value: self.value, next_link: self.next_link }
    }

    /// The error.
    pub(super) fn error(&self) -> Option<&ErrorAnswer> {
        self.error.as_ref()
    }
}

/// An inner body that is not an object (Graph gives other media types as text) must not spoil the whole batch.
fn object_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<InnerBody>, D::Error> {
    struct Lenient;

    impl<'de> Visitor<'de> for Lenient {
        type Value = Option<InnerBody>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the body of an answer")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            InnerBody::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            while sequence.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Lenient)
}
