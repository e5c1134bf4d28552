//! Reads how long a server asks to wait.

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};
use jiff::{SignedDuration, Timestamp, civil::DateTime};

/// The longest wait that is told apart; 136 years keep later sums inside the calendar.
const SECONDS_MAX: u64 = u32::MAX as u64;

/// The forms of an HTTP date (RFC 9110 §5.6.7) without the name of the day, which adds nothing.
const DATE_FORMS: [&str; 3] = ["%d %b %Y %H:%M:%S GMT", "%d-%b-%y %H:%M:%S GMT", "%b %e %H:%M:%S %Y"];

/// The wait that `Retry-After` asks for, in full: whole seconds, seconds with a fraction (rounded up to the
/// millisecond; Microsoft's own sample is `2.128`), or an HTTP date, counted from `now`. Of several values the longest
/// holds. `None` when there is none that can be read.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let texts = headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok()).map(str::trim);
    texts.filter_map(|text| seconds(text).or_else(|| until(text, now))).max()
}

/// Reads `120` or `2.128`.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return None;
    }
    let seconds = whole.parse().unwrap_or(u64::MAX).min(SECONDS_MAX);
    let mut milliseconds = 0;
    for place in 0..3 {
        milliseconds = milliseconds * 10 + fraction.as_bytes().get(place).map_or(0, |digit| u64::from(digit - b'0'));
    }
    let cut_off = fraction.bytes().skip(3).any(|digit| digit != b'0');
    Some(Duration::from_secs(seconds) + Duration::from_millis(milliseconds + u64::from(cut_off)))
}

/// Reads an HTTP date; a date that has passed asks for no wait.
fn until(text: &str, now: Timestamp) -> Option<Duration> {
    let (_, date) = text.split_once([',', ' '])?;
    let date = date.trim();
    let moment = DATE_FORMS.iter().find_map(|form| DateTime::strptime(form, date).ok())?;
    let wait = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().duration_since(now);
    Some(Duration::try_from(wait.max(SignedDuration::ZERO)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};

    use super::retry_after;

    #[test]
    fn waits_are_read_in_full() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let cases = [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 7 ", Some(7_000)),
            ("86400", Some(86_400_000)),
            ("2.128", Some(2_128)),
            ("2.5", Some(2_500)),
            ("2.1280", Some(2_128)),
            ("2.1281", Some(2_129)),
            ("0.0001", Some(1)),
            ("0.9999", Some(1_000)),
            ("99999999999999999999999", Some(4_294_967_295_000)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30_000)),
            ("Sun Nov  6 08:49:37 1994", Some(30_000)),
            ("Sun, 06 Nov 1994 10:49:07 GMT", Some(7_200_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.", None),
            (".5", None),
            ("1e3", None),
            ("1,5", None),
            ("soon", None),
            ("inf", None),
            ("Sun, 36 Nov 1994 08:49:37 GMT", None),
        ];
        for (text, milliseconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            assert_eq!(retry_after(&headers, now), milliseconds.map(Duration::from_millis), "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn of_several_values_the_longest_holds() {
        let mut headers = HeaderMap::new();
        for text in ["3", "nonsense", "10", "5"] {
            headers.append(RETRY_AFTER, HeaderValue::from_static(text));
        }
        assert_eq!(retry_after(&headers, jiff::Timestamp::UNIX_EPOCH), Some(Duration::from_secs(10)));
    }
}
