//! FindItem: pages of masters and singles, or an expanded view of a calendar.

use super::{
    Targets,
    access::{Access, FolderKind, Session},
    calendar_item,
    element::{Element, Sequence, Space},
    fault::{Fault, ItemFault},
    path,
    reply::{Reply, batch, run},
    restriction::{self, Restriction, Value, value_of},
    shape::Shape,
    target::{FolderRef, read_folders},
    time::Time,
    value::{number_attribute, word_attribute},
    version::Version,
    writer::Writer,
};
use crate::sandbox::store::{Entry, Filter};

/// How many items one answer holds (EWSFindCountLimit).
const COUNT_MAX: usize = 1000;
/// How many with a restriction, since 2013.
const COUNT_MAX_RESTRICTED: usize = 250;
/// The longest calendar view.
const VIEW_DAYS_MAX: i64 = 2 * 366;

#[derive(Debug, Clone)]
pub(super) struct Request {
    shape: Shape,
    view: View,
    restriction: Option<Restriction>,
    sort: Option<(path::Path, bool)>,
    folders: Vec<FolderRef>,
    is_shallow: bool,
}

#[derive(Debug, Clone)]
enum View {
    Everything,
    Page { count_max: Option<usize>, offset: usize, from_end: bool },
    Calendar { count_max: Option<usize>, from: Time, to: Time },
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&["Traversal"])?;
        element.required("Traversal")?;
        let traversals = [("Shallow", true), ("SoftDeleted", false), ("Associated", false)];
        let is_shallow = word_attribute(element, "Traversal", &traversals)?.unwrap_or_default();
        let mut sequence = element.sequence();
        let shape = Shape::read(sequence.required(Space::Messages, "ItemShape")?, version)?;
        let view = read_view(&mut sequence)?;
        let restriction = sequence.optional(Space::Messages, "Restriction");
        let restriction = restriction.map(|element| restriction::read(element, version)).transpose()?;
        let sort = sequence.optional(Space::Messages, "SortOrder");
        let sort = sort.map(|element| read_sort(element, version)).transpose()?;
        let folders = read_folders(sequence.required(Space::Messages, "ParentFolderIds")?)?;
        if version >= Version::Exchange2010 {
            sequence.optional(Space::Messages, "QueryString");
        }
        sequence.finish()?;
        Ok(Self { shape, view, restriction, sort, folders, is_shallow })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_folders(&self.folders)
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        batch("FindItem", "", &run(&self.folders, |folder| self.find(session, folder)))
    }

    fn find(&self, session: &Session<'_>, folder: &FolderRef) -> Result<String, ItemFault> {
        if let Some(restriction) = &self.restriction {
            restriction.check()?;
        }
        let found = session.folder(folder, Access::Read)?;
        let folder_id = match &found.kind {
            FolderKind::Calendar(info) if self.is_shallow => Some(info.id.as_str()),
            FolderKind::Calendar(_) => None,
            FolderKind::Root | FolderKind::Top => {
                if matches!(self.view, View::Calendar { .. }) {
                    let message = "A calendar view needs a calendar folder.";
                    return Err(ItemFault::new("ErrorCalendarFolderIsInvalidForCalendarView", message));
                }
                None
            }
        };
        let Some(folder_id) = folder_id else { return self.page(session, Vec::new()) };
        if let View::Calendar { from, to, .. } = &self.view {
            return self.page(session, self.expand(session, &found.mailbox, folder_id, *from, *to)?);
        }
        let mut entries = session.store.find(&found.mailbox, Some(folder_id), &Filter::All)?;
        if let Some(restriction) = &self.restriction {
            let zone = session.zone();
            entries.retain(|entry| restriction.holds(entry, &zone));
        }
        if let Some((path, descending)) = &self.sort {
            entries.sort_by_cached_key(|entry| match value_of(path, entry) {
                Some(Value::Text(text)) => (text.to_lowercase(), None),
                Some(Value::Instant(instant)) => (String::new(), Some(instant)),
                None => (String::new(), None),
            });
            if *descending {
                entries.reverse();
            }
        }
        self.page(session, entries)
    }

    fn expand(
        &self,
        session: &Session<'_>,
        mailbox: &str,
        folder: &str,
        from: Time,
        to: Time,
    ) -> Result<Vec<Entry>, ItemFault> {
        let zone = session.zone();
        let out_of_range = || ItemFault::new("ErrorCalendarOutOfRange", "A date is out of range.");
        let from = from.instant(&zone).ok_or_else(out_of_range)?;
        let to = to.instant(&zone).ok_or_else(out_of_range)?;
        if self.restriction.is_some() || self.sort.is_some() {
            let message = "A calendar view takes neither a restriction nor a sort order.";
            return Err(ItemFault::new("ErrorInvalidRequest", message));
        }
        if to < from {
            let message = "EndDate is earlier than StartDate.";
            return Err(ItemFault::new("ErrorCalendarEndDateIsEarlierThanStartDate", message));
        }
        if to.duration_since(from).as_hours() > VIEW_DAYS_MAX * 24 {
            let message = "The specified view range exceeds the maximum range of two years.";
            return Err(ItemFault::new("ErrorCalendarViewRangeTooBig", message));
        }
        Ok(session.store.view(mailbox, Some(folder), from, to)?)
    }

    /// The part of the entries that one answer holds.
    fn page(&self, session: &Session<'_>, entries: Vec<Entry>) -> Result<String, ItemFault> {
        let limit = if self.restriction.is_some() { COUNT_MAX_RESTRICTED } else { COUNT_MAX };
        let total = entries.len();
        let (count_max, offset, from_end) = match &self.view {
            View::Everything => (None, 0, false),
            View::Page { count_max, offset, from_end } => (*count_max, *offset, *from_end),
            View::Calendar { count_max, .. } => (*count_max, 0, false),
        };
        let count = count_max.unwrap_or(limit).min(limit);
        let (begin, end) = if from_end {
            let end = total.saturating_sub(offset);
            (end.saturating_sub(count), end)
        } else {
            let begin = offset.min(total);
            (begin, begin.saturating_add(count).min(total))
        };
        let is_last = if from_end { begin == 0 } else { end == total };
        let next = if from_end { total - begin } else { end };
        let mut writer = Writer::new();
        let (total, next) = (total.to_string(), next.to_string());
        let last = if is_last { "true" } else { "false" };
        let mut attributes = vec![("TotalItemsInView", total.as_str()), ("IncludesLastItemInRange", last)];
        if matches!(self.view, View::Page { .. }) {
            attributes.insert(0, ("IndexedPagingOffset", &next));
        }
        writer.open("m:RootFolder", &attributes);
        writer.open("t:Items", &[]);
        let columns = self.shape.columns(session.version, true);
        for entry in entries.get(begin..end).unwrap_or_default() {
            calendar_item::write(&mut writer, session, entry, &columns)?;
        }
        writer.close("t:Items");
        writer.close("m:RootFolder");
        Ok(writer.finish())
    }
}

