//! The occurrences that differ from their series: written after the series, one at a time, and only then the item says
//! that it is whole.
//!
//! *Invariant*: until the last of them is written, the item's `Fingerprint` says that its occurrences are not.

use std::collections::VecDeque;

use super::{
    super::{Calendar, Outcome},
    batch::Sender,
    delete_event, fault,
    fault::Verb,
    list_instances::{self, Instance},
    pages, update_event,
};
use crate::model::{
    event::{Content, DesiredEvent},
    fault::{Fault, FaultKind, FaultScope},
    fingerprint::Fingerprint,
    link::ItemRef,
    recurrence::{Exception, ExceptionChange, Series},
    time::EventTime,
};

/// A series that was written and whose occurrences were not yet.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    /// The place of its write.
    pub(super) place: usize,
    pub(super) item: ItemRef,
    pub(super) event: &'a DesiredEvent,
    pub(super) series: &'a Series,
}

/// What is left to do for one series.
struct Task<'a> {
    pending: Pending<'a>,
    fingerprint: Fingerprint,
    steps: VecDeque<Step<'a>>,
    fault: Option<Fault>,
}

/// One write of one occurrence.
struct Step<'a> {
    id: String,
    change: Option<(&'a EventTime, &'a Content)>,
}

impl Task<'_> {
    fn outcome(self, written: Option<ItemRef>) -> (usize, Outcome) {
        let outcome = match (written, self.fault) {
            (Some(item), None) => Outcome::Written { item, fingerprint: self.fingerprint },
            (item, fault) => Outcome::Partly {
                item: item.unwrap_or(self.pending.item),
                fingerprint: self.fingerprint.without_occurrences(),
                fault: fault.unwrap_or_else(|| fault::of_nonsense(Verb::Change, "the series was not finished")),
            },
        };
        (self.pending.place, outcome)
    }
}

/// Writes the occurrences of all series, and returns what became of each. In each round every series has one request,
/// so that no batch holds two writes for one item.
pub(super) async fn write<'a>(
    sender: &mut Sender<'_>,
    calendar: &Calendar,
    pending: Vec<Pending<'a>>,
) -> Vec<(usize, Outcome)> {
    let mut tasks = prepare(sender, calendar, pending).await;
    loop {
        let mut due: Vec<(&mut Task<'a>, Step<'a>)> = Vec::new();
        for task in tasks.iter_mut().filter(|task| task.fault.is_none()) {
            if let Some(step) = task.steps.pop_front() {
                due.push((task, step));
            }
        }
        if due.is_empty() {
            break;
        }
        let requests: Vec<_> = due
            .iter()
            .map(|(_, step)| match step.change {
                None => delete_event::delete_event(calendar, &step.id),
                Some((time, content)) => update_event::update_occurrence(calendar, &step.id, time, content),
            })
            .collect();
        let answers = sender.run(&requests).await;
        for ((task, step), answer) in due.into_iter().zip(answers) {
            match answer {
                Ok(_) => {}
                Err(failure) if failure.gone && step.change.is_none() => {}
                Err(failure) => task.fault = Some(sender.stopping(failure.fault)),
            }
        }
    }
    finish(sender, calendar, tasks).await
}

/// Says on each series that it is whole.
async fn finish(sender: &mut Sender<'_>, calendar: &Calendar, tasks: Vec<Task<'_>>) -> Vec<(usize, Outcome)> {
    let (done, failed): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.fault.is_none());
    let mut outcomes: Vec<(usize, Outcome)> = failed.into_iter().map(|task| task.outcome(None)).collect();
    let owner = &sender.gateway.config.owner;
    let request =
        |task: &'_ Task<'_>| -> (String, Fingerprint) { (task.pending.item.id.clone(), task.fingerprint.clone()) };
    let named: Vec<(String, Fingerprint)> = done.iter().map(request).collect();
    let requests: Vec<_> = done
        .iter()
        .zip(&named)
        .map(|(task, (id, fingerprint))| {
            update_event::update_properties(calendar, id, task.pending.event, fingerprint, owner)
        })
        .collect();
    let answers = if requests.is_empty() { Vec::new() } else { sender.run(&requests).await };
    for (mut task, answer) in done.into_iter().zip(answers) {
        let item = match answer {
            Ok(body) => {
                let item = body.into_item_ref();
                if item.is_none() {
                    task.fault = Some(fault::of_nonsense(Verb::Change, "the updated series has no id or change key"));
                }
                item
            }
            Err(failure) => {
                task.fault = Some(sender.stopping(failure.fault));
                None
            }
        };
        outcomes.push(task.outcome(item));
    }
    outcomes
}

