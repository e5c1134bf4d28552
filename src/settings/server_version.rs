//! The schema versions of EWS, each named once, and what each of them can carry.
//!
//! Versions: <https://learn.microsoft.com/exchange/client-developer/web-service-reference/requestserverversion> and the
//! `ExchangeVersionType` of the schema. What differs between them follows from their schemas.

/// Builds the enum, its list and its words of one list of names.
macro_rules! versions {
    ($($name:ident),+ $(,)?) => {
        /// The schema versions that EWS can be asked for, oldest first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(non_camel_case_types, missing_docs, reason = "the protocol's own names")]
        pub enum ServerVersion {
            $($name),+
        }

        impl ServerVersion {
            /// Every version, oldest first.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Every version with its name: the drop-down of `exchange_server_version`.
            pub(super) const WORDS: super::words::Words<Self> = &[$((stringify!($name), Self::$name)),+];

            /// The value of `RequestServerVersion/@Version`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),+
                }
            }
        }
    };
}

versions!(
    Exchange2007_SP1,
    Exchange2010,
    Exchange2010_SP1,
    Exchange2010_SP2,
    Exchange2013,
    Exchange2013_SP1,
    Exchange2015,
    Exchange2016,
    V2015_10_05,
    V2016_01_06,
    V2016_04_13,
    V2016_07_13,
    V2016_10_10,
);

/// What some versions carry and others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `StartTimeZone` and `EndTimeZone` of an item, and wall times that are read in them.
    TimeZones,
    /// The header `TimeZoneContext`.
    TimeZoneContext,
    /// `FirstDayOfWeek` of a weekly series.
    FirstDayOfWeek,
    /// The value `WorkingElsewhere` of `LegacyFreeBusyStatus`.
    WorkingElsewhere,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 4] = [Self::TimeZones, Self::TimeZoneContext, Self::FirstDayOfWeek, Self::WorkingElsewhere];

    /// The first version that carries it; all later ones do.
    #[must_use]
    pub const fn since(self) -> ServerVersion {
        match self {
            Self::TimeZones | Self::TimeZoneContext | Self::FirstDayOfWeek => ServerVersion::Exchange2010,
            Self::WorkingElsewhere => ServerVersion::Exchange2013,
        }
    }

    /// Its name in the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimeZones => "StartTimeZone and EndTimeZone",
            Self::TimeZoneContext => "TimeZoneContext",
            Self::FirstDayOfWeek => "FirstDayOfWeek",
            Self::WorkingElsewhere => "WorkingElsewhere",
        }
    }

    /// What is written in its place.
    #[must_use]
    pub const fn otherwise(self) -> &'static str {
        match self {
            Self::TimeZones => "the zone goes into MeetingTimeZone, and times are written as instants",
            Self::TimeZoneContext => "it is left out, and whole days are written as the instants of their midnights",
            Self::FirstDayOfWeek => {
                "it is left out, and a series of every second week or more may count its weeks from another day"
            }
            Self::WorkingElsewhere => "working_elsewhere is shown as busy",
        }
    }
}

impl ServerVersion {
    /// Whether requests of this version can say it. The one place that knows.
    #[must_use]
    pub fn carries(self, feature: Feature) -> bool {
        self >= feature.since()
    }
}

#[cfg(test)]
mod tests {
    use super::{Feature, ServerVersion};

    #[test]
    fn versions_are_listed_once_and_in_order() {
        assert!(ServerVersion::ALL.is_sorted_by(|one, other| one < other));
        let names: Vec<&str> = ServerVersion::ALL.iter().map(|version| version.as_str()).collect();
        let words: Vec<&str> = ServerVersion::WORDS.iter().map(|(word, _)| *word).collect();
        assert_eq!(names, words);
        assert_eq!((names.first(), names.last()), (Some(&"Exchange2007_SP1"), Some(&"V2016_10_10")));
    }

    #[test]
    fn each_version_carries_what_its_schema_has() {
        let carried = |version: ServerVersion| {
            Feature::ALL.iter().filter(|feature| version.carries(**feature)).map(|feature| feature.as_str()).collect()
        };
        let since_2010 = ["StartTimeZone and EndTimeZone", "TimeZoneContext", "FirstDayOfWeek"];
        for version in ServerVersion::ALL {
            let carried: Vec<&str> = carried(*version);
            let expected: &[&str] = match *version {
                ServerVersion::Exchange2007_SP1 => &[],
                ServerVersion::Exchange2010 | ServerVersion::Exchange2010_SP1 | ServerVersion::Exchange2010_SP2 => {
                    &since_2010
                }
                ServerVersion::Exchange2013
                | ServerVersion::Exchange2013_SP1
                | ServerVersion::Exchange2015
                | ServerVersion::Exchange2016
                | ServerVersion::V2015_10_05
                | ServerVersion::V2016_01_06
                | ServerVersion::V2016_04_13
                | ServerVersion::V2016_07_13
                | ServerVersion::V2016_10_10 => &[since_2010[0], since_2010[1], since_2010[2], "WorkingElsewhere"],
            };
            assert_eq!(carried, expected, "{}", version.as_str());
        }
    }
}
