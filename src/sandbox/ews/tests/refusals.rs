//! What the schema refuses: SOAP faults.

use super::*;

const TIMES: &str = "<t:Start>2026-03-02T09:00:00</t:Start><t:End>2026-03-02T10:00:00</t:End>";

#[test]
fn a_schema_fault_names_the_place() {
    let server = Server::new();
    let reply = server.call(&create(&item("<t:Location>L</t:Location><t:UID>u</t:UID>")));
    assert_eq!((reply.status, reply.fault), (500, Some("ErrorSchemaValidation")));
    let body = content(&reply);
    let begin = body.find("<detail>").unwrap();
    let column =
        envelope("Exchange2016", &create(&item("<t:Location>L</t:Location>"))).find("</t:CalendarItem>").unwrap();
    let column = column - "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".len() + 1;
    assert_eq!(
        &body[begin..body.find("</detail>").unwrap()],
        format!(
            "<detail><e:ResponseCode xmlns:e=\"{ERRORS}\">ErrorSchemaValidation</e:ResponseCode><e:Message \
             xmlns:e=\"{ERRORS}\">The request failed schema validation.</e:Message><t:MessageXml>\
             <t:LineNumber>2</t:LineNumber><t:LinePosition>{column}</t:LinePosition><t:Violation>The element \
             'CalendarItem' in namespace '{TYPES}' has invalid child element 'UID' in namespace '{TYPES}'.</t:Violation>\
             </t:MessageXml>"
        )
    );
}

#[test]
fn the_schema_is_enforced() {
    let cases = [
        (
            "order",
            item(
                "<t:ReminderMinutesBeforeStart>5</t:ReminderMinutesBeforeStart><t:ReminderIsSet>true</t:ReminderIsSet>",
            ),
        ),
        ("repeated", item("<t:Subject>a</t:Subject><t:Subject>b</t:Subject>")),
        ("late property", item(&format!("{TIMES}<t:ExtendedProperty>{KEY}<t:Value>k</t:Value></t:ExtendedProperty>"))),
        ("unknown", item("<t:Colour>red</t:Colour>")),
        ("namespace", item("<m:Subject>S</m:Subject>")),
        ("word", item("<t:Sensitivity>Secret</t:Sensitivity>")),
        ("boolean", item("<t:ReminderIsSet>yes</t:ReminderIsSet>")),
        ("number", item("<t:ReminderMinutesBeforeStart>-1</t:ReminderMinutesBeforeStart>")),
        ("time", item("<t:Start>2026-03-02 09:00</t:Start>")),
        ("impossible day", item("<t:Start>2026-02-30T09:00:00</t:Start>")),
        ("body type", item("<t:Body>B</t:Body>")),
        ("attribute", item("<t:Subject lang=\"fr\">S</t:Subject>")),
        (
            "property type",
            item(
                "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0x3fd9\"/><t:Value>1</t:Value></t:ExtendedProperty>",
            ),
        ),
        (
            "guid",
            item(&format!(
                "<t:ExtendedProperty>{}<t:Value>1</t:Value></t:ExtendedProperty>",
                KEY.replace("0ab", "zzz")
            )),
        ),
        (
            "recurrence without range",
            item(&format!(
                "{TIMES}<t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence></t:Recurrence>"
            )),
        ),
        ("nested", item("<t:Subject><t:Subject>S</t:Subject></t:Subject>")),
        ("empty items", String::new()),
        ("a message", "<t:Message><t:Subject>S</t:Subject></t:Message>".to_owned()),
        ("control character", item("<t:Subject>a\u{b}b</t:Subject>")),
        ("control reference", item("<t:Subject>a&#xB;b</t:Subject>")),
        ("entity", item("<t:Subject>&nbsp;</t:Subject>")),
        ("not closed", "<t:CalendarItem>".to_owned()),
    ];
    for (what, items) in cases {
        let reply = Server::new().call(&create(&items));
        assert_eq!((reply.status, reply.fault), (500, Some("ErrorSchemaValidation")), "{what}");
    }
}

