//! The schema versions that a request may name.

/// A version of the schema; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::enum_variant_names, reason = "the names are the protocol's own")]
pub(super) enum Version {
    Exchange2007,
    Exchange2007Sp1,
    Exchange2010,
    Exchange2010Sp1,
    Exchange2010Sp2,
    Exchange2013,
    Exchange2013Sp1,
    Exchange2016,
}

impl Version {
    /// The version of a header; newer servers list some under other names.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "Exchange2007" => Some(Self::Exchange2007),
            "Exchange2007_SP1" => Some(Self::Exchange2007Sp1),
            "Exchange2010" => Some(Self::Exchange2010),
            "Exchange2010_SP1" => Some(Self::Exchange2010Sp1),
            "Exchange2010_SP2" => Some(Self::Exchange2010Sp2),
            "Exchange2013" => Some(Self::Exchange2013),
            "Exchange2013_SP1" => Some(Self::Exchange2013Sp1),
            "Exchange2015" | "Exchange2016" | "V2015_10_05" | "V2016_01_06" | "V2016_04_13" | "V2016_07_13"
            | "V2016_10_10" => Some(Self::Exchange2016),
            _ => None,
        }
    }
}
