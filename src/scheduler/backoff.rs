//! How long to wait: never shorter than the server asked.

use std::time::Duration;

/// The first wait that nobody asked for.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait that nobody asked for.
const LONGEST: Duration = Duration::from_mins(15);
/// What a server that asks for no time at all gets all the same.
const FLOOR: Duration = Duration::from_millis(500);

/// The wait before attempt `attempt` (0 for the first one after a fault). What the server asked for is waited in full, and
/// up to a tenth longer; where it asked for nothing, the wait doubles from one second to 15 minutes. `jitter` is between
/// 0 and 1 and spreads those who wait together.
#[must_use]
pub(super) fn wait(attempt: u32, asked: Option<Duration>, jitter: f64) -> Duration {
    let jitter = jitter.clamp(0.0, 1.0);
    match asked {
        Some(asked) => {
            let asked = asked.max(FLOOR);
            asked + asked.mul_f64(jitter / 10.0).min(Duration::from_secs(5))
        }
        None => {
            let doubled = FIRST.saturating_mul(1_u32.checked_shl(attempt.min(20)).unwrap_or(u32::MAX)).min(LONGEST);
            doubled.mul_f64(0.5 + jitter / 2.0)
        }
    }
}

/// The wait before something permanent is looked at again: an hour, doubling to a day.
#[must_use]
pub(super) fn recheck(times: u32) -> Duration {
    Duration::from_hours(1_u64 << times.min(5)).min(Duration::from_hours(24))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{recheck, wait};

    #[test]
    fn waits_are_as_long_as_asked_or_double() {
        let cases = [
            (0, None, 1.0, 1_000),
            (0, None, 0.0, 500),
            (3, None, 1.0, 8_000),
            (40, None, 1.0, 900_000),
            (0, Some(2_128), 0.0, 2_128),
            (7, Some(2_128), 0.0, 2_128),
            (0, Some(0), 0.0, 500),
            (0, Some(3_600_000), 0.0, 3_600_000),
            (0, Some(3_600_000), 1.0, 3_605_000),
        ];
        for (attempt, asked_ms, jitter, expected_ms) in cases {
            let waited = wait(attempt, asked_ms.map(Duration::from_millis), jitter);
            assert_eq!(waited, Duration::from_millis(expected_ms), "attempt {attempt}, asked {asked_ms:?}");
        }
        assert_eq!(recheck(0), Duration::from_hours(1));
        assert_eq!(recheck(60), Duration::from_hours(24));
    }

    proptest! {
        #[test]
        fn never_shorter_than_asked(attempt in 0_u32..100, asked_ms in 0_u64..100_000_000, jitter in 0.0_f64..1.0) {
            let asked = Duration::from_millis(asked_ms);
            prop_assert!(wait(attempt, Some(asked), jitter) >= asked);
        }
    }
}
