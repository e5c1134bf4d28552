//! `[rollout]`.

use std::collections::BTreeSet;

use super::super::{
    reader::{Reader, Section},
    schema,
};
use crate::model::{
    address::Address,
    cohort::{Cohort, Share},
};

pub(in super::super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Cohort {
    reader.unknown_keys(section, schema::ROLLOUT);
    let named = addresses(reader, section, "mailboxes");
    let except = addresses(reader, section, "except");
    let share = share(reader, section);
    // An empty list is nobody, not everybody: who takes the last mailbox out does not begin with all of them.
    let is_limited = section.has("mailboxes") || section.has("share");
    let cohort = if is_limited { Cohort::only(named, share) } else { Cohort::everybody() };
    let cohort = cohort.without(except);
    if cohort.is_nobody() {
        let place = reader.place_of(section, if section.has("mailboxes") { "mailboxes" } else { "share" });
        reader.warn(
            &place,
            "no mailbox takes part: nothing is pushed",
            "name mailboxes or give a share; without both keys all take part",
        );
    }
    cohort
}

fn addresses(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> BTreeSet<Address> {
    let given = reader.list(section, key).map(|given| given.value).unwrap_or_default();
    given.iter().filter_map(|mailbox| reader.address_at(mailbox)).collect()
}

fn share(reader: &mut Reader<'_>, section: &Section<'_>) -> Share {
    let Some(given) = reader.text(section, "share") else { return Share::NOTHING };
    Share::parse(&given.value).unwrap_or_else(|error| {
        reader.error(&given.place, error.to_string(), "give 0% to 100%, with at most two decimals, such as \"1%\"");
        Share::NOTHING
    })
}
