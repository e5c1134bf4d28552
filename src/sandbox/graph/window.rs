//! `startDateTime` and `endDateTime` of views and instances.

use jiff::{SignedDuration, Timestamp};

use super::{GraphError, filter::instant, query::Query};

/// Reads the window; both ends are required, and a time without offset is UTC.
pub(super) fn window(query: &Query) -> Result<(Timestamp, Timestamp), GraphError> {
    let read = |name: &str| query.value(name).and_then(instant);
    let (Some(from), Some(to)) = (read("startDateTime"), read("endDateTime")) else {
        let message = "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.";
        return Err(GraphError::new(400, "ErrorInvalidParameter", message));
    };
    if to < from {
        return Err(GraphError::new(400, "ErrorInvalidParameter", "The end of the time window lies before its start."));
    }
    if to.duration_since(from) > SignedDuration::from_hours(24 * (5 * 365 + 2)) {
        let message = "The requested time window is longer than five years.";
        return Err(GraphError::new(400, "ErrorCalendarViewRangeTooBig", message));
    }
    Ok((from, to))
}
