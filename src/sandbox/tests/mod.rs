//! The sandbox on a socket, asked by a plain client.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admin;
mod ews;
mod graph;
mod halves;
mod page;
mod server;

use serde_json::{Value, json};

use super::{RunningSandbox, Sandbox, SandboxSettings};

/// A running sandbox and a client of it.
struct Running {
    sandbox: RunningSandbox,
    client: reqwest::Client,
    token: String,
}

/// An answer, read whole.
struct Got {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

const ANA: &str = "ana@example.test";

fn settings() -> SandboxSettings {
    SandboxSettings::with_mailboxes([ANA, "bob@example.test"], "Europe/Paris")
}

fn form(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", super::urlencoded::encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

const TOKEN_FORM: [(&str, &str); 4] = [
    ("grant_type", "client_credentials"),
    ("client_id", "client"),
    ("client_secret", "secret"),
    ("scope", "https://graph.microsoft.com/.default"),
];

impl Running {
    async fn start(settings: SandboxSettings) -> Self {
        Self::start_recorded(settings, None).await
    }

    async fn start_recorded(settings: SandboxSettings, record: Option<std::path::PathBuf>) -> Self {
        let sandbox = Sandbox::start(settings, ([127, 0, 0, 1], 0).into(), record).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut running = Self { sandbox, client, token: String::new() };
        running.token = running.fresh_token().await;
        running
    }

    async fn fresh_token(&self) -> String {
        let got = self.post_form("/tenant/oauth2/v2.0/token", &TOKEN_FORM).await;
        got.body["access_token"].as_str().unwrap_or_default().to_owned()
    }

    async fn post_form(&self, path: &str, pairs: &[(&str, &str)]) -> Got {
        let request = self
            .client
            .post(format!("{}{path}", self.sandbox.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(pairs));
        read(request.send().await.unwrap()).await
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.sandbox.url()) };
        let request = self.client.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        match body {
            Value::Null => request,
            body => request.header("content-type", "application/json").body(body.to_string()),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Got {
        read(self.request(method, path, &body).send().await.unwrap()).await
    }
}

/// Where a recording goes: into the folder that `CALSYNCD_RECORD_DIR` names, so that `contracts/check_exchanges.py` can read
/// it after the tests, else into a folder of the test's own.
fn recording(folder: &tempfile::TempDir, name: &str) -> std::path::PathBuf {
    let kept = std::env::var_os("CALSYNCD_RECORD_DIR").map(std::path::PathBuf::from);
    kept.unwrap_or_else(|| folder.path().to_owned()).join(name)
}

async fn read(response: reqwest::Response) -> Got {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    Got { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(json!(null)) }
}
