use super::{
    super::{Fault, FaultKind, RetryAfterForm, ThrottlingSettings},
    *,
};

/// What EWS answers: status, headers, text.
pub(super) struct Soap {
    pub(super) status: u16,
    headers: http::HeaderMap,
    pub(super) text: String,
}

pub(super) fn envelope(mailbox: &str, body: &str) -> String {
    format!(
        r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><soap:Header><t:RequestServerVersion Version="Exchange2016"/><t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>{mailbox}</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"#
    )
}

fn create_item() -> String {
    envelope(
        ANA,
        r#"<m:CreateItem SendMeetingInvitations="SendToNone"><m:SavedItemFolderId><t:DistinguishedFolderId Id="calendar"/></m:SavedItemFolderId><m:Items><t:CalendarItem><t:Subject>Kick-off</t:Subject><t:Start>2026-11-23T08:00:00Z</t:Start><t:End>2026-11-23T09:00:00Z</t:End></t:CalendarItem></m:Items></m:CreateItem>"#,
    )
}

fn find_item() -> String {
    envelope(
        ANA,
        r#"<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape><m:CalendarView StartDate="2026-11-23T00:00:00Z" EndDate="2026-11-24T00:00:00Z"/><m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>"#,
    )
}

impl Running {
    pub(super) fn ews(&self, body: String) -> reqwest::RequestBuilder {
        let url = format!("{}/ews/exchange.ASMX", self.sandbox.url());
        self.client.post(url).header("content-type", "text/xml; charset=utf-8").body(body)
    }

    async fn log_on(&self, password: &str, body: String) -> Soap {
        soap(self.ews(body).basic_auth("service", Some(password)).send().await.unwrap()).await
    }

    fn items(&self) -> usize {
        self.sandbox.sandbox().store().mailboxes()[0].item_count
    }
}

pub(super) async fn soap(response: reqwest::Response) -> Soap {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Soap { status, headers, text: response.text().await.unwrap() }
}

#[tokio::test]
async fn an_item_is_created_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start_recorded(settings(), Some(recording(&folder, "sandbox-ews.jsonl"))).await;
    let got = running.log_on("secret", create_item()).await;
    assert!(got.status == 200 && got.text.contains("NoError"), "{}", got.text);
    running.log_on("secret", find_item()).await;
    let counts = running.sandbox.counters();
    assert_eq!((running.items(), counts.items["CreateItem"], counts.mailboxes[ANA]), (1, 1, 2));
}

#[tokio::test]
async fn a_full_mailbox_takes_nothing_new() {
    let running = Running::start(settings()).await;
    running.sandbox.sandbox().store().set_state(ANA, super::super::store::MailboxState::Full).unwrap();
    let got = running.log_on("secret", create_item()).await;
    assert!(got.status == 200 && got.text.contains("ErrorQuotaExceeded") && running.items() == 0, "{}", got.text);
}

#[tokio::test]
async fn wrong_passwords_are_counted_and_lock_the_account() {
    let running = Running::start(SandboxSettings { lock_out_after: 2, ..settings() }).await;
    for (password, says_locked) in [("guess", false), ("guess", false), ("secret", true)] {
        let got = running.log_on(password, create_item()).await;
        assert_eq!((got.status, got.text.contains("locked out")), (401, says_locked));
        let offered: Vec<_> = got.headers.get_all("www-authenticate").iter().map(|one| one.to_str().unwrap()).collect();
        assert!(offered.iter().any(|one| one.starts_with("Basic")), "{offered:?}");
    }
    assert_eq!(running.sandbox.counters().failed_log_ons["service"], 3);
    let nobody = soap(running.ews(create_item()).send().await.unwrap()).await;
    assert_eq!((nobody.status, running.items()), (401, 0));
}

#[tokio::test]
async fn a_token_of_the_other_audience_is_refused() {
    let running = Running::start(settings()).await;
    let graph = soap(running.ews(create_item()).bearer_auth(&running.token).send().await.unwrap()).await;
    assert_eq!(graph.status, 401);
    let mut form = TOKEN_FORM;
    form[3].1 = "https://outlook.office365.com/.default";
    let token = running.post_form("/tenant/oauth2/v2.0/token", &form).await.body["access_token"].clone();
    let token = token.as_str().unwrap();
    let ews = soap(running.ews(create_item()).bearer_auth(token).send().await.unwrap()).await;
    assert_eq!(ews.status, 200, "{}", ews.text);
    let mut wrong = running;
    wrong.token = token.to_owned();
    assert_eq!(wrong.send("GET", "/v1.0/users/ana@example.test/events", Value::Null).await.status, 401);
}

#[tokio::test]
async fn each_fault_has_its_form() {
    let throttling = ThrottlingSettings { retry_after_form: RetryAfterForm::Date, ..ThrottlingSettings::default() };
    let running = Running::start(SandboxSettings { throttling, ..settings() }).await;
    for (kind, status, text) in [
        (FaultKind::ServerBusy, 500, "<t:Value Name=\"BackOffMilliseconds\">2000</t:Value>"),
        (FaultKind::Http503, 503, "Service Unavailable"),
        (FaultKind::Http500, 500, "Server Error in '/EWS' Application"),
        (FaultKind::MailboxMoved, 500, "ErrorMailboxMoveInProgress"),
        (FaultKind::Unauthorized, 401, ""),
        (FaultKind::TokenRevoked, 401, ""),
        (FaultKind::HtmlLoginPage, 200, "Sign in"),
    ] {
        running.sandbox.inject(Fault::nth(kind, 1, "CreateItem"));
        let got = running.log_on("secret", create_item()).await;
        assert_eq!((got.status, got.text.contains(text)), (status, true), "{kind:?}: {}", got.text);
        let waits = got.headers.get("retry-after").is_some_and(|wait| wait.to_str().unwrap().ends_with(" GMT"));
        assert_eq!(waits, kind == FaultKind::Http503);
    }
    assert_eq!(running.items(), 0);
    running.sandbox.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, "CreateItem"));
    running.ews(create_item()).basic_auth("service", Some("secret")).send().await.expect_err("broken");
    assert_eq!((running.items(), running.sandbox.counters().faults), (1, 8));
}

#[tokio::test]
async fn the_limits_answer_with_a_back_off() {
    let throttling =
        ThrottlingSettings { requests_per_window: 1, ews_back_off_ms: 1234, ..ThrottlingSettings::default() };
    let running = Running::start(SandboxSettings { throttling, ..settings() }).await;
    assert_eq!(running.log_on("secret", create_item()).await.status, 200);
    let got = running.log_on("secret", create_item()).await;
    assert!(got.status == 500 && got.text.contains(">1234<"), "{}", got.text);
    assert_eq!((running.items(), running.sandbox.counters().rejected), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_fault() {
    let running = Running::start(settings()).await;
    let got = running.log_on("secret", "<not-soap/>".to_owned()).await;
    assert_eq!((got.status, got.text.contains("Fault")), (500, true), "{}", got.text);
}
