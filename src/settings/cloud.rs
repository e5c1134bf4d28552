//! Microsoft's clouds: where tokens come from, and the roots of Graph and EWS. Tokens of one open nothing in another.
//! <https://learn.microsoft.com/en-us/graph/deployments>

use super::words::Words;

/// A cloud of Microsoft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloud {
    /// Worldwide, GCC included.
    Global,
    /// US Government L4 (GCC High).
    UsGovHigh,
    /// US Government L5 (DoD).
    UsGovDod,
    /// China, run by 21Vianet.
    China,
}

/// The words of `cloud`.
pub(super) const CLOUDS: Words<Cloud> = &[
    ("global", Cloud::Global),
    ("us-gov-high", Cloud::UsGovHigh),
    ("us-gov-dod", Cloud::UsGovDod),
    ("china", Cloud::China),
];

impl Cloud {
    /// The word of the settings.
    pub(super) fn word(self) -> &'static str {
        CLOUDS.iter().find(|(_, cloud)| *cloud == self).map_or("", |(word, _)| word)
    }

    /// The hosts that give tokens; the first is the one that is used.
    const fn token_hosts(self) -> &'static [&'static str] {
        match self {
            Self::Global => {
                &["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"]
            }
            Self::UsGovHigh | Self::UsGovDod => &["login.microsoftonline.us"],
            Self::China => &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
        }
    }

    /// The host of Graph.
    const fn graph_host(self) -> &'static str {
        match self {
            Self::Global => "graph.microsoft.com",
            Self::UsGovHigh => "graph.microsoft.us",
            Self::UsGovDod => "dod-graph.microsoft.us",
            Self::China => "microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The hosts of EWS; the first names the resource that tokens are for.
    const fn ews_hosts(self) -> &'static [&'static str] {
        match self {
            Self::Global => &["outlook.office365.com", "outlook.office.com"],
            Self::UsGovHigh => &["outlook.office365.us"],
            Self::UsGovDod => &["outlook-dod.office365.us"],
            Self::China => &["partner.outlook.cn"],
        }
    }

    /// Where tokens come from.
    pub(super) const fn token_host(self) -> &'static str {
        self.token_hosts()[0]
    }

    /// The root of Graph.
    pub(super) fn graph_root(self) -> String {
        format!("https://{}", self.graph_host())
    }

    /// The resource of EWS.
    pub(super) fn ews_resource(self) -> String {
        format!("https://{}", self.ews_hosts()[0])
    }

    /// The clouds that a host belongs to; none for a private one.
    pub(super) fn of_host(host: &str) -> Vec<Self> {
        let is_below = |known: &str| host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
        let all = CLOUDS.iter().map(|(_, cloud)| *cloud);
        all.filter(|cloud| {
            cloud.token_hosts().contains(&host)
                || cloud.graph_host() == host
                || cloud.ews_hosts().iter().any(|known| is_below(known))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Cloud::{self, China, Global, UsGovDod, UsGovHigh};

    #[test]
    fn a_host_tells_its_cloud() {
        let cases: [(&str, &[Cloud]); 12] = [
            ("login.microsoftonline.com", &[Global]),
            ("graph.microsoft.com", &[Global]),
            ("eur.outlook.office365.com", &[Global]),
            ("login.microsoftonline.us", &[UsGovHigh, UsGovDod]),
            ("graph.microsoft.us", &[UsGovHigh]),
            ("dod-graph.microsoft.us", &[UsGovDod]),
            ("outlook-dod.office365.us", &[UsGovDod]),
            ("login.chinacloudapi.cn", &[China]),
            ("login.partner.microsoftonline.cn", &[China]),
            ("partner.outlook.cn", &[China]),
            ("127.0.0.1", &[]),
            ("notoutlook.office365.com", &[]),
        ];
        for (host, expected) in cases {
            assert_eq!(Cloud::of_host(host), expected, "{host}");
        }
        assert_eq!((China.word(), UsGovDod.graph_root().as_str()), ("china", "https://dod-graph.microsoft.us"));
        assert_eq!(
            (China.token_host(), Global.ews_resource().as_str()),
            ("login.chinacloudapi.cn", "https://outlook.office365.com")
        );
    }
}
