//! A hybrid: what each half says, and what a move leaves.

use serde_json::{Value, json};

use super::{
    super::{AccountSettings, Half, MailboxCondition, Scope, urlencoded},
    ews::{Soap, envelope, soap},
    *,
};

const EVENTS: &str = "/v1.0/users/ana@example.test/events";
const ITEMS: &str = "/sandbox/mailboxes/ana@example.test/items";
const SHAPE: &str = "<t:BaseShape>IdOnly</t:BaseShape>";
const CALENDAR: &str = "<t:DistinguishedFolderId Id=\"calendar\"/>";

/// Settings with Ana in a half, and with an account that is her delegate beside the one that impersonates.
fn living(half: Half) -> SandboxSettings {
    let mut settings = settings();
    settings.mailboxes[0].half = half;
    settings.accounts.push(AccountSettings {
        user: "delegate".to_owned(),
        password: "secret".to_owned(),
        impersonate: Scope::None,
        delegate_of: vec![ANA.to_owned()],
        ..AccountSettings::default()
    });
    settings
}

fn event(subject: &str) -> Value {
    let at =
        |hour: u32| json!({"dateTime": format!("2026-11-23T{hour:02}:00:00"), "timeZone": "Romance Standard Time"});
    json!({"subject": subject, "start": at(9), "end": at(10), "transactionId": format!("t-{subject}")})
}

/// By whom EWS is asked.
#[derive(Clone, Copy, Debug)]
enum By {
    Password,
    Delegate,
    Token,
}

impl Running {
    async fn ask(&self, by: By, operation: &str) -> Soap {
        let body = envelope(ANA, operation);
        let mailbox = format!("<t:Mailbox><t:EmailAddress>{ANA}</t:EmailAddress></t:Mailbox>");
        let request = match by {
            By::Password => self.ews(body).basic_auth("service", Some("secret")),
            By::Delegate => {
                let start = body.find("<t:ExchangeImpersonation>").unwrap();
                let end = body.find("</soap:Header>").unwrap();
                let body = format!("{}{}", &body[..start], &body[end..]);
                let calendar = format!("<t:DistinguishedFolderId Id=\"calendar\">{mailbox}</t:DistinguishedFolderId>");
                self.ews(body.replace(CALENDAR, &calendar)).basic_auth("delegate", Some("secret"))
            }
            By::Token => {
                let mut form = TOKEN_FORM;
                form[3].1 = "https://outlook.office365.com/.default";
                let token = self.post_form("/tenant/oauth2/v2.0/token", &form).await.body["access_token"].clone();
                self.ews(body).bearer_auth(token.as_str().unwrap())
            }
        };
        soap(request.send().await.unwrap()).await
    }

    async fn code(&self, by: By, operation: &str) -> String {
        code(&self.ask(by, operation).await.text)
    }

    async fn step(&self, to: &str, step: &str) -> Got {
        self.send("POST", "/sandbox/move", json!({"mailbox": ANA, "to": to, "step": step})).await
    }

    async fn move_to(&self, to: &str) {
        for step in ["begin", "complete"] {
            assert_eq!(self.step(to, step).await.status, 200);
        }
    }
}

/// The response code of an answer to one item or of a fault.
fn code(text: &str) -> String {
    let at = text.find("ResponseCode").unwrap();
    text[at..].split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()
}

fn attribute<'a>(text: &'a str, element: &str) -> &'a str {
    let at = text.find(&format!("<t:{element} Id=\"")).unwrap();
    text[at..].split('"').nth(1).unwrap()
}

fn get_folder(folder: &str) -> String {
    format!("<m:GetFolder><m:FolderShape>{SHAPE}</m:FolderShape><m:FolderIds>{folder}</m:FolderIds></m:GetFolder>")
}

fn get_item(id: &str) -> String {
    format!("<m:GetItem><m:ItemShape>{SHAPE}</m:ItemShape><m:ItemIds><t:ItemId Id=\"{id}\"/></m:ItemIds></m:GetItem>")
}

