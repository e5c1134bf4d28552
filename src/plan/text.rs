//! A plan as text: the dry run, the log at level debug, and the golden tests.

use std::fmt;

use jiff::civil::DateTime;

use super::{Action, CreateReason, Decision, DeleteReason, KeepReason, Plan, QuarantineReason, UpdateReason};
use crate::model::fingerprint::Field;

impl fmt::Display for Plan {
    /// A line of counts, then a line for each decision that is more than "as it should be".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        writeln!(
            formatter,
            "{}: {} to create, {} to update, {} to delete, {} held, {} kept, {} in quarantine",
            self.mailbox, counts.create, counts.update, counts.delete, counts.hold, counts.keep, counts.quarantine
        )?;
        for decision in self.decisions.iter().filter(|decision| is_news(decision)) {
            writeln!(formatter, "  {decision}")?;
        }
        if self.newer > 0 {
            writeln!(
                formatter,
                "  {} written after what the state knows: it is an old copy, and the items count",
                items(self.newer)
            )?;
        }
        for copy in &self.copies {
            writeln!(formatter, "  leave       {copy}: a copy that carries our mark")?;
        }
        Ok(())
    }
}

fn items(count: usize) -> String {
    if count == 1 { "1 item was".to_owned() } else { format!("{count} items were") }
}

fn is_news(decision: &Decision) -> bool {
    !matches!(&decision.action, Action::Keep { reason: KeepReason::Same, link: None })
}

impl Action {
    /// The word for the action.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::Hold { .. } => "hold",
            Self::Keep { .. } => "keep",
            Self::Forget => "forget",
            Self::Quarantine { .. } => "quarantine",
        }
    }

    /// Why, in a few words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Create { reason, .. } => reason.text().to_owned(),
            Self::Update { reason, fields, occurrences, .. } => {
                let some = occurrences.only().filter(|originals| !originals.is_empty());
                let is_named = |field: &&Field| some.is_none() || **field != Field::Occurrences;
                let mut names: Vec<String> =
                    fields.iter().filter(is_named).map(|field| field.name().to_owned()).collect();
                names.extend(some.map(named));
                let names =
                    if names.is_empty() { "nothing that its user does not keep".to_owned() } else { names.join(", ") };
                format!("{}: {names}", reason.text())
            }
            Self::Delete { reason, .. } | Self::Hold { reason, .. } => reason.text().to_owned(),
            Self::Keep { reason, .. } => reason.text().to_owned(),
            Self::Forget => "gone in Outlook and in the source".to_owned(),
            Self::Quarantine { reason } => match reason {
                QuarantineReason::Refused(code) => format!("the server refused it: {code}"),
                QuarantineReason::RepairedTooOften => {
                    "repaired too often today: somebody else keeps changing it".to_owned()
                }
            },
        }
    }
}

/// Occurrences of a line of text; the others are counted.
const OCCURRENCES_MAX: usize = 6;

/// Some occurrences by the wall times at which the rule lets them start.
fn named(originals: &[DateTime]) -> String {
    let mut text = "occurrences".to_owned();
    for original in originals.iter().take(OCCURRENCES_MAX) {
        text.push(' ');
        text.push_str(&wall(*original));
    }
    if originals.len() > OCCURRENCES_MAX {
        text.push_str(&format!(" and {} more", originals.len() - OCCURRENCES_MAX));
    }
    text
}

/// A wall time, with seconds where it has some.
pub(crate) fn wall(wall: DateTime) -> String {
    wall.strftime(if wall.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<11} {}: {}", self.action.word(), self.key, self.action.reason())
    }
}

impl CreateReason {
    const fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::DeletedInOutlook => "deleted in Outlook",
        }
    }
}

impl UpdateReason {
    const fn text(self) -> &'static str {
        match self {
            Self::SourceChanged => "the source changed",
            Self::ChangedInOutlook => "changed in Outlook",
        }
    }
}

impl DeleteReason {
    const fn text(self) -> &'static str {
        match self {
            Self::DeletedInSource => "no longer in the source",
            Self::Cancelled => "cancelled in the source",
            Self::OutOfScope => "out of the scope of the job",
            Self::HandedOver => "handed to another person",
            Self::Reshaped => "its event is shown by other items now",
            Self::Orphan => "ours by its mark, but nothing is known of it",
            Self::Purged => "everything of ours is removed",
        }
    }
}

impl KeepReason {
    const fn text(&self) -> &'static str {
        match self {
            Self::Same => "as it should be",
            Self::Frozen => "over for long, frozen",
            Self::SourceIncomplete => "the source was not read to its end",
            Self::OutOfWindow => "outside the window of the job",
            Self::NotSelected => "not selected by the job",
            Self::Generic => "of a generic person, who has no calendar",
            Self::TooLong => "a planned workload over max_days",
            Self::Rejected => "the source's event could not be used",
            Self::Cancelled => "cancelled before it was in the calendar",
            Self::DeletedByUser => "deleted by its user, which is respected for now",
            Self::NotSeen => "what its user may keep could not be looked at",
        }
    }
}
