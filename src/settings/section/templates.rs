//! `[jobs.NAME.templates]` and `private_when`: templates, compiled, each fault at its line.

use super::super::{
    reader::{Given as Value, Place, Reader, Section},
    schema,
};
use crate::template::{Fault, Given, GivenTexts, Templates};

/// The templates of a job; those of a job that gives none when one of them is faulty.
pub(in super::super) fn read(reader: &mut Reader<'_>, job: &Section<'_>) -> Templates {
    let mut texts: Vec<(String, Value<String>)> = Vec::new();
    let section = reader.section(job, "templates");
    reader.unknown_keys(&section, schema::TEMPLATES);
    let body_html =
        reader.word(&section, "body_type", &[("source", false), ("html", true)]).is_some_and(|given| given.value);
    let every = of_section(reader, &section, job, &mut texts);
    let kinds = ["schedule", "appointment"].map(|kind| {
        let section = reader.section(&section, kind);
        reader.unknown_keys(&section, schema::KIND_TEMPLATES);
        of_section(reader, &section, job, &mut texts)
    });
    let [schedule, appointment] = kinds;
    let private_when = text(reader, job, "private_when", job, &mut texts);
    let name = job.path.rsplit('.').next().unwrap_or_default();
    let given = Given { every, schedule, appointment, body_html, private_when };
    match Templates::compile(name, given) {
        Ok(templates) => templates,
        Err(faults) => {
            for (key, fault) in faults {
                let found = texts.iter().find(|(own, _)| *own == key);
                report(reader, &format!("{}.{key}", job.path), found.map(|(_, text)| text), &fault);
            }
            Templates::default()
        }
    }
}

fn of_section(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    job: &Section<'_>,
    texts: &mut Vec<(String, Value<String>)>,
) -> GivenTexts {
    let subject = text(reader, section, "subject", job, texts);
    let body = text(reader, section, "body", job, texts);
    let location = text(reader, section, "location", job, texts);
    let categories = reader.raw_list(section, "categories").map(|given| {
        let key = below(job, section, "categories");
        let values = given.value.iter().map(|element| element.value.clone()).collect();
        texts.extend(given.value.into_iter().enumerate().map(|(index, text)| (format!("{key}[{index}]"), text)));
        values
    });
    GivenTexts { subject, body, location, categories }
}

fn text(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &str,
    job: &Section<'_>,
    texts: &mut Vec<(String, Value<String>)>,
) -> Option<String> {
    let given = reader.raw_text(section, key)?;
    let value = given.value.clone();
    texts.push((below(job, section, key), given));
    Some(value)
}

/// The name of a key below its job.
fn below(job: &Section<'_>, section: &Section<'_>, key: &str) -> String {
    let path = format!("{}.{key}", section.path);
    path.strip_prefix(&format!("{}.", job.path)).unwrap_or(&path).to_owned()
}

/// Reports a fault at the line of the file that is wrong.
fn report(reader: &mut Reader<'_>, path: &str, text: Option<&Value<String>>, fault: &Fault) {
    let Some(text) = text else {
        let place = Place { key: path.to_owned(), position: None, variable: None };
        return reader.error(&place, &fault.message, &fault.hint);
    };
    let position = reader.literals.position(path, &text.value, fault.offset).or(text.place.position);
    let place =
        if text.place.variable.is_some() { text.place.clone() } else { Place { position, ..text.place.clone() } };
    let line = text.value.get(..fault.offset).map_or(1, |before| before.matches('\n').count() + 1);
    let message = if place.variable.is_some() && line > 1 {
        format!("line {line} of the template: {}", fault.message)
    } else {
        fault.message.clone()
    };
    reader.error(&place, message, &fault.hint);
}