fn sync(state: &str) -> String {
    format!(
        "<m:SyncFolderItems><m:ItemShape>{SHAPE}</m:ItemShape><m:SyncFolderId>{CALENDAR}</m:SyncFolderId>\
         <m:SyncState>{state}</m:SyncState><m:MaxChangesReturned>512</m:MaxChangesReturned></m:SyncFolderItems>"
    )
}

#[tokio::test]
async fn each_half_answers_for_its_own() {
    const NONE: &str = "ErrorNonExistentMailbox";
    const MOVING: &str = "ErrorMailboxMoveInProgress";
    const NO_REST: &str = "MailboxNotEnabledForRESTAPI";
    // Where Ana is and where she is moved to; what EWS says to passwords and to tokens, and what Graph says.
    let cases = [
        (Half::Both, "", "NoError", "NoError", (200, "")),
        (Half::OnPremises, "", "NoError", NONE, (404, NO_REST)),
        (Half::Online, "", NONE, "NoError", (200, "")),
        (Half::OnPremises, "online", MOVING, NONE, (404, NO_REST)),
        (Half::Online, "on_premises", NONE, MOVING, (503, MOVING)),
    ];
    for (half, to, password, token, (status, graph)) in cases {
        let running = Running::start(living(half)).await;
        if !to.is_empty() {
            assert_eq!(running.step(to, "begin").await.status, 200);
        }
        for (by, expected) in [(By::Password, password), (By::Delegate, password), (By::Token, token)] {
            let got = running.ask(by, &get_folder(CALENDAR)).await;
            assert_eq!(code(&got.text), expected, "{half:?} {to} {by:?}");
            assert_eq!(got.text.contains("No mailbox with such guid."), expected == NONE, "{by:?} {}", got.text);
            // Who impersonates gets a fault, a delegate a message.
            let fails_whole = expected == NONE && !matches!(by, By::Delegate);
            assert_eq!(got.status, if fails_whole { 500 } else { 200 }, "{half:?} {to} {by:?}");
        }
        let got = running.send("GET", EVENTS, Value::Null).await;
        assert_eq!((got.status, got.body["error"]["code"].as_str().unwrap_or_default()), (status, graph));
        if graph == NO_REST {
            assert_eq!(got.body["error"]["message"], "REST API is not yet supported for this mailbox.");
        }
        let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/users/ana@example.test/events"}]});
        let got = running.send("POST", "/v1.0/$batch", batch).await;
        assert_eq!(got.body["responses"][0]["status"], status, "{half:?} {to}");
        let user = running.send("GET", "/v1.0/users/ana@example.test", Value::Null).await;
        assert_eq!(user.status, 200, "the directory knows everybody");
        let bob = EVENTS.replace("ana", "bob");
        assert_eq!(running.send("GET", &bob, Value::Null).await.status, 200, "others are not concerned");
    }
}

#[tokio::test]
async fn a_mailbox_elsewhere_is_in_neither_half() {
    for half in [Half::Both, Half::OnPremises, Half::Online] {
        let mut settings = living(half);
        settings.mailboxes[0].state = MailboxCondition::Elsewhere;
        let running = Running::start(settings).await;
        for by in [By::Password, By::Delegate, By::Token] {
            assert_eq!(running.code(by, &get_folder(CALENDAR)).await, "ErrorNonExistentMailbox", "{half:?} {by:?}");
        }
        let got = running.send("GET", EVENTS, Value::Null).await;
        assert_eq!((got.status, got.body["error"]["code"].as_str()), (404, Some("MailboxNotEnabledForRESTAPI")));
    }
}

