//! GetServerTimeZones.

use jiff::{Timestamp, civil::date};

use super::{
    access::Session,
    element::{Element, Space},
    fault::{Fault, ItemFault},
    reply::{Reply, batch, run},
    value::parse_boolean,
    vocabulary::{WEEKDAYS, word_of},
    writer::Writer,
};
use crate::sandbox::store::Zone;

#[derive(Debug, Clone)]
pub(super) struct Request {
    ids: Option<Vec<String>>,
    is_full: bool,
}

impl Request {
    pub(super) fn read(element: &Element) -> Result<Self, Fault> {
        element.only_attributes(&["ReturnFullTimeZoneData"])?;
        let is_full = match element.attribute("ReturnFullTimeZoneData") {
            None => true,
            Some(text) => parse_boolean(text)
                .ok_or_else(|| Fault::schema(element, "The 'ReturnFullTimeZoneData' attribute is invalid."))?,
        };
        let mut sequence = element.sequence();
        let ids = sequence.optional(Space::Messages, "Ids").map(|list| {
            let mut inner = list.sequence();
            let mut ids = vec![inner.required(Space::Types, "Id")?.value()?.trim().to_owned()];
            while let Some(id) = inner.optional(Space::Types, "Id") {
                ids.push(id.value()?.trim().to_owned());
            }
            inner.finish()?;
            Ok::<_, Fault>(ids)
        });
        sequence.finish()?;
        Ok(Self { ids: ids.transpose()?, is_full })
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let outcomes = run(&[()], |()| {
            let zones = match &self.ids {
                None => Zone::all(),
                Some(ids) => ids.iter().filter_map(|id| Zone::windows(id).ok()).collect(),
            };
            let mut writer = Writer::new();
            writer.open("m:TimeZoneDefinitions", &[]);
            for zone in &zones {
                write(&mut writer, zone, self.is_full, session.store.now())?;
            }
            writer.close("m:TimeZoneDefinitions");
            Ok(writer.finish())
        });
        batch("GetServerTimeZones", "<m:TimeZoneDefinitions/>", &outcomes)
    }
}

/// A change of the clocks: when, as wall time before it, and the offset after it.
struct Shift {
    wall: jiff::civil::DateTime,
    offset_seconds: i32,
    is_daylight: bool,
}

/// A zone; with its rules as they are in the year of `now`.
fn write(writer: &mut Writer, zone: &Zone, is_full: bool, now: Timestamp) -> Result<(), ItemFault> {
    let attributes = [("Id", zone.id()), ("Name", zone.description())];
    if !is_full {
        writer.empty("t:TimeZoneDefinition", &attributes);
        return Ok(());
    }
    let year = zone.wall(now).year();
    let begin = zone.instant(date(year, 1, 1).at(0, 0, 0, 0))?;
    let end = zone.instant(date(year, 12, 31).at(0, 0, 0, 0))?;
    let shifts: Vec<Shift> = zone
        .rules()
        .following(begin)
        .take_while(|transition| transition.timestamp() < end)
        .map(|transition| {
            let before = transition.timestamp().as_second() - 1;
            let before = Timestamp::from_second(before).unwrap_or(transition.timestamp());
            Shift {
                wall: zone.rules().to_offset(before).to_datetime(transition.timestamp()),
                offset_seconds: transition.offset().seconds(),
                is_daylight: transition.dst().is_dst(),
            }
        })
        .collect();
    writer.open("t:TimeZoneDefinition", &attributes);
    let standard = shifts.iter().find(|shift| !shift.is_daylight).map(|shift| shift.offset_seconds);
    let standard = standard.unwrap_or_else(|| zone.rules().to_offset(begin).seconds());
    let daylight = shifts.iter().find(|shift| shift.is_daylight);
    writer.open("t:Periods", &[]);
    period(writer, "Standard", standard);
    if let Some(shift) = daylight {
        period(writer, "Daylight", shift.offset_seconds);
    }
    writer.close("t:Periods");
    writer.open("t:TransitionsGroups", &[]);
    writer.open("t:TransitionsGroup", &[("Id", "0")]);
    if daylight.is_none() || shifts.len() < 2 {
        transition_to(writer, "Period", "trule:Standard");
    } else {
        shifts.iter().for_each(|shift| recurring(writer, shift));
    }
    writer.close("t:TransitionsGroup");
    writer.close("t:TransitionsGroups");
    writer.open("t:Transitions", &[]);
    transition_to(writer, "Group", "0");
    writer.close("t:Transitions");
    writer.close("t:TimeZoneDefinition");
    Ok(())
}

fn period(writer: &mut Writer, name: &str, offset_seconds: i32) {
    // The bias is what is added to the wall time to have UTC.
    let sign = if offset_seconds > 0 { "-" } else { "" };
    let minutes = offset_seconds.abs() / 60;
    let bias = format!("{sign}PT{}H{}M", minutes / 60, minutes % 60);
    writer.empty("t:Period", &[("Bias", &bias), ("Name", name), ("Id", &format!("trule:{name}"))]);
}

fn transition_to(writer: &mut Writer, kind: &str, id: &str) {
    writer.open("t:Transition", &[]);
    writer.text_with("t:To", &[("Kind", kind)], id);
    writer.close("t:Transition");
}

fn recurring(writer: &mut Writer, shift: &Shift) {
    let date = shift.wall.date();
    let week = (date.day() - 1) / 7 + 1;
    let is_last = date.day() + 7 > date.days_in_month();
    let occurrence = if is_last { "-1".to_owned() } else { week.to_string() };
    writer.open("t:RecurringDayTransition", &[]);
    let id = if shift.is_daylight { "trule:Daylight" } else { "trule:Standard" };
    writer.text_with("t:To", &[("Kind", "Period")], id);
    writer.text("t:TimeOffset", &format!("PT{}H{}M", shift.wall.hour(), shift.wall.minute()));
    writer.text("t:Month", &date.month().to_string());
    writer.text("t:DayOfWeek", word_of(WEEKDAYS, &date.weekday()));
    writer.text("t:Occurrence", &occurrence);
    writer.close("t:RecurringDayTransition");
}
