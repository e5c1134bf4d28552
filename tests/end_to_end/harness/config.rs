//! The settings file as data: sections of keys and TOML values, rendered.

use std::collections::BTreeMap;

use super::Face;

/// A settings file.
#[derive(Debug, Clone)]
pub(crate) struct Config(BTreeMap<String, BTreeMap<String, String>>);

impl Config {
    /// The settings for one face of the sandbox at `url`: one source folder, one job, short intervals.
    pub(crate) fn new(face: Face, url: &str) -> Self {
        let mut config = Self(BTreeMap::new());
        match face {
            Face::Ews | Face::Delegate => {
                config.set("exchange", "delegated_user", "\"service\"");
                config.set("exchange", "linked_password_file", "\"secret\"");
                config.set("exchange", "ews_service_url", &format!("\"{url}/EWS/Exchange.asmx\""));
                config.set("exchange", "exchange_server_version", "\"Exchange2016\"");
                config.set("exchange", "use_impersonation", if face == Face::Ews { "true" } else { "false" });
            }
            Face::Graph => {
                config.set("exchange", "use_graph_api", "true");
                config.set("exchange", "graph_url", &format!("\"{url}\""));
                config.set("exchange", "token_url", &format!("\"{url}/tenant/oauth2/v2.0/token\""));
                config.set("exchange", "tenant_id", "\"tenant\"");
                config.set("exchange", "client_id", "\"client\"");
                config.set("exchange", "client_secret_file", "\"secret\"");
            }
        }
        config.source("inbox", "events");
        config.set("state", "path", "\"state/calsyncd.sqlite\"");
        config.set("log", "format", "\"json\"");
        config.set("log", "level", "\"debug\"");
        config
    }

    /// Reaches each mailbox where it lives, by both faces of the sandbox at `url`.
    pub(crate) fn hybrid(&mut self, url: &str) {
        self.set("exchange", "protocol", "\"auto\"");
        self.set("exchange", "graph_url", &format!("\"{url}\""));
        self.set("exchange", "token_url", &format!("\"{url}/tenant/oauth2/v2.0/token\""));
        self.set("exchange", "tenant_id", "\"tenant\"");
        self.set("exchange", "client_id", "\"client\"");
        self.set("exchange", "client_secret_file", "\"client_secret\"");
    }

    /// Adds a source folder and a job that pushes all of it.
    pub(crate) fn source(&mut self, name: &str, folder: &str) {
        self.set(&format!("sources.{name}"), "kind", "\"files\"");
        self.set(&format!("sources.{name}"), "path", &format!("{folder:?}"));
        self.set(&format!("sources.{name}"), "zone", "\"Europe/Paris\"");
        self.set(&format!("jobs.{name}"), "source", &format!("{name:?}"));
        self.set(&format!("jobs.{name}"), "people_domain", "\"example.test\"");
    }

    /// Sets a key to a TOML value.
    pub(crate) fn set(&mut self, section: &str, key: &str, value: &str) {
        self.0.entry(section.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }

    /// Takes a key out.
    pub(crate) fn unset(&mut self, section: &str, key: &str) {
        self.0.entry(section.to_owned()).or_default().remove(key);
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.0 {
            text.push_str(&format!("[{section}]\n"));
            for (key, value) in keys {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        text
    }
}
