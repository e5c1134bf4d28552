//! What people do meanwhile: in the business system, in Outlook, at the machine.

use calsyncd::{
    model::hold::Verdict,
    sandbox::store::{Change, ChangeOrder, Draft, Guard, MailboxState, Moment, Target, Zone},
    scheduler::Command,
};
use jiff::{SignedDuration, ToSpan, civil};
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    monitor::key_of,
    world::{Face, World},
};

impl World {
    /// One act.
    pub(crate) async fn act(&mut self) -> Result<(), String> {
        let kinds = if self.face == Face::Hybrid { 52 } else { 40 };
        match self.rng.u32(0..kinds) {
            0..=15 => self.in_the_source(),
            16..=26 => self.in_outlook().await?,
            27..=28 => self.move_mailbox(),
            29 => {
                let verdict = if self.rng.bool() { Verdict::Approved } else { Verdict::Rejected };
                let held = self.decide(verdict).await?;
                self.trace.line(format!("operator: {verdict:?} {held} held"));
            }
            30..=32 => self.reload().await,
            33 => self.set_clock().await?,
            34 => self.stop_and_begin().await?,
            35 => {
                self.trace.line("crash".to_owned());
                self.crash_and_begin().await?;
            }
            36 => {
                self.trace.line("backup".to_owned());
                self.back_up();
            }
            37 => self.restore().await?,
            40.. => self.move_between_halves()?,
            _ => self.wire.announce(),
        }
        Ok(())
    }

    /// A wall time of somewhere around now.
    pub(crate) fn some_start(&mut self) -> civil::DateTime {
        let first = if self.rng.u32(0..10) == 0 { -12 } else { 1 };
        let day = self.rng.i64(first..60);
        let hour = self.rng.i8(7..19);
        let today = self.now().in_tz("Europe/Paris").unwrap().date();
        today.checked_add(day.days()).unwrap().at(hour, [0, 15, 30][self.rng.usize(0..3)], 0, 0)
    }

    pub(crate) fn new_event(&mut self) {
        let owner = self.rng.usize(0..self.erp.mailboxes.len());
        let start = self.some_start();
        let (minutes, form) = (self.rng.i64(1..9) * 30, self.rng.u32(0..12));
        let weeks = (form == 0).then(|| self.rng.u32(2..6));
        let event = self.erp.add(owner, start);
        event.minutes = minutes;
        event.all_day = form == 1;
        event.weeks = weeks;
        event.note_end();
        let (id, form) = (event.id, if weeks.is_some() { "series" } else { "event" });
        self.trace.line(format!("source: new {form} {id} of {owner} on {start}"));
    }

    fn in_the_source(&mut self) {
        let act = self.rng.u32(0..16);
        let present: Vec<u32> = self.erp.events.values().filter(|event| event.present).map(|event| event.id).collect();
        if (act < 4 && self.erp.events.len() < 40) || present.is_empty() {
            return self.new_event();
        }
        let id = present[self.rng.usize(0..present.len())];
        let (start, owner, hours) =
            (self.some_start(), self.rng.usize(0..self.erp.mailboxes.len()), self.rng.i64(-3..=3));
        let week = self.rng.u32(1..6);
        let gone: Vec<u32> = self.erp.events.values().filter(|event| !event.present).map(|event| event.id).collect();
        let back = gone.get(self.rng.usize(0..gone.len().max(1))).copied();
        let event = self.erp.events.get_mut(&id).unwrap();
        let what = match act {
            4..=6 => {
                event.version += 1;
                "renamed"
            }
            7 | 8 => {
                event.start = start;
                "moved"
            }
            9 | 10 => {
                event.owner = owner;
                "handed over"
            }
            11 => {
                event.present = false;
                "deleted"
            }
            12 => {
                event.cancelled = !event.cancelled;
                "cancelled, or not any more"
            }
            13 if event.weeks.is_some_and(|weeks| week < weeks) => {
                event.exceptions.insert(week, (hours != 0 && !event.all_day).then_some(hours));
                "changed in one occurrence"
            }
            14 => {
                if let Some(back) = back {
                    self.erp.events.get_mut(&back).unwrap().present = true;
                }
                "left alone, and another is back"
            }
            _ => {
                event.minutes += 15;
                "longer"
            }
        };
        self.erp.events.get_mut(&id).unwrap().note_end();
        self.trace.line(format!("source: {id} is {what}"));
        if self.rng.bool() {
            self.wire.announce();
        }
    }

