//! Ids of extended properties, such as `String {00062008-…} Name SourceKey`, and ids of items in Graph's form.

use super::{super::store::PropertyName, error::GraphError};

/// The named string property of an id. The sandbox stores no others.
pub(super) fn property_name(id: &str) -> Result<PropertyName, GraphError> {
    let malformed = || GraphError::new(400, "ErrorInvalidProperty", format!("The property id '{id}' is not valid."));
    let (kind, rest) = id.split_once(' ').ok_or_else(malformed)?;
    let (set, rest) = rest.split_once(' ').ok_or_else(malformed)?;
    let (word, name) = rest.split_once(' ').ok_or_else(malformed)?;
    let set = set.strip_prefix('{').and_then(|set| set.strip_suffix('}')).ok_or_else(malformed)?;
    uuid::Uuid::try_parse(set).map_err(|_| malformed())?;
    if kind != "String" || word != "Name" || name.is_empty() {
        return Err(malformed());
    }
    Ok(PropertyName::new(set, name))
}

/// An id of the store in Graph's form: base64 for addresses.
pub(super) fn id_out(id: &str) -> String {
    id.replace('/', "-").replace('+', "_")
}

/// An id in Graph's form as the store knows it.
pub(in super::super) fn id_in(id: &str) -> String {
    id.replace('-', "/").replace('_', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_strings_are_known() {
        let guid = "0ab89da0-c8e5-4849-914a-1396b47752b5";
        for (id, expected) in [
            (format!("String {{{guid}}} Name SourceKey"), Some("SourceKey")),
            (format!("String {{{}}} Name source key", guid.to_uppercase()), Some("source key")),
            (format!("Integer {{{guid}}} Name SourceKey"), None),
            (format!("String {guid} Name SourceKey"), None),
            ("String {x} Name SourceKey".to_owned(), None),
            ("String 0x4001001E".to_owned(), None),
        ] {
            let name = property_name(&id).ok();
            assert_eq!(name, expected.map(|name| PropertyName::new(guid, name)), "{id}");
        }
    }

    #[test]
    fn an_id_comes_back() {
        assert_eq!(id_in(&id_out("a/b+c==")), "a/b+c==");
        assert_eq!(id_out("a/b+c=="), "a-b_c==");
    }
}
