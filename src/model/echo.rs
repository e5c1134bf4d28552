//! The echo of a write: what the server shows of an item, one hash for each group of fields. Echo is compared with echo, never
//! with what was written: a server rewrites HTML, trims texts and renames zones.

use std::fmt::Write as _;

use super::{
    event::{Content, DesiredEvent},
    fingerprint::{Field, Form},
    keeps::{Keeps, words},
    shown::{Shown, ShownException, ShownTime},
};

/// The version of the text; what is of another is not known.
const VERSION: &str = "1";
/// Hexadecimal digits of a hash.
const DIGITS: usize = 12;

/// A hash of 48 bits.
type Hash = [u8; 6];

/// What is known of the echo of an item. A field that was written and not looked at since is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Echo {
    fields: [Option<Hash>; Field::ALL.len()],
    /// The categories that we wrote, where users may add their own.
    categories: Box<[Hash]>,
}

impl Echo {
    /// The hash of one field of what is shown. Of what users may keep, only our part counts.
    fn hash(shown: &Shown, field: Field, keeps: &Keeps) -> Hash {
        let mut form = Form::new();
        let mut text = |value: &str| {
            words(value).for_each(|word| form.text(word));
        };
        match field {
            Field::Subject => text(&shown.subject),
            Field::Body => text(keeps.split(&shown.body).0),
            Field::Location => text(&shown.location),
            Field::Time => time(&mut form, shown.time),
            Field::Recurrence => text(&shown.recurrence),
            Field::ShowAs => text(&shown.show_as),
            Field::Sensitivity => text(&shown.sensitivity),
            Field::Importance => text(&shown.importance),
            Field::Categories => {
                let mut categories: Vec<&str> = shown.categories.iter().map(String::as_str).collect();
                categories.retain(|_| !keeps.categories);
                categories.sort_unstable();
                categories.into_iter().for_each(|category| form.text(category));
            }
            Field::Reminder => form.number(shown.reminder_minutes.map_or(0, |minutes| u64::from(minutes) + 1)),
            Field::Occurrences => exceptions(&mut form, shown, keeps),
        }
        form.hash()
    }

    fn of(&self, field: Field) -> Option<Hash> {
        self.fields[field as usize]
    }

    /// Whether every field is known.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fields.iter().all(Option::is_some)
    }

    /// Whether some field is known.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.fields.iter().any(Option::is_some)
    }

    /// Whether a field shows what it showed after our write. A field of which that is not known does not.
    #[must_use]
    pub fn is_untouched(&self, field: Field, shown: &Shown, keeps: &Keeps) -> bool {
        self.of(field) == Some(Self::hash(shown, field, keeps))
    }

    /// Whether a field is known to show something else than after our write.
    #[must_use]
    pub fn is_touched(&self, field: Field, shown: &Shown, keeps: &Keeps) -> bool {
        self.of(field).is_some_and(|hash| hash != Self::hash(shown, field, keeps))
    }

    /// The echo once these fields of an event are written: nothing is known of them; `None` when nothing is left to know.
    #[must_use]
    pub fn after_write(before: Option<&Self>, event: &DesiredEvent, fields: &[Field]) -> Option<Self> {
        let mut echo = before.cloned().unwrap_or_default();
        for field in fields {
            echo.fields[*field as usize] = None;
        }
        if event.series.is_some() {
            // What a series says shows on its exceptions too; laying it out writes its times.
            let is_laid_out = fields.iter().any(|field| !field.is_content());
            let also: &[Field] = if is_laid_out { &[Field::Time, Field::Recurrence] } else { &[] };
            for field in also.iter().chain(&[Field::Occurrences]) {
                echo.fields[*field as usize] = None;
            }
        }
        if !event.keeps().categories {
            echo.categories = Box::default();
        } else if fields.contains(&Field::Categories) {
            echo.categories = event.content.categories.iter().map(|name| category(name)).collect();
        }
        (echo != Self::default()).then_some(echo)
    }

    /// The echo of an item that nobody has changed since our write: what it shows. A reminder that a user has set before
    /// stays theirs.
    #[must_use]
    pub fn learnt(&self, event: &DesiredEvent, shown: &Shown) -> Self {
        let keeps = event.keeps();
        let one = |field: Field| {
            let before = self.of(field).filter(|_| field == Field::Reminder && keeps.reminder);
            before.or_else(|| Some(Self::hash(shown, field, keeps)))
        };
        let there: Vec<Hash> = shown.categories.iter().map(|name| category(name)).collect();
        let mut categories = self.categories.to_vec();
        if keeps.categories && categories.is_empty() {
            categories = event.content.categories.iter().map(|name| category(name)).collect();
        }
        // What the server does not show under its name cannot be found missing.
        categories.retain(|ours| keeps.categories && there.contains(ours));
        Self { fields: Field::ALL.map(one), categories: categories.into() }
    }

    /// Whether a category that we wrote is not shown any more. `written` is what was written as far as that is known.
    #[must_use]
    pub fn lacks_category(&self, written: Option<&Content>, shown: &Shown) -> bool {
        let there: Vec<Hash> = shown.categories.iter().map(|name| category(name)).collect();
        let of_content = written.iter().flat_map(|content| &content.categories).map(|name| category(name));
        let ours: Vec<Hash> = if self.categories.is_empty() { of_content.collect() } else { self.categories.to_vec() };
        ours.iter().any(|ours| !there.contains(ours))
    }

    /// The categories that are shown and are not ours, in their order. `written` as in [`lacks_category`](Self::lacks_category).
    #[must_use]
    pub fn categories_of_users<'a>(&self, written: &[String], shown: &'a Shown) -> Vec<&'a String> {
        let ours = |name: &&String| {
            let hash = category(name);
            self.categories.contains(&hash) || written.iter().any(|one| category(one) == hash)
        };
        shown.categories.iter().filter(|name| !ours(name)).collect()
    }

    /// The text that the state keeps: `1:`, the digits of each field or dashes, and, after a colon, those of our categories.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION}:");
        let digits = |text: &mut String, hash: &Hash| {
            for byte in hash {
                // Writing into memory does not fail.
                let _ = write!(text, "{byte:02x}");
            }
        };
        for field in &self.fields {
            match field {
                Some(hash) => digits(&mut text, hash),
                None => text.push_str(&"-".repeat(DIGITS)),
            }
        }
        if !self.categories.is_empty() {
            text.push(':');
            self.categories.iter().for_each(|hash| digits(&mut text, hash));
        }
        text
    }

    /// Reads the text back; `None` when it is of another version or not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(VERSION)?.strip_prefix(':')?;
        let (fields, categories) = rest.split_once(':').unwrap_or((rest, ""));
        let parts = |text: &str| -> Option<Vec<Option<Hash>>> {
            let is_whole = text.is_ascii() && text.len().is_multiple_of(DIGITS);
            is_whole.then(|| text.as_bytes().chunks(DIGITS).map(hash).collect()).flatten()
        };
        let fields = parts(fields)?.try_into().ok()?;
        let categories = parts(categories)?.into_iter().collect::<Option<Vec<Hash>>>()?.into();
        Some(Self { fields, categories })
    }
}

