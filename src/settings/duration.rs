//! Durations as people write them: `15m`, `30s`, `1h30m`, `2d`.

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Reads whole days, hours, minutes and seconds, in this order, each at most once.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0_u64;
    let mut units = UNITS.iter();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let after = rest.get(digits..)?;
        let (unit, factor) = units.find(|(unit, _)| after.starts_with(unit))?;
        seconds = seconds.checked_add(number.checked_mul(*factor)?)?;
        rest = after.get(unit.len()..)?.trim_start();
    }
    Some(Duration::from_secs(seconds))
}

/// Writes a duration as [`parse`] reads it.
pub(super) fn format(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, factor) in UNITS {
        if rest >= factor {
            text.push_str(&format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    #[test]
    fn durations_are_read_or_refused() {
        let cases = [
            ("15m", Some(900)),
            ("30s", Some(30)),
            ("1h30m", Some(5_400)),
            ("1h 30m", Some(5_400)),
            ("2d", Some(172_800)),
            ("90m", Some(5_400)),
            ("0s", Some(0)),
            ("", None),
            ("15", None),
            ("m", None),
            ("15 minutes", None),
            ("-5m", None),
            ("1.5h", None),
            ("30m1h", None),
            ("1m1m", None),
            ("99999999999999999999d", None),
            ("999999999999999999d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(super::parse(text), expected.map(Duration::from_secs), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0_u64..100_000_000) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(super::parse(&super::format(duration)), Some(duration));
        }
    }
}
