//! Time zones on the wire.

use super::{element::Element, fault::Fault};
use crate::sandbox::store::{StoreError, Zone};

/// A zone as a request names it; an unknown one is a fault of the item.
pub(super) type Named = Result<Zone, StoreError>;

/// Reads a `TimeZoneDefinition`, `StartTimeZone` or `EndTimeZone`. Its rules are not read: the id says enough.
pub(super) fn read_definition(element: &Element) -> Result<Named, Fault> {
    element.only_attributes(&["Id", "Name"])?;
    Ok(Zone::windows(element.attribute("Id").unwrap_or_default()))
}

/// Reads a `MeetingTimeZone`.
pub(super) fn read_meeting(element: &Element) -> Result<Named, Fault> {
    element.only_attributes(&["TimeZoneName"])?;
    Ok(Zone::windows(element.attribute("TimeZoneName").unwrap_or_default()))
}
