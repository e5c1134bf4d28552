//! `calsyncd why`: what is known of one event, from its source to its items, and what happened to it; or of a day.

use std::{path::Path, process::ExitCode, sync::Arc};

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    Outcome, check, held, history,
    output::{self, hinted, say},
    setup, status, why_day,
};
use crate::{
    clock::{Clock, SystemClock},
    daemon::wire,
    model::{address::Address, event::DesiredEvent, key::SourceKey, link::Link, time::EventTime},
    scheduler::{self, DayError, Explanation, InMailbox, JobWord, SourceWord, explain},
    settings::Strictness,
};

/// What is asked about.
#[derive(Debug, PartialEq, Eq)]
enum Question {
    Event(SourceKey),
    Day(Address, Date),
}

fn question(what: &str, day: Option<&str>) -> anyhow::Result<Question> {
    if let Some(day) = day {
        let mailbox = setup::address(what)?;
        let date = day.parse().map_err(|_| {
            hinted(
                format!("{day:?} is not a day"),
                "a day looks like 2026-11-27: `calsyncd why ana@example.org 2026-11-27`",
            )
        })?;
        return Ok(Question::Day(mailbox, date));
    }
    if let Some(key) = SourceKey::parse(what) {
        return Ok(Question::Event(key));
    }
    let hint = match Address::parse(what) {
        Ok(mailbox) => format!("a mailbox is asked about with a day: `calsyncd why {mailbox} 2026-11-27`"),
        Err(_) => "a key looks like SOURCE/appointment/ID or SOURCE/schedule/ID: `calsyncd plan` and the log name them"
            .to_owned(),
    };
    Err(hinted(format!("{what:?} is not the key of an event"), hint))
}