/// Finds the occurrences of all series.
async fn prepare<'a>(sender: &mut Sender<'_>, calendar: &Calendar, pending: Vec<Pending<'a>>) -> Vec<Task<'a>> {
    let mut paths = Vec::new();
    let mut counts = Vec::new();
    for series in &pending {
        let listings =
            list_instances::listings(sender.gateway, calendar, &series.item.id, &series.event.time, series.series);
        counts.push(listings.len());
        paths.extend(listings);
    }
    let mut listings = pages::read_many(sender, paths).await.into_iter();
    let mut tasks = Vec::new();
    for (pending, count) in pending.into_iter().zip(counts) {
        let (mut instances, mut faults) = (Vec::new(), Vec::new());
        for listing in listings.by_ref().take(count) {
            match listing {
                Ok(events) => instances.extend(events.into_iter().filter_map(Instance::read)),
                // The series is gone, not the calendar.
                Err(failure) if failure.gone => faults.push(Fault { scope: FaultScope::Item, ..failure.fault }),
                Err(failure) => faults.push(sender.stopping(failure.fault)),
            }
        }
        let fingerprint = pending.event.fingerprint();
        let (steps, fault) = match pages::gravest(faults) {
            Some(fault) => (VecDeque::new(), Some(fault)),
            None => match steps(&pending, &instances) {
                Ok(steps) => (steps, None),
                Err(fault) => (VecDeque::new(), Some(fault)),
            },
        };
        tasks.push(Task { pending, fingerprint, steps, fault });
    }
    tasks
}

/// The writes of one series, in an order in which no occurrence meets its neighbour on the way: first those that are
/// cancelled, then those that move to an earlier time, the first one first, then the others, the last one first.
fn steps<'a>(pending: &Pending<'a>, instances: &[Instance]) -> Result<VecDeque<Step<'a>>, Fault> {
    let time = &pending.event.time;
    let exceptions = &pending.series.exceptions;
    let earlier = |exception: &Exception| match &exception.change {
        ExceptionChange::Cancelled => None,
        ExceptionChange::Changed { time, .. } => Some(time.start() <= exception.original),
    };
    let cancelled = exceptions.iter().filter(|exception| earlier(exception).is_none());
    let back = exceptions.iter().filter(|exception| earlier(exception) == Some(true));
    let forth = exceptions.iter().rev().filter(|exception| earlier(exception) == Some(false));
    let mut steps = VecDeque::new();
    for exception in cancelled.chain(back).chain(forth) {
        let instance = instances.iter().find(|instance| instance.is(exception.original, time));
        match (instance, &exception.change) {
            // It is cancelled already.
            (None, ExceptionChange::Cancelled) => {}
            (None, ExceptionChange::Changed { .. }) => {
                let message = format!("the series has no occurrence at {}", exception.original);
                return Err(Fault::new(FaultScope::Item, FaultKind::Permanent, "OccurrenceNotFound", message)
                    .hint("check in the source that the exception falls on the rule of its series"));
            }
            (Some(instance), ExceptionChange::Cancelled) => {
                steps.push_back(Step { id: instance.id.clone(), change: None });
            }
            (Some(instance), ExceptionChange::Changed { time, content }) => {
                steps.push_back(Step { id: instance.id.clone(), change: Some((time, content)) });
            }
        }
    }
    Ok(steps)
}
