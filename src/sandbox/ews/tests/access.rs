//! Who may do what.

use super::*;
use crate::sandbox::{
    caller::{Delegation, Right},
    store::MailboxState,
};

const VERSION: &str = "<t:RequestServerVersion Version=\"Exchange2010_SP2\"/>";
const FOLDER: &str = "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>\
    <t:DistinguishedFolderId Id=\"calendar\"/></m:FolderIds></m:GetFolder>";

fn as_user(kind: &str, name: &str) -> String {
    format!(
        "{VERSION}<t:ExchangeImpersonation><t:ConnectingSID><t:{kind}>{name}</t:{kind}></t:ConnectingSID>\
         </t:ExchangeImpersonation>"
    )
}

fn in_mailbox(operation: &str, address: &str) -> String {
    let mailbox = format!("<t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox>");
    operation
        .replace(CALENDAR, &format!("<t:DistinguishedFolderId Id=\"calendar\">{mailbox}</t:DistinguishedFolderId>"))
}

#[test]
fn impersonation_is_checked() {
    let listed = Impersonation::Listed(vec!["bob@example.test".to_owned()]);
    let cases = [
        (Impersonation::Everybody, "PrimarySmtpAddress", ANA, "NoError"),
        (Impersonation::Everybody, "SmtpAddress", "alias@example.test", "NoError"),
        (Impersonation::Everybody, "PrimarySmtpAddress", "alias@example.test", "ErrorNonPrimarySmtpAddress"),
        (Impersonation::Everybody, "SmtpAddress", "nobody@example.test", "ErrorNonExistentMailbox"),
        (Impersonation::Everybody, "PrincipalName", "nobody@example.test", "ErrorInvalidUserPrincipalName"),
        (Impersonation::Everybody, "SID", "S-1-5-21", "ErrorInvalidUserSid"),
        (Impersonation::Everybody, "Name", "ana", "ErrorSchemaValidation"),
        (Impersonation::Nobody, "SmtpAddress", ANA, "ErrorImpersonationDenied"),
        (listed.clone(), "SmtpAddress", ANA, "ErrorImpersonateUserDenied"),
        (listed, "SmtpAddress", "bob@example.test", "NoError"),
    ];
    for (impersonation, kind, name, expected) in cases {
        let mut server = Server::new();
        server.caller.impersonation = impersonation;
        let reply = server.send(&with_header(&as_user(kind, name), FOLDER));
        assert_eq!(codes(&reply.body), expected, "{kind} {name}");
        assert_eq!(reply.status == 200, expected == "NoError");
    }
}

#[test]
fn delegates_have_their_rights() {
    let make = create(&item("<t:Start>2026-03-02T09:00:00</t:Start>"));
    let reviewer = Some(Right::Reviewer);
    let cases = [
        (None, FOLDER, ANA, "ErrorFolderNotFound"),
        (None, make.as_str(), ANA, "ErrorFolderNotFound"),
        (reviewer, FOLDER, ANA, "NoError"),
        (reviewer, make.as_str(), ANA, "ErrorCreateItemAccessDenied"),
        (Some(Right::Editor), make.as_str(), ANA, "NoError"),
        (Some(Right::Editor), make.as_str(), "alias@example.test", "ErrorNonPrimarySmtpAddress"),
        (Some(Right::Editor), make.as_str(), "nobody@example.test", "ErrorNonExistentMailbox"),
    ];
    for (right, operation, address, expected) in cases {
        let mut server = Server::new();
        server.caller.delegations =
            right.into_iter().map(|right| Delegation { mailbox: ANA.to_owned(), right }).collect();
        let reply = server.send(&with_header(VERSION, &in_mailbox(operation, address)));
        assert_eq!(codes(&reply.body), expected, "{right:?} {address}");
    }
}

