//! Changes of an item, one property each, and how they are applied.

use std::sync::Arc;

use super::{
    body::Body,
    error::StoreError,
    item::{Content, Importance, Moment, PropertyName, Sensitivity, ShowAs},
    recurrence::Recurrence,
    zone::Zone,
};

/// A change of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The subject.
    Subject(String),
    /// The body, or none.
    Body(Option<Body>),
    /// The location, or none.
    Location(Option<String>),
    /// How the time is shown.
    ShowAs(ShowAs),
    /// How private it is.
    Sensitivity(Sensitivity),
    /// How important it is.
    Importance(Importance),
    /// All categories.
    Categories(Vec<String>),
    /// Whether there is a reminder.
    ReminderSet(bool),
    /// How long before the start.
    ReminderMinutes(u32),
    /// When it starts.
    Start(Moment),
    /// When it ends.
    End(Moment),
    /// The zone of the start. Without a [`Change::Start`] beside it the wall time stays and the instant moves.
    StartZone(Zone),
    /// The zone of the end. Without a [`Change::End`] beside it the wall time stays and the instant moves.
    EndZone(Zone),
    /// Whether it lasts whole days.
    AllDay(bool),
    /// The recurrence; none makes a single item of a series.
    Recurrence(Option<Recurrence>),
    /// The iCalendar UID.
    Uid(String),
    /// Sets a named property, or removes it.
    Property(PropertyName, Option<String>),
    /// The addresses of the attendees.
    Attendees(Vec<String>),
}

/// In which order the changes of one request count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOrder {
    /// One after the other: a start after the old end fails, although the new end follows (EWS).
    OneByOne,
    /// All at once (Graph, a person).
    Together,
}

impl Change {
    /// The change that sets its property to what `content` says; `None` where an occurrence has no such property of its own.
    pub(super) fn as_it_was(&self, content: &Content) -> Option<Self> {
        Some(match self {
            Self::Subject(_) => Self::Subject(content.subject.clone()),
            Self::Body(_) => Self::Body(content.body.clone()),
            Self::Location(_) => Self::Location(content.location.clone()),
            Self::ShowAs(_) => Self::ShowAs(content.show_as),
            Self::Sensitivity(_) => Self::Sensitivity(content.sensitivity),
            Self::Importance(_) => Self::Importance(content.importance),
            Self::Categories(_) => Self::Categories(content.categories.clone()),
            Self::ReminderSet(_) => Self::ReminderSet(content.reminder_set),
            Self::ReminderMinutes(_) => Self::ReminderMinutes(content.reminder_minutes),
            Self::Start(_)
            | Self::End(_)
            | Self::StartZone(_)
            | Self::EndZone(_)
            | Self::AllDay(_)
            | Self::Recurrence(_)
            | Self::Uid(_)
            | Self::Property(..)
            | Self::Attendees(_) => return None,
        })
    }

    /// Whether both are of the same property, so that the later replaces the earlier.
    pub(super) fn same_property(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Property(one, _), Self::Property(two, _)) => one == two,
            (one, two) => std::mem::discriminant(one) == std::mem::discriminant(two),
        }
    }
}

/// Applies all changes but the recurrence, and checks the result.
pub(super) fn apply(content: &Arc<Content>, changes: &[Change], order: ChangeOrder) -> Result<Content, StoreError> {
    let mut content = Content::clone(content);
    let sets_start = changes.iter().any(|change| matches!(change, Change::Start(_)));
    let sets_end = changes.iter().any(|change| matches!(change, Change::End(_)));
    // Zones first: a wall time of the same request is meant in the zone of that request.
    for change in changes {
        match change {
            Change::StartZone(zone) => {
                if !sets_start {
                    content.start = zone.instant(content.start_wall())?;
                }
                content.start_zone = zone.clone();
            }
            Change::EndZone(zone) => {
                if !sets_end {
                    content.end = zone.instant(content.end_wall())?;
                }
                content.end_zone = zone.clone();
            }
            _ => {}
        }
    }
    for change in changes {
        apply_one(&mut content, change)?;
        if order == ChangeOrder::OneByOne && content.end < content.start {
            return Err(StoreError::EndBeforeStart);
        }
    }
    if content.end < content.start {
        return Err(StoreError::EndBeforeStart);
    }
    if content.all_day {
        content.snap_to_days()?;
    }
    content.validate()?;
    Ok(content)
}

fn apply_one(content: &mut Content, change: &Change) -> Result<(), StoreError> {
    match change.clone() {
        Change::Subject(subject) => content.subject = subject,
        Change::Body(body) => content.body = body,
        Change::Location(location) => content.location = location,
        Change::ShowAs(show_as) => content.show_as = show_as,
        Change::Sensitivity(sensitivity) => content.sensitivity = sensitivity,
        Change::Importance(importance) => content.importance = importance,
        Change::Categories(categories) => content.categories = without_repetition(categories),
        Change::ReminderSet(set) => content.reminder_set = set,
        Change::ReminderMinutes(minutes) => content.reminder_minutes = minutes,
        Change::Start(moment) => content.start = moment.instant(&content.start_zone)?,
        Change::End(moment) => content.end = moment.instant(&content.end_zone)?,
        Change::AllDay(all_day) => content.all_day = all_day,
        Change::Uid(uid) => content.uid = uid,
        Change::Property(name, Some(value)) => {
            content.properties.insert(name, value);
        }
        Change::Property(name, None) => {
            content.properties.remove(&name);
        }
        Change::Attendees(attendees) => content.attendees = attendees,
        Change::StartZone(_) | Change::EndZone(_) | Change::Recurrence(_) => {}
    }
    Ok(())
}

/// A category counts once, in whatever case.
pub(super) fn without_repetition(categories: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(categories.len());
    for category in categories {
        if !kept.iter().any(|one| one.to_lowercase() == category.to_lowercase()) {
            kept.push(category);
        }
    }
    kept
}
