//! The history of events, in words and as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::{history::Entry, history::Step, key::SourceKey, link::Verb};

/// One entry in words. `of` is the event that is spoken of: the key of a part is named, and the mailbox where `named` asks for it.
pub(super) fn text(entry: &Entry, of: &SourceKey, names_mailbox: bool) -> String {
    let mailbox = entry.mailbox.as_ref().filter(|_| names_mailbox).map(|mailbox| format!("{mailbox} "));
    let part = (entry.key != *of).then(|| format!("{} ", entry.key));
    let request = entry.request_id.as_ref().map(|id| format!(" (request {id})"));
    let words = [time(entry.at), " ".to_owned(), mailbox.unwrap_or_default(), part.unwrap_or_default(), what(entry)];
    format!("{}{}", words.concat(), request.unwrap_or_default())
}

fn what(entry: &Entry) -> String {
    let code = entry.code.as_deref().unwrap_or_default();
    let detail = entry.detail.as_deref();
    match entry.step {
        Step::Source => format!("source: {}{}", spaced(&entry.word), after(": ", detail)),
        Step::Decision => {
            let source = entry.source.as_deref().map(|word| format!("source: {}; ", spaced(word)));
            let fields = after(": ", detail);
            format!("{}decided: {} ({code}){fields}", source.unwrap_or_default(), entry.word)
        }
        Step::Answer => {
            let verb = entry.verb.map(|verb| format!("{} ", verb.as_str())).unwrap_or_default();
            let fault = if code.is_empty() { String::new() } else { format!(": {code}{}", after(" ", detail)) };
            format!("answer to {verb}: {}{fault}", spaced(&entry.word)).replace(" :", ":")
        }
        Step::Verdict => format!("deletion {}{}", entry.word, after(" ", detail)),
    }
}

fn after(before: &str, text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map(|text| format!("{before}{text}")).unwrap_or_default()
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// An instant for people.
pub(super) fn time(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Entries as JSON.
pub(super) fn as_json(entries: &[Entry]) -> Vec<Value> {
    let entry = |entry: &Entry| {
        json!({
            "at": entry.at.to_string(),
            "mailbox": entry.mailbox.as_ref().map(|mailbox| mailbox.as_str()),
            "key": entry.key.as_str(),
            "step": entry.step.as_str(),
            "verb": entry.verb.map(Verb::as_str),
            "word": entry.word,
            "source": entry.source,
            "code": entry.code,
            "detail": entry.detail,
            "request_id": entry.request_id.as_deref(),
            "start": entry.span.map(|(start, _)| start.to_string()),
            "end": entry.span.map(|(_, end)| end.to_string()),
        })
    };
    entries.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use jiff::Timestamp;

    use super::text;
    use crate::model::{
        address::Address,
        history::{Entry, Step},
        hold::Verdict,
        key::{Kind, SourceKey},
        link::Verb,
    };

    #[test]
    fn each_entry_is_one_line() {
        let key = SourceKey::new("erp", Kind::Appointment, "1");
        let part = key.part("2026-11-30T09:00".parse().unwrap());
        let ana = Address::parse("ana@example.test").unwrap();
        let at = Timestamp::from_second(0).unwrap();
        let new = |key: &SourceKey, step, word: &'static str| Entry::new(at, Some(&ana), key, step, word);
        let fields = Some("subject, start".to_owned());
        let cases = [
            (
                Entry { detail: Some("a:1: no end".to_owned()), ..new(&key, Step::Source, "rejected") },
                "source: rejected: a:1: no end",
            ),
            (
                Entry {
                    source: Some("changed".into()),
                    code: Some("source_changed".into()),
                    detail: fields,
                    ..new(&key, Step::Decision, "update")
                },
                "source: changed; decided: update (source_changed): subject, start",
            ),
            (
                Entry { code: Some("gone".into()), ..new(&part, Step::Decision, "forget") },
                "erp/appointment/1#20261130T090000 decided: forget (gone)",
            ),
            (
                Entry {
                    verb: Some(Verb::Create),
                    request_id: Some(Arc::from("r-1")),
                    ..new(&key, Step::Answer, "written")
                },
                "answer to create: written (request r-1)",
            ),
            (
                Entry {
                    verb: Some(Verb::Delete),
                    code: Some("HTTP 500".into()),
                    detail: Some("it failed".to_owned()),
                    ..new(&key, Step::Answer, "failed")
                },
                "answer to delete: failed: HTTP 500 it failed",
            ),
            (Entry { verb: Some(Verb::Create), ..new(&key, Step::Answer, "not_found") }, "answer to create: not found"),
            (Entry::ruled(at, &ana, &key, Verdict::Approved, "eva"), "deletion approved by eva"),
        ];
        for (entry, expected) in cases {
            assert_eq!(text(&entry, &key, true), format!("1970-01-01 00:00:00Z ana@example.test {expected}"));
            assert_eq!(text(&entry, &key, false), format!("1970-01-01 00:00:00Z {expected}"));
        }
    }
}
