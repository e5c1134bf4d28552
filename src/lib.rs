//! `calsyncd` pushes the schedules and appointments of a business system one way into Outlook calendars.
//!
//! How an event travels:
//!
//! ```text
//! sources → desired → plan ← (links, snapshot)
//!                     plan → scheduler → gateway → Outlook
//!                                        answers → state
//! ```
//!
//! The rooms, lowest first; a room imports lower ones only. The table that `tests/architecture.rs` enforces is in
//! `docs/ARCHITECTURE.md`.
//!
//! | level | rooms |
//! |---|---|
//! | 0 | [`clock`], [`certificate`], [`model`], [`template`] |
//! | 1 | [`observability`], [`settings`], [`sandbox`] |
//! | 2 | [`http`], [`desired`], [`plan`], [`diagnosis`] |
//! | 3 | [`auth`], [`state`] |
//! | 4 | [`sources`], [`gateway`] |
//! | 5 | [`scheduler`] |
//! | 7 | [`daemon`], and `fuzzing` where the fuzz targets are built |
//! | 8 | [`cli`] |

pub mod auth;
pub mod certificate;
pub mod cli;
pub mod clock;
pub mod daemon;
pub mod desired;
pub mod diagnosis;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod gateway;
pub mod http;
pub mod model;
pub mod observability;
pub mod plan;
pub mod sandbox;
pub mod scheduler;
pub mod settings;
pub mod sources;
pub mod state;
pub mod template;
