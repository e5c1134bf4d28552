//! Mailboxes that move between the halves of a hybrid: when they do, what goes by another name afterwards, and where the daemon
//! may write.

use std::collections::BTreeMap;

use calsyncd::{
    http::{Response, TransportError},
    model::{address::Address, side::Side},
    sandbox::store::{Entry, Filter, Half, MailboxState},
};

use crate::{
    monitor::{Touch, key_of},
    wire::Sent,
    world::{Face, World},
};

/// What a side says of a mailbox that it does not have.
const ABSENT: [&str; 2] = ["ErrorNonExistentMailbox", "MailboxNotEnabledForRESTAPI"];

impl World {
    /// How often a mailbox has moved.
    pub(crate) fn moves(&self, mailbox: &str) -> u32 {
        self.sandbox.store().mailbox(mailbox).map_or(0, |info| info.moves)
    }

    fn half(&self, mailbox: &str) -> Half {
        self.sandbox.store().mailbox(mailbox).map_or(Half::Both, |info| info.settings.half)
    }

    /// The side of a mailbox in a hybrid.
    pub(crate) fn lives(&self, mailbox: &str) -> Option<Side> {
        match self.half(mailbox) {
            Half::Both => None,
            Half::OnPremises => Some(Side::Ews),
            Half::Online => Some(Side::Graph),
        }
    }

    /// Whether the daemon knows where the mailbox is, and has read it there.
    pub(crate) async fn is_followed(&self, mailbox: &str) -> Result<bool, String> {
        let Some(side) = self.lives(mailbox) else { return Ok(true) };
        let address = Address::parse(mailbox).map_err(|error| error.to_string())?;
        let place = self.store().place(&address).await.map_err(|error| error.to_string())?;
        Ok(place.is_some_and(|place| place.side == side))
    }

    /// Begins a move, or ends one, or both, or there and back.
    pub(crate) fn move_between_halves(&mut self) -> Result<(), String> {
        let moving: Vec<String> = self.moving.keys().cloned().collect();
        if !moving.is_empty() && self.rng.bool() {
            let mailbox = &moving[self.rng.usize(0..moving.len())];
            if self.rng.u32(0..4) > 0 {
                return self.complete_move(mailbox, true);
            }
            self.sandbox.store().cancel_move(mailbox).map_err(|error| error.to_string())?;
            self.moving.remove(mailbox);
            self.trace.line(format!("{mailbox} stays where it is"));
            return Ok(());
        }
        let mailbox = self.erp.mailboxes[self.rng.usize(0..self.erp.mailboxes.len())].as_str().to_owned();
        let times = self.rng.usize(0..3);
        for _ in 0..times.max(1) {
            if !self.begin_move(&mailbox) {
                return Ok(());
            }
            if times > 0 {
                self.complete_move(&mailbox, true)?;
            }
        }
        Ok(())
    }

    pub(crate) fn begin_move(&mut self, mailbox: &str) -> bool {
        let to = match self.half(mailbox) {
            Half::OnPremises => Half::Online,
            Half::Online | Half::Both => Half::OnPremises,
        };
        let Ok(items) = self.sandbox.store().find(mailbox, None, &Filter::All) else { return false };
        if self.sandbox.store().begin_move(mailbox, to).is_err() {
            return false;
        }
        self.moving.insert(mailbox.to_owned(), items);
        self.trace.line(format!("{mailbox} begins to move: {to:?}"));
        true
    }

    /// Completes every move that has begun.
    pub(crate) fn complete_moves(&mut self) -> Result<(), String> {
        let moving: Vec<String> = self.moving.keys().cloned().collect();
        moving.iter().try_for_each(|mailbox| self.complete_move(mailbox, true))
    }

    /// Completes a move that has begun; one that may lose something comes at times without one of the items.
    pub(crate) fn complete_move(&mut self, mailbox: &str, may_lose: bool) -> Result<(), String> {
        let Some(mut items) = self.moving.remove(mailbox) else { return Ok(()) };
        self.own_items_are_among(mailbox, &items)?;
        self.note_unseen(mailbox, &items);
        let lost = if may_lose && !items.is_empty() && self.rng.u32(0..4) == 0 {
            Some(items.remove(self.rng.usize(0..items.len())))
        } else {
            None
        };
        let lose: Vec<&str> = lost.iter().map(|lost| lost.id.as_str()).collect();
        let told = |error: calsyncd::sandbox::store::StoreError| error.to_string();
        let store = self.sandbox.store().clone();
        store.complete_move(mailbox, &lose).map_err(told)?;
        // What is elsewhere cannot be listed.
        let state = store.mailbox(mailbox).map_err(told)?.settings.state;
        store.set_state(mailbox, MailboxState::Normal).map_err(told)?;
        let moved = store.find(mailbox, None, &Filter::All).map_err(told)?;
        store.set_state(mailbox, state).map_err(told)?;
        self.rename(mailbox, &items, &moved)?;
        let keys: Vec<Option<String>> = lost.iter().map(key_of).collect();
        self.trace.line(format!("{mailbox} has moved: {:?}, lost {keys:?}", self.half(mailbox)));
        Ok(())
    }

