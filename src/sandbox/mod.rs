//! The sandbox: a simulated Exchange. One mailbox store ([`store`]) behind the faces of the two protocols.
//!
//! It behaves as Exchange is documented to behave and shares no code with the gateways, so that an encoder's fault cannot
//! hide behind the same decoder's fault. Of this crate it knows [`crate::clock`] alone.
//!
//! ```text
//! server (a socket) ─┐
//! in process ────────┴→ service → faces (who asks, limits, faults) → ews | graph | token → store
//!                                → admin, page ─────────────────────────────────────────→ store
//! ```
//!
//! [`Sandbox::start`] puts one on a socket, [`Sandbox::new`] and [`Sandbox::handle`] call one in process.

mod admin;
mod admin_item;
mod answer;
pub mod caller;
mod cloud;
mod counters;
mod error;
pub mod ews;
mod faces;
mod faults;
mod gate;
mod graph;
mod identity;
mod ntlm;
mod page;
mod record;
mod server;
mod service;
mod settings;
pub mod store;
#[cfg(test)]
mod tests;
mod throttle;
mod tls;
mod token;
mod urlencoded;
mod wire;

pub use self::{
    cloud::Cloud,
    counters::Counts,
    error::SandboxError,
    faces::Outcome,
    faults::{Fault, FaultKind},
    server::RunningSandbox,
    service::Sandbox,
    settings::{
        AccountSettings, ApplicationSettings, ExtendedProtection, FederatedSettings, LogOnScheme, MailboxCondition,
        MailboxSettings, RetryAfterForm, SandboxSettings, Scope, ThrottlingSettings, TlsSettings,
    },
    store::Half,
};
