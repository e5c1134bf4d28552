//! The elements of a calendar item in the order of the schema, and the words of its enumerations.

use jiff::civil::Weekday;

use super::version::Version;
use crate::sandbox::store::{BodyKind, Importance, Sensitivity, ShowAs, WeekIndex};

/// An element of a calendar item.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// Its path: `item:…` or `calendar:…`.
    pub(super) prefix: &'static str,
    /// The first version that has it.
    pub(super) since: Version,
}

const fn item(name: &'static str, since: Version) -> Known {
    Known { name, prefix: "item:", since }
}

const fn calendar(name: &'static str, since: Version) -> Known {
    Known { name, prefix: "calendar:", since }
}

const V2007: Version = Version::Exchange2007;
const V2010: Version = Version::Exchange2010;
const V2013: Version = Version::Exchange2013;
const V2016: Version = Version::Exchange2016;

/// Every element, in order (types.xsd, ItemType and CalendarItemType).
pub(super) const ELEMENTS: &[Known] = &[
    item("MimeContent", V2007),
    item("ItemId", V2007),
    item("ParentFolderId", V2007),
    item("ItemClass", V2007),
    item("Subject", V2007),
    item("Sensitivity", V2007),
    item("Body", V2007),
    item("Attachments", V2007),
    item("DateTimeReceived", V2007),
    item("Size", V2007),
    item("Categories", V2007),
    item("Importance", V2007),
    item("InReplyTo", V2007),
    item("IsSubmitted", V2007),
    item("IsDraft", V2007),
    item("IsFromMe", V2007),
    item("IsResend", V2007),
    item("IsUnmodified", V2007),
    item("InternetMessageHeaders", V2007),
    item("DateTimeSent", V2007),
    item("DateTimeCreated", V2007),
    item("ResponseObjects", V2007),
    item("ReminderDueBy", V2007),
    item("ReminderIsSet", V2007),
    item("ReminderNextTime", V2013),
    item("ReminderMinutesBeforeStart", V2007),
    item("DisplayCc", V2007),
    item("DisplayTo", V2007),
    item("HasAttachments", V2007),
    item("ExtendedProperty", V2007),
    item("Culture", V2007),
    item("EffectiveRights", V2007),
    item("LastModifiedName", V2007),
    item("LastModifiedTime", V2007),
    item("IsAssociated", V2010),
    item("WebClientReadFormQueryString", V2010),
    item("WebClientEditFormQueryString", V2010),
    item("ConversationId", V2010),
    item("UniqueBody", V2010),
    item("Flag", V2013),
    item("StoreEntryId", V2013),
    item("InstanceKey", V2013),
    item("NormalizedBody", V2013),
    item("EntityExtractionResult", V2013),
    item("PolicyTag", V2013),
    item("ArchiveTag", V2013),
    item("RetentionDate", V2013),
    item("Preview", V2013),
    item("RightsManagementLicenseData", V2013),
    item("PredictedActionReasons", V2016),
    item("IsClutter", V2016),
    item("NextPredictedAction", V2013),
    item("GroupingAction", V2013),
    item("BlockStatus", V2016),
    item("HasBlockedImages", V2016),
    item("TextBody", V2013),
    item("IconIndex", V2013),
    item("MimeContentUTF8", V2016),
    item("SearchKey", V2016),
    item("SortKey", V2016),
    item("Hashtags", V2016),
    item("Mentions", V2016),
    item("MentionedMe", V2016),
    item("PendingSocialActivityTagIds", V2016),
    calendar("UID", V2007),
    calendar("RecurrenceId", V2007),
    calendar("DateTimeStamp", V2007),
    calendar("Start", V2007),
    calendar("End", V2007),
    calendar("OriginalStart", V2007),
    calendar("IsAllDayEvent", V2007),
    calendar("LegacyFreeBusyStatus", V2007),
    calendar("Location", V2007),
    calendar("When", V2007),
    calendar("IsMeeting", V2007),
    calendar("IsCancelled", V2007),
    calendar("IsRecurring", V2007),
    calendar("MeetingRequestWasSent", V2007),
    calendar("IsResponseRequested", V2007),
    calendar("CalendarItemType", V2007),
    calendar("MyResponseType", V2007),
    calendar("Organizer", V2007),
    calendar("RequiredAttendees", V2007),
    calendar("OptionalAttendees", V2007),
    calendar("Resources", V2007),
    calendar("ConflictingMeetingCount", V2007),
    calendar("AdjacentMeetingCount", V2007),
    calendar("ConflictingMeetings", V2007),
    calendar("AdjacentMeetings", V2007),
    calendar("Duration", V2007),
    calendar("TimeZone", V2007),
    calendar("AppointmentReplyTime", V2007),
    calendar("AppointmentSequenceNumber", V2007),
    calendar("AppointmentState", V2007),
    calendar("Recurrence", V2007),
    calendar("FirstOccurrence", V2007),
    calendar("LastOccurrence", V2007),
    calendar("ModifiedOccurrences", V2007),
    calendar("DeletedOccurrences", V2007),
    calendar("MeetingTimeZone", V2007),
    calendar("StartTimeZone", V2010),
    calendar("EndTimeZone", V2010),
    calendar("ConferenceType", V2007),
    calendar("AllowNewTimeProposal", V2007),
    calendar("IsOnlineMeeting", V2007),
    calendar("MeetingWorkspaceUrl", V2007),
    calendar("NetShowUrl", V2007),
    calendar("EnhancedLocation", V2013),
    calendar("StartWallClock", V2013),
    calendar("EndWallClock", V2013),
    calendar("StartTimeZoneId", V2013),
    calendar("EndTimeZoneId", V2013),
    calendar("IntendedFreeBusyStatus", V2013),
    calendar("JoinOnlineMeetingUrl", V2013),
    calendar("OnlineMeetingSettings", V2013),
    calendar("IsOrganizer", V2013),
    calendar("InboxReminders", V2016),
];

