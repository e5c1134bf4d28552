//! The whole daemon in a world that one seed decides: real engine, state and gateways; a simulated server, source and clock.
//!
//! | variable | does |
//! |---|---|
//! | `CALSYNCD_SEEDS=2000` | looks at so many seeds, and at a quarter as many of a hybrid |
//! | `CALSYNCD_SEED=123` | looks at this one, and tells every step |
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod acts;
mod clock;
mod daily;
mod driver;
mod erp;
mod monitor;
mod moves;
mod oracle;
mod quiet;
mod seeds;
mod trace;
mod wire;
mod world;
