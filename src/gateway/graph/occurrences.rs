//! The occurrences that differ from their series: written after the series, one at a time, and only then the item says
//! that it is whole.
//!
//! *Invariant*: until the last of them is written, the item's `Fingerprint` says that its occurrences are not.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use jiff::civil::DateTime;

use super::{
    super::{Answer, Calendar, Outcome},
    batch::Sender,
    delete_event, fault,
    fault::Verb,
    list_instances::{self, Instance},
    pages,
    properties::Said,
    update_event,
};
use crate::model::{
    event::{Content, DesiredEvent},
    fault::{Fault, FaultKind, FaultScope},
    fingerprint::Fingerprint,
    link::ItemRef,
    recurrence::{ExceptionChange, Series},
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
    /// The generation of its write.
    pub(super) generation: i64,
    /// The originals that are written; `None` for all that differ, of a series that was just laid out.
    pub(super) only: Option<&'a [DateTime]>,
}

/// What is left to do for one series.
struct Task<'a> {
    pending: Pending<'a>,
    fingerprint: Fingerprint,
    steps: VecDeque<Step<'a>>,
    /// Writes whose occurrences met a neighbour, and what the server said of the first.
    crossed: VecDeque<Step<'a>>,
    crossing: Option<Fault>,
    /// Whether an occurrence moved since the crossed ones were tried.
    goes_on: bool,
    fault: Option<Fault>,
}

/// One write of one occurrence.
struct Step<'a> {
    id: String,
    change: Option<(Cow<'a, EventTime>, &'a Content)>,
}

impl<'a> Task<'a> {
    /// The next write. Those that met a neighbour come again once others have moved: each round of them needs one that did,
    /// so that this comes to an end.
    fn next(&mut self) -> Option<Step<'a>> {
        if self.fault.is_some() {
            return None;
        }
        if self.steps.is_empty() && !self.crossed.is_empty() {
            if !self.goes_on {
                self.fault = self.crossing.take();
                return None;
            }
            self.goes_on = false;
            self.crossing = None;
            std::mem::swap(&mut self.steps, &mut self.crossed);
        }
        self.steps.pop_front()
    }

    fn answer(self, written: Option<ItemRef>, request_id: Option<Arc<str>>) -> (usize, Answer) {
        let outcome = match (written, self.fault) {
            (Some(item), None) => Outcome::Written { item, fingerprint: self.fingerprint },
            (item, fault) => Outcome::Partly {
                item: item.unwrap_or(self.pending.item),
                fingerprint: self.fingerprint.without_occurrences(),
                fault: fault.unwrap_or_else(|| fault::of_nonsense(Verb::Change, "the series was not finished")),
            },
        };
        (self.pending.place, Answer::new(outcome, request_id))
    }
}

/// Writes the occurrences of all series, and returns what became of each. In each round every series has one request,
/// so that no batch holds two writes for one item.
pub(super) async fn write<'a>(
    sender: &mut Sender<'_>,
    calendar: &Calendar,
    pending: Vec<Pending<'a>>,
) -> Vec<(usize, Answer)> {
    let mut tasks = prepare(sender, calendar, pending).await;
    loop {
        let mut due: Vec<(&mut Task<'a>, Step<'a>)> = Vec::new();
        for task in &mut tasks {
            if let Some(step) = task.next() {
                due.push((task, step));
            }
        }
        if due.is_empty() {
            break;
        }
        let requests: Vec<_> = due
            .iter()
            .map(|(_, step)| match &step.change {
                None => delete_event::delete_event(calendar, &step.id),
                Some((time, content)) => update_event::update_occurrence(calendar, &step.id, time, content),
            })
            .collect();
        let answers = sender.run(&requests).await;
        for ((task, step), answer) in due.into_iter().zip(answers) {
            match answer {
                Ok(_) => task.goes_on |= !task.crossed.is_empty(),
                Err(failure) if failure.gone && step.change.is_none() => {}
                Err(failure) if failure.gone && task.pending.only.is_some() => task.fault = Some(not_there()),
                Err(failure) if fault::is_crossing(&failure.fault) => {
                    task.crossing.get_or_insert(failure.fault);
                    task.crossed.push_back(step);
                }
                Err(failure) => task.fault = Some(sender.stopping(failure.fault)),
            }
        }
    }
    finish(sender, calendar, tasks).await
}

