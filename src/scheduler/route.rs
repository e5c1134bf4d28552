//! On which side of a hybrid a mailbox lives. Both sides are asked once; the answer is remembered until that side says that the
//! mailbox is not there.
//!
//! *Invariant*: a mailbox is written to on one side only, and only while the other one is known not to have it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Wiring,
    pass::PassStop,
    turns::takes_the_credential,
    ways::{Way, Ways},
};
use crate::{
    gateway::{is_absent, is_unknown_name},
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
        side::Side,
    },
    state::{MailboxPlace, Store},
};

/// A fault, and whose it is.
pub type OfSide = (Side, Fault);

/// What was found out about a mailbox.
#[derive(Debug)]
pub(super) struct Asked {
    /// Where it lives, or why it is left alone.
    pub(super) found: Result<Side, OfSide>,
    /// The sides that took our credential.
    pub(super) answered: Vec<Side>,
}

/// Where the mailbox lives, by what each side says of it: it opens, or why not. `before` is where it was last.
///
/// # Errors
/// Why it is left alone: a side does not say, both have it, or neither has.
pub fn place(ews: &Result<(), Fault>, graph: &Result<(), Fault>, before: Option<Side>) -> Result<Side, OfSide> {
    match (ews, graph) {
        // Whoever does not say whether it has the mailbox may have it.
        (_, Err(fault)) if !lacks(fault, Side::Graph, before) => Err((Side::Graph, fault.clone())),
        (Err(fault), _) if !lacks(fault, Side::Ews, before) => Err((Side::Ews, fault.clone())),
        (Ok(()), Ok(())) => Err((before.unwrap_or(Side::Graph), on_both_sides())),
        (Ok(()), Err(_)) => Ok(Side::Ews),
        (Err(_), Ok(())) => Ok(Side::Graph),
        (Err(one), Err(other)) => Err((before.unwrap_or(Side::Graph), on_no_side(one, other, before))),
    }
}

/// Whether a side says that it has no such mailbox. Where it had one, a name that nobody has is a wrong one in the settings.
fn lacks(fault: &Fault, side: Side, before: Option<Side>) -> bool {
    is_absent(fault) || is_unknown_name(fault) && before != Some(side)
}

fn on_both_sides() -> Fault {
    let message = "there is a mailbox of this address on-premises (EWS) and another one in Exchange Online (Graph): which of \
                   them its owner looks at is not known";
    Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "MailboxOnBothSides", message).hint(
        "remove or disconnect one of them: on-premises, Get-Mailbox and Disable-Mailbox; online, see that the user's ExchangeGuid \
         is that of the mailbox on-premises",
    )
}

/// One that was there a moment ago is being moved, as far as anybody knows.
fn on_no_side(ews: &Fault, graph: &Fault, before: Option<Side>) -> Fault {
    let codes = format!("EWS: {}, Graph: {}", ews.code, graph.code);
    match before {
        Some(side) => {
            let message = format!(
                "the mailbox is on neither side ({codes}); it was reached by {side}: it is being moved, or gone"
            );
            Fault::new(FaultScope::Mailbox, FaultKind::Transient { wait: None }, "MailboxAway", message)
                .hint("wait for the end of the move: Get-MoveRequest on-premises, Get-MigrationUser online")
        }
        None => {
            let message = format!("no mailbox has this address, neither on-premises nor in Exchange Online ({codes})");
            Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "MailboxOnNoSide", message)
                .hint("check the address: it must be the primary SMTP address of a mailbox")
        }
    }
}

/// Asks both sides whether they have a mailbox. A side that does not say ends it, since the other one alone cannot.
pub(super) async fn ask(ways: &Ways, mailbox: &Address, before: Option<Side>) -> Asked {
    let mut answered = Vec::new();
    let graph = open(ways, Side::Graph, mailbox).await;
    answered.extend(graph.as_ref().err().is_none_or(takes_the_credential).then_some(Side::Graph));
    if let Err(fault) = &graph
        && !lacks(fault, Side::Graph, before)
    {
        return Asked { found: Err((Side::Graph, fault.clone())), answered };
    }
    let ews = open(ways, Side::Ews, mailbox).await;
    answered.extend(ews.as_ref().err().is_none_or(takes_the_credential).then_some(Side::Ews));
    Asked { found: place(&ews, &graph, before), answered }
}

async fn open(ways: &Ways, side: Side, mailbox: &Address) -> Result<(), Fault> {
    let Some(way) = ways.to(side) else { return Err(no_way(side)) };
    way.gateway.open(mailbox).await.map(|_| ())
}

fn no_way(side: Side) -> Fault {
    Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "NoWay", format!("no way leads to {side}"))
}

/// The way to a mailbox, and where its links were written.
pub(super) type Found = (Arc<Way>, Option<MailboxPlace>);

/// Why there is no way to a mailbox, and on which side.
#[derive(Debug)]
pub(super) struct Blocked {
    pub(super) side: Option<Side>,
    pub(super) stop: PassStop,
    /// Whether nothing was asked, because everything meets the same there.
    pub(super) is_known: bool,
}

impl Blocked {
    fn at(side: Side, fault: Fault) -> Self {
        Self { side: Some(side), stop: fault.into(), is_known: false }
    }
}

/// The ways of a command in the foreground, without the sides where everything meets the same fault.
#[derive(Debug)]
pub(super) struct Passable {
    closed: BTreeMap<Side, Fault>,
}

