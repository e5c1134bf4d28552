//! The log for reading: time, level, sentence, fields.

use std::{fmt::Write as _, io::Write as _, sync::Arc};

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

use super::json::Fields;
use crate::clock::Clock;

/// Writes each event as one line for people.
pub(super) struct HumanLayer<W> {
    pub(super) writer: W,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) coloured: bool,
}

impl<S: Subscriber, W: for<'w> MakeWriter<'w> + 'static> Layer<S> for HumanLayer<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Fields { message, fields, name: _ } = Fields::of(event);
        let level = *event.metadata().level();
        let mut line = String::new();
        let style = if self.coloured { style_of(level) } else { Style::new() };
        let dimmed = if self.coloured { Style::new().dimmed() } else { Style::new() };
        let time = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let _ = write!(line, "{dimmed}{time}{dimmed:#} {style}{:<5}{style:#} ", level.as_str());
        push_printable(&mut line, &message);
        for (name, value) in fields {
            let _ = write!(line, " {dimmed}{name}={dimmed:#}");
            match value {
                Value::String(text) if text.is_empty() || text.contains([' ', '"', '=']) => {
                    line.push('"');
                    push_printable(&mut line, &text.replace('"', "'"));
                    line.push('"');
                }
                Value::String(text) => push_printable(&mut line, &text),
                other => line.push_str(&other.to_string()),
            }
        }
        line.push('\n');
        let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
    }
}

/// Control characters escaped: a server's words must not steer the terminal, nor begin a line of their own.
fn push_printable(line: &mut String, text: &str) {
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
}

fn style_of(level: Level) -> Style {
    let colour = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG | Level::TRACE => AnsiColor::Blue,
    };
    colour.on_default().bold()
}
