//! Errors in Graph's form.

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{answer, store::StoreError};

/// A refusal of Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct GraphError {
    /// The HTTP status.
    pub(in super::super) status: u16,
    pub(super) code: &'static str,
    message: String,
}

impl GraphError {
    /// An error of a status, with Graph's code and a message.
    pub(in super::super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The request cannot be understood.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorInvalidRequest", message)
    }

    /// The body cannot be read as what it should be.
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::new(400, "RequestBodyRead", message)
    }

    /// A value is not allowed.
    pub(super) fn property(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorPropertyValidationFailure", message)
    }

    /// Nothing is there.
    pub(super) fn not_found() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// What is wrong, in words.
    pub(in super::super) fn message(&self) -> &str {
        &self.message
    }

    /// The body of the answer.
    pub(in super::super) fn body_json(&self, now: Timestamp, request_id: &str) -> Value {
        json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                "request-id": request_id,
                "client-request-id": request_id,
            },
        }})
    }

    /// The answer.
    pub(in super::super) fn response(&self, now: Timestamp, request_id: &str) -> Response<Bytes> {
        answer::json(self.status, &self.body_json(now, request_id))
    }
}

impl From<StoreError> for GraphError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let (status, code) = match &error {
            StoreError::UnknownMailbox(address) => {
                return Self::new(404, "ErrorInvalidUser", format!("The requested user '{address}' is invalid."));
            }
            StoreError::MailboxElsewhere(_) => {
                let message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
                return Self::new(404, "MailboxNotEnabledForRESTAPI", message);
            }
            StoreError::MailboxInOtherHalf(_) => {
                let message = "REST API is not yet supported for this mailbox.";
                return Self::new(404, "MailboxNotEnabledForRESTAPI", message);
            }
            StoreError::MailboxMoving(_) => {
                return Self::new(503, "ErrorMailboxMoveInProgress", "Mailbox move in progress. Try again later.");
            }
            StoreError::MailboxFull(_) => {
                return Self::new(507, "ErrorQuotaExceeded", "The mailbox has exceeded its quota.");
            }
            StoreError::MalformedId | StoreError::WrongKindOfId => {
                return Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.");
            }
            StoreError::DuplicateTransaction => {
                // What a replay answers is not documented: the sandbox takes the harder case, an error without an id.
                let message = "Your request can't be completed. A duplicate transaction Id was used.";
                return Self::new(409, "ErrorDuplicateTransactionId", message);
            }
            StoreError::UnknownFolder
            | StoreError::UnknownItem
            | StoreError::OccurrenceDeleted
            | StoreError::IndexOutOfRange => return Self::not_found(),
            StoreError::AddressTaken(_) | StoreError::FolderExists => (409, "ErrorFolderExists"),
            StoreError::Conflict => (412, "ErrorIrresolvableConflict"),
            StoreError::InvalidChangeKey => (400, "ErrorInvalidChangeKey"),
            StoreError::NotASeries => (400, "ErrorCalendarCannotUseIdForRecurringMasterId"),
            StoreError::NotAnOccurrence => (400, "ErrorCalendarCannotUseIdForOccurrenceId"),
            StoreError::NotOnOccurrence(_) => (400, "ErrorInvalidPropertyRequest"),
            StoreError::EndBeforeStart => (400, "ErrorCalendarEndDateIsEarlierThanStartDate"),
            StoreError::DurationTooLong => (400, "ErrorCalendarDurationIsTooLong"),
            StoreError::OutOfRange => (400, "ErrorCalendarOutOfRange"),
            StoreError::InvalidRecurrence(_) => (400, "ErrorCalendarInvalidRecurrence"),
            StoreError::NoOccurrence => (400, "ErrorRecurrenceHasNoOccurrence"),
            StoreError::RecurrenceEndTooLate => (400, "ErrorRecurrenceEndDateTooBig"),
            StoreError::OccurrenceTooLong => (400, "ErrorOccurrenceTimeSpanTooBig"),
            StoreError::CrossingBoundary => (400, "ErrorOccurrenceCrossingBoundary"),
            StoreError::SubjectTooLong | StoreError::InvalidCategory | StoreError::ReminderOutOfRange => {
                (400, "ErrorPropertyValidationFailure")
            }
            StoreError::UnknownZone(_) => (400, "TimeZoneNotSupportedException"),
            StoreError::InvalidSyncState => (410, "SyncStateNotFound"),
            StoreError::CannotMove(_) => (400, "ErrorInvalidOperation"),
            StoreError::InvalidWindow => (400, "ErrorInvalidParameter"),
        };
        Self::new(status, code, message)
    }
}
