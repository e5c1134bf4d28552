//! What the check of a settings file has to say: each fault with its place and what to do about it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The settings cannot be used.
    Error,
    /// The settings can be used; somebody should look.
    Warning,
}

/// One thing that is wrong, or worth knowing, about the settings. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The settings file.
    pub file: PathBuf,
    /// The line, from 1; absent for what no line says (a section that is missing, a variable).
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The environment variable that says it, in place of the file.
    pub variable: Option<String>,
    /// The key, such as `exchange.tenant_id`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

impl Finding {
    /// A fault of the file as a whole.
    pub(super) fn of_file(file: &Path, message: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            file: file.to_path_buf(),
            line: None,
            column: None,
            variable: None,
            key: String::new(),
            message: message.into(),
            hint: hint.map(str::to_owned),
            severity: Severity::Error,
        }
    }

    /// The same finding at a line and a column.
    pub(super) const fn at(mut self, line: usize, column: usize) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variable {
            Some(variable) => write!(formatter, "environment {variable}: ")?,
            None => {
                write!(formatter, "{}:", self.file.display())?;
                if let (Some(line), Some(column)) = (self.line, self.column) {
                    write!(formatter, "{line}:{column}:")?;
                }
                formatter.write_str(" ")?;
            }
        }
        formatter.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(&self.message)
    }
}

/// Why settings cannot be used: every finding of the file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsFaults {
    /// Faults and warnings.
    pub findings: Vec<Finding>,
}

impl From<Finding> for SettingsFaults {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding] }
    }
}

impl SettingsFaults {
    /// The faults alone, without the warnings.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// The faults in one line, for the log.
    #[must_use]
    pub fn one_line(&self) -> String {
        self.errors().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// One line for each finding, and its hint below it.
impl fmt::Display for SettingsFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{finding}")?;
            if let Some(hint) = &finding.hint {
                write!(formatter, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}
