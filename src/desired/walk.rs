//! The occurrences of a rule, in a bounded number of steps: the only place that runs the rule engine.

use std::{cell::OnceCell, panic};

use ical::recur::{IcalRecurDateTime, IcalRecurFreq, IcalRecurRule, expand::IcalRecurExpand};
use jiff::{
    Span,
    civil::{Date, DateTime, Time},
};

/// How far a rule is followed from its start, in years: from the first to the last year that a source may name.
const YEARS_MAX: i32 = 300;
/// How far the first occurrence is looked for, in years: a leap day on one day of the week comes within 40.
const FIRST_YEARS_MAX: i32 = 60;
/// The most occurrences that one walk gives.
pub(super) const OCCURRENCES_MAX: usize = 10_000;

/// The occurrences of a rule as wall times, in order.
#[derive(Debug)]
pub(super) struct Walk {
    rule: IcalRecurRule,
    start: DateTime,
    /// All occurrences of a rule with `COUNT`, which can only be counted from its start.
    numbered: OnceCell<Result<Vec<DateTime>, String>>,
}

impl Walk {
    /// The occurrences of `rule` from `start` on. The rule's `UNTIL` is a wall time.
    pub(super) fn new(rule: IcalRecurRule, start: DateTime) -> Self {
        Self { rule, start, numbered: OnceCell::new() }
    }

    /// The first occurrence.
    pub(super) fn first(&self) -> Result<Option<DateTime>, String> {
        if names_no_date(&self.rule) {
            return Ok(None);
        }
        let rule = IcalRecurRule { until: Some(self.horizon(FIRST_YEARS_MAX)), ..self.rule.clone() };
        Ok(run(rule, self.start, self.start, 1)?.first().copied())
    }

    /// Whether an occurrence starts at `wall`.
    pub(super) fn contains(&self, wall: DateTime) -> Result<bool, String> {
        Ok(!self.between(wall, wall)?.is_empty())
    }

    /// The occurrences that start from `from` to `to`, both included.
    pub(super) fn between(&self, from: DateTime, to: DateTime) -> Result<Vec<DateTime>, String> {
        if self.rule.count.is_some() {
            let numbered = self.numbered.get_or_init(|| {
                let rule = IcalRecurRule { until: Some(self.horizon(YEARS_MAX)), ..self.rule.clone() };
                run(rule, self.start, self.start, OCCURRENCES_MAX)
            });
            let all = numbered.as_ref().map_err(Clone::clone)?;
            return Ok(all.iter().copied().filter(|wall| (from..=to).contains(wall)).collect());
        }
        let (mut rule, start) = self.advanced(from).unwrap_or_else(|| (self.rule.clone(), self.start));
        let until = self.horizon(YEARS_MAX).min(to_ical(to));
        rule.until = Some(until);
        let found = run(rule, start, from, OCCURRENCES_MAX + 1)?;
        if found.len() > OCCURRENCES_MAX {
            return Err(format!("the rule has more than {OCCURRENCES_MAX} occurrences in the window"));
        }
        Ok(found)
    }

    /// The last moment that is looked at, so many years after the start.
    fn horizon(&self, years: i32) -> IcalRecurDateTime {
        let start = to_ical(self.start);
        let far = IcalRecurDateTime { month: 12, day: 31, year: start.year + years, ..start };
        self.rule.until.map_or(far, |until| until.min(far))
    }

