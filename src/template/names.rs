//! The names that a template may use.

use std::collections::BTreeSet;

use super::{
    Fault,
    shape::{self, Form, Tag, Token, Whole},
    texts::PRIVATE_WHEN,
};

/// The values of an event.
const NAMES: [&str; 22] = [
    "kind",
    "id",
    "subject",
    "body",
    "body_type",
    "location",
    "categories",
    "show_as",
    "sensitivity",
    "importance",
    "url",
    "online_meeting_url",
    "data",
    "start",
    "end",
    "zone",
    "all_day",
    "person",
    "mailbox",
    "source",
    "job",
    "br",
];
/// The parts of `start` and `end`.
const PARTS: [&str; 8] = ["date", "time", "year", "month", "day", "hour", "minute", "weekday"];
/// The parts of `loop` inside a `for`.
const LOOP_PARTS: [&str; 7] = ["index", "index0", "revindex", "revindex0", "first", "last", "length"];

/// Checks every name of the tags.
pub(super) fn check(tags: &[Tag<'_>]) -> Result<(), Fault> {
    let mut bound: Vec<&str> = Vec::new();
    for tag in tags {
        let is_loop = tag.is_block && tag.tokens.first().is_some_and(|token| token.is("for"));
        if is_loop && let Some(name) = tag.tokens.get(1) {
            if NAMES.contains(&name.text) || !name.is_name() || name.text == "loop" {
                let message = format!("{:?} cannot be the name of an element", name.text);
                return Err(Fault::new(name.offset, message, "write {% for name in categories %}"));
            }
            bound.push(name.text);
        }
        for (index, token) in tag.tokens.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| tag.tokens.get(index));
            let is_part = before.is_some_and(|before| before.is(".") || before.is("|"));
            if token.is_name() && !is_part {
                check_name(token, tag.tokens.get(index + 1..).unwrap_or_default(), &bound)?;
            }
        }
        if tag.is_block && tag.tokens.first().is_some_and(|token| token.is("endfor")) {
            bound.pop();
        }
    }
    Ok(())
}

fn check_name(token: &Token<'_>, after: &[Token<'_>], bound: &[&str]) -> Result<(), Fault> {
    let part = match after {
        [dot, part, ..] if dot.is(".") => Some(part),
        _ => None,
    };
    let is_indexed = after.first().is_some_and(|next| next.is("["));
    let parts: &[&str] = match token.text {
        "data" => {
            let deeper = after.get(2).is_some_and(|next| next.is("."));
            if deeper || (part.is_none() && !is_indexed) {
                let hint = "name one field: data.customer, or data['customer name']";
                return Err(Fault::new(token.offset, "`data` is a table of texts", hint));
            }
            return Ok(());
        }
        "start" | "end" => &PARTS,
        "loop" if !bound.is_empty() => &LOOP_PARTS,
        name if NAMES.contains(&name) || bound.contains(&name) => &[],
        name => {
            let known = NAMES.iter().chain(bound).copied();
            let near = known.clone().filter(|known| strsim::damerau_levenshtein(name, known) <= 2);
            let near = near.min_by_key(|known| strsim::damerau_levenshtein(name, known));
            let list = known.collect::<Vec<_>>().join(", ");
            let hint = match near {
                Some(near) => {
                    format!("did you mean `{near}`? The names are {list}; fields of the source are data.NAME")
                }
                None => format!("the names are {list}; fields of the source are data.NAME"),
            };
            return Err(Fault::new(token.offset, format!("there is no value `{name}`"), hint));
        }
    };
    match part {
        Some(part) if !parts.contains(&part.text) => {
            let message = format!("`{}` has no part `{}`", token.text, part.text);
            let hint = match parts {
                [] => "it is one value".to_owned(),
                parts => format!("its parts are {}", parts.join(", ")),
            };
            Err(Fault::new(part.offset, message, hint))
        }
        Some(_) | None => Ok(()),
    }
}

/// The fields of `data` that a template or expression names.
pub(super) fn data_fields(key: &str, text: &str) -> BTreeSet<String> {
    let whole = if key == PRIVATE_WHEN { Whole::Expression } else { Whole::Template };
    let mut fields = BTreeSet::new();
    for tag in shape::tags(text, whole).unwrap_or_default() {
        for window in tag.tokens.windows(3) {
            let [data, between, field] = window else { continue };
            if !data.is("data") {
                continue;
            }
            if between.is(".") {
                fields.insert(field.text.to_owned());
            } else if between.is("[") && field.form == Form::Text {
                fields.insert(field.text.trim_matches(['\'', '"']).to_owned());
            }
        }
    }
    fields
}
