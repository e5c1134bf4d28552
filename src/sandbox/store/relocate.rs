//! Moves a mailbox to the other half, in two steps: while it moves, its old half says so and the new one has none.

use std::sync::Arc;

use super::{Store, error::StoreError, half::Half, identity::MOVES_MAX, mailbox::Mailbox};

impl Store {
    /// Begins the move of a mailbox to the other half.
    ///
    /// # Errors
    /// [`StoreError::CannotMove`] for a mailbox that lives in both halves or there already, and what keeps the mailbox from being
    /// reached, such as a move that has begun.
    pub fn begin_move(&self, address: &str, to: Half) -> Result<(), StoreError> {
        self.with(address, |mailbox| {
            match (mailbox.settings.half, to) {
                (Half::OnPremises, Half::Online) | (Half::Online, Half::OnPremises) => {}
                (Half::Both, _) => return Err(StoreError::CannotMove("it lives in both halves")),
                (_, Half::Both) => return Err(StoreError::CannotMove("a move leads to one half")),
                (Half::OnPremises, Half::OnPremises) | (Half::Online, Half::Online) => {
                    return Err(StoreError::CannotMove("it lives there already"));
                }
            }
            if mailbox.moves >= MOVES_MAX {
                return Err(StoreError::CannotMove("it has moved too often"));
            }
            mailbox.moving_to = Some(to);
            Ok(())
        })
    }

    /// Completes the move: the content is that of before without the items `lose`, and nothing else is. Every id and change key
    /// is another, sync states of before are refused, and transaction ids are forgotten.
    ///
    /// # Errors
    /// [`StoreError::CannotMove`] for a mailbox that is not on the way, or an id in `lose` that is of no item or series; nothing
    /// happens then.
    pub fn complete_move<Id: AsRef<str>>(&self, address: &str, lose: &[Id]) -> Result<(), StoreError> {
        self.with_any(address, |mailbox| {
            let to = on_the_way(mailbox)?;
            let whole = |id: &Id| match mailbox.find(id.as_ref())? {
                (item, None) => Ok(item),
                (_, Some(_)) => Err(StoreError::NotASeries),
            };
            for item in lose.iter().map(whole).collect::<Result<Vec<_>, _>>()? {
                mailbox.aliases.remove(&item.alias);
                mailbox.items.remove(&item.number);
            }
            for item in mailbox.items.values_mut().filter(|item| item.transaction_id.is_some()) {
                Arc::make_mut(item).transaction_id = None;
            }
            mailbox.transactions.clear();
            mailbox.departures.clear();
            mailbox.epoch = mailbox.epoch.wrapping_add(1);
            mailbox.moves += 1;
            mailbox.settings.half = to;
            mailbox.moving_to = None;
            Ok(())
        })
    }

    /// Gives the move up: the mailbox is where and what it was, its ids too.
    ///
    /// # Errors
    /// [`StoreError::CannotMove`] for a mailbox that is not on the way.
    pub fn cancel_move(&self, address: &str) -> Result<(), StoreError> {
        self.with_any(address, |mailbox| {
            on_the_way(mailbox)?;
            mailbox.moving_to = None;
            Ok(())
        })
    }
}

