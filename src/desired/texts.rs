//! Texts as a calendar can hold them: within its limits, and without the characters that XML 1.0 forbids. Every function
//! here leaves its own results as they are.

use crate::model::event::{Body, BodyKind};

/// The longest subject, location or category, in UTF-16 units, which is how Exchange counts.
const LINE_UNITS_MAX: usize = 255;
/// The longest body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The longest body that a template is given: what the template adds, such as a link, is not cut off.
const TEMPLATE_BODY_BYTES_MAX: usize = BODY_BYTES_MAX - 16 * 1024;
/// The most categories that a source gives an event.
const CATEGORIES_MAX: usize = 64;
/// What stands for a part that was cut off.
const CUT: char = '…';

/// Whether XML 1.0 §2.2 allows a character.
const fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// One line: blanks and line ends in a row become one blank, at most 255 characters.
pub(super) fn line(text: &str) -> String {
    let allowed: String = text.chars().filter(|character| is_allowed(*character)).collect();
    let joined = allowed.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.encode_utf16().count() <= LINE_UNITS_MAX {
        return joined;
    }
    let mut units = CUT.len_utf16();
    let kept: String = joined
        .chars()
        .take_while(|character| {
            units += character.len_utf16();
            units <= LINE_UNITS_MAX
        })
        .collect();
    let mut kept = kept.trim_end_matches([' ', '\u{200d}']).to_owned();
    kept.push(CUT);
    kept
}

/// A body: line ends are single line feeds, a text ends without blanks (Exchange takes them away), at most 1 MiB. An
/// empty body has the kind text.
pub(super) fn body(body: &Body) -> Body {
    body_within(body, BODY_BYTES_MAX)
}

/// The same, with room for what a template adds.
pub(super) fn body_for_template(body: &Body) -> Body {
    body_within(body, TEMPLATE_BODY_BYTES_MAX)
}

fn body_within(body: &Body, bytes_max: usize) -> Body {
    let allowed: String = body.content.chars().filter(|character| is_allowed(*character)).collect();
    let unified = allowed.replace("\r\n", "\n").replace('\r', "\n");
    let trimmed = unified.trim_end();
    let content = if trimmed.len() <= bytes_max {
        trimmed.to_owned()
    } else {
        let end = trimmed.floor_char_boundary(bytes_max - CUT.len_utf8());
        let kept = trimmed.get(..end).unwrap_or_default();
        let mut kept = match body.kind {
            BodyKind::Text => kept,
            BodyKind::Html => before_markup(kept),
        }
        .trim_end()
        .to_owned();
        kept.push(CUT);
        kept
    };
    let kind = if content.is_empty() { BodyKind::Text } else { body.kind };
    Body { kind, content }
}

/// HTML that was cut off, without the tag or character reference that the cut goes through.
fn before_markup(html: &str) -> &str {
    let tag = html.rfind('<').filter(|start| !html.get(*start..).unwrap_or_default().contains('>'));
    let html = tag.and_then(|start| html.get(..start)).unwrap_or(html);
    let reference = html.rfind('&').filter(|start| {
        let rest = html.get(*start..).unwrap_or_default();
        !rest.contains([';', ' ', '>']) && rest.len() <= REFERENCE_BYTES_MAX
    });
    reference.and_then(|start| html.get(..start)).unwrap_or(html)
}

/// No name of a character is longer.
const REFERENCE_BYTES_MAX: usize = 40;

/// As many categories of a source as an event shows.
pub(super) fn bounded(names: &[String]) -> &[String] {
    names.get(..CATEGORIES_MAX).unwrap_or(names)
}

/// Categories as a calendar shows them. Outlook takes `,` and `;` in a name for the end of it: each becomes a blank.
pub(super) fn shown_categories<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let whole: Vec<String> = names.map(|name| name.replace([',', ';'], " ")).collect();
    categories(whole.iter())
}

/// Categories: sorted, each once without regard to case, as Outlook compares them.
pub(super) fn categories<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = names.map(|name| line(name)).filter(|name| !name.is_empty()).collect();
    found.sort_by_cached_key(|name| (name.to_lowercase(), name.clone()));
    found.dedup_by_key(|name| name.to_lowercase());
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{body, categories, line, shown_categories};
    use crate::model::event::{Body, BodyKind};

    fn text(content: &str) -> Body {
        Body { kind: BodyKind::Text, content: content.to_owned() }
    }

    #[test]
    fn texts_fit_the_calendar() {
        let long = "é".repeat(300);
        let emoji = "🎉".repeat(200);
        let cases = [
            ("Kick-off", "Kick-off"),
            ("  two\r\nlines\tof\u{b}text ", "two lines oftext"),
            ("nul\0 bell\u{7} \u{fffe}non", "nul bell non"),
            ("Café 🎉", "Café 🎉"),
            (long.as_str(), &format!("{}…", "é".repeat(254))),
            (emoji.as_str(), &format!("{}…", "🎉".repeat(127))),
        ];
        for (given, expected) in cases {
            assert_eq!(line(given), expected);
        }
        let cases = [("a\r\nb\rc\n", "a\nb\nc"), ("a \u{c}b  \n ", "a b"), (" a", " a")];
        for (given, expected) in cases {
            assert_eq!(body(&text(given)).content, expected);
        }
        let cut = body(&text(&"é".repeat(1_000_000))).content;
        assert!(cut.len() <= 1024 * 1024 && cut.ends_with("é…"));
        let names = ["Projet".to_owned(), "b".to_owned(), "PROJET".to_owned(), " ".to_owned(), "A".to_owned()];
        assert_eq!(categories(names.iter()), ["A", "b", "PROJET"]);
        let names = ["Leave; sick".to_owned(), "Leave, sick".to_owned(), ",;".to_owned(), "R,D".to_owned()];
        assert_eq!(shown_categories(names.iter()), ["Leave sick", "R D"]);
    }

    proptest! {
        #[test]
        fn texts_are_normal_after_one_pass(content in "\\PC{0,400}|[ \\t\\r\\n\u{0}-\u{20}é🎉]{0,300}") {
            let once = line(&content);
            prop_assert_eq!(line(&once), once.clone());
            prop_assert!(once.encode_utf16().count() <= 255);
            let once = body(&text(&content));
            prop_assert_eq!(body(&once), once.clone());
        }
    }
}
