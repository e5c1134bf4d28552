//! Microsoft's clouds, told apart by the host that is asked.

use serde::Deserialize;

use super::token::Audience;

/// A cloud.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Worldwide.
    #[default]
    Global,
    /// US Government L4.
    UsGovHigh,
    /// US Government L5.
    UsGovDod,
    /// China.
    China,
}

/// Hosts that open a face, and their clouds.
const FACES: [(&str, Audience, Cloud); 9] = [
    ("graph.microsoft.com", Audience::Graph, Cloud::Global),
    ("graph.microsoft.us", Audience::Graph, Cloud::UsGovHigh),
    ("dod-graph.microsoft.us", Audience::Graph, Cloud::UsGovDod),
    ("microsoftgraph.chinacloudapi.cn", Audience::Graph, Cloud::China),
    ("outlook.office365.com", Audience::Ews, Cloud::Global),
    ("outlook.office.com", Audience::Ews, Cloud::Global),
    ("outlook.office365.us", Audience::Ews, Cloud::UsGovHigh),
    ("outlook-dod.office365.us", Audience::Ews, Cloud::UsGovDod),
    ("partner.outlook.cn", Audience::Ews, Cloud::China),
];

/// The host of an address or of a `Host` header, without port.
pub(super) fn host(address: &str) -> &str {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

/// What a host opens, and in which cloud; `None` for the sandbox's own address.
pub(super) fn face(host: &str) -> Option<(Audience, Cloud)> {
    FACES.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(host)).map(|(_, audience, cloud)| (*audience, *cloud))
}

/// Whether a host is this machine.
pub(super) fn is_own(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]" | "sandbox")
}

/// Whether a host gives tokens to tenants of `tenant`; its own address stands for the cloud `own`.
pub(super) fn gives_tokens(host: &str, own: Cloud, tenant: Cloud) -> bool {
    match host {
        "login.microsoftonline.com" | "login.windows.net" => tenant == Cloud::Global,
        "login.microsoftonline.us" => matches!(tenant, Cloud::UsGovHigh | Cloud::UsGovDod),
        "login.chinacloudapi.cn" | "login.partner.microsoftonline.cn" => tenant == Cloud::China,
        _ => tenant == own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_clouds() {
        assert_eq!(host("https://graph.microsoft.us:443/v1.0"), "graph.microsoft.us");
        assert_eq!((host("[::1]:80"), host("127.0.0.1:80")), ("[::1]", "127.0.0.1"));
        assert_eq!(face("GRAPH.microsoft.us"), Some((Audience::Graph, Cloud::UsGovHigh)));
        assert!(face("127.0.0.1").is_none() && is_own("127.0.0.1"));
        assert!(gives_tokens("login.microsoftonline.us", Cloud::Global, Cloud::UsGovDod));
        assert!(!gives_tokens("login.microsoftonline.com", Cloud::Global, Cloud::China));
        assert!(gives_tokens("127.0.0.1", Cloud::China, Cloud::China));
    }
}
