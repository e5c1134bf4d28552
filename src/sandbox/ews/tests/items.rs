//! What the operations do.

use super::*;

const PLAIN: &str = "<t:Subject>S &amp; T</t:Subject><t:Sensitivity>Private</t:Sensitivity>\
    <t:Body BodyType=\"Text\">B  \n</t:Body><t:Categories><t:String>Feed</t:String></t:Categories>\
    <t:ReminderIsSet>false</t:ReminderIsSet><t:ExtendedProperty><t:ExtendedFieldURI \
    PropertySetId=\"0AB89DA0-c8e5-4849-914a-1396b47752b5\" PropertyName=\"SourceKey\" PropertyType=\"String\"/>\
    <t:Value>feed/1</t:Value></t:ExtendedProperty><t:UID>u1</t:UID><t:Start>2026-03-02T09:00:00</t:Start>\
    <t:End>2026-03-02T10:00:00</t:End><t:IsAllDayEvent>false</t:IsAllDayEvent>\
    <t:LegacyFreeBusyStatus>OOF</t:LegacyFreeBusyStatus><t:Location>Lyon</t:Location>\
    <t:StartTimeZone Id=\"W. Europe Standard Time\"/><t:EndTimeZone Id=\"W. Europe Standard Time\"/>";

fn daily(rest: &str) -> String {
    item(&format!(
        "<t:Subject>D</t:Subject><t:Start>2026-03-02T09:00:00</t:Start><t:End>2026-03-02T10:00:00</t:End>\
         <t:Recurrence><t:DailyRecurrence><t:Interval>2</t:Interval></t:DailyRecurrence><t:NumberedRecurrence>\
         <t:StartDate>2026-03-02</t:StartDate><t:NumberOfOccurrences>4</t:NumberOfOccurrences></t:NumberedRecurrence>\
         </t:Recurrence>{rest}"
    ))
}

fn find(rest: &str, additional: &str) -> String {
    format!(
        "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{additional}</m:ItemShape>{rest}\
         <m:ParentFolderIds>{CALENDAR}</m:ParentFolderIds></m:FindItem>"
    )
}

fn page(offset: usize, count: usize) -> String {
    format!("<m:IndexedPageItemView MaxEntriesReturned=\"{count}\" Offset=\"{offset}\" BasePoint=\"Beginning\"/>")
}

#[test]
fn a_create_answers_with_the_id_alone() {
    let server = Server::new();
    let reply = server.call(&create(&item(PLAIN)));
    let entry = &server.store.find(ANA, None, &crate::sandbox::store::Filter::All).unwrap()[0];
    let expected = format!(
        "<m:CreateItemResponse><m:ResponseMessages><m:CreateItemResponseMessage ResponseClass=\"Success\">\
         <m:ResponseCode>NoError</m:ResponseCode><m:Items><t:CalendarItem><t:ItemId Id=\"{}\" ChangeKey=\"{}\"/>\
         </t:CalendarItem></m:Items></m:CreateItemResponseMessage></m:ResponseMessages></m:CreateItemResponse>",
        entry.id, entry.change_key
    );
    assert_eq!((reply.status, content(&reply)), (200, expected.as_str()));
    assert!(reply.body.contains("<h:ServerVersionInfo ") && reply.body.contains("Version=\"V2017_07_11\""));
}

#[test]
fn an_item_reads_back_as_exchange_writes_it() {
    let server = Server::new();
    let id = &server.create(&item(PLAIN))[0].0;
    let paths = ["item:Subject", "item:Body", "calendar:EndTimeZone", "calendar:Start", "calendar:Location"]
        .map(|path| format!("<t:FieldURI FieldURI=\"{path}\"/>"))
        .concat();
    let reply = server.call(&get_item(&format!("<t:ItemId Id=\"{id}\"/>"), "IdOnly", &format!("{KEY}{paths}")));
    let body = content(&reply);
    let begin = body.find("<t:Subject>").unwrap();
    assert_eq!(
        &body[begin..body.find("</t:CalendarItem>").unwrap()],
        format!(
            "<t:Subject>S &amp; T</t:Subject><t:Body BodyType=\"Text\">B</t:Body><t:ExtendedProperty>{KEY}\
             <t:Value>feed/1</t:Value></t:ExtendedProperty><t:Start>2026-03-02T08:00:00Z</t:Start>\
             <t:Location>Lyon</t:Location><t:EndTimeZone Name=\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, \
             Vienna\" Id=\"W. Europe Standard Time\"/>"
        )
    );
}

