//! A calendar, links and a source in memory, to plan for and to carry plans out in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use calsyncd::{
    model::{
        address::Address,
        event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
        hold::Verdict,
        key::{Kind, SourceKey},
        link::{FoundItem, ItemRef, Link, Owner},
        occurrences::WrittenOccurrences,
        shown::Seen,
        snapshot::Snapshot,
        time::EventTime,
        zone::Zone,
    },
    plan::{
        Action, Inputs, KeepReason, Plan, PlanError, Policy, Refusal, Scope, Stamp, Violation, check, ends, plan, stamp,
    },
};
use jiff::Timestamp;

pub(crate) fn mailbox() -> Address {
    Address::parse("ana@example.test").unwrap()
}

pub(crate) fn owner() -> Owner {
    Owner("this-instance".to_owned())
}

pub(crate) fn key(number: usize) -> SourceKey {
    SourceKey::new("erp", Kind::Appointment, &number.to_string())
}

static PARIS: LazyLock<Zone> = LazyLock::new(|| Zone::parse("Europe/Paris").unwrap());

/// The instant of all plans here.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Event `number`, in one of several versions, `days` after today.
pub(crate) fn event(number: usize, version: u32, days: i64) -> Arc<DesiredEvent> {
    let date = jiff::civil::date(2026, 11, 23).checked_add(jiff::ToSpan::days(days)).unwrap();
    Arc::new(DesiredEvent {
        key: key(number),
        time: EventTime::Timed { start: date.at(9, 0, 0, 0), end: date.at(10, 0, 0, 0), zone: PARIS.clone() },
        series: None,
        content: Content {
            subject: format!("Event {number} version {version}"),
            body: Body { kind: BodyKind::Text, content: String::new() },
            location: if version > 1 { "Lyon".to_owned() } else { String::new() },
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Normal,
            importance: Importance::Normal,
            categories: Vec::new(),
            reminder_minutes: None,
        },
        keeps: None,
        said: None,
    })
}

/// An item of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) key: Option<SourceKey>,
    pub(crate) change: u32,
    pub(crate) says: String,
    pub(crate) owner: Option<Owner>,
}

/// Everything that a plan is made from.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) desired: BTreeMap<SourceKey, Arc<DesiredEvent>>,
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) links: BTreeMap<SourceKey, Link>,
    pub(crate) scope: Scope,
    pub(crate) refusals: BTreeMap<SourceKey, Refusal>,
    pub(crate) pending: BTreeMap<SourceKey, i64>,
    pub(crate) verdicts: BTreeMap<SourceKey, Verdict>,
    pub(crate) policy: Policy,
    pub(crate) next_item: u32,
    /// Items that a plan told to be copies: the state remembers them, and no later plan sees them.
    pub(crate) copies: BTreeSet<String>,
    /// What the items show that are looked at.
    pub(crate) seen: BTreeMap<String, Seen>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            desired: BTreeMap::new(),
            items: BTreeMap::new(),
            links: BTreeMap::new(),
            scope: Scope { complete: BTreeSet::from(["erp".to_owned()]), ..Scope::default() },
            refusals: BTreeMap::new(),
            pending: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            policy: Policy {
                brake_share_percent: 20,
                brake_number: 10,
                frozen_before: "2026-11-16T12:00:00Z".parse().unwrap(),
            },
            next_item: 0,
            copies: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }
}

impl World {
    pub(crate) fn want(&mut self, event: Arc<DesiredEvent>) {
        self.desired.insert(event.key.clone(), event);
    }

    /// An item as we would have written it, and its link.
    pub(crate) fn wrote(&mut self, event: &DesiredEvent) -> String {
        let id = self.create(event);
        let item = ItemRef { id: id.clone(), change_key: "1".to_owned() };
        let link = Link {
            ends: ends(event),
            occurrences: WrittenOccurrences::of(event),
            ..Link::new(event.key.clone(), item, event.fingerprint())
        };
        self.links.insert(event.key.clone(), link);
        id
    }

    fn create(&mut self, event: &DesiredEvent) -> String {
        self.next_item += 1;
        let id = format!("item-{:04}", self.next_item);
        let item = Item {
            key: Some(event.key.clone()),
            change: 1,
            says: event.fingerprint().as_str().to_owned(),
            owner: Some(owner()),
        };
        self.items.insert(id.clone(), item);
        id
    }

    /// An item that somebody else made.
    pub(crate) fn foreign(&mut self, number: usize) {
        let item = Item { key: None, change: 1, says: format!("foreign {number}"), owner: None };
        self.items.insert(format!("foreign-{number}"), item);
    }

    pub(crate) fn foreign_items(&self) -> Vec<(String, Item)> {
        let foreign = |(_, item): &(&String, &Item)| item.key.is_none();
        self.items.iter().filter(foreign).map(|(id, item)| (id.clone(), item.clone())).collect()
    }

    pub(crate) fn whole(&self) -> Snapshot {
        let linked: BTreeSet<&String> = self.links.values().map(|link| &link.item.id).collect();
        let seen = self.items.iter().filter(|(id, _)| !self.copies.contains(*id) || linked.contains(id));
        let found = seen.filter_map(|(id, item)| {
            let key = item.key.as_ref()?;
            let name = ItemRef { id: id.clone(), change_key: item.change.to_string() };
            Some(FoundItem {
                fingerprint: calsyncd::model::fingerprint::Fingerprint::parse(&item.says),
                owner: item.owner.clone(),
                ..FoundItem::new(name, key.as_str())
            })
        });
        Snapshot::Whole(found.collect())
    }

