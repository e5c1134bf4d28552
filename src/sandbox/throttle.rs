//! The limits of the server: requests at the same time and requests in a window, per mailbox.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::settings::{RetryAfterForm, ThrottlingSettings};

/// What each mailbox is asked at the moment.
#[derive(Debug)]
pub(super) struct Throttle {
    settings: ThrottlingSettings,
    loads: Mutex<HashMap<String, Load>>,
}

#[derive(Debug, Default)]
struct Load {
    in_flight: usize,
    in_flight_max: usize,
    window_start_s: i64,
    in_window: u64,
}

/// A refusal: how long to wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Refused {
    /// Seconds to wait.
    pub(super) after_s: f64,
}

/// A place among the requests in flight; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    throttle: Arc<Throttle>,
    mailbox: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.throttle.with(&self.mailbox, |load| load.in_flight = load.in_flight.saturating_sub(1));
    }
}

impl Throttle {
    /// Limits over mailboxes that nobody has asked yet.
    pub(super) fn new(settings: ThrottlingSettings) -> Self {
        Self { settings, loads: Mutex::default() }
    }

    /// A place for one request to a mailbox, or how long to wait. A refused request counts, as it does at Microsoft.
    pub(super) fn enter(self: &Arc<Self>, mailbox: &str, now: Timestamp) -> Result<Place, Refused> {
        let (window_s, now_s) = (i64::from(self.settings.window_s.max(1)), now.as_second());
        let verdict = self.with(mailbox, |load| {
            let window_start_s = now_s - now_s.rem_euclid(window_s);
            if load.window_start_s != window_start_s {
                (load.window_start_s, load.in_window) = (window_start_s, 0);
            }
            load.in_window += 1;
            if self.settings.requests_per_window > 0 && load.in_window > self.settings.requests_per_window {
                let left_s = window_start_s + window_s - now_s;
                return Err(Refused { after_s: f64::from(i32::try_from(left_s).unwrap_or(i32::MAX)) });
            }
            if self.settings.concurrent_per_mailbox > 0 && load.in_flight >= self.settings.concurrent_per_mailbox {
                return Err(Refused { after_s: self.settings.retry_after_s });
            }
            load.in_flight += 1;
            load.in_flight_max = load.in_flight_max.max(load.in_flight);
            Ok(())
        });
        verdict.map(|()| Place { throttle: Arc::clone(self), mailbox: mailbox.to_owned() })
    }

    /// The most requests that were in flight to one mailbox, per mailbox.
    pub(super) fn in_flight_max(&self) -> Vec<(String, usize)> {
        let loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = loads.iter().map(|(mailbox, load)| (mailbox.clone(), load.in_flight_max)).collect();
        all.sort();
        all
    }

    fn with<T>(&self, mailbox: &str, action: impl FnOnce(&mut Load) -> T) -> T {
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        match loads.get_mut(mailbox) {
            Some(load) => action(load),
            None => action(loads.entry(mailbox.to_owned()).or_default()),
        }
    }
}

/// The value of `Retry-After`; a date is never earlier than the wait ends.
pub(super) fn retry_after(form: RetryAfterForm, after_s: f64, now: Timestamp) -> Option<String> {
    #[allow(clippy::cast_possible_truncation, reason = "bounded above and below")]
    let whole_s = after_s.ceil().clamp(0.0, 1e9) as i64;
    match form {
        RetryAfterForm::Absent => None,
        RetryAfterForm::Integer => Some(whole_s.to_string()),
        RetryAfterForm::Fraction => Some(format!("{after_s:.3}")),
        RetryAfterForm::Date => {
            let until = Timestamp::from_second(now.as_second().saturating_add(whole_s + 1)).ok()?;
            Some(until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn throttle(concurrent_per_mailbox: usize, requests_per_window: u64) -> Arc<Throttle> {
        Arc::new(Throttle::new(ThrottlingSettings {
            concurrent_per_mailbox,
            requests_per_window,
            window_s: 60,
            ..ThrottlingSettings::default()
        }))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_place_is_given_back() {
        let throttle = throttle(2, 0);
        let first = throttle.enter("a", at(0)).unwrap();
        let _second = throttle.enter("a", at(0)).unwrap();
        assert_eq!(throttle.enter("a", at(0)).unwrap_err(), Refused { after_s: 2.0 });
        assert!(throttle.enter("b", at(0)).is_ok());
        drop(first);
        assert!(throttle.enter("a", at(0)).is_ok());
        assert_eq!(throttle.in_flight_max(), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }

    #[test]
    fn a_window_refuses_until_it_ends() {
        let throttle = throttle(0, 2);
        assert!(throttle.enter("a", at(61)).is_ok());
        assert!(throttle.enter("a", at(70)).is_ok());
        assert_eq!(throttle.enter("a", at(75)).unwrap_err(), Refused { after_s: 45.0 });
        assert!(throttle.enter("a", at(120)).is_ok());
    }

    #[test]
    fn each_form_of_a_wait() {
        for (form, expected) in [
            (RetryAfterForm::Integer, Some("3")),
            (RetryAfterForm::Fraction, Some("2.128")),
            (RetryAfterForm::Date, Some("Thu, 01 Jan 1970 00:00:14 GMT")),
            (RetryAfterForm::Absent, None),
        ] {
            assert_eq!(retry_after(form, 2.128, at(10)).as_deref(), expected);
        }
    }
}
