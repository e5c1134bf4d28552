//! Our named properties on an event.
//! <https://learn.microsoft.com/en-us/graph/api/resources/singlevaluelegacyextendedproperty?view=graph-rest-1.0>

use std::{borrow::Cow, sync::LazyLock};

use serde::Serialize;

use super::{
    super::PROPERTY_SET,
    answer::{EventAnswer, PropertyAnswer},
    path,
};
use crate::model::{
    fingerprint::Fingerprint,
    key::SourceKey,
    link::{FoundItem, ItemRef, Owner},
};

/// The id of the property that names the source event, always in this one form.
static SOURCE_KEY: LazyLock<String> = LazyLock::new(|| id("SourceKey"));
/// The id of the property that tells what the item says.
static FINGERPRINT: LazyLock<String> = LazyLock::new(|| id("Fingerprint"));
/// The id of the property that names the instance of the daemon.
static OWNER: LazyLock<String> = LazyLock::new(|| id("Owner"));
/// The id of the property that tells which write the item shows.
static GENERATION: LazyLock<String> = LazyLock::new(|| id("Generation"));
/// What comes before the name in an id.
static HEAD: LazyLock<String> = LazyLock::new(|| id(""));

fn id(name: &str) -> String {
    format!("String {{{PROPERTY_SET}}} Name {name}")
}

/// One named property of an event.
#[derive(Debug, Serialize)]
pub(super) struct Property<'a> {
    id: &'static str,
    value: Cow<'a, str>,
}

/// What an item says of itself besides its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) generation: i64,
    pub(super) owner: &'a Owner,
}

/// The properties that each of our items carries.
pub(super) fn of<'a>(key: &'a SourceKey, said: Said<'a>) -> Vec<Property<'a>> {
    vec![
        Property { id: &SOURCE_KEY, value: key.as_str().into() },
        Property { id: &FINGERPRINT, value: said.fingerprint.as_str().into() },
        Property { id: &OWNER, value: said.owner.0.as_str().into() },
        Property { id: &GENERATION, value: said.generation.to_string().into() },
    ]
}

/// The property that says whose an item is.
pub(super) fn of_owner(owner: &Owner) -> Vec<Property<'_>> {
    vec![Property { id: &OWNER, value: owner.0.as_str().into() }]
}

/// The query options `$select` and `$expand` of a listing of our items.
pub(super) fn selection() -> String {
    let names = [&SOURCE_KEY, &FINGERPRINT, &OWNER, &GENERATION].map(|id| format!("id eq {}", path::literal(id)));
    let expand = format!("singleValueExtendedProperties($filter={})", names.join(" or "));
    format!("$select=id,changeKey,createdDateTime,type&$expand={}", path::value(&expand))
}

/// The query option `$filter`: the items that carry a key, or exactly this key.
pub(super) fn filter(key: Option<&SourceKey>) -> String {
    let value = key.map_or_else(|| "ne null".to_owned(), |key| format!("eq {}", path::literal(key.as_str())));
    let filter =
        format!("singleValueExtendedProperties/Any(ep: ep/id eq {} and ep/value {value})", path::literal(&SOURCE_KEY));
    format!("$filter={}", path::value(&filter))
}

/// The value of one property. The name is compared byte by byte, the rest of the id without regard to case.
fn value_of<'a>(properties: &'a [PropertyAnswer], wanted: &str) -> Option<&'a str> {
    let head = HEAD.len();
    let is_it = |found: &str| {
        found.len() == wanted.len()
            && found.is_char_boundary(head)
            && found[..head].eq_ignore_ascii_case(&wanted[..head])
            && found[head..] == wanted[head..]
    };
    properties.iter().find(|property| is_it(&property.id)).map(|property| property.value.as_str())
}

/// The item of ours that an event of a listing is; `None` when its name or its key is missing.
pub(super) fn found_item(event: EventAnswer) -> Option<FoundItem> {
    let properties = event.single_value_extended_properties.as_deref().unwrap_or_default();
    let key = value_of(properties, &SOURCE_KEY)?.to_owned();
    let fingerprint = value_of(properties, &FINGERPRINT).and_then(Fingerprint::parse);
    let owner = value_of(properties, &OWNER).map(|owner| Owner(owner.to_owned()));
    let generation = value_of(properties, &GENERATION).and_then(|generation| generation.parse().ok());
    let created = event.created_date_time.as_deref().and_then(|created| created.parse().ok());
    let item: ItemRef = event.item_ref()?;
    Some(FoundItem { fingerprint, owner, generation, created, ..FoundItem::new(item, key) })
}

#[cfg(test)]
mod tests {
    use super::{EventAnswer, PropertyAnswer, SOURCE_KEY, found_item};

    #[test]
    fn only_the_name_is_compared_byte_by_byte() {
        let cases = [
            (SOURCE_KEY.clone(), true),
            (SOURCE_KEY.replace("0ab89da0", "0AB89DA0").replace("String", "string"), true),
            (SOURCE_KEY.replace("SourceKey", "sourcekey"), false),
            (SOURCE_KEY.replace("SourceKey", "SourceKez"), false),
            (SOURCE_KEY.replace("0ab89da0", "1ab89da0"), false),
            (format!("{}x", SOURCE_KEY.as_str()), false),
        ];
        for (id, expected) in cases {
            let property = PropertyAnswer { id: id.clone(), value: "erp/appointment/1".to_owned() };
            let event = EventAnswer {
                id: Some("I".to_owned()),
                change_key: Some("c".to_owned()),
                single_value_extended_properties: Some(vec![property]),
                ..EventAnswer::default()
            };
            assert_eq!(found_item(event).is_some(), expected, "{id}");
        }
    }
}