/// Explains an event by its key, or a day of a mailbox.
pub(super) async fn why(config: Option<&Path>, what: &str, day: Option<&str>, json: bool) -> Outcome {
    let question = question(what, day)?;
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let store = setup::look_at_state(&settings).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = wire(&settings, store.owner(), &clock)?;
    let key = match question {
        Question::Event(key) => key,
        Question::Day(mailbox, date) => {
            let day = match scheduler::day(&wiring, &store, &mailbox, date, clock.now()).await {
                Ok(day) => day,
                Err(DayError::State(error)) => return Err(setup::state_failure(&error)),
                Err(error @ DayError::Zone(_)) => return Err(error.into()),
            };
            if json {
                say!("{}", why_day::as_json(&day));
            } else {
                why_day::print(&day);
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    let explanation =
        explain(&wiring, &store, &key, clock.now()).await.map_err(|error| setup::state_failure(&error))?;
    if json {
        say!("{}", as_json(&explanation));
    } else {
        print(&explanation);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(explanation: &Explanation) {
    say!("{}", explanation.key);
    say!("  source   {}", source_text(explanation));
    if let SourceWord::Unreadable(error) = &explanation.source {
        say!("           hint: {}", error.hint());
    }
    for (job, word) in &explanation.jobs {
        say!("  job      {job}: {}", job_text(word));
        if let JobWord::Shown { items, notes, .. } = word {
            for note in notes {
                say!("           {}", note.reason);
            }
            for item in items {
                say!("           {}  {}", item.key, when(item));
            }
        }
    }
    for known in &explanation.mailboxes {
        for (link, word) in links(explanation, known) {
            say!("  item     {} {}: {word}", known.mailbox, link.key);
        }
        for intent in &known.intents {
            say!("  intent   {} {}: {} not confirmed yet", known.mailbox, intent.key, intent.verb.as_str());
        }
        for refused in &known.refused {
            let (code, message) = (&refused.code, &refused.message);
            let (since, next) = (history::time(refused.since), history::time(refused.retry_at));
            say!("  refused  {} {}: {code} {message} (since {since}, next try {next})", known.mailbox, refused.key);
        }
        for held in &known.held {
            say!("  held     {} {}: {}", known.mailbox, held.key, held::text(held));
        }
        for standing in &known.standings {
            say!("  stands   {} {}: {}", known.mailbox, standing.key, status::standing_text(standing));
        }
    }
    if explanation.mailboxes.iter().all(|known| known.links.is_empty()) {
        say!("  item     none was written");
    }
    for (mailbox, parked) in &explanation.parked {
        say!("  parked   {mailbox}: {}", status::parked_text(parked));
    }
    for wait in &explanation.waits {
        say!("  waits    {}", status::wait_text(wait));
    }
    for entry in &explanation.history {
        say!("  history  {}", history::text(entry, &explanation.key, true));
    }
}

fn source_text(explanation: &Explanation) -> String {
    let name = explanation.key.source();
    match &explanation.source {
        SourceWord::NotConfigured => format!("the settings name no source {name:?}"),
        SourceWord::Unreadable(error) => format!("{name} cannot be read: {}", output::chain(error)),
        SourceWord::Holds { place } => format!("{name} holds it: {place}"),
        SourceWord::Rejected(rejections) => {
            let reasons: Vec<String> =
                rejections.iter().map(|rejection| format!("{}: {}", rejection.place, rejection.reason)).collect();
            format!("{name} holds it, but it cannot be used: {}", reasons.join("; "))
        }
        SourceWord::Silent { incomplete: None } => format!("{name} does not hold it"),
        SourceWord::Silent { incomplete: Some(reason) } => {
            format!("{name} does not name it, but was not read to its end: {reason}")
        }
    }
}

fn job_text(word: &JobWord) -> String {
    match word {
        JobWord::Shown { mailbox, items, .. } => {
            format!("shown to {mailbox} as {}", output::count(items.len(), "item"))
        }
        JobWord::LeftOut { mailbox, reason, rejection } => {
            let of = mailbox.as_ref().map(|mailbox| format!(" for {mailbox}")).unwrap_or_default();
            let detail = rejection.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("left out{of}: {reason}{detail}")
        }
    }
}

/// When an item takes place; never what it says.
fn when(item: &DesiredEvent) -> String {
    let span = span(&item.time);
    match &item.series {
        None => span,
        Some(series) => {
            format!("{span}, a series with {}", output::count(series.exceptions.len(), "exception"))
        }
    }
}

/// From when to when.
pub(super) fn span(time: &EventTime) -> String {
    let zone = time.zone();
    if time.is_all_day() {
        let last = time.end().date().yesterday().unwrap_or_else(|_| time.end().date());
        format!("whole days {} to {last} {zone}", time.start().date())
    } else {
        format!("{} to {} {zone}", time.start().strftime("%Y-%m-%d %H:%M"), time.end().strftime("%Y-%m-%d %H:%M"))
    }
}

/// What was written, and how it stands to what should be there.
fn links<'a>(explanation: &Explanation, known: &'a InMailbox) -> Vec<(&'a Link, String)> {
    let wanted = |key: &SourceKey| {
        explanation.jobs.iter().find_map(|(_, word)| match word {
            JobWord::Shown { mailbox, items, .. } if *mailbox == known.mailbox => {
                items.iter().find(|item| item.key == *key)
            }
            JobWord::Shown { .. } | JobWord::LeftOut { .. } => None,
        })
    };
    let word = |link: &Link| match wanted(&link.key) {
        Some(_) if link.deleted_at.is_some() => {
            let found = link.deleted_at.map(history::time).unwrap_or_default();
            format!("deleted by its user, found {found}: `deleted_by_user` says for how long it stays away")
        }
        None => "written, and not wanted there now: `calsyncd plan` tells what becomes of it".to_owned(),
        Some(item) => match item.fingerprint().differing_fields(&link.fingerprint).as_slice() {
            [] => "written as it should be".to_owned(),
            fields => {
                let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                format!("written, and to be changed: {}", names.join(", "))
            }
        },
    };
    known.links.iter().map(|link| (link, word(link))).collect()
}

fn as_json(explanation: &Explanation) -> Value {
    let jobs: Vec<Value> = explanation.jobs.iter().map(|(job, word)| job_json(job, word)).collect();
    let mailboxes: Vec<Value> = explanation.mailboxes.iter().map(|known| mailbox_json(explanation, known)).collect();
    let parked: Vec<Value> = explanation
        .parked
        .iter()
        .map(|(mailbox, parked)| json!({ "mailbox": mailbox.as_str(), "parked": status::parked_json(parked) }))
        .collect();
    json!({
        "key": explanation.key.as_str(),
        "source": source_json(explanation),
        "jobs": jobs,
        "mailboxes": mailboxes,
        "parked": parked,
        "waits": explanation.waits.iter().map(status::wait_json).collect::<Vec<_>>(),
        "history": history::as_json(&explanation.history),
    })
}

fn source_json(explanation: &Explanation) -> Value {
    let (state, place) = match &explanation.source {
        SourceWord::NotConfigured => ("not_configured", None),
        SourceWord::Unreadable(_) => ("unreadable", None),
        SourceWord::Holds { place } => ("holds", Some(place.as_str())),
        SourceWord::Rejected(rejections) => ("rejected", rejections.first().map(|rejection| rejection.place.as_str())),
        SourceWord::Silent { incomplete: None } => ("absent", None),
        SourceWord::Silent { incomplete: Some(_) } => ("read_in_part", None),
    };
    json!({ "name": explanation.key.source(), "state": state, "place": place, "text": source_text(explanation) })
}

fn job_json(job: &str, word: &JobWord) -> Value {
    match word {
        JobWord::Shown { mailbox, items, notes } => {
            let items: Vec<Value> = items
                .iter()
                .map(|item| {
                    json!({
                        "key": item.key.as_str(),
                        "start": item.time.start().to_string(),
                        "end": item.time.end().to_string(),
                        "zone": item.time.zone().iana(),
                        "all_day": item.time.is_all_day(),
                        "series": item.series.is_some(),
                        "exceptions": item.series.as_ref().map_or(0, |series| series.exceptions.len()),
                    })
                })
                .collect();
            let notes: Vec<&str> = notes.iter().map(|note| note.reason.as_str()).collect();
            json!({ "job": job, "shown": true, "mailbox": mailbox.as_str(), "items": items, "notes": notes })
        }
        JobWord::LeftOut { mailbox, reason, rejection } => json!({
            "job": job,
            "shown": false,
            "mailbox": mailbox.as_ref().map(|mailbox| mailbox.as_str()),
            "reason": reason.to_string(),
            "rejection": rejection,
        }),
    }
}

fn mailbox_json(explanation: &Explanation, known: &InMailbox) -> Value {
    let items: Vec<Value> = links(explanation, known)
        .into_iter()
        .map(|(link, word)| {
            let item = &link.item;
            json!({ "key": link.key.as_str(), "item_id": item.id, "change_key": item.change_key, "state": word })
        })
        .collect();
    let intents: Vec<Value> = known
        .intents
        .iter()
        .map(|intent| json!({ "key": intent.key.as_str(), "verb": intent.verb.as_str() }))
        .collect();
    let refused: Vec<Value> = known
        .refused
        .iter()
        .map(|refused| {
            json!({
                "key": refused.key.as_str(),
                "code": refused.code,
                "message": refused.message,
                "since": refused.since.to_string(),
                "retry_at": refused.retry_at.to_string(),
            })
        })
        .collect();
    let held: Vec<Value> = known.held.iter().map(held::as_json).collect();
    json!({
        "mailbox": known.mailbox.as_str(),
        "items": items,
        "intents": intents,
        "refused": refused,
        "held": held,
        "standing": known.standings.iter().map(status::standing_json).collect::<Vec<_>>(),
    })
}
