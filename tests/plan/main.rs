//! The plan: golden texts, and properties over random worlds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod goldens;
mod occurrences;
mod properties;
mod stamps;
mod world;
