//! The events of the catalogue, by what they are about. A new one is a few lines in the file that fits.
//!
//! Fields are ids, counts, codes and names of things. Never a title, a body, a password or a token; `message` is the sentence of a
//! server or of our own fault, which holds none of them either.

mod credential;
mod daemon;
mod item;
mod mailbox;
mod request;
mod settings;
mod source;

pub use credential::*;
pub use daemon::*;
pub use item::*;
pub use mailbox::*;
pub use request::*;
pub use settings::*;
pub use source::*;

use super::EventDescription;

/// The descriptions, file by file.
pub(super) const ALL: [fn() -> Vec<EventDescription>; 7] = [
    daemon::describe,
    settings::describe,
    credential::describe,
    source::describe,
    mailbox::describe,
    item::describe,
    request::describe,
];
