//! A plan on its way through a file: what was decided on in each mailbox, so that nothing else is carried out later.
//!
//! The file gives no orders. What is written is decided anew from the sources and the calendars; the file only tells whether
//! that is what was looked at.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::stamp::Stamp;
use crate::model::{address::Address, link::Owner};

/// The version of the form.
const VERSION: u64 = 1;
const FORMAT: &str = "calsyncd plan";

/// Plans that were looked at and are to be carried out later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPlan {
    /// When it was made, to the second.
    pub made_at: Timestamp,
    /// By whom.
    pub owner: Owner,
    /// The hash of the settings.
    pub settings: String,
    /// What each mailbox was decided on.
    pub mailboxes: BTreeMap<Address, Stamp>,
}

/// Why a saved plan is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// It is not a file of ours, or half of one.
    #[error("it is not a saved plan, or not all of it")]
    NotOne,
    /// A later program wrote it.
    #[error("it is of version {0}, which this program does not know")]
    Version(u64),
    /// Its digest does not fit.
    #[error("it was changed after it was saved")]
    Edited,
    /// Another instance made it.
    #[error("another instance of calsyncd made it ({0})")]
    Foreign(String),
    /// The settings are others.
    #[error("the settings have changed since it was saved")]
    Settings,
}

impl SavedPlan {
    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mailboxes: Vec<Value> = self.mailboxes.iter().map(|(mailbox, stamp)| entry(mailbox, stamp)).collect();
        let plan = json!({
            "made_at": self.made_at.to_string(),
            "instance": self.owner.0,
            "settings": self.settings,
            "mailboxes": mailboxes,
        });
        let digest = digest(&plan);
        format!("{:#}\n", json!({ "format": FORMAT, "version": VERSION, "plan": plan, "digest": digest }))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// When it is anything but a whole plan, as it was saved.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        let file: Value = serde_json::from_str(text).map_err(|_| SavedPlanError::NotOne)?;
        if file["format"] != FORMAT {
            return Err(SavedPlanError::NotOne);
        }
        match file["version"].as_u64() {
            Some(VERSION) => {}
            Some(other) => return Err(SavedPlanError::Version(other)),
            None => return Err(SavedPlanError::NotOne),
        }
        if file["digest"] != digest(&file["plan"]) {
            return Err(SavedPlanError::Edited);
        }
        read(&file["plan"]).ok_or(SavedPlanError::NotOne)
    }

    /// Whether this instance made it, under these settings.
    ///
    /// # Errors
    /// When not.
    pub fn fits(&self, owner: &Owner, settings: &str) -> Result<(), SavedPlanError> {
        if self.owner != *owner {
            return Err(SavedPlanError::Foreign(self.owner.0.clone()));
        }
        if self.settings != settings { Err(SavedPlanError::Settings) } else { Ok(()) }
    }
}

impl SavedPlanError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotOne | Self::Edited => {
                "save the plan again with `calsyncd plan --save`; it is not made to be edited"
            }
            Self::Version(_) => "carry it out with the program that saved it, or save the plan again",
            Self::Foreign(_) => "carry it out where it was saved, with the same settings and state",
            Self::Settings => "look at the plan under the present settings and save it again",
        }
    }
}

fn entry(mailbox: &Address, stamp: &Stamp) -> Value {
    let Stamp { sources, state, calendar, decisions, writes } = stamp;
    json!({
        "mailbox": mailbox.as_str(), "sources": sources, "state": state, "calendar": calendar, "decisions": decisions,
        "writes": writes.iter().map(|(key, hash)| (key.clone(), Value::from(hash.clone()))).collect::<Map<_, _>>(),
    })
}

fn read(plan: &Value) -> Option<SavedPlan> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |entry: &Value| {
        let writes = entry["writes"].as_object()?.iter().map(|(key, hash)| Some((key.clone(), text(hash)?)));
        let stamp = Stamp {
            sources: text(&entry["sources"])?,
            state: text(&entry["state"])?,
            calendar: text(&entry["calendar"])?,
            decisions: text(&entry["decisions"])?,
            writes: writes.collect::<Option<_>>()?,
        };
        Some((Address::parse(entry["mailbox"].as_str()?).ok()?, stamp))
    };
    Some(SavedPlan {
        made_at: plan["made_at"].as_str()?.parse().ok()?,
        owner: Owner(text(&plan["instance"])?),
        settings: text(&plan["settings"])?,
        mailboxes: plan["mailboxes"].as_array()?.iter().map(one).collect::<Option<_>>()?,
    })
}

/// The hash of the whole content: a change by mistake is seen. Who means to forge one gains nothing, as the file gives no
/// orders.
fn digest(plan: &Value) -> String {
    Sha256::digest(plan.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::{SavedPlan, SavedPlanError};
    use crate::{
        model::{address::Address, link::Owner},
        plan::Stamp,
    };

    fn saved() -> SavedPlan {
        let stamp = Stamp {
            sources: "a".to_owned(),
            writes: BTreeMap::from([("erp/appointment/1".to_owned(), "0123".to_owned())]),
            ..Stamp::default()
        };
        SavedPlan {
            made_at: "2026-11-24T08:00:00Z".parse().unwrap(),
            owner: Owner("one".to_owned()),
            settings: "settings".to_owned(),
            mailboxes: BTreeMap::from([(Address::parse("ana@example.test").unwrap(), stamp)]),
        }
    }

    #[test]
    fn what_is_saved_is_read_and_nothing_else() {
        let text = saved().to_text();
        assert_eq!(SavedPlan::parse(&text), Ok(saved()));
        let compact = serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
        assert_eq!(SavedPlan::parse(&compact), Ok(saved()), "the layout does not count");
        for end in 0..text.trim_end().len() {
            assert!(SavedPlan::parse(&text[..end]).is_err(), "{end}");
        }
        let edits = [
            ("ana@", "bob@", SavedPlanError::Edited),
            ("0123", "0124", SavedPlanError::Edited),
            ("\"one\"", "\"two\"", SavedPlanError::Edited),
            ("\"version\": 1", "\"version\": 2", SavedPlanError::Version(2)),
            ("calsyncd plan", "plan", SavedPlanError::NotOne),
            ("\"digest\": \"", "\"digest\": \"0", SavedPlanError::Edited),
        ];
        for (from, to, expected) in edits {
            assert!(text.contains(from), "{from}");
            assert_eq!(SavedPlan::parse(&text.replace(from, to)), Err(expected), "{from} → {to}");
        }
        assert_eq!(SavedPlan::parse("{}"), Err(SavedPlanError::NotOne));
    }

    #[test]
    fn it_fits_one_instance_and_its_settings() {
        let owner = |name: &str| Owner(name.to_owned());
        assert_eq!(saved().fits(&owner("one"), "settings"), Ok(()));
        assert_eq!(saved().fits(&owner("one"), "others"), Err(SavedPlanError::Settings));
        assert_eq!(saved().fits(&owner("two"), "settings"), Err(SavedPlanError::Foreign("one".to_owned())));
    }
}
