//! `calsyncd` pushes the schedules and appointments of a business system one way into Outlook calendars.

pub mod auth;
pub mod clock;
pub mod daemon;
pub mod desired;
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