#[test]
fn a_wall_time_counts_in_the_zone_that_the_rules_name() {
    let (paris, utc) = ("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z");
    let start =
        |rest: &str| item(&format!("<t:Start>2026-03-02T09:00:00</t:Start><t:End>2026-03-02T10:00:00</t:End>{rest}"));
    let cases = [
        ("Exchange2010_SP2", start(""), paris),
        ("Exchange2010_SP2", start("<t:StartTimeZone Id=\"UTC\"/>"), utc),
        ("Exchange2007_SP1", start(""), utc),
        ("Exchange2007_SP1", start("<t:MeetingTimeZone TimeZoneName=\"Romance Standard Time\"/>"), paris),
        (
            "Exchange2016",
            item("<t:Start>2026-03-02T09:00:00+01:00</t:Start><t:End>2026-03-02T09:30:00Z</t:End>"),
            paris,
        ),
    ];
    for (version, item, expected) in cases {
        let server = Server::new();
        let reply = server.send(&envelope(version, &create(&item)));
        let read = server.get(&ids(&reply.body)[0].0, "");
        assert_eq!(text(&read, "Start"), Some(expected), "{version} {item}");
    }
}

#[test]
fn defaults_are_those_of_a_mailbox() {
    let server = Server::new();
    let id = &server.create(&item("<t:Start>2026-03-02T09:00:00Z</t:Start><t:End>2026-03-02T10:00:00Z</t:End>"))[0].0;
    let body = server.get(id, "");
    for (name, expected) in [
        ("ReminderIsSet", "true"),
        ("ReminderMinutesBeforeStart", "15"),
        ("LegacyFreeBusyStatus", "Busy"),
        ("Sensitivity", "Normal"),
        ("CalendarItemType", "Single"),
        ("IsMeeting", "false"),
    ] {
        assert_eq!(text(&body, name), Some(expected), "{name}");
    }
}

#[test]
fn a_batch_judges_each_item() {
    let server = Server::new();
    let bad = item("<t:Start>2026-03-02T09:00:00Z</t:Start><t:End>2026-03-02T08:00:00Z</t:End>");
    let unknown = item("<t:Start>2026-03-02T09:00:00</t:Start><t:StartTimeZone Id=\"Mars Standard Time\"/>");
    let read_only = item("<t:DateTimeCreated>2026-03-02T09:00:00Z</t:DateTimeCreated>");
    let reply = server.call(&create(&format!("{}{bad}{unknown}{read_only}{}", item(PLAIN), item(PLAIN))));
    assert_eq!(reply.status, 200);
    assert_eq!(
        codes(&reply.body),
        "NoError ErrorCalendarEndDateIsEarlierThanStartDate ErrorCalendarInvalidTimeZone ErrorInvalidPropertySet NoError"
    );
}

#[test]
fn a_fault_of_the_mailbox_stops_the_batch() {
    let server = Server::new();
    server.store.set_state(ANA, crate::sandbox::store::MailboxState::Moving).unwrap();
    let reply = server.call(&create(&format!("{}{}", item(PLAIN), item(PLAIN))));
    assert_eq!(codes(&reply.body), "ErrorMailboxMoveInProgress ErrorBatchProcessingStopped");
    assert!(reply.body.contains("ResponseClass=\"Warning\""));
}

#[test]
fn updates_apply_in_order() {
    let server = Server::new();
    let start = set("calendar:Start", "<t:Start>2026-03-02T12:00:00</t:Start>");
    let end = set("calendar:End", "<t:End>2026-03-02T13:00:00</t:End>");
    let cases =
        [(format!("{start}{end}"), "ErrorCalendarEndDateIsEarlierThanStartDate"), (format!("{end}{start}"), "NoError")];
    for (updates, expected) in cases {
        let (id, key) = server.create(&item(PLAIN))[0].clone();
        let reply = server.call(&update(&format!("<t:ItemId Id=\"{id}\" ChangeKey=\"{key}\"/>"), &updates));
        assert_eq!(codes(&reply.body), expected);
        if expected == "NoError" {
            assert!(reply.body.contains("<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"));
            assert_ne!(ids(&reply.body)[0].1, key);
            assert_eq!(text(&server.get(&id, ""), "Start"), Some("2026-03-02T11:00:00Z"));
        }
    }
}

