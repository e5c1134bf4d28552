//! Which calendar of a mailbox is written to. One is enough for a mailbox: it is the default one, or one that is found by its
//! name once, and followed by its id from then on.
//!
//! *Invariant*: items of ours are never in two calendars: while there are some in one, no other one is opened for writing.

use std::collections::BTreeSet;

use super::pass::{Pass, PassStop};
use crate::{
    gateway::{Calendar, ListedCalendar},
    model::{
        fault::{Fault, FaultKind, FaultScope},
        key::SourceKey,
    },
    settings::NamedCalendar,
    state::FollowedCalendar,
};

/// What for a calendar is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// To be written to: one that is not there may be made.
    Write,
    /// To be looked at: nothing is made.
    Look,
    /// To have its links rebuilt: it is followed, and nothing is made.
    Adopt,
    /// To be cleared: where the items are counts, not where the settings want them.
    Clear,
}

/// What is known before a calendar is opened.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the settings want; `None` for the default calendar.
    pub wanted: Option<&'a NamedCalendar>,
    /// What was followed so far; `None` for the default calendar.
    pub followed: Option<&'a FollowedCalendar>,
    /// How many items of ours the state knows in the mailbox.
    pub items: usize,
}

/// Which calendar it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The one of this id.
    Open(String),
    /// It is to be made.
    Make,
}

/// Refuses to leave items behind in another calendar than the one that is wanted.
///
/// # Errors
/// The fault with which the mailbox is parked.
pub fn refuse_a_change(known: &Known<'_>) -> Result<(), Fault> {
    let wanted = known.wanted.map(|wanted| wanted.name.as_str());
    let followed = known.followed.map(|followed| followed.name.as_str());
    if wanted == followed || known.items == 0 {
        return Ok(());
    }
    let told = |name: Option<&str>| name.map_or_else(|| "the default calendar".to_owned(), |name| format!("{name:?}"));
    let message = format!("{} items of ours are in {}, and {} is wanted", known.items, told(followed), told(wanted));
    Err(parked("CalendarChanged", message)
        .hint("set exchange.calendar back, or remove the items first: calsyncd purge --mailbox ADDRESS"))
}

/// Which of the calendars of a mailbox is meant: the one that is followed, else the only one of the name. A second one of the
/// same name is never guessed at.
///
/// # Errors
/// The fault with which the mailbox is parked.
pub fn choose(
    wanted: &NamedCalendar,
    followed: Option<&FollowedCalendar>,
    listed: &[ListedCalendar],
) -> Result<Choice, Fault> {
    let name = &wanted.name;
    let followed = followed.filter(|followed| followed.name == *name);
    if let Some(followed) = followed
        && listed.iter().any(|calendar| calendar.id == followed.folder_id)
    {
        return Ok(Choice::Open(followed.folder_id.clone()));
    }
    let mut named = listed.iter().filter(|calendar| is_named(calendar, name));
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(parked("CalendarAmbiguous", format!("several calendars are called {name:?}"))
            .hint("rename or remove all of them but one")),
        (Some(only), None) if followed.is_none() || wanted.create => Ok(Choice::Open(only.id.clone())),
        (Some(_), None) => {
            let message = format!("the calendar {name:?} was deleted, and another one of that name is there");
            Err(parked("CalendarGone", message)
                .hint("restore the old one, or set exchange.create_calendar = true to go on in the other one"))
        }
        (None, _) if wanted.create => Ok(Choice::Make),
        (None, _) if followed.is_some() => {
            Err(parked("CalendarGone", format!("the calendar that was found as {name:?} is gone"))
                .hint("restore it, or set exchange.create_calendar = true to have it made again"))
        }
        (None, _) => Err(parked("CalendarMissing", format!("the mailbox has no calendar {name:?}"))
            .hint("make it in Outlook, or set exchange.create_calendar = true")),
    }
}

/// Names are compared without regard to case.
fn is_named(calendar: &ListedCalendar, name: &str) -> bool {
    calendar.name.to_lowercase() == name.to_lowercase()
}

/// Of the calendars, each with the number of our items that were looked for and are there, the one of the name if it holds any,
/// else the one that holds most: users move single items elsewhere.
fn holder(name: &str, held: &[(&ListedCalendar, usize)]) -> Option<String> {
    let holding = held.iter().rev().filter(|(_, count)| *count > 0);
    holding.max_by_key(|(calendar, count)| (is_named(calendar, name), *count)).map(|(calendar, _)| calendar.id.clone())
}

fn missing(name: &str) -> Fault {
    parked("CalendarMissing", format!("the calendar {name:?} is not there yet: the next pass makes it"))
}

