//! The real binary against the sandbox: settings file, source folder, signals, faults, and what the calendars show.
//!
//! The sandbox runs in this process, on loopback and a free port; the program runs as it would anywhere. With the variable
//! `CALSYNCD_RECORD_DIR` every exchange is kept in that folder, one file for each sandbox.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

/// The same scenario through several faces: a test for each.
macro_rules! through {
    ($scenario:ident: $($face:ident)+) => {
        mod $scenario {
            $(
                #[test]
                #[allow(non_snake_case, reason = "the names of the faces")]
                fn $face() {
                    super::$scenario(crate::harness::Face::$face);
                }
            )+
        }
    };
}

mod access;
mod adopt;
mod applications;
mod bad_input;
mod calendars;
mod care;
mod commands;
mod credentials;
mod daemon;
mod departures;
mod doubt;
mod drift;
mod faults;
mod hand_over;
mod harness;
mod history;
mod hybrid;
mod kill;
mod notify;
mod ntlm;
mod occurrences;
mod purge;
mod push;
mod restart;
mod rollout;
mod saved_plans;
mod schedules;
mod source_faults;
mod state_faults;
mod stop;
mod tls;
mod window;
