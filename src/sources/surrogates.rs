//! Halves of surrogate pairs in the escapes of JSON: a writer that cuts texts by UTF-16 units leaves them behind. JSON
//! (RFC 8259 §8.2) leaves their meaning open, and no calendar takes them; they become U+FFFD.

use std::{borrow::Cow, ops::RangeInclusive};

/// The text with each escape of a lone surrogate replaced.
pub(super) fn mended(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        let start = at + found;
        let Some(unit) = unit(text, start) else {
            at = start + 1 + text.get(start + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            continue;
        };
        let is_pair = HIGH.contains(&unit) && self::unit(text, start + 6).is_some_and(|next| LOW.contains(&next));
        if is_pair {
            at = start + 12;
        } else if HIGH.contains(&unit) || LOW.contains(&unit) {
            mended.push_str(text.get(kept..start).unwrap_or_default());
            mended.push_str("\\ufffd");
            at = start + 6;
            kept = at;
        } else {
            at = start + 6;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(mended)
}

/// The units that begin a pair.
const HIGH: RangeInclusive<u32> = 0xD800..=0xDBFF;
/// The units that end a pair.
const LOW: RangeInclusive<u32> = 0xDC00..=0xDFFF;

/// The UTF-16 unit that the escape at `at` stands for.
fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_kept() {
        let cases = [
            (r"plain", r"plain"),
            (r"\ud83c\udf89", r"\ud83c\udf89"),
            (r"a\ud83c b", r"a\ufffd b"),
            (r"\udf89x\uD83C", r"\ufffdx\ufffd"),
            (r"\ud83c\ud83c\udf89", r"\ufffd\ud83c\udf89"),
            (r"\\ud83c", r"\\ud83c"),
            (r"\u00e9\ud8", r"\u00e9\ud8"),
            ("\\é\\", "\\é\\"),
        ];
        for (given, expected) in cases {
            assert_eq!(mended(given), expected);
        }
    }
}
