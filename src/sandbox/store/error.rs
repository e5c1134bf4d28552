//! Why the store refuses.

/// Why the store refuses. Each face maps these to the codes of its protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No mailbox has this address.
    #[error("no mailbox has the address {0:?}")]
    UnknownMailbox(String),
    /// The mailbox is configured and on neither half, or has no licence.
    #[error("the mailbox {0:?} is not on this server")]
    MailboxElsewhere(String),
    /// The mailbox lives in the other half of the hybrid.
    #[error("the mailbox {0:?} is in the other half")]
    MailboxInOtherHalf(String),
    /// The mailbox cannot be moved to the other half, or its move cannot go on.
    #[error("the mailbox cannot be moved: {0}")]
    CannotMove(&'static str),
    /// The mailbox is being moved.
    #[error("the mailbox {0:?} is being moved")]
    MailboxMoving(String),
    /// The mailbox's quota is used up.
    #[error("the mailbox {0:?} is full")]
    MailboxFull(String),
    /// A mailbox with one of these addresses is there already.
    #[error("the address {0:?} is taken")]
    AddressTaken(String),
    /// The id cannot be read as an id of this store.
    #[error("malformed id")]
    MalformedId,
    /// The id of a folder was given for that of an item, or the reverse.
    #[error("the id is of another kind of object")]
    WrongKindOfId,
    /// No such folder.
    #[error("no such folder")]
    UnknownFolder,
    /// A folder of this name is there already.
    #[error("a folder of this name exists")]
    FolderExists,
    /// No such item.
    #[error("no such item")]
    UnknownItem,
    /// The item is not a series.
    #[error("the item is not a recurring master")]
    NotASeries,
    /// The item is not an occurrence.
    #[error("the item is not an occurrence")]
    NotAnOccurrence,
    /// The occurrence was deleted from its series.
    #[error("the occurrence is deleted from its series")]
    OccurrenceDeleted,
    /// The index lies past the end of the series, or is under 1.
    #[error("the index is outside the series")]
    IndexOutOfRange,
    /// An occurrence has no property of its own of this name.
    #[error("{0} cannot be set on an occurrence")]
    NotOnOccurrence(&'static str),
    /// The change key is none of this store.
    #[error("invalid change key")]
    InvalidChangeKey,
    /// The item changed since the change key was read.
    #[error("the item changed since")]
    Conflict,
    /// The item would end before it starts.
    #[error("the end is before the start")]
    EndBeforeStart,
    /// The item would last over five years.
    #[error("the duration is over five years")]
    DurationTooLong,
    /// A date outside the years that Exchange knows (1601–4500).
    #[error("a date is out of range")]
    OutOfRange,
    /// The pattern or the range is out of its limits.
    #[error("invalid recurrence: {0}")]
    InvalidRecurrence(&'static str),
    /// The pattern has no occurrence in its range.
    #[error("the recurrence has no occurrence")]
    NoOccurrence,
    /// The range ends after 4500-09-01.
    #[error("the recurrence ends too late")]
    RecurrenceEndTooLate,
    /// An occurrence would last longer than the time to the next one.
    #[error("an occurrence lasts longer than the interval of its series")]
    OccurrenceTooLong,
    /// An occurrence would move to the day of its neighbour or past it.
    #[error("the occurrence would move to or across a neighbour")]
    CrossingBoundary,
    /// The subject is over 255 characters.
    #[error("the subject is over 255 characters")]
    SubjectTooLong,
    /// A category is empty or over 255 characters.
    #[error("a category is empty or over 255 characters")]
    InvalidCategory,
    /// The reminder is outside 0–2,629,800 minutes.
    #[error("the reminder is out of range")]
    ReminderOutOfRange,
    /// The zone's name is unknown.
    #[error("unknown time zone {0:?}")]
    UnknownZone(String),
    /// The transaction id was used in this mailbox before.
    #[error("the transaction id was used before")]
    DuplicateTransaction,
    /// The sync state cannot be read, or is of another folder or of before a reset.
    #[error("invalid sync state")]
    InvalidSyncState,
    /// The window is empty or its end is before its start.
    #[error("the window ends before it starts")]
    InvalidWindow,
}
