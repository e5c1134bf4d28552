use serde_json::{Value, json};

use super::{
    super::{Fault, FaultKind, SandboxError},
    *,
};

#[tokio::test]
async fn a_token_is_given_for_the_secret_alone() {
    let running = Running::start(settings()).await;
    assert!(running.token.split('.').count() == 3);
    let mut wrong = TOKEN_FORM;
    wrong[2].1 = "guess";
    let got = running.post_form("/tenant/oauth2/v2.0/token", &wrong).await;
    assert_eq!((got.status, got.body["error"].as_str()), (401, Some("invalid_client")));
    assert_eq!(got.body["error_codes"], json!([7_000_215]));
    let counts = running.sandbox.counters();
    assert_eq!((counts.tokens_issued, counts.failed_log_ons["client"]), (1, 1));
    assert_eq!(counts.statuses, [(200, 1), (401, 1)].into());
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let running = Running::start(settings()).await;
    let error = Sandbox::start(settings(), running.sandbox.address(), None).await.unwrap_err();
    assert!(matches!(error, SandboxError::PortInUse { .. }), "{error}");
    let address = running.sandbox.address();
    running.sandbox.stop().await;
    Sandbox::start(settings(), address, None).await.unwrap();
}

#[tokio::test]
async fn a_dropped_answer_and_a_reset_look_like_a_broken_connection() {
    let running = Running::start(settings()).await;
    for (kind, issued) in [(FaultKind::DropAnswerAfterCommit, 2), (FaultKind::Reset, 2)] {
        running.sandbox.inject(Fault { times: 1, ..Fault::nth(kind, 1, "Token") });
        let request = running
            .client
            .post(format!("{}/tenant/oauth2/v2.0/token", running.sandbox.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&TOKEN_FORM));
        let error = request.send().await.expect_err("no answer");
        assert!(error.is_request() && !error.is_connect(), "{error:?}");
        assert_eq!(running.sandbox.counters().tokens_issued, issued, "{kind:?}");
    }
    assert_eq!(running.sandbox.counters().broken, 2);
    assert!(!running.fresh_token().await.is_empty());
}

#[tokio::test]
async fn faults_of_the_token_endpoint() {
    let running = Running::start(settings()).await;
    for (kind, status) in [
        (FaultKind::Http503, 503),
        (FaultKind::Http500, 500),
        (FaultKind::Http429, 429),
        (FaultKind::HtmlLoginPage, 200),
        (FaultKind::Slow, 200),
    ] {
        running.sandbox.inject(Fault { retry_after_s: Some(3.0), ..Fault::nth(kind, 1, "Token") });
        let got = running.post_form("/tenant/oauth2/v2.0/token", &TOKEN_FORM).await;
        assert_eq!(got.status, status, "{kind:?}");
        let waits = matches!(kind, FaultKind::Http503 | FaultKind::Http429);
        assert_eq!(got.headers.get("retry-after").map(|wait| wait.to_str().unwrap()), waits.then_some("3"), "{kind:?}");
        assert_eq!(got.body.is_object(), kind != FaultKind::HtmlLoginPage);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let running = Running::start(SandboxSettings { body_bytes_max: 1000, ..settings() }).await;
    let path = "/tenant/oauth2/v2.0/token";
    let got = running.send("POST", path, Value::String("x".repeat(2000))).await;
    assert_eq!(got.status, 413);
}

/// In process, where `Host` names Microsoft's hosts: what the clouds keep apart.
#[tokio::test]
async fn the_host_tells_the_cloud() {
    use std::sync::Arc;

    use super::super::{Cloud, Outcome};

    let mut settings = settings();
    settings.applications[0].cloud = Cloud::China;
    let sandbox = Sandbox::new(settings, None, Arc::new(crate::clock::SystemClock)).unwrap();
    let send = async |method: &str, url: &str, headers: &[(&str, &str)], body: String| {
        let request =
            headers.iter().fold(http::Request::builder().method(method).uri(url), |request, (name, value)| {
                request.header(*name, *value)
            });
        let outcome = sandbox.handle(request.body(bytes::Bytes::from(body)).unwrap()).await;
        let Outcome::Answer(answer) = outcome else { panic!("broken") };
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), body)
    };
    let mut fields = TOKEN_FORM;
    fields[3].1 = "https://microsoftgraph.chinacloudapi.cn/.default";
    let ask = async |host: &str| {
        let headers = [("host", host), ("content-type", "application/x-www-form-urlencoded")];
        send("POST", "/tenant/oauth2/v2.0/token", &headers, form(&fields)).await
    };
    let (status, refused) = ask("login.microsoftonline.com").await;
    assert_eq!((status, &refused["error_codes"][0]), (400, &serde_json::json!(900_382)));
    let (status, given) = ask("login.partner.microsoftonline.cn").await;
    assert_eq!(status, 200, "{given}");
    let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap());
    for (host, expected) in
        [("microsoftgraph.chinacloudapi.cn", 200), ("graph.microsoft.com", 401), ("127.0.0.1:1", 200)]
    {
        let headers = [("host", host), ("authorization", bearer.as_str())];
        let (status, body) = send("GET", "/v1.0/users/ana@example.test/calendar", &headers, String::new()).await;
        assert_eq!(status, expected, "{host}: {body}");
    }
}
