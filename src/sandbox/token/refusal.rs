//! A refusal of the token endpoint, in Entra's form.

use jiff::Timestamp;
use serde_json::{Value, json};

/// A refusal of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Refusal {
    /// 400 or 401.
    pub(in super::super) status: u16,
    error: &'static str,
    pub(super) code: u32,
    message: String,
    /// The application that failed to prove itself.
    pub(in super::super) failed_log_on: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { status, error, code, message: message.into(), failed_log_on: None }
    }

    /// The application has not proved who it is.
    pub(super) fn client(code: u32, message: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", code, message)
    }

    /// A field is not there.
    pub(super) fn missing(name: &str) -> Self {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Self::new(400, "invalid_request", 900_144, message)
    }

    /// It counts as a failed log-on of an application.
    pub(super) fn failed_log_on(mut self, client_id: &str) -> Self {
        self.failed_log_on = Some(client_id.to_owned());
        self
    }

    /// The body in Entra's form.
    pub(in super::super) fn body(&self, now: Timestamp, trace_id: &str) -> Value {
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let Self { code, message, .. } = self;
        json!({
            "error": self.error,
            "error_description":
                format!("AADSTS{code}: {message} Trace ID: {trace_id} Correlation ID: {trace_id} Timestamp: {timestamp}"),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": trace_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }
}