#[test]
fn updates_name_one_property_each() {
    let server = Server::new();
    let (id, key) = server.create(&item(PLAIN))[0].clone();
    let id = format!("<t:ItemId Id=\"{id}\" ChangeKey=\"{key}\"/>");
    let delete = |path: &str| format!("<t:DeleteItemField><t:FieldURI FieldURI=\"{path}\"/></t:DeleteItemField>");
    let cases = [
        (
            set("item:Subject", "<t:Subject>N</t:Subject><t:Location>L</t:Location>"),
            "ErrorIncorrectUpdatePropertyCount",
        ),
        (set("item:Subject", ""), "ErrorIncorrectUpdatePropertyCount"),
        (set("item:Subject", "<t:Location>L</t:Location>"), "ErrorUpdatePropertyMismatch"),
        (set("item:DateTimeCreated", "<t:DateTimeCreated>x</t:DateTimeCreated>"), "ErrorInvalidPropertySet"),
        (delete("calendar:Start"), "ErrorInvalidPropertyDelete"),
        (delete("calendar:Location"), "NoError"),
        (set("calendar:StartTimeZone", "<t:StartTimeZone Id=\"Nowhere\"/>"), "ErrorCalendarInvalidTimeZone"),
    ];
    for (updates, expected) in cases {
        assert_eq!(codes(&server.call(&update(&id, &updates)).body), expected, "{updates}");
    }
}

#[test]
fn change_keys_guard_by_the_resolution_asked_for() {
    let cases = [
        ("NeverOverwrite", true, "ErrorIrresolvableConflict", "Theirs"),
        ("AutoResolve", true, "NoError", "Theirs"),
        ("AlwaysOverwrite", true, "NoError", "Mine"),
        ("AlwaysOverwrite", false, "ErrorChangeKeyRequiredForWriteOperations", "Theirs"),
    ];
    for (resolution, with_key, expected, subject) in cases {
        let server = Server::new();
        let (id, key) = server.create(&item(PLAIN))[0].clone();
        let write = |key: &str, subject: &str| {
            let subject = set("item:Subject", &format!("<t:Subject>{subject}</t:Subject>"));
            let update = update(&format!("<t:ItemId Id=\"{id}\"{key}/>"), &subject);
            server.call(&update.replace("AlwaysOverwrite", resolution))
        };
        let key = format!(" ChangeKey=\"{key}\"");
        assert_eq!(codes(&write(&key, "Theirs").body), "NoError");
        let reply = write(if with_key { &key } else { "" }, "Mine");
        assert_eq!(codes(&reply.body), expected, "{resolution}");
        assert_eq!(text(&server.get(&id, ""), "Subject"), Some(subject), "{resolution}");
    }
}

#[test]
fn occurrences_are_changed_and_deleted_by_index() {
    let server = Server::new();
    let (id, _) = server.create(&daily(""))[0].clone();
    let at = |index: i32| format!("<t:OccurrenceItemId RecurringMasterId=\"{id}\" InstanceIndex=\"{index}\"/>");
    let start = |day: u32| set("calendar:Start", &format!("<t:Start>2026-03-{day:02}T14:00:00</t:Start>"));
    let end = |day: u32| set("calendar:End", &format!("<t:End>2026-03-{day:02}T15:00:00</t:End>"));
    let later = |day: u32| format!("{}{}", end(day), start(day));
    let earlier = |day: u32| format!("{}{}", start(day), end(day));
    assert_eq!(codes(&server.call(&delete(&at(2))).body), "NoError");
    assert_eq!(codes(&server.call(&update(&at(3), &later(7))).body), "NoError");
    for (index, updates, expected) in [
        (2, later(4), "ErrorCalendarOccurrenceIsDeletedFromRecurrence"),
        (5, later(4), "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange"),
        (4, earlier(7), "ErrorOccurrenceCrossingBoundary"),
        (
            1,
            "<t:DeleteItemField><t:FieldURI FieldURI=\"calendar:Recurrence\"/></t:DeleteItemField>".to_owned(),
            "ErrorInvalidPropertySet",
        ),
    ] {
        assert_eq!(codes(&server.call(&update(&at(index), &updates)).body), expected, "{index}");
    }
    let master = server.get(&id, "");
    assert_eq!(text(&master, "CalendarItemType"), Some("RecurringMaster"));
    let modified = &master[master.find("<t:ModifiedOccurrences>").unwrap()..];
    assert_eq!(text(modified, "Start"), Some("2026-03-07T13:00:00Z"));
    assert_eq!(text(modified, "OriginalStart"), Some("2026-03-06T08:00:00Z"));
    assert!(master.contains("<t:DeletedOccurrences><t:DeletedOccurrence><t:Start>2026-03-04T08:00:00Z</t:Start>"));
    let occurrence = ids(modified)[0].0.clone();
    let by_occurrence = format!("<t:RecurringMasterItemId OccurrenceId=\"{occurrence}\"/>");
    let found = server.call(&get_item(&by_occurrence, "IdOnly", ""));
    assert_eq!(ids(&found.body)[0].0, id);
    assert_eq!(text(&server.get(&occurrence, ""), "CalendarItemType"), Some("Exception"));
    assert_eq!(codes(&server.call(&delete(&format!("<t:ItemId Id=\"{id}\"/>"))).body), "NoError");
    assert_eq!(codes(&server.call(&delete(&format!("<t:ItemId Id=\"{id}\"/>"))).body), "ErrorItemNotFound");
}

