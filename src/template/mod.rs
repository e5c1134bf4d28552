//! Templates of what an event shows: a small language without effects, within limits.
//!
//! The language is that of `minijinja`, less what could read anything but the event or build something large: an empty
//! environment, a few filters (`filters.rs`), and only the shapes that `shape.rs` lets through. Each rendering has a limit of
//! work and of output. What is wrong with a template is found when the settings are read.
//!
//! *Invariant*: the reason of a failed rendering holds nothing of the event.

mod engine;
mod filters;
mod names;
mod shape;
mod texts;
mod values;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use engine::{Engine, Escape};
pub use texts::{Given, GivenTexts};
pub use values::{Kind, Moment, Values};

/// The longest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
/// The longest result of a template of a subject, a location or a category, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// The longest result of a template of a body, in bytes.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is shown where the settings say nothing. `br` is a line end, and `link` an anchor in a body of HTML.
const SUBJECT: &str = "{{ subject }}";
const LOCATION: &str =
    "{% if location %}{{ location }}{% elif online_meeting_url | length <= 255 %}{{ online_meeting_url }}{% endif %}";
const BODY: &str = "{{ body }}\
    {% if (online_meeting_url or url) and body %}{{ br }}{{ br }}{% endif %}\
    {% if online_meeting_url %}Online meeting: {{ online_meeting_url | link }}{{ br }}{% endif %}\
    {% if url and url != online_meeting_url %}Source: {{ url | link }}{% endif %}";
const CATEGORIES: &str = "{{ categories | join('\\n') }}";

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the template, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Fault {
    fn new(offset: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { offset, message: message.into(), hint: hint.into() }
    }
}

/// A template that failed for an event. Says which and where, and nothing of the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RenderError {
    /// The key of the template below the job, such as `templates.subject`.
    pub template: String,
    /// The line of the template, where that is known.
    pub line: Option<usize>,
    /// What happened.
    pub reason: &'static str,
}

impl fmt::Display for RenderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` fails", self.template)?;
        if let Some(line) = self.line {
            write!(formatter, " in its line {line}")?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

/// The templates of a job, compiled. Two are equal when their texts are.
#[derive(Clone)]
pub struct Templates {
    job: String,
    given: Given,
    engine: Arc<Engine>,
    /// The names of the templates of categories, by kind.
    categories: Arc<BTreeMap<Kind, Vec<String>>>,
}

impl PartialEq for Templates {
    fn eq(&self, other: &Self) -> bool {
        (&self.job, &self.given) == (&other.job, &other.given)
    }
}

impl Eq for Templates {}

impl fmt::Debug for Templates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Templates").field("job", &self.job).field("given", &self.given).finish_non_exhaustive()
    }
}

impl Default for Templates {
    /// The templates of a job that gives none.
    fn default() -> Self {
        static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| {
            let mut engine = Engine::new();
            let faults = engine.add_defaults();
            debug_assert_eq!(faults, []);
            Arc::new(engine)
        });
        Self {
            job: String::new(),
            given: Given::default(),
            engine: Arc::clone(&ENGINE),
            categories: Arc::new(BTreeMap::new()),
        }
    }
}

impl Templates {
    /// Compiles the templates of the job `job`, and tries each with a sample event.
    ///
    /// # Errors
    /// Every fault, with the key of its template below the job.
    pub fn compile(job: &str, given: Given) -> Result<Self, Vec<(String, Fault)>> {
        let mut engine = Engine::new();
        let mut faults = engine.add_defaults();
        for (key, text) in given.flat() {
            if let Err(fault) = engine.add(&key, text) {
                faults.push((key, fault));
            }
        }
        let categories = Kind::ALL.map(|kind| (kind, given.category_keys(kind))).into_iter().collect();
        let compiled = Self { job: job.to_owned(), given, engine: Arc::new(engine), categories: Arc::new(categories) };
        if faults.is_empty() {
            faults = compiled.try_samples();
        }
        if faults.is_empty() { Ok(compiled) } else { Err(faults) }
    }

    /// Renders every template with sample events.
    fn try_samples(&self) -> Vec<(String, Fault)> {
        let mut faults: Vec<(String, Fault)> = Vec::new();
        for (key, text) in self.given.flat() {
            let fields = names::data_fields(&key, text);
            for values in Kind::ALL.into_iter().flat_map(|kind| Values::samples(kind, &self.job, &fields)) {
                let values = Arc::new(values);
                let escapes: &[Escape] =
                    if key.ends_with(".body") { &[Escape::Html, Escape::None] } else { &[Escape::None] };
                let failed = escapes.iter().find_map(|escape| self.engine.try_sample(&key, *escape, &values).err());
                if let Some(fault) = failed {
                    faults.push((key, fault));
                    break;
                }
            }
        }
        faults
    }

    /// Whether every text is shown as it is, apart from links.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.given == Given::default()
    }

    /// The name of the job.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Every text that was given, by its key below the job.
    pub fn given(&self) -> impl Iterator<Item = (String, &str)> {
        self.given.flat().into_iter().chain(self.given.body_html.then(|| ("templates.body_type".to_owned(), "html")))
    }

    /// Whether `private_when` makes an event private.
    ///
    /// # Errors
    /// When the expression fails for the event.
    pub fn is_private(&self, values: &Arc<Values>) -> Result<bool, RenderError> {
        if self.given.private_when.is_none() {
            return Ok(false);
        }
        let said = self.engine.render(texts::PRIVATE_WHEN, Escape::None, values, LINE_BYTES_MAX)?;
        Ok(!said.is_empty())
    }

    /// The subject of an event.
    ///
    /// # Errors
    /// When the template fails for the event.
    pub fn subject(&self, values: &Arc<Values>) -> Result<String, RenderError> {
        self.engine.render(&self.given.key(values.kind, "subject"), Escape::None, values, LINE_BYTES_MAX)
    }

    /// The location of an event.
    ///
    /// # Errors
    /// When the template fails for the event.
    pub fn location(&self, values: &Arc<Values>) -> Result<String, RenderError> {
        self.engine.render(&self.given.key(values.kind, "location"), Escape::None, values, LINE_BYTES_MAX)
    }

    /// The body of an event, and whether it is HTML.
    ///
    /// # Errors
    /// When the template fails for the event.
    pub fn body(&self, values: &Arc<Values>) -> Result<(String, bool), RenderError> {
        let html = values.body_html || self.given.body_html;
        let escape = if html { Escape::Html } else { Escape::None };
        let body = self.engine.render(&self.given.key(values.kind, "body"), escape, values, BODY_BYTES_MAX)?;
        Ok((body, html))
    }

    /// The categories of an event; empty results are left out.
    ///
    /// # Errors
    /// When a template fails for the event.
    pub fn categories(&self, values: &Arc<Values>) -> Result<Vec<String>, RenderError> {
        let default = [texts::DEFAULT_CATEGORIES.to_owned()];
        let own = self.categories.get(&values.kind).filter(|_| self.given.has_categories(values.kind));
        let mut categories = Vec::new();
        for key in own.map_or(default.as_slice(), Vec::as_slice) {
            let lines = self.engine.render(key, Escape::None, values, LINE_BYTES_MAX)?;
            categories.extend(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        Ok(categories)
    }
}

#[cfg(test)]
mod tests;
