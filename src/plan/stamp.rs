//! What a plan was decided on, as hashes: two plans of one stamp do the same to the same items.
//!
//! The present instant has no part of its own: what it decides shows in the decisions.

use std::{collections::BTreeMap, fmt::Display};

use sha2::{Digest, Sha256};

use super::{
    Action, Decision, Inputs, Plan, PlanError,
    known::{Known, inventory},
};
use crate::model::{
    keeps::Keeps,
    link::{ItemRef, Link},
};

/// What the plan of one mailbox was decided on, and what it writes. It holds hashes alone: nothing of a calendar can be read
/// from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// See [`Part::Sources`].
    pub sources: String,
    /// See [`Part::State`].
    pub state: String,
    /// See [`Part::Calendar`].
    pub calendar: String,
    /// See [`Part::Decisions`].
    pub decisions: String,
    /// Each write by its key.
    pub writes: BTreeMap<String, String>,
}

/// What can move between a plan and its carrying out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the sources say, or that they could be read.
    Sources,
    /// What was written, refused or approved.
    State,
    /// Our items in the calendar, their change keys among them.
    Calendar,
    /// What is to be done: with all else alike, time has passed.
    Decisions,
}

impl Part {
    /// The word of JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::State => "state",
            Self::Calendar => "calendar",
            Self::Decisions => "decisions",
        }
    }

    /// In a few words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Sources => "the sources say something else",
            Self::State => "something was written, refused or decided by an operator",
            Self::Calendar => "items of ours in the calendar are no longer as they were",
            Self::Decisions => "time has passed, and the decisions are others",
        }
    }
}

impl Stamp {
    /// What has moved from `self` to `later`. Decisions are named only when nothing else explains them.
    #[must_use]
    pub fn moved(&self, later: &Self) -> Vec<Part> {
        let parts = [
            (Part::Sources, &self.sources, &later.sources),
            (Part::State, &self.state, &later.state),
            (Part::Calendar, &self.calendar, &later.calendar),
        ];
        let moved: Vec<Part> =
            parts.into_iter().filter(|(_, before, after)| before != after).map(|(part, ..)| part).collect();
        let is_same = self.decisions == later.decisions && self.writes == later.writes;
        if moved.is_empty() && !is_same { vec![Part::Decisions] } else { moved }
    }

    /// Whether every write of `self` is one of `whole`, on the same items.
    #[must_use]
    pub fn is_rest_of(&self, whole: &Self) -> bool {
        self.writes.iter().all(|(key, write)| whole.writes.get(key) == Some(write))
    }
}

/// What `plan`, made from `inputs`, was decided on.
///
/// # Errors
/// When the calendar is kept by another instance.
pub fn stamp(inputs: &Inputs<'_>, plan: &Plan) -> Result<Stamp, PlanError> {
    let mut decisions = Form::default();
    let mut writes = BTreeMap::new();
    for decision in &plan.decisions {
        let mut form = Form::default();
        form.decision(decision);
        let hash = form.end();
        decisions.text(&hash);
        match decision.action {
            Action::Create { .. } | Action::Update { .. } | Action::Delete { .. } => {
                writes.insert(decision.key.as_str().to_owned(), hash);
            }
            Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => {}
        }
    }
    Ok(Stamp {
        sources: sources(inputs),
        state: state(inputs),
        calendar: calendar(inputs)?,
        decisions: decisions.end(),
        writes,
    })
}

fn sources(inputs: &Inputs<'_>) -> String {
    let mut form = Form::default();
    form.text(inputs.mailbox.as_str());
    form.number(inputs.desired.len());
    for event in inputs.desired {
        form.text(event.key.as_str());
        form.text(event.fingerprint().as_str());
        form.keeps(event.keeps());
    }
    let scope = inputs.scope;
    for names in [&scope.complete, &scope.braked] {
        form.number(names.len());
        names.iter().for_each(|name| form.text(name));
    }
    form.number(scope.elsewhere.len());
    for (key, mailboxes) in &scope.elsewhere {
        form.text(key.as_str());
        form.number(mailboxes.len());
        mailboxes.iter().for_each(|mailbox| form.text(mailbox.as_str()));
    }
    form.number(scope.kept.len());
    for (key, reason) in &scope.kept {
        form.text(key.as_str());
        form.text(reason.code());
    }
    form.number(scope.outside.len());
    for (key, event) in &scope.outside {
        form.text(key.as_str());
        form.text(event.fingerprint().as_str());
    }
    form.end()
}