    /// The same rule and a later start that gives the same occurrences from `from` on: whole intervals are skipped. What the
    /// rule takes from its start is written down in it. `None` when there is nothing to skip.
    fn advanced(&self, from: DateTime) -> Option<(IcalRecurRule, DateTime)> {
        let interval = i64::from(self.rule.interval);
        // One interval stays, for occurrences that reach from one period into the next.
        let skipped = |periods: i64| Some((periods / interval - 1) * interval).filter(|skipped| *skipped > 0);
        let seconds = self.start.duration_until(from).as_secs();
        let mut rule = self.rule.clone();
        let later = |span: Result<Span, jiff::Error>| self.start.checked_add(span.ok()?).ok();
        let start = match rule.freq {
            IcalRecurFreq::Secondly => later(Span::new().try_seconds(skipped(seconds)?))?,
            IcalRecurFreq::Minutely => later(Span::new().try_minutes(skipped(seconds / 60)?))?,
            IcalRecurFreq::Hourly => later(Span::new().try_hours(skipped(seconds / 3_600)?))?,
            IcalRecurFreq::Daily => later(Span::new().try_days(skipped(seconds / 86_400)?))?,
            IcalRecurFreq::Weekly => later(Span::new().try_weeks(skipped(seconds / 604_800)?))?,
            IcalRecurFreq::Monthly => {
                let years = i64::from(from.year()) - i64::from(self.start.year());
                let months = years * 12 + i64::from(from.month()) - i64::from(self.start.month());
                if !selects_a_day(&rule) {
                    rule.by_month_day = vec![self.start.day()];
                }
                let begin = self.start.first_of_month();
                begin.checked_add(Span::new().try_months(skipped(months)?).ok()?).ok()?
            }
            IcalRecurFreq::Yearly => {
                let years = i64::from(from.year()) - i64::from(self.start.year());
                if !selects_a_day(&rule) {
                    rule.by_month_day = vec![self.start.day()];
                    if rule.by_month.is_empty() {
                        rule.by_month = vec![self.start.month().unsigned_abs()];
                    }
                }
                let begin = self.start.first_of_year();
                begin.checked_add(Span::new().try_years(skipped(years)?).ok()?).ok()?
            }
        };
        Some((rule, start))
    }
}

/// Whether no month that the rule names has a day that it names, such as 30 February: nothing has to be looked for.
fn names_no_date(rule: &IcalRecurRule) -> bool {
    let longest = |month: &u8| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_in = |day: &i8, month: &u8| i16::from(*day).abs() <= longest(month);
    !rule.by_month.is_empty()
        && !rule.by_month_day.is_empty()
        && !rule.by_month.iter().any(|month| rule.by_month_day.iter().any(|day| is_in(day, month)))
}

/// Whether a rule by months or years chooses days by itself.
fn selects_a_day(rule: &IcalRecurRule) -> bool {
    !rule.by_day.is_empty()
        || !rule.by_month_day.is_empty()
        || !rule.by_year_day.is_empty()
        || !rule.by_week_no.is_empty()
}

/// At most `limit` occurrences from `from` on.
fn run(rule: IcalRecurRule, start: DateTime, from: DateTime, limit: usize) -> Result<Vec<DateTime>, String> {
    let from = to_ical(from);
    // A panic of the engine costs one event, not the daemon.
    let found = panic::catch_unwind(move || {
        let occurrences = IcalRecurExpand::new(rule, to_ical(start));
        occurrences.skip_while(|found| *found < from).take(limit).collect::<Vec<_>>()
    });
    let found = found.map_err(|_| "the rule cannot be followed".to_owned())?;
    Ok(found.into_iter().filter_map(from_ical).collect())
}

/// A wall time in the words of the engine.
pub(super) fn to_ical(wall: DateTime) -> IcalRecurDateTime {
    let part = i8::unsigned_abs;
    IcalRecurDateTime {
        year: i32::from(wall.year()),
        month: part(wall.month()),
        day: part(wall.day()),
        hour: part(wall.hour()),
        minute: part(wall.minute()),
        second: part(wall.second()),
    }
}

/// The wall time; `None` where no clock shows it.
pub(super) fn from_ical(found: IcalRecurDateTime) -> Option<DateTime> {
    let part = u8::cast_signed;
    let date = Date::new(i16::try_from(found.year).ok()?, part(found.month), part(found.day)).ok()?;
    // A leap second is a second that wall clocks do not show.
    let time = Time::new(part(found.hour), part(found.minute), part(found.second.min(59)), 0).ok()?;
    Some(date.to_datetime(time))
}
