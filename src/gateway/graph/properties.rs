//! Our named properties on an event.
//! <https://learn.microsoft.com/en-us/graph/api/resources/singlevaluelegacyextendedproperty?view=graph-rest-1.0>

use std::sync::LazyLock;

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
/// What comes before the name in an id.
static HEAD: LazyLock<String> = LazyLock::new(|| id(""));

fn id(name: &str) -> String {
    format!("String {{{PROPERTY_SET}}} Name {name}")
}

/// One named property of an event.
#[derive(Debug, Serialize)]
pub(super) struct Property<'a> {
    id: &'static str,
    value: &'a str,
}

/// The properties that each of our items carries.
pub(super) fn of<'a>(key: &'a SourceKey, fingerprint: &'a Fingerprint, owner: &'a Owner) -> [Property<'a>; 3] {
    [
        Property { id: &SOURCE_KEY, value: key.as_str() },
        Property { id: &FINGERPRINT, value: fingerprint.as_str() },
        Property { id: &OWNER, value: &owner.0 },
    ]
}

/// The query options `$select` and `$expand` of a listing of our items.
pub(super) fn selection() -> String {
    let names = [&SOURCE_KEY, &FINGERPRINT, &OWNER].map(|id| format!("id eq {}", path::literal(id)));
    let expand = format!("singleValueExtendedProperties($filter={})", names.join(" or "));
    format!("$select=id,changeKey,type&$expand={}", path::value(&expand))
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
    let item: ItemRef = event.item_ref()?;
    Some(FoundItem { fingerprint, owner, ..FoundItem::new(item, key) })
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