fn state(inputs: &Inputs<'_>) -> String {
    let mut form = Form::default();
    form.text(&inputs.owner.0);
    form.number(inputs.links.len());
    for link in inputs.links {
        form.link(link);
    }
    form.number(inputs.refusals.len());
    for (key, refusal) in inputs.refusals {
        form.text(key.as_str());
        form.text(refusal.fingerprint.as_str());
        form.text(&refusal.code);
        form.display(refusal.retry_at);
    }
    form.number(inputs.pending.len());
    for (key, generation) in inputs.pending {
        form.text(key.as_str());
        form.display(generation);
    }
    form.number(inputs.verdicts.len());
    for (key, verdict) in inputs.verdicts {
        form.text(key.as_str());
        form.text(verdict.as_str());
    }
    form.end()
}

/// What is known of our items: what somebody else has in the calendar has no part in it.
fn calendar(inputs: &Inputs<'_>) -> Result<String, PlanError> {
    let inventory = inventory(inputs)?;
    let mut form = Form::default();
    form.number(inventory.known.len());
    for known in &inventory.known {
        form.text(known.key().as_str());
        match known {
            Known::Intact(link) => form.named("intact", &link.item),
            Known::Changed { item, .. } => form.named("changed", item),
            Known::Missing(link) => form.named("missing", &link.item),
            Known::Newer(link) | Known::Unlinked(link) => {
                form.named(if matches!(known, Known::Newer(_)) { "newer" } else { "unlinked" }, &link.item);
                form.text(link.fingerprint.as_str());
            }
        }
    }
    form.number(inventory.copies.len());
    inventory.copies.iter().for_each(|copy| form.text(copy));
    Ok(form.end())
}

/// Writes values into a hash, each with its length, so that no two run into each other.
#[derive(Default)]
struct Form(Sha256);

impl Form {
    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text);
    }

    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_be_bytes());
    }

    fn display(&mut self, value: impl Display) {
        self.text(&value.to_string());
    }

    fn named(&mut self, word: &str, item: &ItemRef) {
        self.text(word);
        self.text(&item.id);
        self.text(&item.change_key);
    }

    fn keeps(&mut self, keeps: &Keeps) {
        let Keeps { reminder, categories, notes, deleted } = keeps;
        self.number(usize::from(*reminder));
        self.number(usize::from(*categories));
        self.text(notes.as_deref().unwrap_or_default());
        self.display(deleted.map_or(0, |respected| respected.as_secs()));
    }

    fn link(&mut self, link: &Link) {
        // What is learnt of an echo decides nothing by itself: where it does, the fields of a write tell.
        let Link { key, item, fingerprint, generation, ends, repairs, occurrences, echo: _, deleted_at } = link;
        self.named(key.as_str(), item);
        self.text(fingerprint.as_str());
        self.display(generation);
        self.display(ends);
        self.display(repairs.since);
        self.display(repairs.count);
        // When tells the time and nothing else.
        self.number(usize::from(deleted_at.is_some()));
        match occurrences {
            None => self.number(0),
            Some(written) => {
                self.number(1);
                self.text(&written.to_text());
            }
        }
    }

    /// What is done, and why. The generation of a write and the repairs tell the time and nothing else.
    fn decision(&mut self, decision: &Decision) {
        self.text(decision.key.as_str());
        self.text(decision.action.word());
        self.text(decision.action.code());
        match &decision.action {
            Action::Create { event, .. } => self.text(event.fingerprint().as_str()),
            Action::Update { event, item, fields, occurrences, .. } => {
                self.named("item", item);
                self.text(event.fingerprint().as_str());
                self.number(fields.len());
                fields.iter().for_each(|field| self.text(field.name()));
                self.text(if occurrences.lays_out() { "anew" } else { "some" });
                let only = occurrences.only().unwrap_or_default();
                self.number(only.len());
                only.iter().for_each(|original| self.display(original));
            }
            Action::Delete { item, .. } | Action::Hold { item, .. } => self.named("item", item),
            Action::Keep { link, .. } => match link {
                None => self.number(0),
                Some(link) => {
                    self.number(1);
                    self.link(link);
                }
            },
            Action::Forget | Action::Quarantine { .. } => self.text(&decision.action.reason()),
        }
    }

    fn end(self) -> String {
        self.0.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
