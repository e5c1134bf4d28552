//! What users may keep: `keep_reminder`, `keep_categories`, `keep_notes` and `deleted_by_user` of a job.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use super::super::{
    duration,
    reader::{Reader, Section},
};
use crate::model::keeps::Keeps;

const HOUR: Duration = Duration::from_secs(3_600);
/// Ten years.
const DELETED_MAX: Duration = Duration::from_secs(3_660 * 86_400);
const MARKER_LENGTH_MAX: usize = 255;
/// A shorter line may stand in a body for another reason.
const MARKER_LENGTH_MIN: usize = 3;

/// `None` for nothing: then no event carries anything of it.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Arc<Keeps>> {
    let keeps = Keeps {
        reminder: reader.switch(section, "keep_reminder").is_some_and(|given| given.value),
        categories: reader.switch(section, "keep_categories").is_some_and(|given| given.value),
        notes: marker(reader, section),
        deleted: deleted(reader, section),
    };
    (keeps != Keeps::default()).then(|| Arc::new(keeps))
}

/// The marker line. It is found again by its words, in a body that was made text of.
fn marker(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let given = reader.text(section, "keep_notes")?;
    let text = given.value.as_str();
    let length = text.chars().count();
    let fault = if text.contains(['<', '>', '&']) {
        "the marker holds a character of HTML"
    } else if !(MARKER_LENGTH_MIN..=MARKER_LENGTH_MAX).contains(&length) {
        "the marker is too short or too long"
    } else {
        return Some(text.split_whitespace().collect::<Vec<_>>().join(" "));
    };
    let hint = "write one line of 3 to 255 characters, without < > &, such as \"--- your notes below ---\"";
    reader.error(&given.place, fault, hint);
    None
}

/// `"recreate"`, or for how long a deletion is respected.
fn deleted(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<SignedDuration> {
    let given = reader.text(section, "deleted_by_user")?;
    if given.value.trim() == "recreate" {
        return None;
    }
    let Some(length) = duration::parse(&given.value).filter(|length| (HOUR..=DELETED_MAX).contains(length)) else {
        let message = format!("{:?} is neither \"recreate\" nor a duration from 1h to 3660d", given.value);
        reader.error(&given.place, message, "write \"recreate\", or for how long a deletion is respected: \"30d\"");
        return None;
    };
    SignedDuration::try_from(length).ok()
}