fn on_the_way(mailbox: &Mailbox) -> Result<Half, StoreError> {
    mailbox.moving_to.ok_or(StoreError::CannotMove("no move of it has begun"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeSet, sync::Arc};

    use jiff::civil::date;

    use super::super::*;
    use crate::clock::SystemClock;

    const ANA: &str = "ana@example.test";
    const BOB: &str = "bob@example.test";

    fn store() -> Store {
        let store = Store::new(Arc::new(SystemClock), 7);
        store.add_mailbox(MailboxSettings { half: Half::OnPremises, ..MailboxSettings::new(ANA) }).unwrap();
        store.add_mailbox(MailboxSettings::new(BOB)).unwrap();
        store
    }

    fn name() -> PropertyName {
        PropertyName::new("0ab89da0-c8e5-4849-914a-1396b47752b5", "SourceKey")
    }

    fn draft(key: &str) -> Draft {
        let at = |hour| Moment::Wall(date(2026, 11, 23).at(hour, 0, 0, 0));
        Draft {
            subject: key.to_owned(),
            body: Some(Body::html("<p>Agenda</p>")),
            categories: vec!["Project".to_owned()],
            properties: [(name(), key.to_owned())].into(),
            transaction_id: Some(format!("t-{key}")),
            ..Draft::new(at(9), at(10), Zone::windows("Romance Standard Time").unwrap())
        }
    }

    /// A series with a changed and a deleted occurrence, a single item that was moved within the mailbox, and one in a second
    /// calendar.
    fn fill(store: &Store) {
        let pattern = Pattern::Daily { interval: 1 };
        let recurrence = Some(Recurrence { pattern, start: date(2026, 11, 23), end: RecurrenceEnd::After(4) });
        let master = store.create(ANA, None, Draft { recurrence, ..draft("series") }).unwrap().id;
        let index = |index| Target::Index { master: master.clone(), index };
        let changes = [Change::Location(Some("Lyon".to_owned())), Change::Property(name(), Some("one".to_owned()))];
        store.update(ANA, &index(2), &changes, ChangeOrder::Together, &Guard::Any).unwrap();
        store.delete(ANA, &index(3), &Guard::Any).unwrap();
        let duty = store.add_folder(ANA, "Duty").unwrap().id;
        store.create(ANA, Some(&duty), draft("duty")).unwrap();
        let moved = store.create(ANA, Some(&duty), draft("single")).unwrap();
        store.move_item(ANA, &moved.id, None).unwrap();
    }

    /// Every item and occurrence.
    fn entries(store: &Store) -> Vec<Entry> {
        let mut entries = store.find(ANA, None, &Filter::All).unwrap();
        entries.extend(store.view(ANA, None, jiff::Timestamp::MIN, jiff::Timestamp::MAX).unwrap());
        entries
    }

    /// All that the move keeps, by calendar.
    fn kept(store: &Store) -> Vec<String> {
        let folders = store.folders(ANA).unwrap();
        let calendar = |id: &str| folders.iter().find(|folder| folder.id == id).unwrap().name.clone();
        let text = |entry: &Entry| {
            let Entry { kind, content, series, occurrence, revision, created, modified, .. } = entry;
            let folder = calendar(&entry.folder_id);
            format!("{folder} {kind:?} {content:?} {series:?} {occurrence:?} {revision:?} {created} {modified}")
        };
        let mut all: Vec<String> = entries(store).iter().map(text).collect();
        all.sort();
        all
    }

    /// Ids and change keys of items, occurrences and calendars.
    fn names(store: &Store) -> BTreeSet<String> {
        let items = entries(store).into_iter().flat_map(|entry| [entry.id, entry.immutable_id, entry.change_key]);
        let folders = store.folders(ANA).unwrap().into_iter().flat_map(|folder| [folder.id, folder.change_key]);
        items.chain(folders).collect()
    }

    fn move_to(store: &Store, half: Half) {
        store.begin_move(ANA, half).unwrap();
        store.complete_move::<&str>(ANA, &[]).unwrap();
    }

    #[test]
    fn a_half_shows_its_own_and_what_is_in_both() {
        let (here, other) = (None, Some(StoreError::MailboxInOtherHalf(ANA.to_owned())));
        let moving = Some(StoreError::MailboxMoving(ANA.to_owned()));
        let elsewhere = Some(StoreError::MailboxElsewhere(ANA.to_owned()));
        // What an administrator, the half on premises and the half online say.
        let say = |store: &Store| {
            [Half::Both, Half::OnPremises, Half::Online].map(|half| store.seen_from(half).folder(ANA, None).err())
        };
        let store = Store::new(Arc::new(SystemClock), 7);
        store.add_mailbox(MailboxSettings::new(ANA)).unwrap();
        assert_eq!(say(&store), [here.clone(), here.clone(), here.clone()]);
        let store = self::store();
        assert_eq!(say(&store), [here.clone(), here.clone(), other.clone()]);
        store.begin_move(ANA, Half::Online).unwrap();
        assert_eq!(say(&store), [moving.clone(), moving.clone(), other.clone()]);
        assert!(store.seen_from(Half::OnPremises).is_here(ANA).unwrap());
        assert!(!store.seen_from(Half::Online).is_here(ANA).unwrap());
        store.complete_move::<&str>(ANA, &[]).unwrap();
        assert_eq!(say(&store), [here.clone(), other.clone(), here.clone()]);
        store.begin_move(ANA, Half::OnPremises).unwrap();
        assert_eq!(say(&store), [moving.clone(), other.clone(), moving]);
        store.reset();
        store.cancel_move(ANA).unwrap();
        assert_eq!(store.mailbox(ANA).unwrap().moves, 1, "a reset gives out no id a second time");
        assert_eq!(say(&store), [here.clone(), other.clone(), here]);
        store.set_state(ANA, MailboxState::Elsewhere).unwrap();
        assert_eq!(say(&store), [elsewhere.clone(), other, elsewhere]);
        assert!(!store.is_here(ANA).unwrap());
    }

    #[test]
    fn a_move_keeps_the_content_and_no_id() {
        let store = store();
        fill(&store);
        let (content, mut old) = (kept(&store), names(&store));
        assert_eq!(content.len(), 3 + 5, "items, and what takes place");
        let states: Vec<_> =
            store.folders(ANA).unwrap().iter().map(|one| store.sync_state(ANA, Some(&one.id)).unwrap()).collect();
        for half in [Half::Online, Half::OnPremises, Half::Online] {
            move_to(&store, half);
            assert_eq!(kept(&store), content);
            let new = names(&store);
            assert!(new.is_disjoint(&old) && !new.is_empty());
            for id in &old {
                for target in [Target::Id(id.clone()), Target::MasterOf(id.clone())] {
                    let error = store.get(ANA, &target).unwrap_err();
                    assert!(
                        matches!(error, StoreError::UnknownItem | StoreError::WrongKindOfId | StoreError::MalformedId),
                        "{error}"
                    );
                }
                let error = store.folder(ANA, Some(id)).unwrap_err();
                assert!(
                    matches!(error, StoreError::UnknownFolder | StoreError::WrongKindOfId | StoreError::MalformedId),
                    "{error}"
                );
            }
            old.extend(new);
            let folders = store.folders(ANA).unwrap();
            for (state, folder) in states.iter().zip(folders) {
                let refused = store.changes(ANA, Some(&folder.id), Some(state), 9).unwrap_err();
                assert_eq!(refused, StoreError::InvalidSyncState);
                let anew = store.changes(ANA, Some(&folder.id), None, 9).unwrap();
                assert_eq!(anew.changes.len(), folder.item_count);
                assert!(anew.changes.iter().all(|change| matches!(change, FolderChange::Created(_))));
            }
        }
        assert_eq!(store.identify(old.first().unwrap()).unwrap().mailbox, ANA, "an old id still leads to its mailbox");
        assert_eq!(store.mailbox(ANA).unwrap().moves, 3);
    }

    #[test]
    fn a_change_key_of_before_is_stale() {
        let store = store();
        let key = store.create(ANA, None, draft("x")).unwrap().change_key;
        move_to(&store, Half::Online);
        let id = Target::Id(store.find(ANA, None, &Filter::All).unwrap().remove(0).id);
        assert_eq!(store.delete(ANA, &id, &Guard::ChangeKey(key)).unwrap_err(), StoreError::Conflict);
    }

    #[test]
    fn a_move_forgets_transactions() {
        let store = store();
        store.create(ANA, None, draft("x")).unwrap();
        move_to(&store, Half::Online);
        assert!(store.transaction(ANA, "t-x").unwrap().is_none());
        assert_eq!(entries(&store)[0].transaction_id, None);
        store.create(ANA, None, draft("x")).unwrap();
        assert_eq!(store.find(ANA, None, &Filter::All).unwrap().len(), 2);
    }

    #[test]
    fn a_move_that_is_given_up_changes_nothing() {
        let store = store();
        fill(&store);
        let state = store.sync_state(ANA, None).unwrap();
        let before = (kept(&store), names(&store));
        store.begin_move(ANA, Half::Online).unwrap();
        assert_eq!(store.mailbox(ANA).unwrap().settings.state, MailboxState::Moving);
        store.cancel_move(ANA).unwrap();
        assert_eq!((kept(&store), names(&store)), before);
        assert!(store.changes(ANA, None, Some(&state), 9).unwrap().changes.is_empty());
        assert_eq!(store.create(ANA, None, draft("duty")).unwrap_err(), StoreError::DuplicateTransaction);
        let info = store.mailbox(ANA).unwrap();
        assert_eq!((info.settings.half, info.moving_to, info.moves), (Half::OnPremises, None, 0));
    }

    #[test]
    fn a_move_leaves_behind_what_it_is_told_to() {
        let store = store();
        fill(&store);
        let found = store.find(ANA, None, &Filter::All).unwrap();
        let of = |key: &str| found.iter().find(|entry| entry.content.subject == key).unwrap();
        let occurrence = store.get(ANA, &Target::Index { master: of("series").id.clone(), index: 1 }).unwrap().id;
        store.begin_move(ANA, Half::Online).unwrap();
        let bob = store.create(BOB, None, draft("x")).unwrap().id;
        for (wrong, expected) in [
            (occurrence.as_str(), StoreError::NotASeries),
            ("x", StoreError::MalformedId),
            (bob.as_str(), StoreError::UnknownItem),
        ] {
            let refused = store.complete_move(ANA, &[of("duty").id.as_str(), wrong]).unwrap_err();
            assert_eq!(refused, expected);
            assert_eq!(store.mailbox(ANA).unwrap().item_count, 3, "all or nothing");
        }
        store.complete_move(ANA, &[&of("series").immutable_id, &of("duty").id]).unwrap();
        let left: Vec<String> = entries(&store).iter().map(|entry| entry.content.subject.clone()).collect();
        assert_eq!(left, ["single", "single"]);
    }

    #[test]
    fn a_run_is_repeated_with_the_same_ids() {
        let run = || {
            let store = store();
            fill(&store);
            move_to(&store, Half::Online);
            store.create(ANA, None, draft("later")).unwrap();
            names(&store)
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn what_cannot_move_stays() {
        let store = store();
        let refused = |moved: Result<(), StoreError>| matches!(moved, Err(StoreError::CannotMove(_)));
        assert!(refused(store.begin_move(BOB, Half::Online)), "both halves");
        assert!(refused(store.begin_move(ANA, Half::OnPremises)) && refused(store.begin_move(ANA, Half::Both)));
        assert!(refused(store.complete_move::<&str>(ANA, &[])) && refused(store.cancel_move(ANA)));
        let nobody = store.begin_move("nobody@example.test", Half::Online).unwrap_err();
        assert_eq!(nobody, StoreError::UnknownMailbox("nobody@example.test".to_owned()));
        store.begin_move(ANA, Half::Online).unwrap();
        assert_eq!(store.begin_move(ANA, Half::Online).unwrap_err(), StoreError::MailboxMoving(ANA.to_owned()));
        let info = store.mailbox(ANA).unwrap();
        assert_eq!((info.settings.half, info.moving_to), (Half::OnPremises, Some(Half::Online)));
    }
}