fn gone(name: &str) -> Fault {
    parked("CalendarGone", format!("the mailbox has moved, and no calendar of it holds what was in {name:?}"))
        .hint("restore that calendar; it may have another name")
}

fn parked(code: &str, message: String) -> Fault {
    Fault::new(FaultScope::Mailbox, FaultKind::Permanent, code, message)
}

impl Pass {
    /// Opens the calendar of the mailbox; `None` to whoever looks, where the next pass makes it.
    pub(super) async fn open(&self, opening: Opening) -> Result<Option<Calendar>, PassStop> {
        if let Some(calendar) = self.way.calendar(&self.mailbox) {
            return Ok(Some(calendar));
        }
        let followed = self.store.calendar(&self.mailbox).await?;
        match (&self.wiring.calendar, followed) {
            (None, None) => {
                let calendar = self.way.gateway.open(&self.mailbox).await?;
                self.way.remember(calendar.clone());
                Ok(Some(calendar))
            }
            (wanted, followed) => self.open_named(opening, wanted.as_ref(), followed).await,
        }
    }

    /// The same for whoever needs one that is there.
    pub(super) async fn open_made(&self, opening: Opening) -> Result<Calendar, PassStop> {
        let name = self.wiring.calendar.as_ref().map_or("", |wanted| wanted.name.as_str());
        self.open(opening).await?.ok_or_else(|| missing(name).into())
    }

    /// Opens a calendar where one beside the default one plays a part. It is looked for anew each time: somebody may have
    /// deleted it, and a deleted one still takes writes.
    async fn open_named(
        &self,
        opening: Opening,
        wanted: Option<&NamedCalendar>,
        followed: Option<FollowedCalendar>,
    ) -> Result<Option<Calendar>, PassStop> {
        let (mailbox, gateway) = (&self.mailbox, &self.way.gateway);
        let items = self.store.links(mailbox).await?.len() + self.store.intents(mailbox).await?.len();
        if opening == Opening::Clear {
            match &followed {
                Some(followed) if self.has_moved() => {
                    let id = self.where_items_are(&followed.name, &gateway.calendars(mailbox).await?).await?;
                    return id.map(|id| Some(self.at(id))).ok_or_else(|| gone(&followed.name).into());
                }
                Some(followed) => return Ok(Some(self.at(followed.folder_id.clone()))),
                None if items > 0 => return Ok(Some(gateway.open(mailbox).await?)),
                None => {}
            }
        }
        refuse_a_change(&Known { wanted, followed: followed.as_ref(), items })?;
        let follows = matches!(opening, Opening::Write | Opening::Adopt);
        let Some(wanted) = wanted else {
            let calendar = gateway.open(mailbox).await?;
            if follows {
                self.store.follow(mailbox, None).await?;
            }
            return Ok(Some(calendar));
        };
        let listed = gateway.calendars(mailbox).await?;
        let here = followed.as_ref().filter(|_| !self.has_moved());
        let moved = if self.has_moved() { self.where_items_are(&wanted.name, &listed).await? } else { None };
        let choice = moved.map_or_else(|| choose(wanted, here, &listed), |id| Ok(Choice::Open(id)))?;
        let calendar = match choice {
            Choice::Open(id) => self.at(id),
            Choice::Make if opening == Opening::Write => gateway.create_calendar(mailbox, &wanted.name).await?,
            Choice::Make if opening == Opening::Look => return Ok(None),
            Choice::Make => return Err(missing(&wanted.name).into()),
        };
        let found = FollowedCalendar { name: wanted.name.clone(), folder_id: calendar.id.clone() };
        // After a move it is followed together with its items.
        let with_items = self.has_moved() && followed.is_some();
        if follows && !with_items && followed.as_ref() != Some(&found) {
            self.store.follow(mailbox, Some(&found)).await?;
        }
        Ok(Some(calendar))
    }

    /// After a move a calendar has another id, and perhaps another name for long: it is the one that holds our items, looked for
    /// first under its name. `None` where nothing of ours is to be found.
    async fn where_items_are(&self, name: &str, listed: &[ListedCalendar]) -> Result<Option<String>, PassStop> {
        let gateway = &self.way.gateway;
        let links = self.store.links(&self.mailbox).await?;
        let alive = links.into_iter().filter(|link| link.deleted_at.is_none()).map(|link| link.key);
        let keys: Vec<SourceKey> = alive.take(gateway.batch_limits().keys.max(1)).collect();
        if keys.is_empty() {
            return Ok(None);
        }
        let mut held = Vec::new();
        for calendar in listed {
            let found = gateway.probe(&self.at(calendar.id.clone()), &keys).await?;
            let keys: BTreeSet<&str> = found.iter().map(|found| found.key.as_str()).collect();
            held.push((calendar, keys.len()));
        }
        Ok(Some(holder(name, &held).ok_or_else(|| gone(name))?))
    }

