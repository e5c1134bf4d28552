//! Single items: written, not written, changed by somebody else.

use super::super::catalogue::declare_events;

declare_events! {
    /// An item was created, updated or deleted.
    DEBUG ItemWritten<'a> "item_written": "an item is written" {
        /// The mailbox.
        mailbox: &'a str,
        /// The source key.
        key: &'a str,
        /// create, update or delete.
        action: &'a str,
    } metric "items_written_total"

    /// An item could not be written.
    ERROR ItemWriteError<'a> "item_write_error": "an item cannot be written" {
        /// The mailbox.
        mailbox: &'a str,
        /// The source key.
        key: &'a str,
        /// create, update or delete.
        action: &'a str,
        /// The code of the fault.
        code: &'a str,
        /// What happened.
        reason: &'a str,
        /// What to do.
        hint: Option<&'a str>,
        /// The server's name for the request.
        request_id: Option<&'a str>,
    } metric "item_write_errors_total"

    /// A write whose outcome was in doubt was looked up.
    INFO IntentResolved<'a> "intent_resolved": "a write in doubt is cleared up" {
        /// The mailbox.
        mailbox: &'a str,
        /// The source key.
        key: &'a str,
        /// Whether the item was there.
        found: bool,
    } metric "intents_resolved_total"

    /// Somebody changed or deleted one of our items in Outlook; it is put right.
    INFO DriftFound<'a> "drift_found": "an item was changed in Outlook" {
        /// The mailbox.
        mailbox: &'a str,
        /// The source key.
        key: &'a str,
        /// changed or deleted.
        kind: &'a str,
    } metric "drift_found_total"
}