    /// What a plan made `seconds` from now is decided on.
    pub(crate) fn stamp(&self, snapshot: &Snapshot, seconds: i64) -> Stamp {
        let desired: Vec<_> = self.desired.values().cloned().collect();
        let links: Vec<_> = self.links.values().cloned().collect();
        let (mailbox, owner) = (mailbox(), owner());
        let later = now() + jiff::SignedDuration::from_secs(seconds);
        let inputs = Inputs { now: later, ..self.inputs(&desired, &links, (&mailbox, &owner), snapshot) };
        stamp(&inputs, &plan(&inputs).unwrap()).unwrap()
    }

    /// Decides something else on what a plan is made from.
    pub(crate) fn deciding<T>(&self, snapshot: &Snapshot, decide: impl Fn(&Inputs<'_>) -> T) -> T {
        let desired: Vec<_> = self.desired.values().cloned().collect();
        let links: Vec<_> = self.links.values().cloned().collect();
        let (mailbox, owner) = (mailbox(), owner());
        decide(&self.inputs(&desired, &links, (&mailbox, &owner), snapshot))
    }

    pub(crate) fn plan(&self, snapshot: &Snapshot) -> Result<(Plan, Vec<Violation>), PlanError> {
        self.plan_changed(snapshot, |_| {})
    }

    /// What the checker says of a plan whose actions were changed.
    pub(crate) fn check_with(&self, change: impl Fn(&mut Action)) -> Vec<Violation> {
        self.plan_changed(&Snapshot::NotRead, change).unwrap().1
    }

    fn plan_changed(
        &self,
        snapshot: &Snapshot,
        change: impl Fn(&mut Action),
    ) -> Result<(Plan, Vec<Violation>), PlanError> {
        let desired: Vec<_> = self.desired.values().cloned().collect();
        let links: Vec<_> = self.links.values().cloned().collect();
        let (mailbox, owner) = (mailbox(), owner());
        let inputs = self.inputs(&desired, &links, (&mailbox, &owner), snapshot);
        let mut plan = plan(&inputs)?;
        plan.decisions.iter_mut().for_each(|decision| change(&mut decision.action));
        let violations = check(&plan, &inputs);
        Ok((plan, violations))
    }

    /// The plan for the same values in another order.
    pub(crate) fn plan_of(&self, desired: &[Arc<DesiredEvent>], links: &[Link], snapshot: &Snapshot) -> Plan {
        let (mailbox, owner) = (mailbox(), owner());
        plan(&self.inputs(desired, links, (&mailbox, &owner), snapshot)).unwrap()
    }

    /// What a plan is made from.
    fn inputs<'a>(
        &'a self,
        desired: &'a [Arc<DesiredEvent>],
        links: &'a [Link],
        (mailbox, owner): (&'a Address, &'a Owner),
        snapshot: &'a Snapshot,
    ) -> Inputs<'a> {
        Inputs {
            mailbox,
            owner,
            desired,
            links,
            snapshot,
            seen: &self.seen,
            scope: &self.scope,
            refusals: &self.refusals,
            pending: &self.pending,
            verdicts: &self.verdicts,
            policy: &self.policy,
            now: now(),
        }
    }

    pub(crate) fn text(&self, snapshot: &Snapshot) -> String {
        let (plan, violations) = self.plan(snapshot).unwrap();
        assert_eq!(violations, []);
        plan.to_string()
    }

    /// Carries a plan out, as the scheduler does.
    pub(crate) fn carry_out(&mut self, plan: &Plan) {
        self.copies.extend(plan.copies.iter().cloned());
        for decision in &plan.decisions {
            match &decision.action {
                Action::Create { event, repairs, .. } => {
                    let id = self.wrote(event);
                    self.links.get_mut(&event.key).unwrap().repairs = *repairs;
                    assert!(self.items.contains_key(&id));
                }
                Action::Update { event, item, repairs, generation, written, .. } => {
                    let there = self.items.get_mut(&item.id).expect("an update names an item that is there");
                    assert_eq!(there.key.as_ref(), Some(&event.key), "an update names an item of its key");
                    there.change += 1;
                    there.says = event.fingerprint().as_str().to_owned();
                    let name = ItemRef { id: item.id.clone(), change_key: there.change.to_string() };
                    let link = Link {
                        generation: *generation,
                        ends: ends(event),
                        repairs: *repairs,
                        occurrences: written.clone(),
                        ..Link::new(event.key.clone(), name, event.fingerprint())
                    };
                    self.links.insert(event.key.clone(), link);
                }
                Action::Delete { item, .. } => {
                    let gone = self.items.remove(&item.id).expect("a delete names an item that is there");
                    assert_eq!(gone.key.as_ref(), Some(&decision.key), "a delete names an item of its key");
                    self.links.remove(&decision.key);
                }
                Action::Keep { link: Some(link), .. } => {
                    self.links.insert(link.key.clone(), link.clone());
                }
                Action::Forget => {
                    self.links.remove(&decision.key);
                }
                Action::Keep { link: None, .. } | Action::Hold { .. } | Action::Quarantine { .. } => {}
            }
        }
    }
}

/// Reasons for which a source may keep a key back.
pub(crate) const KEPT: [KeepReason; 3] = [KeepReason::OutOfWindow, KeepReason::NotSelected, KeepReason::Rejected];
