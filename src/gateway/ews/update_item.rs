//! `UpdateItem`: changes of items of ours, and of single occurrences of them.
//!
//! The server applies the changes of an item in their order. The order here:
//!
//! 1. The recurrence is removed where the series is to be written anew: the server then forgets every exception of
//!    before, and the item is a single one while its times change.
//! 2. The zones, before the times: a zone that is set alone moves the times that are there.
//! 3. `IsAllDayEvent` off, before the times, or they would be moved to midnight.
//! 4. `End`, then `Start`, as instants; those of whole days as wall times, in the zones of step 2. What the item said
//!    before is not known here. When the new end lies after the old start this order never lets the item end before it starts; otherwise the server refuses the item as a whole
//!    (`ErrorCalendarEndDateIsEarlierThanStartDate`), and `Start` first is then the order that always holds, because
//!    the new start lies before the old end. So one of the two orders is right, and the server tells which, without a
//!    reading beforehand: see [`Way`].
//! 5. `IsAllDayEvent` on, after the times; then the recurrence, whose start is the new start's day.
//! 6. The content, then our named properties.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem-operation-calendar-item>

use super::{
    calendar_item::{Clockwork, Named, Property, Shown},
    create_item::written,
    delete_item::Target,
    document::Element,
    occurrences::Changed,
    operation::{Effect, Operation, ReadError},
    xml::Xml,
};
use crate::{
    model::{
        event::DesiredEvent,
        fault::Fault,
        fingerprint::{Field, Fingerprint},
        link::{ItemRef, Owner},
        zone::Zone,
    },
    settings::{Feature, ServerVersion},
};

/// How an update of an item is put, where only the server can tell which is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// `Start` before `End`.
    pub(super) start_first: bool,
    /// Without the removal of properties that the item may not have.
    pub(super) removes_nothing: bool,
}

impl Way {
    /// The way that is tried first.
    pub(super) const FIRST: Self = Self { start_first: false, removes_nothing: false };

    /// The other way, when the server refused this one for its order.
    pub(super) fn other(self, fault: &Fault) -> Option<Self> {
        match fault.code.as_str() {
            _ if !self.start_first && ends_too_early(fault) => Some(Self { start_first: true, ..self }),
            "ErrorInvalidPropertyDelete" if !self.removes_nothing => Some(Self { removes_nothing: true, ..self }),
            _ => None,
        }
    }
}

/// Whether the server refused an item because it would end before it starts, on the way.
pub(super) fn ends_too_early(fault: &Fault) -> bool {
    fault.code == "ErrorCalendarEndDateIsEarlierThanStartDate"
}

/// What is changed of an item.
#[derive(Debug, Clone)]
pub(super) enum Update<'a> {
    /// Some fields of an event, and what it says of itself.
    Fields {
        /// What it is to show.
        event: &'a DesiredEvent,
        /// The fields.
        fields: &'a [Field],
        /// Whether a series is laid out anew.
        lays_out: bool,
        /// The fingerprint that it is to carry.
        fingerprint: Fingerprint,
        /// The generation that it is to carry.
        generation: i64,
        /// Whose item it is.
        owner: &'a Owner,
        /// How it is put.
        way: Way,
    },
    /// An occurrence.
    Occurrence(Changed<'a>),
    /// Nothing but the fingerprint.
    Fingerprint(Fingerprint),
    /// Nothing but whose item it is.
    Owner(&'a Owner),
}

/// Changes items.
#[derive(Debug)]
pub(super) struct UpdateItem<'a> {
    /// Which, and what of them.
    pub(super) changes: Vec<(Target<'a>, Update<'a>)>,
}

