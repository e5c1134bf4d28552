//! The response codes of what the store refuses.

use super::fault::ItemFault;
use crate::sandbox::store::StoreError;

/// What Exchange says of a mailbox that the directory knows and the servers here do not hold.
pub(super) const NOT_HERE: &str = "No mailbox with such guid.";

impl From<StoreError> for ItemFault {
    fn from(error: StoreError) -> Self {
        let (code, field) = code_of(&error);
        Self { field: field.map(str::to_owned), ..Self::new(code, sentence(&error)) }
    }
}

const fn code_of(error: &StoreError) -> (&'static str, Option<&'static str>) {
    match error {
        StoreError::UnknownMailbox(_) | StoreError::MailboxElsewhere(_) | StoreError::MailboxInOtherHalf(_) => {
            ("ErrorNonExistentMailbox", None)
        }
        StoreError::MailboxMoving(_) => ("ErrorMailboxMoveInProgress", None),
        StoreError::MailboxFull(_) => ("ErrorQuotaExceeded", None),
        StoreError::AddressTaken(_) | StoreError::DuplicateTransaction | StoreError::CannotMove(_) => {
            ("ErrorInvalidOperation", None)
        }
        StoreError::MalformedId => ("ErrorInvalidIdMalformed", None),
        StoreError::WrongKindOfId => ("ErrorCannotUseFolderIdForItemId", None),
        StoreError::UnknownFolder => ("ErrorFolderNotFound", None),
        StoreError::FolderExists => ("ErrorFolderExists", None),
        StoreError::UnknownItem => ("ErrorItemNotFound", None),
        StoreError::NotASeries => ("ErrorCalendarCannotUseIdForRecurringMasterId", None),
        StoreError::NotAnOccurrence => ("ErrorCalendarCannotUseIdForOccurrenceId", None),
        StoreError::OccurrenceDeleted => ("ErrorCalendarOccurrenceIsDeletedFromRecurrence", None),
        StoreError::IndexOutOfRange => ("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", None),
        StoreError::NotOnOccurrence(_) => ("ErrorInvalidPropertySet", Some("calendar:Recurrence")),
        StoreError::InvalidChangeKey => ("ErrorInvalidChangeKey", None),
        StoreError::Conflict => ("ErrorIrresolvableConflict", None),
        StoreError::EndBeforeStart => ("ErrorCalendarEndDateIsEarlierThanStartDate", Some("calendar:End")),
        StoreError::DurationTooLong => ("ErrorCalendarDurationIsTooLong", Some("calendar:End")),
        StoreError::OutOfRange => ("ErrorCalendarOutOfRange", Some("calendar:Start")),
        StoreError::InvalidRecurrence(_) => ("ErrorCalendarInvalidRecurrence", Some("calendar:Recurrence")),
        StoreError::NoOccurrence => ("ErrorRecurrenceHasNoOccurrence", Some("calendar:Recurrence")),
        StoreError::RecurrenceEndTooLate => ("ErrorRecurrenceEndDateTooBig", Some("calendar:Recurrence")),
        StoreError::OccurrenceTooLong => ("ErrorOccurrenceTimeSpanTooBig", Some("calendar:Recurrence")),
        StoreError::CrossingBoundary => ("ErrorOccurrenceCrossingBoundary", Some("calendar:Start")),
        StoreError::SubjectTooLong => ("ErrorDataSizeLimitExceeded", Some("item:Subject")),
        StoreError::InvalidCategory => ("ErrorItemSavePropertyError", Some("item:Categories")),
        StoreError::ReminderOutOfRange => ("ErrorItemSavePropertyError", Some("item:ReminderMinutesBeforeStart")),
        StoreError::UnknownZone(_) => ("ErrorCalendarInvalidTimeZone", Some("calendar:StartTimeZone")),
        StoreError::InvalidSyncState => ("ErrorInvalidSyncStateData", None),
        StoreError::InvalidWindow => ("ErrorCalendarEndDateIsEarlierThanStartDate", None),
    }
}

fn sentence(error: &StoreError) -> String {
    if matches!(error, StoreError::MailboxElsewhere(_) | StoreError::MailboxInOtherHalf(_)) {
        return NOT_HERE.to_owned();
    }
    let text = error.to_string();
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}
