//! The nouns of the project: no input or output, no wire formats, not serializable.

pub mod address;
pub mod cohort;
mod display_name;
pub mod echo;
pub mod event;
pub mod expansion;
pub mod fault;
pub mod fingerprint;
pub mod history;
pub mod hold;
pub mod keeps;
pub mod key;
pub mod link;
pub mod occurrences;
pub mod recurrence;
pub mod shown;
pub mod side;
pub mod snapshot;
pub mod source;
pub mod time;
pub mod window;
pub mod zone;
mod zone_names;
pub mod zone_rules;
