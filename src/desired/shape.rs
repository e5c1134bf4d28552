//! How one source event is shown: an item of its own, items for its parts, or both.
//!
//! A part is shown by a single event under a key of its own, [`SourceKey::part`]: what the item of the event cannot say.

use std::cell::Cell;

use jiff::civil::DateTime;

use super::{
    content, half_days,
    series::{self, Repeating},
    times,
};
use crate::{
    model::{
        address::Address,
        event::Content,
        key::SourceKey,
        recurrence::Series,
        source::{SourceEvent, SourceTime},
        time::EventTime,
        window::Window,
    },
    settings::Job,
};

/// How one source event is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// The item under the key of the event itself.
    pub(super) main: Option<(EventTime, Option<Series>)>,
    /// The items beside it or in its place.
    pub(super) parts: Vec<Part>,
    /// What is to be thought of parts that are not in `parts`.
    pub(super) unlisted: Unlisted,
    /// Why the event is not one item, where that is news.
    pub(super) note: Option<String>,
}

impl Shape {
    /// When the item under the key of the event itself takes place, where that touches the window.
    pub(super) fn item_inside(&self, window: Window) -> Option<&EventTime> {
        let (time, series) = self.main.as_ref()?;
        let inside = match series {
            None => window.touches(time),
            Some(series) => series::touches(series, time, window),
        };
        inside.then_some(time)
    }
}

/// A single event that stands for a part of a source event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The wall time that it stands for, in the zone of the event: where the rule or the source lets it start.
    pub(super) original: DateTime,
    /// When it takes place.
    pub(super) time: EventTime,
    /// What it shows.
    pub(super) content: Content,
}

/// What is to be thought of the parts of an event that are neither shown nor skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlisted {
    /// All that take place are shown or skipped: the others do not take place.
    Gone,
    /// The rule was followed inside a window only.
    OutsideWindow {
        /// The first occurrence.
        first: EventTime,
        /// The window.
        window: Window,
        /// Occurrences that the source calls off.
        cancelled: Vec<DateTime>,
    },
}

impl Unlisted {
    /// Whether a part that stands for `original` may take place all the same.
    #[must_use]
    pub fn may_take_place(&self, original: DateTime) -> bool {
        match self {
            Self::Gone => false,
            Self::OutsideWindow { cancelled, .. } if cancelled.contains(&original) => false,
            Self::OutsideWindow { first, window, .. } => {
                series::at(first, original).is_none_or(|occurrence| !window.touches(&occurrence))
            }
        }
    }
}

/// An event that several items may show, and what is to be thought of its other parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divided {
    /// The source event.
    pub key: SourceKey,
    /// Whose it is.
    pub mailbox: Address,
    /// Whether it has an item of its own, in the window or not.
    pub has_item: bool,
    /// The parts that are neither shown nor skipped.
    pub unlisted: Unlisted,
}

/// An event that is not shown by one item, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The source event.
    pub key: SourceKey,
    /// Whose it is.
    pub mailbox: Address,
    /// Why, in a sentence, without anything of its content.
    pub reason: String,
    /// How many items show it inside the window.
    pub items: usize,
}

/// The shape of an event under the rules of `job`; of its parts at least those that touch `window`. `left` is how many
/// occurrences may still be followed one by one.
pub(super) fn shape(event: &SourceEvent, job: &Job, window: Window, left: &Cell<usize>) -> Result<Shape, String> {
    let mut segments = segments(event, job)?;
    if segments.is_empty() {
        return Err("it takes no time".to_owned());
    }
    let time = segments.remove(0);
    if let Some(recurrence) = &event.recurrence {
        if !segments.is_empty() {
            return Err("a schedule of several periods cannot repeat".to_owned());
        }
        return series::shape(&Repeating { source: recurrence, first: &time, event, job, window, left });
    }
    let mut parts = Vec::with_capacity(segments.len());
    for segment in segments {
        let original = segment.start();
        let time = times::normal(segment)?;
        parts.push(Part { original, content: content::content(event, None, &time, job)?, time });
    }
    // Days that are passed over are what the job asks for: nothing to note.
    Ok(Shape { main: Some((times::normal(time)?, None)), parts, unlisted: Unlisted::Gone, note: None })
}

/// When an event takes place, before it repeats: one time, or several that no single event can say.
fn segments(event: &SourceEvent, job: &Job) -> Result<Vec<EventTime>, String> {
    match &event.time {
        SourceTime::Fixed(time) => Ok(vec![time.clone()]),
        SourceTime::Period { date, period, half_days, zone } => {
            let hours = half_days::Hours { morning: job.morning, afternoon: job.afternoon };
            let zone = zone.clone().unwrap_or_else(|| job.zone.clone());
            half_days::event_times(*date, *period, *half_days, &zone, hours, &job.working_days)
        }
    }
}