#[test]
fn searches_come_in_pages() {
    let server = Server::new();
    server.create(&item(PLAIN).repeat(260));
    server.create(&daily(""));
    let restriction = format!("<m:Restriction><t:Exists>{KEY}</t:Exists></m:Restriction>");
    let cases = [
        (
            page(0, 100),
            "",
            100,
            "IndexedPagingOffset=\"100\" TotalItemsInView=\"261\" IncludesLastItemInRange=\"false\"",
        ),
        (
            page(200, 100),
            "",
            61,
            "IndexedPagingOffset=\"261\" TotalItemsInView=\"261\" IncludesLastItemInRange=\"true\"",
        ),
        (
            page(0, 1000),
            &restriction,
            250,
            "IndexedPagingOffset=\"250\" TotalItemsInView=\"260\" IncludesLastItemInRange=\"false\"",
        ),
        (
            page(250, 1000),
            &restriction,
            10,
            "IndexedPagingOffset=\"260\" TotalItemsInView=\"260\" IncludesLastItemInRange=\"true\"",
        ),
    ];
    for (view, restriction, count, attributes) in cases {
        let reply = server.call(&find(&format!("{view}{restriction}"), ""));
        assert_eq!(ids(&reply.body).len(), count);
        assert!(reply.body.contains(attributes), "{}", &reply.body[..900]);
    }
}

#[test]
fn searches_by_key_and_by_time() {
    let server = Server::new();
    server.create(&format!("{}{}", item(PLAIN), item(&PLAIN.replace("feed/1", "feed/2").replace("-02T", "-03T"))));
    let constant =
        |value: &str| format!("<t:FieldURIOrConstant><t:Constant Value=\"{value}\"/></t:FieldURIOrConstant>");
    let key = |value: &str| format!("<t:IsEqualTo>{KEY}{}</t:IsEqualTo>", constant(value));
    let start = |value: &str| {
        let value = constant(value);
        format!("<t:IsGreaterThan><t:FieldURI FieldURI=\"calendar:Start\"/>{value}</t:IsGreaterThan>")
    };
    for (expression, count) in [
        (key("FEED/2"), 1),
        (key("feed"), 0),
        (format!("<t:Or>{}{}</t:Or>", key("feed/1"), key("feed/2")), 2),
        (format!("<t:And>{}{}</t:And>", key("feed/1"), key("feed/2")), 0),
        (format!("<t:Not>{}</t:Not>", key("feed/1")), 1),
        (start("2026-03-02T08:00:00Z"), 1),
        (start("2026-03-02T09:00:00+02:00"), 2),
    ] {
        let reply = server.call(&find(&format!("<m:Restriction>{expression}</m:Restriction>"), ""));
        assert_eq!(ids(&reply.body).len(), count, "{expression}");
    }
    let uid = "<t:Exists><t:FieldURI FieldURI=\"calendar:UID\"/></t:Exists>";
    let reply = server.call(&find(&format!("<m:Restriction>{uid}</m:Restriction>"), ""));
    assert_eq!(codes(&reply.body), "ErrorUnsupportedPathForQuery");
}

