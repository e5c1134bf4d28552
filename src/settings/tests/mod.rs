//! The settings as an administrator meets them: files that are right, files that are wrong, and one key at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod application;
mod edits;
mod faults;
mod keeps;
mod layers;
mod network;
mod reload;
mod shipped;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Environment, Exchange, Loaded, SettingsFaults, SideSettings, Strictness, load};

/// The only side.
fn only(exchange: &Exchange) -> &SideSettings {
    assert!(!exchange.is_hybrid());
    exchange.sides.values().next().unwrap()
}

/// A settings file that is right: EWS with a password, one source, one job.
const GOOD: &str = r#"[exchange]
ews_service_url = "https://mail.example.test/EWS/Exchange.asmx"
delegated_user = "svc@example.test"
linked_password_file = "password"
use_impersonation = true

[sources.erp]
kind = "files"
path = "inbox"
zone = "Europe/Paris"

[jobs.team]
source = "erp"
"#;

/// A settings file that is right: Graph.
const GRAPH: &str = r#"[exchange]
use_graph_api = true
tenant_id = "example.test"
client_id = "app"
client_secret_file = "secret"

[sources.erp]
kind = "files"
path = "inbox"
zone = "Europe/Paris"

[jobs.team]
source = "erp"
"#;

/// A folder with a settings file and its two secrets.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("calsyncd.toml"), text).unwrap();
        for (name, secret) in [("password", "pass-word-1\n"), ("secret", "sec-ret-1\n")] {
            let path = folder.path().join(name);
            std::fs::write(&path, secret).unwrap();
            #[cfg(unix)]
            set_mode(&path, 0o600);
        }
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("calsyncd.toml")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn load(&self, environment: &Environment) -> Result<Loaded, SettingsFaults> {
        load(&self.path(), environment, Strictness::Run)
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn variables(pairs: &[(&str, &str)]) -> Environment {
    let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Environment { variables, ..Environment::default() }
}