/// Says on each series that it is whole.
async fn finish(sender: &mut Sender<'_>, calendar: &Calendar, tasks: Vec<Task<'_>>) -> Vec<(usize, Answer)> {
    let (done, failed): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.fault.is_none());
    let mut outcomes: Vec<(usize, Answer)> = failed.into_iter().map(|task| task.answer(None, None)).collect();
    let owner = &sender.gateway.config.owner;
    let request =
        |task: &'_ Task<'_>| -> (String, Fingerprint) { (task.pending.item.id.clone(), task.fingerprint.clone()) };
    let named: Vec<(String, Fingerprint)> = done.iter().map(request).collect();
    let requests: Vec<_> = done
        .iter()
        .zip(&named)
        .map(|(task, (id, fingerprint))| {
            let said = Said { fingerprint, generation: task.pending.generation, owner };
            update_event::update_properties(calendar, id, task.pending.event, said)
        })
        .collect();
    let answers = if requests.is_empty() { Vec::new() } else { sender.run(&requests).await };
    for (mut task, answer) in done.into_iter().zip(answers) {
        let mut request_id = None;
        let item = match answer {
            Ok(body) => {
                request_id.clone_from(&body.request_id);
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
        outcomes.push(task.answer(item, request_id));
    }
    outcomes
}

/// Finds the occurrences of all series.
async fn prepare<'a>(sender: &mut Sender<'_>, calendar: &Calendar, pending: Vec<Pending<'a>>) -> Vec<Task<'a>> {
    let mut paths = Vec::new();
    let mut counts = Vec::new();
    for series in &pending {
        let listings = list_instances::listings(
            sender.gateway,
            calendar,
            &series.item.id,
            series.event,
            series.series,
            series.only,
        );
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
        let (crossed, crossing, goes_on) = (VecDeque::new(), None, false);
        tasks.push(Task { pending, fingerprint, steps, crossed, crossing, goes_on, fault });
    }
    tasks
}

/// Somebody deleted an occurrence that is to change: the series is due as a whole.
fn not_there() -> Fault {
    let message = "an occurrence that changes is not there any more: the series is written anew";
    Fault::new(FaultScope::Item, FaultKind::Transient { wait: None }, "OccurrenceNotFound", message)
}

/// What happens at an original: nothing takes place, or this.
type Due<'a> = (DateTime, Option<(Cow<'a, EventTime>, &'a Content)>);

/// What is to be written of one series.
fn due<'a>(pending: &Pending<'a>) -> Vec<Due<'a>> {
    let of_exception = |change: &'a ExceptionChange| match change {
        ExceptionChange::Cancelled => None,
        ExceptionChange::Changed { time, content } => Some((Cow::Borrowed(time), &**content)),
    };
    let exceptions = &pending.series.exceptions;
    let Some(originals) = pending.only else {
        return exceptions.iter().map(|exception| (exception.original, of_exception(&exception.change))).collect();
    };
    let one = |original: &DateTime| {
        let event = pending.event;
        let change = match exceptions.binary_search_by_key(original, |exception| exception.original) {
            Ok(place) => of_exception(&exceptions[place].change),
            Err(_) => Some((Cow::Owned(event.time.on(original.date())), &event.content)),
        };
        (*original, change)
    };
    originals.iter().map(one).collect()
}

/// The writes of one series, in an order in which no occurrence of a series that is as its rule says meets its neighbour on
/// the way: first those that are cancelled, then those that move to an earlier time, the first one first, then the others,
/// the last one first.
fn steps<'a>(pending: &Pending<'a>, instances: &[Instance]) -> Result<VecDeque<Step<'a>>, Fault> {
    let series_time = &pending.event.time;
    let (mut cancelled, mut back, mut forth) = (VecDeque::new(), Vec::new(), Vec::new());
    for (original, change) in due(pending) {
        let instance = instances.iter().find(|instance| instance.is(original, series_time));
        let is_later = change.as_ref().map(|(time, _)| time.start() > original);
        let Some(instance) = instance else {
            match is_later {
                // It is cancelled already.
                None => continue,
                Some(_) if pending.only.is_some() => return Err(not_there()),
                Some(_) => {
                    let message = format!("the series has no occurrence at {original}");
                    return Err(Fault::new(FaultScope::Item, FaultKind::Permanent, "OccurrenceNotFound", message)
                        .hint("check in the source that the exception falls on the rule of its series"));
                }
            }
        };
        let step = Step { id: instance.id.clone(), change };
        match is_later {
            None => cancelled.push_back(step),
            Some(false) => back.push(step),
            Some(true) => forth.push(step),
        }
    }
    cancelled.extend(back);
    cancelled.extend(forth.into_iter().rev());
    Ok(cancelled)
}
