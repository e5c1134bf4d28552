//! Requests to Outlook.

use super::super::catalogue::declare_events;

declare_events! {
    /// A request was answered.
    DEBUG RequestFinished<'a> "request_finished": "a request is answered" {
        /// The mailbox, if it is about one.
        mailbox: Option<&'a str>,
        /// The operation, such as CreateItem or POST $batch.
        operation: &'a str,
        /// The HTTP status.
        status: u16,
        /// Items in it.
        items: u64,
        /// Milliseconds.
        elapsed_ms: u64,
    } metric "requests_total"

    /// The server rejected a request because there were too many.
    INFO RequestThrottled<'a> "request_throttled": "a request is rejected for throttling" {
        /// The mailbox, if it is about one.
        mailbox: Option<&'a str>,
        /// The operation.
        operation: &'a str,
        /// The code of the fault.
        code: &'a str,
        /// Milliseconds that the server asks to wait; absent when it does not say.
        wait_ms: Option<u64>,
    } metric "requests_throttled_total"
}