/// One hash of a text: `Some(None)` for one that is not known.
fn hash(digits: &[u8]) -> Option<Option<Hash>> {
    if digits.iter().all(|byte| *byte == b'-') {
        return Some(None);
    }
    let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let bytes = u64::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some(Some([bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]))
}

/// A category by its name, in whatever case.
fn category(name: &str) -> Hash {
    let mut form = Form::new();
    words(&name.to_lowercase()).for_each(|word| form.text(word));
    form.hash()
}

fn time(form: &mut Form, time: ShownTime) {
    form.number(u64::from(time.is_all_day));
    form.display(time.start);
    form.display(time.end);
}

/// The occurrences that differ. One that shows what its series shows, when the rule lets it, is an exception to the server alone.
fn exceptions(form: &mut Form, series: &Shown, keeps: &Keeps) {
    let mut differing: Vec<&ShownException> =
        series.exceptions.iter().filter(|exception| !is_as_the_rule(exception, series, keeps)).collect();
    differing.sort_by(|one, other| one.original.cmp(&other.original));
    for exception in differing {
        form.text(&exception.original);
        let Some(shown) = &exception.shown else {
            form.number(0);
            continue;
        };
        form.number(1);
        time(form, shown.time);
        for field in Field::ALL.into_iter().filter(|field| is_compared(*field, keeps)) {
            form.bytes(&Echo::hash(shown, field, keeps));
        }
    }
}

/// Whether a field of an occurrence is compared: what users may keep of the series is not.
const fn is_compared(field: Field, keeps: &Keeps) -> bool {
    match field {
        Field::Reminder => !keeps.reminder,
        Field::Categories => !keeps.categories,
        _ => field.is_content(),
    }
}

fn is_as_the_rule(exception: &ShownException, series: &Shown, keeps: &Keeps) -> bool {
    let Some(shown) = &exception.shown else { return false };
    let is_there = exception.original.parse::<jiff::Timestamp>().is_ok_and(|original| original == shown.time.start);
    let is_as_long =
        shown.time.end.duration_since(shown.time.start) == series.time.end.duration_since(series.time.start);
    let same = |field: &Field| Echo::hash(shown, *field, keeps) == Echo::hash(series, *field, keeps);
    is_there
        && is_as_long
        && shown.time.is_all_day == series.time.is_all_day
        && Field::ALL.iter().filter(|field| is_compared(**field, keeps)).all(same)
}