    async fn in_outlook(&mut self) -> Result<(), String> {
        let mailbox = self.erp.mailboxes[self.rng.usize(0..self.erp.mailboxes.len())].as_str().to_owned();
        let act = self.rng.u32(0..12);
        let start = self.some_start();
        let items = self.items(&mailbox);
        let ours: Vec<_> = items.iter().filter(|item| key_of(item).is_some()).collect();
        let place = self.rng.usize(0..ours.len().max(1));
        let sandbox = self.sandbox.clone();
        let store = sandbox.store();
        if act < 3 || ours.is_empty() {
            let zone = Zone::iana("Europe/Paris").unwrap();
            let end = start.checked_add(1.hour()).unwrap();
            let mut draft = Draft::new(Moment::Wall(start), Moment::Wall(end), zone);
            draft.subject = format!("Private {}", self.own.len());
            if let Ok(entry) = store.create(&mailbox, None, draft) {
                self.own.insert((mailbox.clone(), entry.immutable_id.clone()), entry);
            }
            self.trace.line(format!("user: an item of their own in {mailbox}"));
            return Ok(());
        }
        let item = ours[place].clone();
        let key = key_of(&item).unwrap_or_default();
        let place = (mailbox.clone(), item.immutable_id.clone());
        // A copy is left alone, so that it can be compared.
        if self.copies.contains_key(&place) {
            return Ok(());
        }
        let is_followed = self.is_followed(&mailbox).await?;
        let target = Target::Id(item.id.clone());
        let (edited, edit_keys, unseen) = (&mut self.edited, &mut self.edit_keys, &mut self.unseen);
        let mut change = |changes: &[Change]| {
            let place = (mailbox.clone(), key.clone());
            edited.insert(place.clone());
            if let Ok(entry) = store.update(&mailbox, &target, changes, ChangeOrder::Together, &Guard::Any) {
                edit_keys.insert(place.clone(), entry.change_key);
                if !is_followed {
                    unseen.insert(place);
                }
            }
        };
        let mut removed = false;
        let what = match act {
            3 | 4 => {
                change(&[Change::Subject("Changed by the user".to_owned())]);
                "edits"
            }
            5 if item.series.is_none() => {
                let end = start.checked_add(1.hour()).unwrap();
                change(&[Change::Start(Moment::Wall(start)), Change::End(Moment::Wall(end))]);
                "moves in time"
            }
            5 | 6 => {
                change(&[Change::ReminderSet(true), Change::ReminderMinutes(5)]);
                "sets a reminder on"
            }
            7 | 8 => {
                let _ = store.delete(&mailbox, &target, &Guard::Any);
                removed = true;
                "deletes"
            }
            9 | 10 => {
                if let Ok(copy) = store.copy_item(&mailbox, &item.id, None) {
                    self.copies.insert((mailbox.clone(), copy.immutable_id.clone()), copy);
                }
                "copies"
            }
            _ => {
                let folder = store
                    .add_folder(&mailbox, "Archive")
                    .or_else(|_| store.folders(&mailbox).map(|folders| folders.last().unwrap().clone()));
                if let Ok(folder) = folder {
                    let _ = store.move_item(&mailbox, &item.id, Some(&folder.id));
                }
                removed = true;
                "moves to another folder"
            }
        };
        if removed {
            self.removed.insert((mailbox.clone(), key.clone()));
        }
        self.trace.line(format!("user: {what} {key} in {mailbox}"));
        Ok(())
    }

    fn move_mailbox(&mut self) {
        let mailbox = self.erp.mailboxes[self.rng.usize(0..self.erp.mailboxes.len())].as_str().to_owned();
        let states = [MailboxState::Normal, MailboxState::Moving, MailboxState::Elsewhere, MailboxState::Full];
        let state = states[self.rng.usize(0..states.len())];
        self.sandbox.store().set_state(&mailbox, state).unwrap();
        self.trace.line(format!("{mailbox} is {state:?}"));
    }

    pub(crate) async fn reload(&mut self) {
        self.knobs.max_threads = self.rng.usize(1..=4);
        self.knobs.days_ahead = [30, 90, 180][self.rng.usize(0..3)];
        self.send_wiring().await;
    }

    pub(crate) async fn send_wiring(&mut self) {
        let (wiring, tries) = (Arc::new(self.wiring()), self.rng.bool());
        let changed = wiring.ways.sides().filter(|_| tries).collect();
        self.trace.line(format!("reload: {:?}", self.knobs));
        if let Some(running) = &self.running {
            let _ = running.commands.send(Command::Replace { wiring, changed }).await;
        }
    }

    async fn set_clock(&mut self) -> Result<(), String> {
        self.settle_wire().await?;
        let minutes = match self.rng.u32(0..4) {
            0 => self.rng.i64(-10..=10),
            1 => self.rng.i64(-600..=600),
            _ => self.rng.i64(-3 * 24 * 60..=3 * 24 * 60),
        };
        self.clock.jump(SignedDuration::from_mins(minutes));
        self.trace.line(format!("the clock is set by {minutes} minutes"));
        Ok(())
    }

    /// A clean stop, and a start.
    pub(crate) async fn stop_and_begin(&mut self) -> Result<(), String> {
        self.trace.line("stop".to_owned());
        let Some(running) = self.running.take() else { return Ok(()) };
        running.stop.cancel();
        for _ in 0..2000 {
            self.quiet.wait().await;
            self.settle_wire().await?;
            self.quiet.wait().await;
            if running.handle.is_finished() {
                break;
            }
            if self.wire.requests() > 0 {
                let sent = self.wire.take_request(0);
                let answer = self.carry_out(&sent).await?;
                self.hear(sent, answer);
            } else if let Some(next) = self.clock.next() {
                self.clock.pass(next);
            }
        }
        if !running.handle.is_finished() {
            running.handle.abort();
            return Err("the daemon does not stop".to_owned());
        }
        running.handle.await.unwrap().map_err(|error| error.to_string())?;
        self.close().await;
        let _ = self.wire.take_all();
        self.begin().await;
        Ok(())
    }

    /// The state is put back as it was, or lost.
    async fn restore(&mut self) -> Result<(), String> {
        let backup = if self.rng.u32(0..4) == 0 { Some(BTreeMap::new()) } else { self.backup.clone() };
        let Some(backup) = backup else { return Ok(()) };
        self.trace.line(format!("the state is put back, {} files", backup.len()));
        self.settle_wire().await?;
        self.crash_only().await?;
        self.put_back(&backup);
        self.begin().await;
        Ok(())
    }
}
