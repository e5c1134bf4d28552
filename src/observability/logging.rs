//! Starts the log, and changes its form and level while it runs.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    fmt::MakeWriter,
    layer::{Layered, SubscriberExt},
    reload,
    util::SubscriberInitExt,
};

use super::{catalogue::TARGET, human::HumanLayer, json::JsonLayer};
use crate::clock::{Clock, SystemClock};

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For reading when standard error is a terminal, else JSON lines.
    Auto,
    /// JSON lines on standard error.
    Json,
    /// The journal, with fields.
    Journald,
    /// For reading, on standard error; coloured on a terminal unless `NO_COLOR` is set.
    Human,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the usual words")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

/// Why the log cannot be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There is no journal to write to.
    #[error("the journal cannot be reached")]
    Journal(#[source] io::Error),
    /// Something else has taken the log of this process.
    #[error("the log of this process is started already")]
    Started,
    /// The log is gone.
    #[error("the log cannot be changed")]
    Gone(#[source] reload::Error),
}

impl LogError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Journal(_) => Some("set log.format to \"json\", or run it where systemd-journald runs"),
            Self::Started | Self::Gone(_) => None,
        }
    }
}

type Output = Box<dyn Layer<Registry> + Send + Sync>;
type Filtered = Layered<reload::Layer<Output, Registry>, Registry>;

/// Changes the log while it runs.
#[derive(Clone)]
pub struct LogHandle {
    output: reload::Handle<Output, Registry>,
    filter: reload::Handle<Targets, Filtered>,
}

impl std::fmt::Debug for LogHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LogHandle").finish_non_exhaustive()
    }
}

impl LogHandle {
    /// Takes the form and the level of the settings over, after the early log.
    ///
    /// # Errors
    /// When there is no journal, or the log is gone; the log then stays as it was.
    pub fn settle(&self, form: Form, level: Level) -> Result<(), LogError> {
        let output = output(form, io::stderr, Arc::new(SystemClock))?;
        self.output.reload(output).map_err(LogError::Gone)?;
        self.set_level(level)
    }

    /// Changes how much is logged.
    ///
    /// # Errors
    /// When the log is gone.
    pub fn set_level(&self, level: Level) -> Result<(), LogError> {
        self.filter.reload(targets(level)).map_err(LogError::Gone)
    }
}

/// Starts the log before the settings are known: form auto, level info. [`LogHandle::settle`] follows.
///
/// # Errors
/// When the log of this process is started already.
pub fn early() -> Result<LogHandle, LogError> {
    init(Form::Auto, Level::Info)
}

/// Starts the log of this process.
///
/// # Errors
/// When it is started already, or there is no journal.
pub fn init(form: Form, level: Level) -> Result<LogHandle, LogError> {
    let (subscriber, handle) = subscriber(output(form, io::stderr, Arc::new(SystemClock))?, level);
    subscriber.try_init().map_err(|_| LogError::Started)?;
    Ok(handle)
}

/// A log into `writer`, for one thread at a time (`tracing::subscriber::with_default`): simulations and tests.
#[must_use]
pub fn to_writer<W>(
    form: WriterForm,
    level: Level,
    writer: W,
    clock: Arc<dyn Clock>,
) -> (impl Subscriber + Send + Sync, LogHandle)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let output: Output = match form {
        WriterForm::Json => Box::new(JsonLayer { writer, clock }),
        WriterForm::Human { coloured } => Box::new(HumanLayer { writer, clock, coloured }),
    };
    subscriber(output, level)
}

/// The forms that a writer can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterForm {
    /// JSON lines.
    Json,
    /// For reading.
    Human {
        /// With colours.
        coloured: bool,
    },
}

fn subscriber(output: Output, level: Level) -> (impl Subscriber + Send + Sync, LogHandle) {
    let (output, output_handle) = reload::Layer::new(output);
    let (filter, filter_handle) = reload::Layer::new(targets(level));
    let subscriber = Registry::default().with(output).with(filter);
    (subscriber, LogHandle { output: output_handle, filter: filter_handle })
}

/// Our own events at the level asked for; of the libraries only what is bad. Their debug lines hold headers and addresses, and
/// would let a token into the log.
fn targets(level: Level) -> Targets {
    let libraries = level.filter().min(LevelFilter::WARN);
    Targets::new().with_default(libraries).with_target(TARGET, level.filter())
}

fn output<W>(form: Form, writer: W, clock: Arc<dyn Clock>) -> Result<Output, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let terminal = io::stderr().is_terminal();
    let human = |writer, clock| -> Output {
        let coloured = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Box::new(HumanLayer { writer, clock, coloured })
    };
    Ok(match form {
        Form::Auto if terminal => human(writer, clock),
        Form::Auto | Form::Json => Box::new(JsonLayer { writer, clock }),
        Form::Human => human(writer, clock),
        Form::Journald => {
            let journal = tracing_journald::layer().map_err(LogError::Journal)?;
            Box::new(
                journal.with_field_prefix(Some("CALSYNCD".to_owned())).with_syslog_identifier("calsyncd".to_owned()),
            )
        }
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