    fn at(&self, id: String) -> Calendar {
        Calendar { mailbox: self.mailbox.clone(), id }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Known, choose, holder, refuse_a_change};
    use crate::{gateway::ListedCalendar, settings::NamedCalendar, state::FollowedCalendar};

    fn named(name: &str, create: bool) -> NamedCalendar {
        NamedCalendar { name: name.to_owned(), create }
    }

    fn followed(name: &str, id: &str) -> FollowedCalendar {
        FollowedCalendar { name: name.to_owned(), folder_id: id.to_owned() }
    }

    fn listed(calendars: &[(&str, &str)]) -> Vec<ListedCalendar> {
        let calendar = |(id, name): &(&str, &str)| ListedCalendar { id: (*id).to_owned(), name: (*name).to_owned() };
        calendars.iter().map(calendar).collect()
    }

    #[test]
    fn a_calendar_is_found_by_name_once_and_followed_by_its_id() {
        let known = Some(followed("Planning", "1"));
        let open = |id: &str| Ok(Choice::Open(id.to_owned()));
        let parked = |code: &str| Err(code.to_owned());
        let both = [("1", "Planning"), ("2", "Planning")];
        for (followed, create, there, expected) in [
            (&None, false, &[("0", "Calendar"), ("1", "Planning")][..], open("1")),
            (&None, false, &[("1", "PLANNING")][..], open("1")),
            (&None, false, &both[..], parked("CalendarAmbiguous")),
            (&None, true, &both[..], parked("CalendarAmbiguous")),
            (&None, false, &[("0", "Calendar")][..], parked("CalendarMissing")),
            (&None, true, &[("0", "Calendar")][..], Ok(Choice::Make)),
            (&known, false, &[("1", "Renamed")][..], open("1")),
            (&known, false, &both[..], open("1")),
            (&known, false, &[("1", "Renamed"), ("2", "Planning")][..], open("1")),
            (&known, false, &[("2", "Planning")][..], parked("CalendarGone")),
            (&known, true, &[("2", "Planning")][..], open("2")),
            (&known, false, &[][..], parked("CalendarGone")),
            (&known, true, &[][..], Ok(Choice::Make)),
            (&known, true, &[("2", "Planning"), ("3", "Planning")][..], parked("CalendarAmbiguous")),
            (&Some(self::followed("Old", "1")), false, &[("1", "Old")][..], parked("CalendarMissing")),
        ] {
            let choice = choose(&named("Planning", create), followed.as_ref(), &listed(there));
            assert_eq!(choice.map_err(|fault| fault.code), expected, "{followed:?} {create} {there:?}");
        }
    }

    #[test]
    fn after_a_move_the_calendar_is_the_one_that_holds_our_items() {
        for (held, expected) in [
            (&[("0", "Calendar", 0), ("1", "Planning", 3)][..], Some("1")),
            (&[("0", "Calendar", 1), ("1", "PLANNING", 1)][..], Some("1")),
            (&[("0", "Calendar", 0), ("1", "Work", 3)][..], Some("1")),
            (&[("0", "Archive", 1), ("1", "Work", 3), ("2", "Planning", 0)][..], Some("1")),
            (&[("1", "Planning", 0), ("2", "Planning", 2)][..], Some("2")),
            (&[("0", "Calendar", 0), ("1", "Planning", 0)][..], None),
        ] {
            let calendars = listed(&held.iter().map(|(id, name, _)| (*id, *name)).collect::<Vec<_>>());
            let held: Vec<_> = calendars.iter().zip(held.iter().map(|(_, _, count)| *count)).collect();
            assert_eq!(holder("Planning", &held).as_deref(), expected, "{held:?}");
        }
    }

    #[test]
    fn items_are_not_left_behind() {
        let (plan, other, old) = (named("Planning", true), named("Other", true), followed("Planning", "1"));
        for (wanted, followed, items, allowed) in [
            (None, None, 5, true),
            (Some(&plan), Some(&old), 5, true),
            (Some(&other), Some(&old), 0, true),
            (Some(&other), Some(&old), 1, false),
            (Some(&plan), None, 1, false),
            (Some(&plan), None, 0, true),
            (None, Some(&old), 1, false),
            (None, Some(&old), 0, true),
        ] {
            let result = refuse_a_change(&Known { wanted, followed, items });
            assert_eq!(result.is_ok(), allowed, "{wanted:?} {followed:?} {items}");
        }
    }
}
