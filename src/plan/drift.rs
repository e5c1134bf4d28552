//! What users did to an item, and what of it stays theirs.
//!
//! *Invariant*: what is shown is compared with what was shown after our write, never with what was written.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{
    echo::Echo,
    event::{Content, DesiredEvent},
    fingerprint::Field,
    link::{ItemRef, Link},
    shown::{Seen, Shown},
};

/// The fields that somebody changed of an item, or may have: with no echo, or nothing seen, nobody knows which. What users may
/// keep is not among them.
pub(super) fn touched(event: &DesiredEvent, link: &Link, shown: Option<&Shown>) -> Vec<Field> {
    let keeps = event.keeps();
    let is_touched = |field: &Field| match (field, shown) {
        (Field::Reminder, _) if keeps.reminder => false,
        (Field::Categories, Some(shown)) if keeps.categories => {
            let unknown = Echo::default();
            link.echo.as_ref().unwrap_or(&unknown).lacks_category(written(event, link), shown)
        }
        (field, Some(shown)) => !link.echo.as_ref().is_some_and(|echo| echo.is_untouched(*field, shown, keeps)),
        (_, None) => true,
    };
    Field::ALL.into_iter().filter(is_touched).collect()
}

/// The content whose categories are those that we wrote, where that is known: the source says the same as then.
fn written<'a>(event: &'a DesiredEvent, link: &Link) -> Option<&'a Content> {
    Some(&event.content).filter(|content| link.fingerprint.says(Field::Categories, content))
}

/// Whether a write of these fields has to know what the item shows: some of it may be a user's.
pub(super) fn needs_look(event: &DesiredEvent, fields: &[Field]) -> bool {
    let keeps = event.keeps();
    fields.iter().any(|field| match field {
        Field::Reminder => keeps.reminder,
        Field::Categories => keeps.categories,
        Field::Body => keeps.notes.is_some(),
        _ => false,
    })
}

/// What is written of an event, and which fields: what the source says, together with what users keep. `None`: nobody has
/// looked at what they have.
pub(super) fn with_kept(
    event: &Arc<DesiredEvent>,
    mut fields: Vec<Field>,
    link: &Link,
    shown: Option<&Shown>,
) -> Option<(Arc<DesiredEvent>, Vec<Field>)> {
    if !needs_look(event, &fields) {
        return Some((Arc::clone(event), fields));
    }
    let shown = shown?;
    let (keeps, unknown) = (event.keeps(), Echo::default());
    let echo = link.echo.as_ref().unwrap_or(&unknown);
    if keeps.reminder && echo.is_touched(Field::Reminder, shown, keeps) {
        fields.retain(|field| *field != Field::Reminder);
    }
    let mut content = event.content.clone();
    if keeps.categories && fields.contains(&Field::Categories) {
        let before = written(event, link).map_or(&[][..], |content| &content.categories);
        let is_there = |content: &Content, name: &str| {
            content.categories.iter().any(|one| one.to_lowercase() == name.to_lowercase())
        };
        for name in echo.categories_of_users(before, shown) {
            if !is_there(&content, name) {
                content.categories.push(name.clone());
            }
        }
    }
    if keeps.notes.is_some() && fields.contains(&Field::Body) {
        content.body = keeps.with_notes(content.body, keeps.split(&shown.body).1);
    }
    let is_the_sources = content == event.content;
    let event = if is_the_sources { Arc::clone(event) } else { Arc::new(event.with_content_of_users(content)) };
    Some((event, fields))
}

/// The link of an item that somebody saved without a change of what the source owns: it is known under its new name. The
/// occurrences that the server holds as exceptions are known as long as they are as many as we wrote.
pub(super) fn saved(link: &Link, item: &ItemRef, shown: Option<&Shown>) -> Link {
    let exceptions = shown.map_or(0, |shown| shown.exceptions.len());
    let occurrences = link.occurrences.clone().filter(|written| written.as_slice().len() == exceptions);
    Link { item: item.clone(), occurrences, deleted_at: None, ..link.clone() }
}

/// The link with what the server shows of an item that is as we left it, when something of that was not known.
#[must_use]
pub fn learnt(seen: &BTreeMap<String, Seen>, event: &DesiredEvent, link: &Link) -> Option<Link> {
    let seen = seen.get(&link.item.id).filter(|seen| seen.item == link.item)?;
    let before = link.echo.clone().unwrap_or_default();
    let echo = Some(before.learnt(event, &seen.shown));
    (!before.is_whole()).then(|| Link { echo, ..saved(link, &link.item, Some(&seen.shown)) })
}
