//! Addresses of services: https, or http to this machine alone.

use ::http::Uri;

use super::reader::{Given, Reader, Section};

/// An address that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceUrl {
    /// As written.
    pub(super) text: String,
    /// The host, lower case.
    pub(super) host: String,
    /// Scheme, host and port.
    pub(super) origin: String,
    /// The path, `/` at least.
    pub(super) path: String,
}

impl Reader<'_> {
    /// An address; https, or http to loopback. Messages do not repeat it: it may hold a password.
    pub(super) fn url(&mut self, section: &Section<'_>, key: &str) -> Option<Given<ServiceUrl>> {
        let given = self.text(section, key)?;
        match parse(&given.value) {
            Ok(value) => Some(Given { value, place: given.place }),
            Err((message, hint)) => {
                self.error(&given.place, message, hint);
                None
            }
        }
    }
}

fn parse(text: &str) -> Result<ServiceUrl, (&'static str, &'static str)> {
    let example = "write it as https://mail.example.org/EWS/Exchange.asmx";
    let uri: Uri = text.parse().map_err(|_| ("this is not an address of a service", example))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(("the address has no scheme or no host", example));
    };
    if authority.as_str().contains('@') {
        return Err(("the address holds a user or a password", "give them under their own keys"));
    }
    if uri.query().is_some() || text.contains('#') {
        return Err(("the address has a query or a fragment", "end it with the path"));
    }
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    if host.is_empty() {
        return Err(("the address has no host", example));
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(&host) => {}
        "http" => return Err(("http would send the password or the token in clear", "use https")),
        _ => return Err(("the address is neither https nor http", "use https")),
    }
    let origin = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
    Ok(ServiceUrl { text: text.to_owned(), host, origin, path: uri.path().to_owned() })
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host is Exchange Online, in any of Microsoft's clouds.
pub(super) fn is_exchange_online(host: &str) -> bool {
    const HOSTS: [&str; 6] = [
        "outlook.office365.com",
        "outlook.office.com",
        "outlook.office365.us",
        "outlook-dod.office365.us",
        "partner.outlook.cn",
        "outlook.com",
    ];
    HOSTS.iter().any(|online| host == *online || host.strip_suffix(online).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::{is_exchange_online, parse};

    #[test]
    fn addresses_are_read_or_refused() {
        let cases = [
            ("https://mail.example.test/EWS/Exchange.asmx", true),
            ("http://127.0.0.1:8080/EWS/Exchange.asmx", true),
            ("http://[::1]:8080/EWS/Exchange.asmx", true),
            ("http://localhost/EWS/Exchange.asmx", true),
            ("http://localhost.example.test/EWS/Exchange.asmx", false),
            ("http://mail.example.test/EWS/Exchange.asmx", false),
            ("http://127.0.0.1.example.test/", false),
            ("ftp://mail.example.test/", false),
            ("https://user:word@mail.example.test/", false),
            ("https://mail.example.test/?a=b", false),
            ("https://mail.example.test/#a", false),
            ("mail.example.test", false),
            ("/EWS/Exchange.asmx", false),
            ("https://", false),
            ("not an address", false),
        ];
        for (text, good) in cases {
            assert_eq!(parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn exchange_online_is_recognised() {
        for (host, online) in [
            ("outlook.office365.com", true),
            ("eur.outlook.office365.com", true),
            ("outlook.office365.com.example.test", false),
            ("myoutlook.com", false),
            ("mail.example.test", false),
        ] {
            assert_eq!(is_exchange_online(host), online, "{host}");
        }
    }
}