/// The position of an element in the order of the schema.
pub(super) fn position(name: &str) -> Option<usize> {
    ELEMENTS.iter().position(|known| known.name == name)
}

/// The element of a path such as `calendar:Start`.
pub(super) fn of_path(path: &str) -> Option<&'static Known> {
    let (prefix, name) = path.split_once(':')?;
    ELEMENTS.iter().find(|known| known.name == name && known.prefix.trim_end_matches(':') == prefix)
}

pub(super) const SENSITIVITIES: &[(&str, Sensitivity)] = &[
    ("Normal", Sensitivity::Normal),
    ("Personal", Sensitivity::Personal),
    ("Private", Sensitivity::Private),
    ("Confidential", Sensitivity::Confidential),
];

pub(super) const IMPORTANCES: &[(&str, Importance)] =
    &[("Low", Importance::Low), ("Normal", Importance::Normal), ("High", Importance::High)];

pub(super) const FREE_BUSY: &[(&str, ShowAs)] = &[
    ("Free", ShowAs::Free),
    ("Tentative", ShowAs::Tentative),
    ("Busy", ShowAs::Busy),
    ("OOF", ShowAs::OutOfOffice),
    ("WorkingElsewhere", ShowAs::WorkingElsewhere),
    ("NoData", ShowAs::Unknown),
];

pub(super) const BODY_KINDS: &[(&str, BodyKind)] = &[("HTML", BodyKind::Html), ("Text", BodyKind::Text)];

pub(super) const WEEKDAYS: &[(&str, Weekday)] = &[
    ("Sunday", Weekday::Sunday),
    ("Monday", Weekday::Monday),
    ("Tuesday", Weekday::Tuesday),
    ("Wednesday", Weekday::Wednesday),
    ("Thursday", Weekday::Thursday),
    ("Friday", Weekday::Friday),
    ("Saturday", Weekday::Saturday),
];

pub(super) const WEEK_INDEXES: &[(&str, WeekIndex)] = &[
    ("First", WeekIndex::First),
    ("Second", WeekIndex::Second),
    ("Third", WeekIndex::Third),
    ("Fourth", WeekIndex::Fourth),
    ("Last", WeekIndex::Last),
];

pub(super) const MONTHS: &[(&str, u32)] = &[
    ("January", 1),
    ("February", 2),
    ("March", 3),
    ("April", 4),
    ("May", 5),
    ("June", 6),
    ("July", 7),
    ("August", 8),
    ("September", 9),
    ("October", 10),
    ("November", 11),
    ("December", 12),
];

/// The value of a word.
pub(super) fn value_of<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(one, _)| *one == word).map(|(_, value)| *value)
}

/// The word of a value.
pub(super) fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, one)| one == value).map_or("", |(word, _)| *word)
}
