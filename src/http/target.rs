//! Where a request goes, and what must not go there.

use std::net::IpAddr;

use reqwest::Url;

use super::TransportError;

/// Where a request goes.
pub(super) struct Target {
    pub(super) url: Url,
    /// The name or the address, without brackets.
    pub(super) name: String,
    /// Name and port for people.
    pub(super) host: String,
    pub(super) loopback: bool,
}

impl Target {
    /// Reads an address and refuses to send anything in clear over a network.
    pub(super) fn read(text: &str) -> Result<Self, TransportError> {
        let refuse = |host: &str, cause: &str| {
            Err(TransportError::Unreachable { host: host.to_owned(), cause: cause.to_owned() })
        };
        let Ok(url) = Url::parse(text) else {
            return refuse("the server", "its address is not a URL");
        };
        let Some(name) = url.host_str().map(str::to_owned) else {
            return refuse("the server", "its address has no host");
        };
        let host = url.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let loopback = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => Ok(Self { url, name, host, loopback }),
            "http" if loopback => Ok(Self { url, name, host, loopback }),
            "http" => refuse(&host, "http is used to loopback addresses only; write https"),
            _ => refuse(&host, "its address begins with neither https nor http"),
        }
    }

    pub(super) fn secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Name and port with brackets where they belong.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.port())
    }
}