#[test]
fn items_are_reached_by_right() {
    let cases = [
        (None, "HardDelete", "ErrorItemNotFound", "ErrorItemNotFound"),
        (Some(Right::Reviewer), "HardDelete", "NoError", "ErrorAccessDenied"),
        (Some(Right::Editor), "MoveToDeletedItems", "NoError", "ErrorCannotDeleteObject"),
        (Some(Right::Editor), "SoftDelete", "NoError", "NoError"),
    ];
    for (right, kind, read, written) in cases {
        let mut server = Server::new();
        let id = server.create(&item("<t:Start>2026-03-02T09:00:00</t:Start>"))[0].0.clone();
        server.caller.delegations =
            right.into_iter().map(|right| Delegation { mailbox: ANA.to_owned(), right }).collect();
        let id = format!("<t:ItemId Id=\"{id}\"/>");
        let reply = server.send(&with_header(VERSION, &get_item(&id, "IdOnly", "")));
        assert_eq!(codes(&reply.body), read, "{right:?}");
        let reply = server.send(&with_header(VERSION, &delete(&id).replace("HardDelete", kind)));
        assert_eq!(codes(&reply.body), written, "{right:?} {kind}");
    }
}

#[test]
fn ids_are_of_the_right_kind() {
    let server = Server::new();
    let single = server.create(&item("<t:Start>2026-03-02T09:00:00</t:Start>"))[0].0.clone();
    let folder = server.store.folder(ANA, None).unwrap().id;
    let get = |id: &str| codes(&server.call(&get_item(id, "IdOnly", "")).body);
    let cases = [
        (format!("<t:ItemId Id=\"{folder}\"/>"), "ErrorCannotUseFolderIdForItemId"),
        ("<t:ItemId Id=\"\"/>".to_owned(), "ErrorInvalidIdEmpty"),
        ("<t:ItemId Id=\"AAMk\"/>".to_owned(), "ErrorInvalidIdMalformed"),
        (format!("<t:ItemId Id=\"{}\"/>", single.to_uppercase()), "ErrorInvalidIdMalformed"),
        (
            format!("<t:OccurrenceItemId RecurringMasterId=\"{single}\" InstanceIndex=\"1\"/>"),
            "ErrorCalendarCannotUseIdForRecurringMasterId",
        ),
        (format!("<t:RecurringMasterItemId OccurrenceId=\"{single}\"/>"), "ErrorCalendarCannotUseIdForOccurrenceId"),
    ];
    for (id, expected) in cases {
        assert_eq!(get(&id), expected, "{id}");
    }
    let by_item = FOLDER.replace(CALENDAR, &format!("<t:FolderId Id=\"{single}\"/>"));
    assert_eq!(codes(&server.call(&by_item).body), "ErrorCannotUseItemIdForFolderId");
}

#[test]
fn applications_must_impersonate() {
    let mut server = Server::new();
    server.caller.is_application = true;
    assert_eq!(codes(&server.send(&with_header(VERSION, FOLDER)).body), "ErrorImpersonationRequired");
    assert_eq!(codes(&server.send(&with_header(&as_user("SmtpAddress", ANA), FOLDER)).body), "NoError");
}

#[test]
fn a_mailbox_elsewhere_does_not_exist_here() {
    let server = Server::new();
    server.store.set_state(ANA, MailboxState::Elsewhere).unwrap();
    let reply = server.send(&with_header(&as_user("SmtpAddress", ANA), FOLDER));
    assert_eq!((reply.status, reply.fault), (500, Some("ErrorNonExistentMailbox")));
}

#[test]
fn a_call_knows_its_mailbox() {
    let mut server = Server::new();
    server.caller.mailbox = Some("bob@example.test".to_owned());
    let id = server.create(&item("<t:Start>2026-03-02T09:00:00</t:Start>"))[0].0.clone();
    let cases = [
        (as_user("SmtpAddress", "alias@example.test"), FOLDER.to_owned(), ANA),
        (VERSION.to_owned(), in_mailbox(FOLDER, ANA), ANA),
        (VERSION.to_owned(), get_item(&format!("<t:ItemId Id=\"{id}\"/>"), "IdOnly", ""), ANA),
        (VERSION.to_owned(), FOLDER.to_owned(), "bob@example.test"),
        (as_user("SmtpAddress", "nobody@example.test"), FOLDER.to_owned(), "nobody@example.test"),
    ];
    for (header, operation, expected) in cases {
        let call = parse(with_header(&header, &operation).as_bytes()).unwrap();
        assert_eq!(call.mailbox(&server.store, &server.caller).as_deref(), Some(expected), "{header}");
        assert!(["GetFolder", "GetItem"].contains(&call.operation()));
    }
}
