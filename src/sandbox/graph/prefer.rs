//! The `Prefer` header.

use super::{super::store::Zone, error::GraphError};

/// What a request prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Prefer {
    /// `IdType="ImmutableId"`.
    pub(super) immutable_ids: bool,
    /// `outlook.timezone`: the zone, and its name as it was asked for.
    pub(super) zone: Option<(Zone, String)>,
    /// `outlook.body-content-type="text"`.
    pub(super) text_bodies: bool,
    /// `odata.maxpagesize`.
    pub(super) page_size: Option<usize>,
}

/// Reads the values of the header, which may be joined by commas or repeated. Unknown preferences are ignored.
pub(in super::super) fn prefer<'a>(values: impl Iterator<Item = &'a str>) -> Result<Prefer, GraphError> {
    let mut prefer = Prefer::default();
    for part in values.flat_map(|value| value.split(',')) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "idtype" => prefer.immutable_ids = value.eq_ignore_ascii_case("ImmutableId"),
            "outlook.timezone" => prefer.zone = Some((zone(value)?, value.to_owned())),
            "outlook.body-content-type" => prefer.text_bodies = value.eq_ignore_ascii_case("text"),
            "odata.maxpagesize" => prefer.page_size = value.parse().ok(),
            _ => {}
        }
    }
    Ok(prefer)
}

/// The zone of a Windows id or an IANA name.
pub(super) fn zone(name: &str) -> Result<Zone, GraphError> {
    Zone::windows(name).or_else(|_| Zone::iana(name)).map_err(|_| {
        let message = format!(
            "A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        );
        GraphError::new(400, "TimeZoneNotSupportedException", message)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn joined_and_repeated_are_the_same() {
        let joined =
            prefer([r#"IdType="ImmutableId", outlook.timezone="W. Europe Standard Time",respond-async"#].into_iter());
        let repeated = prefer([r#"idtype="immutableid""#, r#"outlook.timezone="W. Europe Standard Time""#].into_iter());
        assert_eq!(joined, repeated);
        let joined = joined.unwrap();
        assert!(joined.immutable_ids && !joined.text_bodies);
        assert_eq!(joined.zone.unwrap().0.id(), "W. Europe Standard Time");
        assert_eq!(prefer(["odata.maxpagesize=50"].into_iter()).unwrap().page_size, Some(50));
        assert!(prefer([r#"outlook.timezone="Mars""#].into_iter()).is_err());
    }
}