#[tokio::test]
async fn ids_of_before_a_move_are_of_nothing_on_ews() {
    let running = Running::start(living(Half::OnPremises)).await;
    for subject in ["one", "two"] {
        assert_eq!(running.send("POST", ITEMS, event(subject)).await.status, 200);
    }
    let first = running.ask(By::Password, &sync("")).await.text;
    let (item, state) = (attribute(&first, "ItemId"), first.split("m:SyncState>").nth(1).unwrap());
    let state = state.split('<').next().unwrap();
    let folder = |text: &str| attribute(text, "FolderId").to_owned();
    let calendar = folder(&running.ask(By::Password, &get_folder(CALENDAR)).await.text);
    let root = "<t:DistinguishedFolderId Id=\"msgfolderroot\"/>";
    let top = folder(&running.ask(By::Password, &get_folder(root)).await.text);
    let by_id = |id: &str| get_folder(&format!("<t:FolderId Id=\"{id}\"/>"));
    let asked = [get_item(item), by_id(&calendar), by_id(&top), sync(state)];
    for operation in &asked {
        assert_eq!(running.code(By::Password, operation).await, "NoError", "{operation}");
    }

    running.move_to("online").await;
    running.send("POST", ITEMS, event("later")).await;
    let expected = ["ErrorItemNotFound", "ErrorFolderNotFound", "ErrorFolderNotFound", "ErrorInvalidSyncStateData"];
    for (operation, expected) in asked.iter().zip(expected) {
        assert_eq!(running.code(By::Token, operation).await, expected, "{operation}");
        assert_eq!(running.code(By::Password, operation).await, "ErrorNonExistentMailbox", "{operation}");
    }
    let anew = running.ask(By::Token, &sync("")).await.text;
    assert_eq!((code(&anew).as_str(), anew.matches("<t:Create>").count()), ("NoError", 3));
    assert_eq!(running.code(By::Token, &get_item(attribute(&anew, "ItemId"))).await, "NoError");
}