#[test]
fn a_search_gives_no_body_and_cuts_long_strings() {
    let server = Server::new();
    server.create(&item(&PLAIN.replace("feed/1", &"x".repeat(300))));
    let paths = format!("<t:AdditionalProperties><t:FieldURI FieldURI=\"item:Body\"/>{KEY}</t:AdditionalProperties>");
    let body = server.call(&find(&page(0, 10), &paths)).body;
    assert_eq!(text(&body, "Value").unwrap().len(), 255);
    assert!(!body.contains("<t:Body"));
}

#[test]
fn a_calendar_view_expands_series() {
    let server = Server::new();
    let id = server.create(&daily(""))[0].0.clone();
    server.call(&delete(&format!("<t:OccurrenceItemId RecurringMasterId=\"{id}\" InstanceIndex=\"2\"/>")));
    let view = |from: &str, to: &str| format!("<m:CalendarView StartDate=\"{from}\" EndDate=\"{to}\"/>");
    for (from, to, count) in
        [("2026-03-01T00:00:00", "2026-04-01T00:00:00", 3), ("2026-03-02T10:00:00", "2026-03-08T09:00:00", 1)]
    {
        let paths =
            "<t:AdditionalProperties><t:FieldURI FieldURI=\"calendar:CalendarItemType\"/></t:AdditionalProperties>";
        let reply = server.call(&find(&view(from, to), paths));
        assert_eq!(reply.body.matches(">Occurrence<").count(), count);
        assert_eq!(ids(&reply.body).len(), count);
    }
    for (view, expected) in [
        (view("2026-01-01T00:00:00Z", "2028-02-01T00:00:00Z"), "ErrorCalendarViewRangeTooBig"),
        (view("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "ErrorCalendarEndDateIsEarlierThanStartDate"),
    ] {
        assert_eq!(codes(&server.call(&find(&view, "")).body), expected);
    }
}

#[test]
fn changes_are_followed_by_state() {
    let server = Server::new();
    let first = server.create(&item(PLAIN))[0].0.clone();
    server.create(&item(PLAIN));
    let sync = |state: &str, count: u32| {
        server.call(&format!(
            "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>{CALENDAR}\
             </m:SyncFolderId>{state}<m:MaxChangesReturned>{count}</m:MaxChangesReturned></m:SyncFolderItems>"
        ))
    };
    let state_of = |reply: &Reply| {
        let begin = reply.body.find("<m:SyncState>").unwrap();
        reply.body[begin..reply.body.find("</m:SyncState>").unwrap() + 14].to_owned()
    };
    let reply = sync("", 1);
    assert!(reply.body.contains("<m:IncludesLastItemInRange>false<"));
    let reply = sync(&state_of(&reply), 512);
    assert_eq!(reply.body.matches("<t:Create>").count(), 1);
    assert!(reply.body.contains("<m:IncludesLastItemInRange>true<"));
    server.call(&delete(&format!("<t:ItemId Id=\"{first}\"/>")));
    let reply = sync(&state_of(&reply), 512);
    assert!(reply.body.contains(&format!("<m:Changes><t:Delete><t:ItemId Id=\"{first}\"/></t:Delete></m:Changes>")));
    assert_eq!(codes(&sync("<m:SyncState>AAAA</m:SyncState>", 512).body), "ErrorInvalidSyncStateData");
    assert_eq!(sync("", 513).fault, Some("ErrorSchemaValidation"));
}

#[test]
fn changes_carry_the_properties_asked_for() {
    let server = Server::new();
    server.create(&item(PLAIN));
    server.create(&item("<t:Subject>foreign</t:Subject>"));
    let sync = |additional: &str| {
        server.call(&format!(
            "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{additional}</m:ItemShape>\
             <m:SyncFolderId>{CALENDAR}</m:SyncFolderId><m:MaxChangesReturned>9</m:MaxChangesReturned>\
             </m:SyncFolderItems>"
        ))
    };
    assert!(!sync("").body.contains("ExtendedProperty"));
    let reply = sync(&format!("<t:AdditionalProperties>{KEY}</t:AdditionalProperties>"));
    assert_eq!((codes(&reply.body).as_str(), reply.body.matches("<t:Create>").count()), ("NoError", 2));
    assert_eq!(reply.body.matches("<t:ExtendedProperty>").count(), 1);
    assert!(reply.body.contains("<t:Value>feed/1</t:Value>"));
}

#[test]
fn a_recurrence_reads_back_as_it_was_sent() {
    let weekly = "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Monday Thursday</t:DaysOfWeek>\
        <t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>";
    let patterns = [
        "<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>",
        weekly,
        "<t:AbsoluteMonthlyRecurrence><t:Interval>12</t:Interval><t:DayOfMonth>2</t:DayOfMonth></t:AbsoluteMonthlyRecurrence>",
        "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</t:DaysOfWeek>\
         <t:DayOfWeekIndex>First</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
        "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>2</t:DayOfMonth><t:Month>March</t:Month></t:AbsoluteYearlyRecurrence>",
        "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Monday</t:DaysOfWeek><t:DayOfWeekIndex>First</t:DayOfWeekIndex>\
         <t:Month>March</t:Month></t:RelativeYearlyRecurrence>",
    ];
    let server = Server::new();
    for pattern in patterns {
        let recurrence = format!(
            "<t:Recurrence>{pattern}<t:EndDateRecurrence><t:StartDate>2026-03-02</t:StartDate>\
             <t:EndDate>2028-03-02</t:EndDate></t:EndDateRecurrence></t:Recurrence>"
        );
        let start = "<t:Start>2026-03-02T09:00:00</t:Start><t:End>2026-03-02T10:00:00</t:End>";
        let id = &server.create(&item(&format!("{start}{recurrence}")))[0].0;
        assert!(server.get(id, "").contains(&recurrence), "{pattern}");
    }
}

#[test]
fn mails_are_counted() {
    let attendees = "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>x@example.test</t:EmailAddress>\
        </t:Mailbox></t:Attendee></t:RequiredAttendees>";
    for (send, rest, expected) in [("SendToNone", "", 0), ("SendToAllAndSaveCopy", "", 1), ("SendToNone", attendees, 1)]
    {
        let server = Server::new();
        let item = item(&format!("<t:Start>2026-03-02T09:00:00</t:Start>{rest}"));
        assert_eq!(codes(&server.call(&create(&item).replace("SendToNone", send)).body), "NoError");
        assert_eq!(server.store.mailbox(ANA).unwrap().mails_sent, expected, "{send} {rest}");
    }
}

#[test]
fn folders_are_made_and_found() {
    let server = Server::new();
    let make = "<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id=\"calendar\"/></m:ParentFolderId><m:Folders>\
        <t:CalendarFolder><t:DisplayName>Duty</t:DisplayName></t:CalendarFolder></m:Folders></m:CreateFolder>";
    assert_eq!(codes(&server.call(make).body), "NoError");
    assert_eq!(codes(&server.call(make).body), "ErrorFolderExists");
    let find = |traversal: &str, parent: &str| {
        let find = format!(
            "<m:FindFolder Traversal=\"{traversal}\"><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>\
             <m:ParentFolderIds><t:DistinguishedFolderId Id=\"{parent}\"/></m:ParentFolderIds></m:FindFolder>"
        );
        server.call(&find).body.matches("<t:FolderId ").count()
    };
    let cases = [
        ("Deep", "root", 3),
        ("Deep", "msgfolderroot", 2),
        ("Shallow", "msgfolderroot", 1),
        ("Shallow", "calendar", 1),
    ];
    for (traversal, parent, count) in cases {
        assert_eq!(find(traversal, parent), count, "{traversal} {parent}");
    }
}

#[test]
fn zones_are_listed_with_their_rules() {
    let server = Server::new();
    let all = server.call("<m:GetServerTimeZones ReturnFullTimeZoneData=\"false\"/>").body;
    assert!(all.matches("<t:TimeZoneDefinition ").count() > 130);
    let paris = server
        .call("<m:GetServerTimeZones><m:Ids><t:Id>Romance Standard Time</t:Id></m:Ids></m:GetServerTimeZones>")
        .body;
    assert!(paris.contains("<t:Period Bias=\"-PT1H0M\" Name=\"Standard\" Id=\"trule:Standard\"/>"));
    assert!(paris.contains(
        "<t:RecurringDayTransition><t:To Kind=\"Period\">trule:Daylight</t:To><t:TimeOffset>PT2H0M</t:TimeOffset>\
         <t:Month>3</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence></t:RecurringDayTransition>"
    ));
}
