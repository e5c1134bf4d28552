//! Which mailboxes take part: all, or those of a first roll-out.
//!
//! A share is taken by a hash of the address, so that the same mailboxes are in it at every start and on every machine, and
//! that a mailbox in a share is in every greater one.

use std::{collections::BTreeSet, fmt};

use sha2::{Digest, Sha256};

use super::address::Address;

/// Which mailboxes take part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cohort {
    /// `None`: all.
    chosen: Option<Chosen>,
    except: BTreeSet<Address>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Chosen {
    named: BTreeSet<Address>,
    share: Share,
}

/// A share of all mailboxes, in hundredths of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

/// Why a text is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a share")]
pub struct ShareError(String);

impl Cohort {
    /// Every mailbox.
    #[must_use]
    pub const fn everybody() -> Self {
        Self { chosen: None, except: BTreeSet::new() }
    }

    /// Those that are named, and a share of all; nobody, when none is named and the share is nothing.
    #[must_use]
    pub const fn only(named: BTreeSet<Address>, share: Share) -> Self {
        Self { chosen: Some(Chosen { named, share }), except: BTreeSet::new() }
    }

    /// The same without some.
    #[must_use]
    pub fn without(self, except: BTreeSet<Address>) -> Self {
        Self { except, ..self }
    }

    /// Whether a mailbox takes part.
    #[must_use]
    pub fn contains(&self, mailbox: &Address) -> bool {
        let is_chosen = |chosen: &Chosen| chosen.named.contains(mailbox) || chosen.share.holds(mailbox);
        !self.except.contains(mailbox) && self.chosen.as_ref().is_none_or(is_chosen)
    }

    /// Whether every mailbox takes part.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.chosen.is_none() && self.except.is_empty()
    }

    /// Whether none does, whatever mailboxes there are.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.chosen
            .as_ref()
            .is_some_and(|chosen| chosen.share == Share::NOTHING && chosen.named.is_subset(&self.except))
    }

    /// The mailboxes that are named; `None` when all are chosen.
    #[must_use]
    pub fn named(&self) -> Option<&BTreeSet<Address>> {
        self.chosen.as_ref().map(|chosen| &chosen.named)
    }

    /// The share of all; `None` when all are chosen.
    #[must_use]
    pub fn share(&self) -> Option<Share> {
        self.chosen.as_ref().map(|chosen| chosen.share)
    }

    /// The mailboxes that are left out in any case.
    #[must_use]
    pub const fn except(&self) -> &BTreeSet<Address> {
        &self.except
    }
}

impl Share {
    /// None.
    pub const NOTHING: Self = Self(0);
    /// The hundredths of a percent of the whole.
    const WHOLE: u16 = 10_000;

    /// Reads `1%`, `0.25%`, `100%`.
    ///
    /// # Errors
    /// When it is something else, or more than 100 %.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let read = || {
            let number = text.strip_suffix('%')?.trim_end();
            let (whole, parts) = number.split_once('.').unwrap_or((number, "0"));
            let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !is_digits(whole) || !is_digits(parts) || whole.len() > 3 || parts.len() > 2 {
                return None;
            }
            let hundredths = whole.parse::<u32>().ok()? * 100 + format!("{parts:0<2}").parse::<u32>().ok()?;
            u16::try_from(hundredths).ok().filter(|share| *share <= Self::WHOLE).map(Self)
        };
        read().ok_or_else(|| ShareError(text.to_owned()))
    }

    /// Whether a mailbox is in the share.
    #[must_use]
    pub fn holds(self, mailbox: &Address) -> bool {
        let digest = Sha256::new().chain_update("calsyncd cohort\0").chain_update(mailbox.as_str()).finalize();
        let first = digest.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let place = (u128::from(first) * u128::from(Self::WHOLE)) >> 64;
        place < u128::from(self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(formatter, "{whole}%"),
            (whole, parts) => write!(formatter, "{whole}.{}%", format!("{parts:02}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Cohort, Share};
    use crate::model::address::Address;

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@example.test")).unwrap()
    }

    fn set(names: &[&str]) -> BTreeSet<Address> {
        names.iter().map(|name| address(name)).collect()
    }

    #[test]
    fn shares_are_read_or_refused() {
        let cases = [
            ("1%", Some("1%")),
            ("0.5%", Some("0.5%")),
            ("0.05 %", Some("0.05%")),
            ("12.34%", Some("12.34%")),
            ("100%", Some("100%")),
            ("0%", Some("0%")),
            ("100.01%", None),
            ("101%", None),
            ("999%", None),
            ("1", None),
            ("-1%", None),
            ("1.234%", None),
            (".5%", None),
            ("%", None),
            ("", None),
            ("one%", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Share::parse(text).ok().map(|share| share.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn who_takes_part() {
        let percent = |text| Share::parse(text).unwrap();
        let cases = [
            (Cohort::everybody(), true, true),
            (Cohort::only(set(&["ana"]), Share::NOTHING), true, false),
            (Cohort::only(set(&[]), Share::NOTHING), false, false),
            (Cohort::only(set(&[]), percent("100%")), true, true),
            (Cohort::only(set(&["ana"]), percent("100%")).without(set(&["ana"])), false, true),
            (Cohort::everybody().without(set(&["bob"])), true, false),
        ];
        for (cohort, ana, bob) in cases {
            assert_eq!((cohort.contains(&address("ana")), cohort.contains(&address("bob"))), (ana, bob), "{cohort:?}");
            assert_eq!(cohort.is_everybody(), cohort == Cohort::everybody());
        }
        assert!(Cohort::only(set(&["ana"]), Share::NOTHING).without(set(&["ana"])).is_nobody());
        assert!(!Cohort::only(set(&[]), percent("0.01%")).is_nobody() && !Cohort::everybody().is_nobody());
    }

    /// The members of a share are those of every machine and of every version: whoever changes the hash moves people out.
    #[test]
    fn the_members_are_always_the_same() {
        let share = Share::parse("10%").unwrap();
        let members: Vec<u32> = (0..100).filter(|number| share.holds(&address(&format!("p{number}")))).collect();
        assert_eq!(members, [4, 6, 13, 38, 39, 58, 65, 86, 89, 90]);
    }

    #[test]
    fn a_share_is_about_as_many_as_it_says() {
        for (text, expected) in [("1%", 100), ("5%", 500), ("50%", 5_000)] {
            let share = Share::parse(text).unwrap();
            let count = (0..10_000).filter(|number| share.holds(&address(&format!("person-{number}")))).count();
            assert!(count.abs_diff(expected) < expected / 3, "{text}: {count}");
        }
    }

    proptest! {
        #[test]
        fn a_greater_share_holds_the_smaller_one(name in "[a-z0-9.]{1,20}", one in 0..=10_000_u16, other in 0..=10_000_u16) {
            let (small, great) = (Share(one.min(other)), Share(one.max(other)));
            let mailbox = address(&format!("{name}x"));
            prop_assert!(!small.holds(&mailbox) || great.holds(&mailbox));
            prop_assert!(!Share::NOTHING.holds(&mailbox) && Share(Share::WHOLE).holds(&mailbox));
            prop_assert_eq!(Share::parse(&great.to_string()), Ok(great));
        }
    }
}