impl Passable {
    /// All ways but those that are left alone.
    pub(super) fn new(ways: &Ways) -> Self {
        let closed = ways.all().filter_map(|way| Some((way.side, way.left_alone.clone()?)));
        Self { closed: closed.collect() }
    }

    /// The way to a mailbox.
    pub(super) async fn way(&self, wiring: &Wiring, store: &Store, mailbox: &Address) -> Result<Found, Blocked> {
        let ways = &wiring.ways;
        let noted = store.place(mailbox).await;
        let noted = noted.map_err(|error| Blocked { side: None, stop: error.into(), is_known: false })?;
        let before = noted.map(|place| place.side);
        let known = noted.filter(|place| place.asked).map(|place| place.side);
        self.pass(ways, known)?;
        let found = match known {
            Some(side) if ways.is_hybrid() => match open(ways, side, mailbox).await {
                Err(fault) if is_absent(&fault) => {
                    self.pass(ways, None)?;
                    ask(ways, mailbox, before).await.found
                }
                result => result.map(|()| side).map_err(|fault| (side, fault)),
            },
            None if ways.is_hybrid() => ask(ways, mailbox, before).await.found,
            Some(_) | None => ways.sides().next().ok_or_else(|| (Side::Ews, no_way(Side::Ews))),
        };
        let side = found.map_err(|(side, fault)| Blocked::at(side, fault))?;
        let way = ways.to(side).ok_or_else(|| Blocked::at(side, no_way(side)))?;
        Ok((Arc::clone(way), noted))
    }

    /// Refuses where one of the sides is closed that would be asked.
    fn pass(&self, ways: &Ways, known: Option<Side>) -> Result<(), Blocked> {
        let closed = ways.possible(known).find_map(|side| Some((side, self.closed.get(&side)?)));
        closed.map_or(Ok(()), |(side, fault)| Err(Blocked { is_known: true, ..Blocked::at(side, fault.clone()) }))
    }

    /// Notes how it ended on a side. Returns whether it ended everywhere.
    pub(super) fn note<T>(&mut self, wiring: &Wiring, side: Option<Side>, result: &Result<T, PassStop>) -> bool {
        if let (Some(side), Err(PassStop::Fault(fault))) = (side, result)
            && fault.scope >= FaultScope::Credential
        {
            self.closed.insert(side, fault.clone());
        }
        wiring.ways.sides().all(|side| self.closed.contains_key(&side))
    }
}

#[cfg(test)]
mod tests {
    use super::place;
    use crate::model::{
        fault::{Fault, FaultKind, FaultScope},
        side::Side,
    };

    #[test]
    fn a_mailbox_lives_where_one_side_has_it_and_the_other_says_that_it_has_not() {
        let permanent = |code: &str| Err(Fault::new(FaultScope::Mailbox, FaultKind::Permanent, code, ""));
        let absent_ews = || permanent("ErrorNonExistentMailbox");
        let absent_graph = || permanent("MailboxNotEnabledForRESTAPI");
        let moving = || {
            let kind = FaultKind::Transient { wait: None };
            Err(Fault::new(FaultScope::Mailbox, kind, "ErrorMailboxMoveInProgress", ""))
        };
        let refused = || Err(Fault::new(FaultScope::Credential, FaultKind::Permanent, "HTTP 401", ""));
        let stopped = |side, code: &str, is_permanent| Err((side, code.to_owned(), is_permanent));
        for (ews, graph, before, expected) in [
            (Ok(()), absent_graph(), None, Ok(Side::Ews)),
            (absent_ews(), Ok(()), None, Ok(Side::Graph)),
            (absent_ews(), Ok(()), Some(Side::Ews), Ok(Side::Graph)),
            (Ok(()), Ok(()), None, stopped(Side::Graph, "MailboxOnBothSides", true)),
            (Ok(()), Ok(()), Some(Side::Ews), stopped(Side::Ews, "MailboxOnBothSides", true)),
            (absent_ews(), absent_graph(), None, stopped(Side::Graph, "MailboxOnNoSide", true)),
            (absent_ews(), absent_graph(), Some(Side::Ews), stopped(Side::Ews, "MailboxAway", false)),
            (moving(), absent_graph(), Some(Side::Ews), stopped(Side::Ews, "ErrorMailboxMoveInProgress", false)),
            (moving(), Ok(()), Some(Side::Ews), stopped(Side::Ews, "ErrorMailboxMoveInProgress", false)),
            (Ok(()), permanent("ErrorAccessDenied"), None, stopped(Side::Graph, "ErrorAccessDenied", true)),
            (
                permanent("ErrorImpersonateUserDenied"),
                Ok(()),
                None,
                stopped(Side::Ews, "ErrorImpersonateUserDenied", true),
            ),
            (permanent("ErrorInvalidUserSid"), Ok(()), None, Ok(Side::Graph)),
            (
                permanent("ErrorInvalidUserSid"),
                Ok(()),
                Some(Side::Ews),
                stopped(Side::Ews, "ErrorInvalidUserSid", true),
            ),
            (refused(), Ok(()), None, stopped(Side::Ews, "HTTP 401", true)),
            (absent_ews(), refused(), None, stopped(Side::Graph, "HTTP 401", true)),
        ] {
            let told = format!("{ews:?} {graph:?} {before:?}");
            let found = place(&ews, &graph, before);
            let found = found.map_err(|(side, fault)| (side, fault.code, fault.kind == FaultKind::Permanent));
            assert_eq!(found, expected, "{told}");
        }
    }
}
