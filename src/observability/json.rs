//! The log as JSON lines: `time`, `level`, `event`, `message`, then the fields, flat.

use std::{fmt, io::Write, sync::Arc};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

use crate::clock::Clock;

/// Writes each event as one JSON object on one line.
pub(super) struct JsonLayer<W> {
    pub(super) writer: W,
    pub(super) clock: Arc<dyn Clock>,
}

impl<S: Subscriber, W: for<'w> MakeWriter<'w> + 'static> Layer<S> for JsonLayer<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Fields { name, message, fields } = Fields::of(event);
        let mut line = Map::new();
        line.insert("time".to_owned(), format!("{:.3}", self.clock.now()).into());
        line.insert("level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
        line.insert("event".to_owned(), name.unwrap_or_else(|| "library".to_owned()).into());
        line.insert("message".to_owned(), message.into());
        if event.metadata().target() != super::catalogue::TARGET {
            line.insert("target".to_owned(), event.metadata().target().into());
        }
        for (name, value) in fields {
            line.entry(name).or_insert(value);
        }
        let mut bytes = Value::Object(line).to_string().into_bytes();
        bytes.push(b'\n');
        // A log that cannot be written is no reason to stop: there is nobody to tell.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(&bytes);
    }
}

/// The parts of an event.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The field `event`.
    pub(super) name: Option<String>,
    /// The sentence.
    pub(super) message: String,
    /// The rest, in its order.
    pub(super) fields: Vec<(String, Value)>,
}

impl Fields {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("event", Value::String(name)) => self.name = Some(name),
            ("message", Value::String(message)) => self.message = message,
            (name, value) => self.fields.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}