#[tokio::test]
async fn ids_of_before_a_move_are_of_nothing_on_graph() {
    let running = Running::start(living(Half::Online)).await;
    let created = running.send("POST", EVENTS, event("one")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let immutable = running.request("GET", EVENTS, &Value::Null).header("prefer", "IdType=\"ImmutableId\"");
    let immutable = read(immutable.send().await.unwrap()).await.body["value"][0]["id"].clone();
    let calendars = "/v1.0/users/ana@example.test/calendars";
    let calendar = running.send("GET", calendars, Value::Null).await.body["value"][0]["id"].clone();
    let below = |folder: &str, id: &Value| format!("{folder}/{}", urlencoded::encode(id.as_str().unwrap()));
    let asked = [below(EVENTS, &created.body["id"]), below(EVENTS, &immutable), below(calendars, &calendar)];
    for path in &asked {
        assert_eq!(running.send("GET", path, Value::Null).await.status, 200, "{path}");
    }
    assert_eq!(running.send("POST", EVENTS, event("one")).await.status, 409, "the transaction is known");

    running.move_to("on_premises").await;
    running.move_to("online").await;
    let repeated = running.send("POST", EVENTS, event("one")).await;
    assert_eq!(repeated.status, 201, "the transaction is forgotten: {}", repeated.body);
    for path in &asked {
        let got = running.send("GET", path, Value::Null).await;
        assert_eq!((got.status, got.body["error"]["code"].as_str()), (404, Some("ErrorItemNotFound")), "{path}");
    }
    for method in ["PATCH", "DELETE"] {
        let body = if method == "PATCH" { json!({"subject": "x"}) } else { Value::Null };
        assert_eq!(running.send(method, &asked[0], body).await.status, 404, "{method}");
    }
    let all = running.send("GET", EVENTS, Value::Null).await.body["value"].clone();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let stale = format!("W/\"{}\"", created.body["changeKey"].as_str().unwrap());
    let patch = running.request("PATCH", &below(EVENTS, &all[0]["id"]), &json!({"subject": "x"}));
    assert_eq!(patch.header("if-match", stale).send().await.unwrap().status().as_u16(), 412);
}

#[tokio::test]
async fn an_administrator_moves_a_mailbox_step_by_step() {
    let running = Running::start(living(Half::OnPremises)).await;
    for subject in ["bad", "good"] {
        running.send("POST", ITEMS, event(subject)).await;
    }
    let items = running.send("GET", ITEMS, Value::Null).await.body;
    let step = |change: Value| {
        let mut body = json!({"mailbox": "ANA@example.test", "to": "online", "step": "begin"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        running.send("POST", "/sandbox/move", body)
    };
    let refused = [
        (json!({"mailbox": "nobody@example.test"}), 404),
        (json!({"mailbox": "bob@example.test"}), 400),
        (json!({"to": "on_premises"}), 400),
        (json!({"to": "both"}), 400),
        (json!({"to": "moon"}), 400),
        (json!({"step": "complete"}), 400),
        (json!({"step": "cancel"}), 400),
        (json!({"lose": [items[0]["id"]]}), 400),
        (json!({"colour": 1}), 400),
    ];
    for (change, status) in refused {
        let got = step(change.clone()).await;
        assert_eq!((got.status, got.body["error"].is_string()), (status, true), "{change}");
    }
    let begun = step(json!({})).await.body;
    let place = |mailbox: &Value| json!([mailbox["half"], mailbox["state"], mailbox["moving_to"], mailbox["moves"]]);
    assert_eq!(place(&begun), json!(["on_premises", "moving", "online", 0]));
    assert_eq!(place(&running.send("GET", "/sandbox/mailboxes", Value::Null).await.body[0]), place(&begun));
    assert_eq!(running.sandbox.counters().moving, 1);
    let page = running.client.get(running.sandbox.url()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("on premises, being moved online"), "{page}");
    for change in
        [json!({}), json!({"step": "complete", "to": "on_premises"}), json!({"step": "complete", "lose": ["x"]})]
    {
        assert_eq!(step(change.clone()).await.status, 400, "{change}");
    }
    assert_eq!(place(&step(json!({"step": "cancel"})).await.body), json!(["on_premises", "active", null, 0]));
    assert_eq!(running.send("GET", ITEMS, Value::Null).await.body, items, "as if nothing had been");

    step(json!({})).await;
    let done = step(json!({"step": "complete", "lose": [items[0]["id"]]})).await.body;
    assert_eq!(place(&done), json!(["online", "active", null, 1]));
    let left = running.send("GET", ITEMS, Value::Null).await.body;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["subject"]), (1, &json!("good")));
    assert!(left[0]["id"] != items[1]["id"] && left[0]["created"] == items[1]["created"]);
    let counts = running.sandbox.counters();
    assert_eq!((counts.moves, counts.moving), (1, 0));
    let page = running.client.get(running.sandbox.url()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">online</span>") && !page.contains("on premises"), "{page}");
}

#[tokio::test]
async fn a_person_edits_in_the_half_where_the_mailbox_is() {
    let running = Running::start(living(Half::Online)).await;
    let id = |item: &Value| format!("{ITEMS}/{}", urlencoded::encode(item["id"].as_str().unwrap()));
    let added = running.send("POST", ITEMS, event("Dentist")).await.body;
    assert_eq!(running.send("GET", EVENTS, Value::Null).await.body["value"][0]["subject"], "Dentist");
    running.move_to("on_premises").await;
    assert_eq!(running.send("PATCH", &id(&added), json!({"subject": "x"})).await.status, 404);
    let found = running.send("GET", ITEMS, Value::Null).await.body[0].clone();
    assert_eq!(running.send("PATCH", &id(&found), json!({"subject": "Doctor"})).await.status, 200);
    let item = get_item(found["id"].as_str().unwrap()).replace("IdOnly", "AllProperties");
    assert!(running.ask(By::Password, &item).await.text.contains("<t:Subject>Doctor</t:Subject>"));
    assert_eq!(running.send("DELETE", &id(&found), Value::Null).await.status, 200);
    assert_eq!(running.code(By::Password, &item).await, "ErrorItemNotFound");
}
