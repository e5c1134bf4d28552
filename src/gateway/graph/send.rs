//! One HTTP request to Graph: admitted by the limits, signed, and signed once more when the token was refused.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    super::RequestReport,
    GraphGateway,
    answer::ErrorBody,
    fault::{self, Place, Refusal, Verb},
};
use crate::{
    http::{Request, Response},
    model::{address::Address, fault::Fault},
};

/// Ids that stay the same while an item stays in its mailbox. Not sticky: it goes with each request.
pub(super) const PREFER: &str = "IdType=\"ImmutableId\"";
/// The same, with bodies as text.
pub(super) const PREFER_TEXT: &str = "IdType=\"ImmutableId\", outlook.body-content-type=\"text\"";
/// Bodies below this are not worth compressing.
const GZIP_BYTES_MIN: usize = 1024;

/// One HTTP request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) mailbox: &'a Address,
    /// The operation's name, for the limits and the log.
    pub(super) operation: &'static str,
    pub(super) method: Method,
    /// What follows `/v1.0`, query included.
    pub(super) path: String,
    pub(super) body: Bytes,
    /// What it counts for the limits.
    pub(super) cost: u32,
    /// How many items it carries.
    pub(super) items: usize,
    pub(super) verb: Verb,
}

impl<'a> Call<'a> {
    /// A GET.
    pub(super) fn get(mailbox: &'a Address, operation: &'static str, path: String) -> Self {
        Self { mailbox, operation, method: Method::GET, path, body: Bytes::new(), cost: 1, items: 0, verb: Verb::Read }
    }
}

/// Sends a request and returns what was answered, whatever its status but 401, and the authorization with which it came.
pub(super) async fn send(gateway: &GraphGateway, call: &Call<'_>) -> Result<(Response, HeaderValue), Fault> {
    let (body, zipped) = packed(gateway, &call.body);
    let mut refused_before: Option<HeaderValue> = None;
    loop {
        gateway.pace.admit(call.mailbox, call.cost).await;
        // After the wait: whoever waited while the credential was refused is not to try it too.
        let authorization = gateway.authorization.header().await?;
        let request = Request {
            method: call.method.clone(),
            url: format!("{}/v1.0{}", gateway.config.root, call.path),
            headers: headers(authorization.clone(), !body.is_empty(), zipped),
            body: body.clone(),
        };
        let begun = gateway.clock.now();
        let answer = gateway.transport.send(request).await;
        // Before the report, which may let others go ahead.
        let is_refused = refused_before.is_none() && answer.as_ref().is_ok_and(|answer| answer.status == 401);
        let is_renewable = is_refused && gateway.authorization.refused(&authorization);
        gateway.pace.report(RequestReport {
            mailbox: call.mailbox,
            operation: call.operation,
            status: answer.as_ref().ok().map(|answer| answer.status),
            elapsed: gateway.clock.now().duration_since(begun).try_into().unwrap_or_default(),
            items: call.items,
        });
        let answer = answer.map_err(|error| fault::of_transport(&error, call.verb))?;
        if answer.status != 401 {
            return Ok((answer, authorization));
        }
        match refused_before {
            None if is_renewable => refused_before = Some(authorization),
            None => return Err(refused(gateway, &answer, call.verb)),
            Some(before) => {
                let fault = refused(gateway, &answer, call.verb);
                return Err(closed_or_refused(gateway, call.mailbox, [&before, &authorization], fault));
            }
        }
    }
}

/// Sends a request and reads its answer.
pub(super) async fn read<T: DeserializeOwned>(gateway: &GraphGateway, call: &Call<'_>) -> Result<T, Fault> {
    let (answer, authorization) = send(gateway, call).await?;
    if !matches!(answer.status, 200..=299) {
        return Err(refused(gateway, &answer, call.verb));
    }
    gateway.acceptance.note(&authorization, call.mailbox);
    serde_json::from_slice(&answer.body).map_err(|error| {
        let what =
            format!("the answer to {} cannot be read: {} at byte {}", call.operation, kind(&error), error.column());
        fault::of_nonsense(call.verb, what)
    })
}

/// The fault of an answer that is not a success.
pub(super) fn refused(gateway: &GraphGateway, answer: &Response, verb: Verb) -> Fault {
    let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
    let refusal = Refusal {
        status: answer.status,
        headers: &answer.headers,
        error: body.error.as_ref(),
        place: Place::Outer,
        verb,
    };
    fault::of_refusal(&refusal, gateway.clock.now())
}

/// The fault of a mailbox for which two tokens were refused: one of them opens other mailboxes, or the fault stands as it is.
pub(super) fn closed_or_refused(
    gateway: &GraphGateway,
    mailbox: &Address,
    tokens: [&HeaderValue; 2],
    fault: Fault,
) -> Fault {
    if gateway.acceptance.opened_another(&tokens, mailbox) { fault::of_closed_mailbox(fault) } else { fault }
}

/// What is wrong with a JSON text, without the text itself.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io => "reading failed",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "it is not of the expected form",
        serde_json::error::Category::Eof => "it ends too early",
    }
}

fn headers(authorization: HeaderValue, has_body: bool, zipped: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert("prefer", HeaderValue::from_static(PREFER));
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("client-request-id", id);
        headers.insert("return-client-request-id", HeaderValue::from_static("true"));
    }
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers
}

/// The body as it is sent, and whether it is compressed.
fn packed(gateway: &GraphGateway, body: &Bytes) -> (Bytes, bool) {
    if !gateway.config.gzip_requests || body.len() < GZIP_BYTES_MIN {
        return (body.clone(), false);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    match encoder.write_all(body).and_then(|()| encoder.finish()) {
        Ok(zipped) => (zipped.into(), true),
        Err(_) => (body.clone(), false),
    }
}
