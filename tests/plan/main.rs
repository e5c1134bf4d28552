//! The plan: golden texts, and properties over random worlds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod drift;
mod generations;
mod goldens;
mod occurrences;
mod properties;
mod rules;
mod source_faults;
mod stamps;
mod world;
