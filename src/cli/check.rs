//! `calsyncd check`: every fault of the settings at once.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::{
    Outcome,
    output::{self, count, say},
    setup,
};
use crate::{
    clock::{Clock, SystemClock},
    settings::{
        Finding, Severity, Source, Strictness,
        expiry::{Expiry, Stage, expiries},
    },
};

/// The exit status when there are faults.
const FAULTS: u8 = 2;

/// Loads and checks the settings.
pub(super) fn check(config: Option<&Path>, json: bool) -> Outcome {
    let path = setup::settings_path(config);
    let (findings, summary) = match setup::load_settings(config, Strictness::Check) {
        Ok(loaded) => {
            let (sources, jobs) = (loaded.settings.sources.len(), loaded.settings.jobs.len());
            let mut warnings = loaded.warnings;
            let ends = expiries(&loaded.settings, SystemClock.now());
            warnings.extend(ends.iter().filter_map(|expiry| ending(&path, expiry)));
            warnings.extend(loaded.settings.sources.iter().filter_map(|(name, source)| missing(&path, name, source)));
            (warnings, Some((sources, jobs)))
        }
        Err(faults) => (faults.findings, None),
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if json {
        let list: Vec<_> = findings.iter().map(as_json).collect();
        say!("{}", json!({ "file": path, "ok": summary.is_some(), "errors": errors, "findings": list }));
    } else {
        for finding in &findings {
            say!("{finding}");
            if let Some(hint) = &finding.hint {
                say!("  hint: {hint}");
            }
        }
        match summary {
            Some((sources, jobs)) => {
                say!("{}: good ({}, {})", path.display(), count(sources, "source"), count(jobs, "job"));
            }
            None => say!("{}: {}", path.display(), count(errors, "fault")),
        }
    }
    Ok(if summary.is_some() { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
}

/// A folder that is not there yet is no fault of the settings, and most often a slip.
fn missing(file: &Path, name: &str, source: &Source) -> Option<Finding> {
    let Source::Files(files) = source;
    let message = match std::fs::metadata(&files.path) {
        Ok(metadata) if metadata.is_dir() => return None,
        Ok(_) => format!("{} is not a folder", files.path.display()),
        Err(error) => format!("{} cannot be looked at: {error}", files.path.display()),
    };
    Some(Finding {
        file: file.to_owned(),
        line: None,
        column: None,
        variable: None,
        key: format!("sources.{name}.path"),
        message,
        hint: Some("name a folder that the user of the service may read".to_owned()),
        severity: Severity::Warning,
    })
}

/// What an application shows and comes to its end.
fn ending(file: &Path, expiry: &Expiry) -> Option<Finding> {
    (expiry.stage != Stage::Far).then(|| Finding {
        file: file.to_owned(),
        line: None,
        column: None,
        variable: None,
        key: format!("exchange.{}", expiry.key),
        message: expiry.message(),
        hint: Some(Expiry::hint().to_owned()),
        severity: Severity::Warning,
    })
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "variable": finding.variable,
        "key": finding.key,
        "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// Prints the faults and gives the exit status for them.
pub(super) fn refuse(faults: &crate::settings::SettingsFaults) -> ExitCode {
    setup::print_faults(faults);
    output::print_hint("`calsyncd check` says the same without starting anything");
    ExitCode::from(FAULTS)
}
