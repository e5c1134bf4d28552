//! The texts of the templates of a job, as the settings give them.

use super::{BODY, CATEGORIES, LOCATION, SUBJECT, values::Kind};

/// The key of `private_when`.
pub(super) const PRIVATE_WHEN: &str = "private_when";
/// The name of the template of the categories where none is given.
pub(super) const DEFAULT_CATEGORIES: &str = "default.categories";
/// The templates that hold where none is given, by name.
pub(super) const DEFAULTS: [(&str, &str); 4] = [
    ("default.subject", SUBJECT),
    ("default.location", LOCATION),
    ("default.body", BODY),
    (DEFAULT_CATEGORIES, CATEGORIES),
];

/// The templates of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenTexts {
    /// `subject`.
    pub subject: Option<String>,
    /// `body`.
    pub body: Option<String>,
    /// `location`.
    pub location: Option<String>,
    /// `categories`.
    pub categories: Option<Vec<String>>,
}

/// What a job says of templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// `[jobs.NAME.templates]`.
    pub every: GivenTexts,
    /// `[jobs.NAME.templates.schedule]`.
    pub schedule: GivenTexts,
    /// `[jobs.NAME.templates.appointment]`.
    pub appointment: GivenTexts,
    /// `body_type = "html"`: a body of text becomes HTML.
    pub body_html: bool,
    /// `private_when`.
    pub private_when: Option<String>,
}

impl GivenTexts {
    fn line(&self, field: &str) -> Option<&str> {
        match field {
            "subject" => self.subject.as_deref(),
            "body" => self.body.as_deref(),
            "location" => self.location.as_deref(),
            _ => None,
        }
    }
}

impl Given {
    const fn of(&self, kind: Kind) -> &GivenTexts {
        match kind {
            Kind::Schedule => &self.schedule,
            Kind::Appointment => &self.appointment,
        }
    }

    /// Every text, by its key below the job.
    pub(super) fn flat(&self) -> Vec<(String, &str)> {
        let sections = [
            ("templates", &self.every),
            ("templates.schedule", &self.schedule),
            ("templates.appointment", &self.appointment),
        ];
        let mut flat = Vec::new();
        for (section, texts) in sections {
            for field in ["subject", "body", "location"] {
                flat.extend(texts.line(field).map(|text| (format!("{section}.{field}"), text)));
            }
            for (index, text) in texts.categories.iter().flatten().enumerate() {
                flat.push((format!("{section}.categories[{index}]"), text));
            }
        }
        flat.extend(self.private_when.as_deref().map(|text| (PRIVATE_WHEN.to_owned(), text)));
        flat
    }

    /// The name of the template of a field: that of the kind, else that of every kind, else the default.
    pub(super) fn key(&self, kind: Kind, field: &str) -> String {
        if self.of(kind).line(field).is_some() {
            format!("templates.{}.{field}", kind.as_str())
        } else if self.every.line(field).is_some() {
            format!("templates.{field}")
        } else {
            format!("default.{field}")
        }
    }

    /// Whether the categories of a kind have templates.
    pub(super) const fn has_categories(&self, kind: Kind) -> bool {
        self.of(kind).categories.is_some() || self.every.categories.is_some()
    }

    /// The names of the templates of the categories of a kind.
    pub(super) fn category_keys(&self, kind: Kind) -> Vec<String> {
        let (section, texts) = match &self.of(kind).categories {
            Some(texts) => (format!("templates.{}", kind.as_str()), texts.len()),
            None => ("templates".to_owned(), self.every.categories.as_ref().map_or(0, Vec::len)),
        };
        (0..texts).map(|index| format!("{section}.categories[{index}]")).collect()
    }
}
