//! One file for each section: from the layered tree to the resolved form.

mod application;
pub(super) mod exchange;
pub(super) mod job;
mod keeps;
pub(super) mod limits;
pub(super) mod network;
pub(super) mod rollout;
pub(super) mod source;
pub(super) mod state_and_log;
pub(super) mod templates;
mod working_days;
