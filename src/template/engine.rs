//! The engine: an environment with nothing in it, a limit of work, and a limit of output.

use std::{io, sync::Arc};

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::{
    Fault, LINE_BYTES_MAX, RenderError, TEMPLATE_BYTES_MAX, filters, names,
    shape::{self, Whole},
    texts::{DEFAULTS, PRIVATE_WHEN},
    values::{Root, Values},
};

/// The work of one rendering: one unit is one instruction, or 64 bytes of text that is read or made. 6.4 MB of text.
const FUEL: u64 = 100_000;
/// What stands before `private_when` to make a template of it.
const BEFORE_EXPRESSION: &str = "{% if (";

/// Whether inserted values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As they are.
    None,
    /// For HTML.
    Html,
}

/// Templates by name. A template of a body is there twice: for text, and for HTML.
pub(super) struct Engine {
    environment: Environment<'static>,
}

impl Engine {
    pub(super) fn new() -> Self {
        let mut environment = Environment::empty();
        // With the debug mode, errors would carry the values of the event.
        environment.set_debug(false);
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(
            |name| {
                if name.ends_with(HTML) { AutoEscape::Html } else { AutoEscape::None }
            },
        );
        filters::add(&mut environment);
        Self { environment }
    }

    /// Compiles the templates that hold where none is given.
    pub(super) fn add_defaults(&mut self) -> Vec<(String, Fault)> {
        let add = |(key, text): (&str, &str)| self.add(key, text).err().map(|fault| (key.to_owned(), fault));
        DEFAULTS.into_iter().filter_map(add).collect()
    }

    /// Compiles a template, or the expression `private_when`.
    pub(super) fn add(&mut self, key: &str, text: &str) -> Result<(), Fault> {
        if text.len() > TEMPLATE_BYTES_MAX {
            let message = format!("the template has {} bytes; at most {TEMPLATE_BYTES_MAX} are taken", text.len());
            return Err(Fault::new(0, message, "shorten it"));
        }
        let is_expression = key == PRIVATE_WHEN;
        let tags = shape::tags(text, if is_expression { Whole::Expression } else { Whole::Template })?;
        names::check(&tags)?;
        let template = if is_expression {
            self.environment.compile_expression_owned(text.to_owned()).map_err(|error| syntax_fault(text, &error))?;
            format!("{BEFORE_EXPRESSION}{text}) %}}1{{% endif %}}")
        } else {
            text.to_owned()
        };
        let fault = |error: Error| syntax_fault(text, &error);
        if key.ends_with(".body") {
            self.environment.add_template_owned(format!("{key}{HTML}"), template.clone()).map_err(fault)?;
        }
        self.environment.add_template_owned(key.to_owned(), template).map_err(fault)
    }

    /// Renders a template, up to `bytes_max` bytes.
    pub(super) fn render(
        &self,
        key: &str,
        escape: Escape,
        values: &Arc<Values>,
        bytes_max: usize,
    ) -> Result<String, RenderError> {
        self.run(key, escape, values, bytes_max).map_err(|error| {
            let reason = match error.kind() {
                ErrorKind::OutOfFuel => "it takes too much work",
                ErrorKind::WriteFailure => "its result is too long",
                ErrorKind::UndefinedError => "a value that it names is not there",
                _ => "a value is not of the form that it needs",
            };
            RenderError { template: key.to_owned(), line: error.line(), reason }
        })
    }

    /// Renders a template with a sample; the fault may quote it.
    pub(super) fn try_sample(&self, key: &str, escape: Escape, values: &Arc<Values>) -> Result<(), Fault> {
        let Err(error) = self.run(key, escape, values, LINE_BYTES_MAX) else { return Ok(()) };
        let before = if key == PRIVATE_WHEN { BEFORE_EXPRESSION.len() } else { 0 };
        let message = format!("it fails for a sample event: {}", described(&error));
        let offset = error.range().map_or(0, |range| range.start).saturating_sub(before);
        Err(Fault::new(
            offset,
            message,
            "values are texts, except all_day, categories and the numbers in start and end",
        ))
    }

    fn run(&self, key: &str, escape: Escape, values: &Arc<Values>, bytes_max: usize) -> Result<String, Error> {
        let html;
        let name = match escape {
            Escape::Html => {
                html = format!("{key}{HTML}");
                &html
            }
            Escape::None => key,
        };
        let template = self.environment.get_template(name)?;
        let mut output = Output { bytes: Vec::new(), bytes_max };
        template.render_captured_to(Value::from_object(Root::new(Arc::clone(values), escape)), &mut output)?;
        String::from_utf8(output.bytes).map_err(|_| Error::from(ErrorKind::WriteFailure))
    }
}

/// The ending of the name of a template for HTML.
const HTML: &str = ".html";

/// Takes what is written, up to a limit.
struct Output {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.bytes_max {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn described(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()))
}

fn syntax_fault(text: &str, error: &Error) -> Fault {
    let of_line = |line: usize| text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let offset = match (error.range(), error.line()) {
        (Some(range), _) => range.start,
        (None, Some(line)) => of_line(line),
        (None, None) => 0,
    };
    Fault::new(
        offset.min(text.len()),
        error.detail().unwrap_or("the template cannot be understood").to_owned(),
        "a value is written {{ subject }}, a condition {% if location %}…{% endif %}",
    )
}
