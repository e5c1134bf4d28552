//! When what an application shows comes to its end: a rule over the settings and the present instant.

use jiff::Timestamp;

use super::{Credential, Settings};

/// Days before the end at which it is told, each more pressing than the one before.
const STAGES: [i64; 3] = [30, 14, 7];
/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// How near the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// More than 30 days away.
    Far,
    /// At most this many days away: 30, 14 or 7.
    Within(i64),
    /// Over.
    Over,
}

impl Stage {
    /// The word of `status --json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Far => "good",
            Self::Within(_) => "expiring",
            Self::Over => "expired",
        }
    }
}

/// The end of one proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The key of the settings that gives it.
    pub key: &'static str,
    /// When it ends.
    pub ends: Timestamp,
    /// Whole days that are left; negative once it is over.
    pub days_left: i64,
    /// How near that is.
    pub stage: Stage,
}

impl Expiry {
    /// What is to be known, in words.
    #[must_use]
    pub fn message(&self) -> String {
        let (key, day) = (self.key, self.ends.strftime("%Y-%m-%d"));
        match self.stage {
            Stage::Over => format!("`{key}` ended on {day}"),
            Stage::Far | Stage::Within(_) => match self.days_left {
                0 => format!("`{key}` ends on {day}, in less than a day"),
                1 => format!("`{key}` ends on {day}, in 1 day"),
                days => format!("`{key}` ends on {day}, in {days} days"),
            },
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint() -> &'static str {
        "add a new one in Entra, give it as next_client_secret or next_application_certificate beside the first, and reload"
    }
}

/// The ends that are known: of certificates, and of secrets whose date is in the settings.
#[must_use]
pub fn expiries(settings: &Settings, now: Timestamp) -> Vec<Expiry> {
    let proofs = settings.exchange.sides.values().flat_map(|side| match &side.credential {
        Credential::Application { proofs, .. } => proofs.as_slice(),
        Credential::Password { .. } => &[],
    });
    proofs.filter_map(|proof| Some(judge(proof.key, proof.ends?, now))).collect()
}

fn judge(key: &'static str, ends: Timestamp, now: Timestamp) -> Expiry {
    let seconds = ends.as_second() - now.as_second();
    let stage = if seconds <= 0 {
        Stage::Over
    } else {
        STAGES.into_iter().rev().find(|days| seconds <= days * DAY).map_or(Stage::Far, Stage::Within)
    };
    Expiry { key, ends, days_left: seconds.div_euclid(DAY), stage }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;

    use super::{Stage, judge};

    #[test]
    fn the_end_is_told_in_stages() {
        let ends: Timestamp = "2027-03-01T00:00:00Z".parse().unwrap();
        let cases = [
            ("2026-03-01T00:00:00Z", 365, Stage::Far),
            ("2027-01-29T23:59:59Z", 30, Stage::Far),
            ("2027-01-30T00:00:00Z", 30, Stage::Within(30)),
            ("2027-02-14T23:59:59Z", 14, Stage::Within(30)),
            ("2027-02-15T00:00:00Z", 14, Stage::Within(14)),
            ("2027-02-22T00:00:00Z", 7, Stage::Within(7)),
            ("2027-02-28T23:59:59Z", 0, Stage::Within(7)),
            ("2027-03-01T00:00:00Z", 0, Stage::Over),
            ("2027-03-01T00:00:01Z", -1, Stage::Over),
        ];
        for (now, days_left, stage) in cases {
            let expiry = judge("client_secret", ends, now.parse().unwrap());
            assert_eq!((expiry.days_left, expiry.stage), (days_left, stage), "{now}");
            assert!(expiry.message().contains("client_secret") && expiry.message().contains("2027-03-01"), "{now}");
        }
    }
}