impl Operation for UpdateItem<'_> {
    type Answer = Vec<Result<ItemRef, Fault>>;
    const NAME: &'static str = "UpdateItem";
    const EFFECT: Effect = Effect::Write;

    fn items(&self) -> usize {
        self.changes.len()
    }

    fn zone(&self) -> Option<&Zone> {
        self.changes.iter().find_map(|(_, update)| match update {
            Update::Fields { event, .. } => Some(event.time.zone()),
            Update::Occurrence(changed) => Some(changed.shown().time.zone()),
            Update::Fingerprint(_) | Update::Owner(_) => None,
        })
    }

    fn write(&self, xml: &mut Xml, version: ServerVersion) {
        let attributes = [
            ("ConflictResolution", "AlwaysOverwrite"),
            ("MessageDisposition", "SaveOnly"),
            ("SendMeetingInvitationsOrCancellations", "SendToNone"),
        ];
        xml.element("m:UpdateItem", &attributes, |xml| {
            xml.element("m:ItemChanges", &[], |xml| {
                for (target, update) in &self.changes {
                    xml.element("t:ItemChange", &[], |xml| {
                        target.write(xml);
                        xml.element("t:Updates", &[], |xml| updates(xml, update, version));
                    });
                }
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError> {
        Ok(messages.into_iter().map(|message| written(&message?)).collect())
    }
}

fn updates(xml: &mut Xml, update: &Update<'_>, version: ServerVersion) {
    match update {
        Update::Fields { event, fields, lays_out, fingerprint, generation, owner, way } => {
            let shown = Shown::of(event, Clockwork::Instant);
            let of_single = |field: &Field| event.series.is_none() && matches!(field, Field::Time | Field::Recurrence);
            if (*lays_out && event.series.is_some()) || fields.iter().any(of_single) {
                time_and_recurrence(xml, &shown, fields, *way, version);
            }
            for property in content(fields, &shown) {
                set(xml, &shown, property, version);
            }
            set_named(xml, Named::Fingerprint, fingerprint.as_str());
            set_named(xml, Named::Owner, &owner.0);
            set_named(xml, Named::Generation, &generation.to_string());
        }
        Update::Occurrence(changed) => {
            let shown = changed.shown();
            changed.properties().into_iter().for_each(|property| set(xml, &shown, property, version));
        }
        Update::Fingerprint(fingerprint) => set_named(xml, Named::Fingerprint, fingerprint.as_str()),
        Update::Owner(owner) => set_named(xml, Named::Owner, &owner.0),
    }
}

/// Steps 1 to 5 of the order above.
fn time_and_recurrence(xml: &mut Xml, shown: &Shown<'_>, fields: &[Field], way: Way, version: ServerVersion) {
    let may_repeat = shown.recurrence.is_some() || fields.contains(&Field::Recurrence);
    if may_repeat && !way.removes_nothing {
        remove(xml, Property::Recurrence);
    }
    // A series that is laid out anew begins at the times and in the zones that the same request gives.
    if fields.contains(&Field::Time) || shown.recurrence.is_some() {
        let zones: &[Property] = match (version.carries(Feature::TimeZones), way.start_first) {
            (false, _) => &[Property::MeetingTimeZone],
            (true, true) => &[Property::StartTimeZone, Property::EndTimeZone],
            (true, false) => &[Property::EndTimeZone, Property::StartTimeZone],
        };
        zones.iter().for_each(|zone| set(xml, shown, *zone, version));
        let times: [Property; 3] = match (shown.time.is_all_day(), way.start_first) {
            (false, false) => [Property::IsAllDay, Property::End, Property::Start],
            (false, true) => [Property::IsAllDay, Property::Start, Property::End],
            (true, false) => [Property::End, Property::Start, Property::IsAllDay],
            (true, true) => [Property::Start, Property::End, Property::IsAllDay],
        };
        times.iter().for_each(|property| set(xml, shown, *property, version));
    }
    if shown.recurrence.is_some() {
        set(xml, shown, Property::Recurrence, version);
    }
}

/// The properties of the fields of content.
fn content(fields: &[Field], shown: &Shown<'_>) -> Vec<Property> {
    let of_field = |field: &Field| -> &'static [Property] {
        match field {
            Field::Subject => &[Property::Subject],
            Field::Body => &[Property::Body],
            Field::Location => &[Property::Location],
            Field::ShowAs => &[Property::FreeBusy],
            Field::Sensitivity => &[Property::Sensitivity],
            Field::Importance => &[Property::Importance],
            Field::Categories => &[Property::Categories],
            Field::Reminder if shown.content.reminder_minutes.is_none() => &[Property::ReminderIsSet],
            Field::Reminder => &[Property::ReminderIsSet, Property::ReminderMinutes],
            Field::Time | Field::Recurrence | Field::Occurrences => &[],
        }
    };
    fields.iter().flat_map(of_field).copied().collect()
}

/// Sets a property. A list that is to be empty is removed: the server takes no empty one.
fn set(xml: &mut Xml, shown: &Shown<'_>, property: Property, version: ServerVersion) {
    if property == Property::Categories && shown.content.categories.is_empty() {
        return remove(xml, property);
    }
    xml.element("t:SetItemField", &[], |xml| {
        xml.empty("t:FieldURI", &[("FieldURI", property.field_uri())]);
        xml.element("t:CalendarItem", &[], |xml| shown.write(xml, property, version));
    });
}

fn remove(xml: &mut Xml, property: Property) {
    xml.element("t:DeleteItemField", &[], |xml| xml.empty("t:FieldURI", &[("FieldURI", property.field_uri())]));
}

fn set_named(xml: &mut Xml, named: Named, value: &str) {
    xml.element("t:SetItemField", &[], |xml| {
        named.field_uri(xml);
        xml.element("t:CalendarItem", &[], |xml| named.write(xml, value));
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Target, Update, UpdateItem, Way};
    use crate::{
        gateway::ews::{
            occurrences::{Act, occurrences},
            sample::{self, Latest, Oldest, check_answer, check_request},
        },
        model::{event::DesiredEvent, fingerprint::Field, link::ItemRef, time::EventTime, zone::Zone},
    };

    fn target(number: u8) -> Target<'static> {
        Target::Item(ItemRef { id: format!("AAMk{number}="), change_key: format!("DwA{number}") })
    }

    fn fields<'a>(event: &'a DesiredEvent, fields: &'a [Field], owner: &'a crate::model::link::Owner) -> Update<'a> {
        let lays_out = event.series.is_some();
        let (fingerprint, generation) = (event.fingerprint(), 1_790_000_000_000);
        Update::Fields { event, fields, lays_out, fingerprint, generation, owner, way: Way::FIRST }
    }

    #[test]
    fn only_the_named_fields_are_written() {
        let owner = sample::owner();
        let (meeting, mut bare) = (sample::meeting(), sample::meeting());
        bare.content.categories.clear();
        bare.content.location.clear();
        bare.content.reminder_minutes = None;
        let changes = vec![
            (target(1), fields(&meeting, &[Field::Subject, Field::ShowAs], &owner)),
            (target(2), fields(&bare, &[Field::Location, Field::Categories, Field::Reminder], &owner)),
            (target(3), fields(&meeting, &[], &owner)),
        ];
        let operation = UpdateItem { changes };
        for (setting, version) in sample::VERSIONS {
            check_request(&format!("update_item_content{version}"), &setting, &operation);
        }
    }

    #[test]
    fn times_are_written_in_an_order_that_holds() {
        let owner = sample::owner();
        let (meeting, all_day, series) = (sample::meeting(), sample::all_day(), sample::series_with_exceptions());
        let start_first = Update::Fields {
            event: &meeting,
            fields: &[Field::Time],
            lays_out: false,
            fingerprint: meeting.fingerprint(),
            generation: 1_790_000_000_001,
            owner: &owner,
            way: Way { start_first: true, removes_nothing: true },
        };
        let changes = vec![
            (target(1), fields(&meeting, &[Field::Time], &owner)),
            (target(2), start_first),
            (target(3), fields(&all_day, &[Field::Time], &owner)),
            (target(4), fields(&series, &[Field::Occurrences], &owner)),
        ];
        let operation = UpdateItem { changes };
        for (setting, version) in sample::VERSIONS {
            check_request(&format!("update_item_time{version}"), &setting, &operation);
        }
    }

    /// Midnight of 24 April 2026 does not exist in Cairo.
    #[test]
    fn days_are_written_as_days() {
        let (owner, mut event) = (sample::owner(), sample::all_day());
        let day = "2026-04-23".parse().unwrap();
        event.time = EventTime::AllDay { first: day, last: day, zone: Zone::parse("Africa/Cairo").unwrap() };
        let written = |setting: sample::Setting| {
            let operation = UpdateItem { changes: vec![(target(1), fields(&event, &[Field::Time], &owner))] };
            String::from_utf8(sample::request(&setting, &operation)).unwrap()
        };
        let days = ["<t:Start>2026-04-23T00:00:00</t:Start>", "<t:End>2026-04-24T00:00:00</t:End>"];
        let zones =
            ["<t:EndTimeZone Id=\"Egypt Standard Time\"/>", "<t:TimeZoneDefinition Id=\"Egypt Standard Time\"/>"];
        let latest = written(Latest);
        assert!(days.iter().chain(&zones).all(|text| latest.contains(text)), "{latest}");
        let oldest = written(Oldest);
        assert!(oldest.contains("<t:End>2026-04-23T22:00:00Z</t:End>"), "{oldest}");
    }

    #[test]
    fn a_series_is_written_with_its_zones_and_times() {
        let (owner, series, mut single) = (sample::owner(), sample::series_with_exceptions(), sample::meeting());
        single.time = series.time.clone();
        let names = ["calendar:StartTimeZone", "calendar:EndTimeZone", "calendar:Start", "calendar:End"];
        let names = names.map(|name| format!("FieldURI=\"{name}\""));
        for field in [[Field::Recurrence], [Field::Occurrences]] {
            for (event, expected) in [(&series, true), (&single, false)] {
                let operation = UpdateItem { changes: vec![(target(1), fields(event, &field, &owner))] };
                let written = sample::request(&Latest, &operation);
                let written = String::from_utf8(written).unwrap();
                assert!(names.iter().all(|name| written.contains(name) == expected), "{field:?} {written}");
                assert_eq!(written.contains("SetItemField><t:FieldURI FieldURI=\"calendar:Recurrence\""), expected);
            }
        }
    }

    #[test]
    fn occurrences_are_named_by_their_index() {
        let series = sample::series_with_exceptions();
        let (found, _) = occurrences(&series, None);
        let mut changes: Vec<(Target<'_>, Update<'_>)> = found
            .into_iter()
            .filter_map(|found| match found.act {
                Act::Cancel => None,
                Act::Change(changed) => {
                    let target = Target::Occurrence { master: "AAMk1=", index: found.index };
                    Some((target, Update::Occurrence(changed)))
                }
            })
            .collect();
        changes.push((target(1), Update::Fingerprint(series.fingerprint())));
        check_request("update_item_occurrences", &Latest, &UpdateItem { changes });
    }

    #[test]
    fn answers_are_read_item_by_item() {
        let series = sample::series_with_exceptions();
        let changes = vec![(target(1), Update::Fingerprint(series.fingerprint())); 2];
        let answer = include_str!("../../../tests/goldens/ews/update_item.answer.xml");
        let answers = check_answer(&UpdateItem { changes }, answer).unwrap();
        assert_eq!(answers[0].as_ref().unwrap().change_key, "DwA2");
        assert_eq!(answers[1].as_ref().unwrap_err().code, "ErrorIrresolvableConflict");
    }
}
