//! Windows display names of time zones, such as `(UTC+01:00) Brussels, Copenhagen, Madrid, Paris`, in the forms in which
//! the versions of Outlook write them.

use std::sync::LazyLock;

use windows_timezones::WindowsTimezone;

/// A display name, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct DisplayName {
    /// `+01:00`; `None` where the name says none.
    offset: Option<String>,
    /// The places, in lower case, in the order of the alphabet.
    places: Vec<String>,
}

/// The display names of all Windows zones.
static KNOWN: LazyLock<Vec<(DisplayName, WindowsTimezone)>> = LazyLock::new(|| {
    let mut zones: Vec<WindowsTimezone> =
        chrono_tz::TZ_VARIANTS.iter().filter_map(|zone| WindowsTimezone::try_from(*zone).ok()).collect();
    zones.sort_by_key(|zone| zone.name());
    zones.dedup_by_key(|zone| zone.name());
    zones.into_iter().filter_map(|zone| Some((DisplayName::read(zone.description())?, zone))).collect()
});

/// The Windows zone of a display name: the same offset and the same places. Without an offset, a list of places that only
/// one zone has.
pub(super) fn windows(name: &str) -> Option<WindowsTimezone> {
    let wanted = DisplayName::read(name)?;
    let mut fitting = KNOWN.iter().filter(|(known, _)| {
        known.places == wanted.places && (wanted.offset.is_none() || known.offset == wanted.offset)
    });
    let (_, zone) = fitting.next()?;
    fitting.next().is_none().then_some(*zone)
}

impl DisplayName {
    /// `None` for what is no display name: one that says neither an offset nor several places.
    fn read(name: &str) -> Option<Self> {
        let (offset, places) = match name.strip_prefix('(') {
            None => (None, name),
            Some(rest) => {
                let (offset, places) = rest.split_once(')')?;
                (Some(offset_of(offset)?), places)
            }
        };
        // `(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London`.
        let places = places.rsplit_once(" : ").map_or(places, |(_, places)| places);
        let mut places: Vec<String> = places.split([',', '/', ';']).map(place).collect();
        places.sort_unstable();
        let is_name = offset.is_some() || places.len() > 1;
        (is_name && !places.iter().any(String::is_empty)).then_some(Self { offset, places })
    }
}

/// A place in its present spelling.
fn place(text: &str) -> String {
    let place = text.trim().to_lowercase();
    match place.as_str() {
        "kiev" => "kyiv".to_owned(),
        _ => place,
    }
}

/// `+01:00` of `UTC+01:00`, or of `GMT+01:00` as older Outlooks write it.
fn offset_of(text: &str) -> Option<String> {
    let offset = text.trim().strip_prefix("UTC").or_else(|| text.trim().strip_prefix("GMT"))?.trim();
    if offset.is_empty() {
        return Some("+00:00".to_owned());
    }
    let offset = offset.replace('\u{2212}', "-");
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sign = match offset.get(..1)? {
        // Neither sign says more of no offset than the other.
        "-" if (hours, minutes) != (0, 0) => '-',
        "-" | "+" => '+',
        _ => return None,
    };
    Some(format!("{sign}{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::windows;

    #[test]
    fn every_form_of_a_display_name_is_understood() {
        let cases = [
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "W. Europe Standard Time"),
            ("(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "W. Europe Standard Time"),
            ("(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", ""),
            ("(GMT+01:00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", "W. Europe Standard Time"),
            ("(UTC+1:00) Brussels, Copenhagen, Madrid, Paris", "Romance Standard Time"),
            ("Brussels, Copenhagen, Madrid, Paris", "Romance Standard Time"),
            ("(UTC) Dublin, Edinburgh, Lisbon, London", "GMT Standard Time"),
            ("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", "GMT Standard Time"),
            ("(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "GMT Standard Time"),
            ("(UTC+00:00) Coordinated Universal Time", "UTC"),
            ("(UTC) Coordinated Universal Time", "UTC"),
            ("(UTC-05:00) Eastern Time (US & Canada)", "Eastern Standard Time"),
            ("(GMT-05:00) Eastern Time (US & Canada)", "Eastern Standard Time"),
            ("(UTC\u{2212}05:00) Eastern Time (US & Canada)", "Eastern Standard Time"),
            ("(UTC+02:00) Helsinki, Kiev, Riga, Sofia, Tallinn, Vilnius", "FLE Standard Time"),
            ("(UTC+02:00) Brussels, Copenhagen, Madrid, Paris", ""),
            ("(UTC+01:00) Paris", ""),
            ("(UTC+01:00)", ""),
            ("(UTC+01:00", ""),
            ("Paris", ""),
            (",", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(windows(name).map_or("", |zone| zone.name()), expected, "{name}");
        }
    }
}
