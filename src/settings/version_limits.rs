//! What the chosen schema version cannot carry: said by `check`, where the version or the value stands.

use super::{
    Feature, Protocol, ServerVersion, Settings,
    reader::{Reader, Section},
};
use crate::model::{event::ShowAs, side::Side};

/// Warns of everything that is written otherwise, or not at all, under the version of the settings.
pub(super) fn warn(reader: &mut Reader<'_>, root: &Section<'_>, settings: &Settings) {
    let ews = settings.exchange.sides.get(&Side::Ews);
    let Some(Protocol::Ews { version, .. }) = ews.map(|side| &side.protocol) else { return };
    for feature in Feature::ALL.into_iter().filter(|feature| !version.carries(*feature)) {
        match feature {
            Feature::TimeZones | Feature::TimeZoneContext | Feature::FirstDayOfWeek => {
                let exchange = reader.section(root, "exchange");
                let place = reader.place_of(&exchange, "exchange_server_version");
                reader.warn(&place, message(*version, feature), &hint(feature));
            }
            // Only what the settings ask for: the source may never say it.
            Feature::WorkingElsewhere => {
                let jobs = reader.section(root, "jobs");
                let concerned = settings.jobs.iter().filter(|(_, job)| job.show_as == ShowAs::WorkingElsewhere);
                for (name, _) in concerned {
                    let job = reader.section(&jobs, name);
                    let place = reader.place_of(&job, "show_as");
                    let hint = format!("{}, or show_as to another word", hint(feature));
                    reader.warn(&place, message(*version, feature), &hint);
                }
            }
        }
    }
}

fn message(version: ServerVersion, feature: Feature) -> String {
    format!("{} has no {}: {}", version.as_str(), feature.as_str(), feature.otherwise())
}

fn hint(feature: Feature) -> String {
    format!("where the server knows it, set exchange_server_version to {} or later", feature.since().as_str())
}
