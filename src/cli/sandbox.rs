//! `calsyncd sandbox`: the simulated Exchange as a server of its own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;

use super::{
    Outcome,
    output::{self, hinted, say},
    setup,
};
use crate::sandbox::{
    AccountSettings, ApplicationSettings, Sandbox, SandboxError, SandboxSettings, Scope, TlsSettings,
};

/// What the sandbox holds when no settings are named.
const MAILBOXES: [&str; 3] = ["ana@example.test", "bob@example.test", "chloe@example.test"];
const USER: &str = "svc-calsyncd@example.test";
const SECRET: &str = "sandbox";
const TENANT: &str = "example.test";
const CLIENT: &str = "00000000-0000-0000-0000-000000000001";

/// What the command line says of TLS; it goes before the settings.
pub(super) struct Tls {
    /// A certificate and its key.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
    /// Where a self-made certificate goes.
    pub(super) self_made: Option<PathBuf>,
}

/// Runs until a signal stops it.
pub(super) async fn sandbox(listen: SocketAddr, settings: Option<&Path>, tls: Tls, record: Option<PathBuf>) -> Outcome {
    let is_default = settings.is_none();
    let mut settings = match settings {
        None => default_settings(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the sandbox's settings {}", path.display()))?;
            SandboxSettings::from_toml(&text).map_err(|error| {
                let hint = "docs/sandbox.toml shows every key";
                hinted(format!("{}: {error}", path.display()), hint)
            })?
        }
    };
    if let Some((certificate, key)) = tls.certificate {
        settings.tls.enabled = true;
        settings.tls.certificate_file = Some(certificate);
        settings.tls.key_file = Some(key);
    } else if let Some(path) = tls.self_made {
        settings.tls = TlsSettings { enabled: true, write_certificate_to: Some(path), ..settings.tls };
    }
    let stop = setup::stop_on_signal();
    let running = Sandbox::start(settings, listen, record).await.map_err(|error| failure(&error))?;
    if is_default {
        say!("mailboxes: {}", MAILBOXES.join(", "));
        say!("EWS account: {USER} with the password \"{SECRET}\", may impersonate everybody");
        say!("Graph application: tenant {TENANT}, client {CLIENT}, secret \"{SECRET}\"");
    }
    say!("listening on {}", running.url());
    say!("EWS:   {}/EWS/Exchange.asmx", running.url());
    say!("Graph: {}/v1.0", running.url());
    say!("weeks: {}/", running.url());
    stop.cancelled().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Why the sandbox does not start, and what to do.
pub(super) fn failure(error: &SandboxError) -> anyhow::Error {
    hinted(output::chain(error), error.hint())
}

fn default_settings() -> SandboxSettings {
    SandboxSettings {
        accounts: vec![AccountSettings {
            user: USER.to_owned(),
            password: SECRET.to_owned(),
            impersonate: Scope::All,
            ..AccountSettings::default()
        }],
        applications: vec![ApplicationSettings {
            tenant_id: TENANT.to_owned(),
            client_id: CLIENT.to_owned(),
            client_secrets: vec![SECRET.to_owned()],
            roles: vec!["Calendars.ReadWrite".to_owned(), "full_access_as_app".to_owned()],
            ..ApplicationSettings::default()
        }],
        ..SandboxSettings::with_mailboxes(MAILBOXES, "Romance Standard Time")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::sandbox::SandboxSettings;

    #[test]
    fn the_settings_of_the_documents_can_be_used() {
        let text = include_str!("../../docs/sandbox.toml");
        let shown: SandboxSettings = SandboxSettings::from_toml(text).unwrap();
        assert!(shown.mailboxes.len() == 2 && shown.faults.len() == 2);
        // What is commented out is the default: turned on, it changes nothing.
        let spoken: Vec<&str> = text
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with(' ') && !rest.starts_with("mailbox ="))
                    .unwrap_or(line)
            })
            .collect();
        assert_eq!(SandboxSettings::from_toml(&spoken.join("\n")).unwrap(), shown);
    }
}
