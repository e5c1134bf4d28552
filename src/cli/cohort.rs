//! Which mailboxes a command is about: `--mailbox` and `--share`, inside `[rollout]`.

use std::collections::BTreeSet;

use clap::Args;

use super::{output::hinted, setup};
use crate::model::{
    address::Address,
    cohort::{Cohort, Share},
};

#[derive(Debug, Default, Args)]
pub(super) struct CohortArguments {
    /// Only this mailbox; may be said several times
    #[arg(long, value_name = "ADDRESS")]
    mailbox: Vec<String>,
    /// Only this share of the mailboxes, such as 1%, besides those that are named: always the same ones, and those of a
    /// smaller share among them
    #[arg(long, value_name = "PERCENT")]
    share: Option<String>,
}

impl CohortArguments {
    /// The mailboxes that are meant; all, where none is named. `[rollout]` goes before: a mailbox that it leaves out cannot be
    /// named.
    pub(super) fn cohort(&self, rollout: &Cohort) -> anyhow::Result<Cohort> {
        let named = self.mailbox.iter().map(|text| setup::address(text)).collect::<anyhow::Result<BTreeSet<_>>>()?;
        if let Some(outside) = named.iter().find(|mailbox| !rollout.contains(mailbox)) {
            return Err(hinted(
                format!("{outside} is not in the roll-out"),
                "add it to [rollout] mailboxes, or take it out of [rollout] except",
            ));
        }
        let share = match &self.share {
            None if named.is_empty() => return Ok(Cohort::everybody()),
            None => Share::NOTHING,
            Some(text) => Share::parse(text)
                .map_err(|error| hinted(error.to_string(), "give 0% to 100%, with at most two decimals, such as 1%"))?,
        };
        Ok(Cohort::only(named, share))
    }
}

/// An error that names the first mailbox that was asked for and is nowhere.
pub(super) fn refuse_unknown(asked: &Cohort, mut found: impl FnMut(&Address) -> bool) -> anyhow::Result<()> {
    match asked.named().into_iter().flatten().find(|mailbox| !found(mailbox)) {
        None => Ok(()),
        Some(mailbox) => Err(hinted(
            format!("{mailbox} has no events in any source, and nothing of ours was written there"),
            "check the address, and the people that the jobs choose",
        )),
    }
}
