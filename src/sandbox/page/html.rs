//! Pieces of HTML that both pictures use.

use super::block::Block;

/// The sign of a private item.
const LOCK: &str = "<svg class=\"lock\" viewBox=\"0 0 9 11\"><title>private</title><path d=\"M2 5V3.5a2.5 2.5 0 0 1 5 0V5h.5a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm1.2 0h2.6V3.5a1.3 1.3 0 0 0-2.6 0z\"/></svg>";

/// The sign of a series.
const LOOP: &str = "<svg class=\"loop\" viewBox=\"0 0 12 12\"><title>series</title><path d=\"M10.5 5A4.7 4.7 0 1 0 10 8.5M10.7 1.6V5H7.3\"/></svg>";

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The subject with its signs.
pub(super) fn label(block: &Block) -> String {
    let lock = if block.private { LOCK } else { "" };
    let sign = if block.recurring { LOOP } else { "" };
    let subject = if block.subject.is_empty() { "(no subject)" } else { &block.subject };
    format!("{lock}{}{sign}", escape(subject))
}

/// What is shown when the pointer rests on a block.
pub(super) fn hint(block: &Block) -> String {
    let place = if block.location.is_empty() { String::new() } else { format!(" · {}", block.location) };
    let form = if block.minutes.is_some() { "%a %H:%M" } else { "%a %d %b" };
    let (start, end) = (block.start.strftime(form), block.end.strftime(form));
    escape(&format!("{start} – {end} · {}{place}", block.subject))
}