fn read_view(sequence: &mut Sequence<'_>) -> Result<View, Fault> {
    let count_of = |element: &Element| {
        let count = number_attribute(element, "MaxEntriesReturned")?;
        let fault = || Fault::schema(element, "The 'MaxEntriesReturned' attribute is invalid.");
        count.map(|count| usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(fault)).transpose()
    };
    if let Some(element) = sequence.optional(Space::Messages, "IndexedPageItemView") {
        element.only_attributes(&["MaxEntriesReturned", "Offset", "BasePoint"])?;
        element.required("Offset")?;
        element.required("BasePoint")?;
        let offset = number_attribute(element, "Offset")?.and_then(|offset| usize::try_from(offset).ok());
        let offset = offset.ok_or_else(|| Fault::schema(element, "The 'Offset' attribute is invalid."))?;
        let from_end =
            word_attribute(element, "BasePoint", &[("Beginning", false), ("End", true)])?.unwrap_or_default();
        return Ok(View::Page { count_max: count_of(element)?, offset, from_end });
    }
    if let Some(element) = sequence.optional(Space::Messages, "CalendarView") {
        element.only_attributes(&["MaxEntriesReturned", "StartDate", "EndDate"])?;
        let date = |name: &str| {
            let text = element.required(name)?;
            Time::parse(text).ok_or_else(|| Fault::schema(element, format!("The '{name}' attribute is invalid.")))
        };
        return Ok(View::Calendar { count_max: count_of(element)?, from: date("StartDate")?, to: date("EndDate")? });
    }
    Ok(View::Everything)
}

fn read_sort(element: &Element, version: Version) -> Result<(path::Path, bool), Fault> {
    let mut sequence = element.sequence();
    let order = sequence.required(Space::Types, "FieldOrder")?;
    order.required("Order")?;
    let descending = word_attribute(order, "Order", &[("Ascending", false), ("Descending", true)])?.unwrap_or_default();
    let mut inner = order.sequence();
    let first = inner.next().ok_or_else(|| Fault::schema(order, "The element 'FieldOrder' has incomplete content."))?;
    Ok((path::read(first, version)?, descending))
}
