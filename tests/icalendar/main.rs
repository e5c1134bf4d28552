//! iCalendar files from outside: the examples of RFC 5545, what Outlook, Google and Apple write, and what nobody should.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod producers;
mod recurrence_examples;
mod shown;
