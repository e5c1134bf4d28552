//! The server and the way to it: name, connection, certificate, clock. No credential is shown yet.

use super::{AccessStep, StepResult, Test};
use crate::{
    certificate,
    http::{TransportError, client::Look},
    model::fault::{Fault, FaultKind, FaultScope},
};

/// Tokens and tickets are refused when clocks differ by more than five minutes.
const CLOCK_SECONDS_MAX: i64 = 300;
/// From here on the end of a certificate is pointed at.
const CERTIFICATE_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;

impl<F: FnMut(&StepResult)> Test<'_, F> {
    /// Looks at the server.
    pub(super) async fn server(&mut self) -> bool {
        let url = self.url().to_owned();
        let Some(target) = host_and_port(&url) else {
            let fault = server_fault("BadUrl", format!("{url} names no host"));
            self.tell(AccessStep::Name, None, format!("read {url}"), Err(fault));
            return false;
        };
        let looked = self.client.look(&url).await;
        let addresses = tokio::net::lookup_host(&target).await.map(Iterator::count);
        let name = match addresses {
            Ok(count) => Ok(format!("{count} {}", if count == 1 { "address" } else { "addresses" })),
            // A proxy may know what this machine does not.
            Err(_) if looked.is_ok() => Ok("not known here; the proxy knows it".to_owned()),
            Err(error) => Err(server_fault("NameNotFound", format!("{target} has no address: {error}"))),
        };
        if !self.tell(AccessStep::Name, None, format!("look {target} up"), name) {
            return false;
        }
        let looked = looked.map_err(|error| unreachable(&error));
        let said = looked.as_ref().map_err(Clone::clone).map(|look| self.certificate(look));
        if !self.tell(AccessStep::Connection, None, format!("connect to {target}"), said) {
            return false;
        }
        if let Ok(Look { date: Some(date), .. }) = looked {
            let seconds = date.duration_since(self.now()).as_secs();
            // A clock that is off is told; whether it matters is for the server to say.
            self.tell(AccessStep::Clock, None, "compare the clocks".to_owned(), clocks(seconds));
        }
        true
    }

    fn certificate(&self, look: &Look) -> String {
        let Some(der) = &look.certificate else { return "connected, without TLS".to_owned() };
        let issuer = certificate::issuer(der).unwrap_or_else(|| "somebody without a name".to_owned());
        let Some(validity) = certificate::validity(der) else { return format!("certificate by {issuer}") };
        let days = validity.not_after.duration_since(self.now()).as_secs().div_euclid(DAY_SECONDS);
        let soon = if days < CERTIFICATE_DAYS { ": renew it" } else { "" };
        format!("certificate by {issuer}, until {} ({days} days left{soon})", validity.not_after.strftime("%Y-%m-%d"))
    }
}

fn clocks(seconds: i64) -> Result<String, Fault> {
    let said = match seconds {
        0 => "they agree".to_owned(),
        1.. => format!("the server's is {seconds} s ahead"),
        _ => format!("the server's is {} s behind", -seconds),
    };
    if seconds.abs() <= CLOCK_SECONDS_MAX { Ok(said) } else { Err(server_fault("ClockOff", said)) }
}

fn unreachable(error: &TransportError) -> Fault {
    let code = match error {
        TransportError::Untrusted { problem, .. } => problem.code(),
        TransportError::Unreachable { .. } | TransportError::NoLogOn { .. } => "Unreachable",
        TransportError::Interrupted { .. } | TransportError::TooLarge { .. } => "Interrupted",
    };
    server_fault(code, error.to_string())
}

fn server_fault(code: &str, message: String) -> Fault {
    Fault::new(FaultScope::Server, FaultKind::Transient { wait: None }, code, message)
}

fn host_and_port(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    Some(format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(default)))
}

#[cfg(test)]
mod tests {
    use super::{clocks, host_and_port};

    #[test]
    fn clocks_may_differ_by_five_minutes() {
        for (seconds, is_ok) in [(0, true), (300, true), (-300, true), (301, false), (-600, false)] {
            assert_eq!(clocks(seconds).is_ok(), is_ok, "{seconds}");
        }
    }

    #[test]
    fn a_host_has_a_port() {
        assert_eq!(host_and_port("https://mail.example.test/x").as_deref(), Some("mail.example.test:443"));
        assert_eq!(host_and_port("http://127.0.0.1:8088/x").as_deref(), Some("127.0.0.1:8088"));
    }
}