    /// Calls what is remembered of users' items by the names that they have after the move.
    fn rename(&mut self, mailbox: &str, before: &[Entry], after: &[Entry]) -> Result<(), String> {
        let is_pair = |(one, other): (&Entry, &Entry)| one.content == other.content && one.created == other.created;
        if before.len() != after.len() || !before.iter().zip(after).all(is_pair) {
            return Err(format!("{mailbox} is not what it was after its move"));
        }
        let names: BTreeMap<&str, &Entry> = before.iter().map(|entry| entry.immutable_id.as_str()).zip(after).collect();
        let tied = std::mem::take(&mut self.tied).into_iter();
        self.tied = tied
            .filter_map(|(address, id)| {
                let is_here = address == mailbox;
                let id = if is_here { names.get(id.as_str())?.immutable_id.clone() } else { id };
                Some((address, id))
            })
            .collect();
        for map in [&mut self.own, &mut self.copies] {
            let (here, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
                std::mem::take(map).into_iter().partition(|((address, _), _)| address == mailbox);
            *map = others;
            // What is not there any more was lost, or deleted with its key.
            map.extend(here.into_iter().filter_map(|((address, id), entry)| {
                let named = (*names.get(id.as_str())?).clone();
                Some(((address, named.immutable_id.clone()), Entry { content: entry.content, ..named }))
            }));
        }
        Ok(())
    }

    fn own_items_are_among(&self, mailbox: &str, items: &[Entry]) -> Result<(), String> {
        let own = self.own.iter().filter(|((address, _), _)| address == mailbox);
        own.map(|((_, id), own)| (own, items.iter().find(|item| item.immutable_id == *id))).try_for_each(
            |(own, found)| match found {
                Some(found) if found.content == own.content && found.change_key == own.change_key => Ok(()),
                _ => Err(format!("a user's own item in {mailbox} was changed before a move")),
            },
        )
    }

    /// Notes the edits after which nothing was written: whether somebody has read them before the move is not known.
    fn note_unseen(&mut self, mailbox: &str, items: &[Entry]) {
        for item in items {
            let Some(key) = key_of(item) else { continue };
            let place = (mailbox.to_owned(), key);
            if self.edit_keys.get(&place) == Some(&item.change_key) {
                self.unseen.insert(place);
            }
        }
    }

    /// Lets the daemon hear an answer.
    pub(crate) fn hear(&mut self, sent: Sent, answer: Result<Response, TransportError>) {
        if self.face == Face::Hybrid
            && !sent.mailbox.is_empty()
            && let Ok(response) = &answer
        {
            let text = String::from_utf8_lossy(&response.body);
            let place = (sent.mailbox.clone(), sent.side());
            if ABSENT.iter().any(|code| text.contains(code)) {
                self.told_absent.insert(place, self.wire.last_number());
            } else if response.status == 200 {
                self.told_absent.remove(&place);
            }
        }
        let _ = sent.answer.send(answer);
    }

    /// A write goes to the half where the mailbox lives, as far as the daemon can know: an item that is there is named on no
    /// other side, and nothing is sent to a side that has said that it has no such mailbox.
    pub(crate) fn refuse_other_half(&self, sent: &Sent, touch: &Touch) -> Result<(), String> {
        let (mailbox, side) = (&sent.mailbox, sent.side());
        let Some(lives) = self.lives(mailbox) else { return Ok(()) };
        if lives != side && matches!(touch, Touch::Update(_) | Touch::Delete(_)) {
            return Err(format!("an item of {mailbox}, which lives on {lives}, is written on {side}"));
        }
        let told = self.told_absent.get(&(mailbox.clone(), side));
        if told.is_some_and(|last| sent.number > *last) {
            return Err(format!("{mailbox} is written on {side}, which has said that it has no such mailbox"));
        }
        Ok(())
    }
}