#[test]
fn versions_have_what_they_have() {
    let weekly = |first: &str| {
        item(&format!(
            "{TIMES}<t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Monday</t:DaysOfWeek>{first}\
             </t:WeeklyRecurrence><t:NoEndRecurrence><t:StartDate>2026-03-02</t:StartDate></t:NoEndRecurrence></t:Recurrence>"
        ))
    };
    let cases = [
        ("Exchange2007_SP1", item(&format!("{TIMES}<t:StartTimeZone Id=\"UTC\"/>")), false),
        ("Exchange2010", item(&format!("{TIMES}<t:StartTimeZone Id=\"UTC\"/>")), true),
        ("Exchange2007_SP1", weekly("<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek>"), false),
        ("Exchange2007_SP1", weekly(""), true),
        ("Exchange2010_SP2", weekly("<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek>"), true),
        (
            "Exchange2010_SP2",
            item(&format!("{TIMES}<t:LegacyFreeBusyStatus>WorkingElsewhere</t:LegacyFreeBusyStatus>")),
            false,
        ),
        (
            "Exchange2013",
            item(&format!("{TIMES}<t:LegacyFreeBusyStatus>WorkingElsewhere</t:LegacyFreeBusyStatus>")),
            true,
        ),
        (
            "Exchange2010_SP2",
            item(&format!("{TIMES}<t:EnhancedLocation><t:DisplayName>L</t:DisplayName></t:EnhancedLocation>")),
            false,
        ),
    ];
    for (version, items, taken) in cases {
        let reply = Server::new().send(&envelope(version, &create(&items)));
        let expected = (!taken).then_some("ErrorSchemaValidation");
        assert_eq!(reply.fault, expected, "{version} {items}");
        assert!(!taken || codes(&reply.body) == "NoError");
    }
}

#[test]
fn the_send_attributes_are_required_of_calendar_items() {
    let server = Server::new();
    let (id, key) = server.create(&item(TIMES))[0].clone();
    let id = format!("<t:ItemId Id=\"{id}\" ChangeKey=\"{key}\"/>");
    let subject = set("item:Subject", "<t:Subject>N</t:Subject>");
    let cases = [
        (
            create(&item(TIMES)).replace(" SendMeetingInvitations=\"SendToNone\"", ""),
            "ErrorSendMeetingInvitationsRequired",
        ),
        (
            update(&id, &subject).replace(" SendMeetingInvitationsOrCancellations=\"SendToNone\"", ""),
            "ErrorSendMeetingInvitationsOrCancellationsRequired",
        ),
        (delete(&id).replace(" SendMeetingCancellations=\"SendToNone\"", ""), "ErrorSendMeetingCancellationsRequired"),
        (update(&id, &subject).replace(" ConflictResolution=\"AlwaysOverwrite\"", ""), "ErrorSchemaValidation"),
        (delete(&id).replace(" DeleteType=\"HardDelete\"", ""), "ErrorSchemaValidation"),
        (create(&item(TIMES)).replace("SendToNone", "SendToEverybody"), "ErrorSchemaValidation"),
    ];
    for (operation, expected) in cases {
        assert_eq!(codes(&server.call(&operation).body), expected, "{operation}");
    }
}

#[test]
fn headers_are_read_strictly() {
    let folder = "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>\
        <t:DistinguishedFolderId Id=\"calendar\"/></m:FolderIds></m:GetFolder>";
    let version = "<t:RequestServerVersion Version=\"Exchange2016\"/>";
    let cases = [
        (String::new(), folder, "ErrorInvalidServerVersion"),
        ("<t:RequestServerVersion Version=\"V2017_07_11\"/>".to_owned(), folder, "ErrorInvalidServerVersion"),
        (version.repeat(2), folder, "ErrorDuplicateSOAPHeader"),
        (
            format!("{version}<t:TimeZoneContext><t:TimeZoneDefinition Id=\"Nowhere\"/></t:TimeZoneContext>"),
            folder,
            "ErrorTimeZone",
        ),
        (version.to_owned(), "<m:ResolveNames/>", "ErrorInvalidRequest"),
        (version.to_owned(), "", "ErrorInvalidRequest"),
        (version.to_owned(), folder, "ErrorMissingEmailAddress"),
    ];
    for (header, operation, expected) in cases {
        assert_eq!(codes(&Server::new().send(&with_header(&header, operation)).body), expected, "{header} {operation}");
    }
    let document = envelope("Exchange2016", folder).replace("?>\n", "?><!DOCTYPE x [<!ENTITY a \"b\">]>");
    assert_eq!(Server::new().send(&document).fault, Some("ErrorSchemaValidation"));
    assert_eq!(Server::new().send("no xml").fault, Some("ErrorSchemaValidation"));
    assert_eq!(Server::new().send(&"<a>".repeat(100_000)).fault, Some("ErrorSchemaValidation"));
}

#[test]
fn a_busy_server_names_the_wait() {
    let reply = busy_fault(2500);
    assert_eq!((reply.status, reply.fault), (500, Some("ErrorServerBusy")));
    assert!(reply.body.contains("<t:MessageXml><t:Value Name=\"BackOffMilliseconds\">2500</t:Value></t:MessageXml>"));
    assert_eq!(fault("ErrorInternalServerError", "x").fault, Some("ErrorInternalServerError"));
}

proptest::proptest! {
    /// Whatever comes, the parser answers.
    #[test]
    fn the_parser_never_fails(text in "[<>/&;#x0-9a-z\\[\\]! \"=]{0,200}") {
        let _ = parse(text.as_bytes());
        let _ = parse(create(&item(&text)).as_bytes());
        let _ = parse(envelope("Exchange2016", &create(&item(&text))).as_bytes());
    }
}
