//! The log: a catalogue of named events with fixed fields, and the forms it is written in.
//!
//! Everything that is logged is an event of the catalogue (`events`); [`catalogue()`] describes them all and
//! `docs/events.md` is written from it. [`logging`] carries them out as JSON lines, to the journal, or for reading.

pub mod catalogue;
pub mod events;
mod human;
mod json;
pub mod logging;

pub use catalogue::{EventDescription, FieldDescription, catalogue};
