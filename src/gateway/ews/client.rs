//! Sends one operation and judges the answer: by its body first, then by its status.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use uuid::Uuid;

use super::{
    EwsConfig,
    document::{Unreadable, soap_body},
    envelope,
    fault::Circumstances,
    operation::{Effect, Operation, ReadError},
    response,
    route::Route,
};
use crate::{
    auth::Authorization,
    clock::Clock,
    gateway::{Pace, RequestReport, acceptance::Acceptance},
    http::{Request, Response, Transport, TransportError, retry_after::retry_after},
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
    },
};

/// Sends requests to the one address of the service.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) authorization: Arc<dyn Authorization>,
    pub(super) acceptance: Acceptance,
    pub(super) pace: Arc<dyn Pace>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: EwsConfig,
}

impl Client {
    /// Sends one operation to a mailbox and reads its answer.
    ///
    /// # Errors
    /// The fault of the request as a whole; those of its items are in the answer.
    pub(super) async fn send<O: Operation>(&self, mailbox: &Address, operation: &O) -> Result<O::Answer, Fault> {
        self.send_named(mailbox, operation).await.map(|(answer, _)| answer)
    }

    /// The same, with the server's name for the request, or ours where it gives none.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) async fn send_named<O: Operation>(
        &self,
        mailbox: &Address,
        operation: &O,
    ) -> Result<(O::Answer, Option<Arc<str>>), Fault> {
        let mut circumstances = Circumstances {
            effect: O::EFFECT,
            impersonation: self.config.access.is_impersonation(),
            retry_after: None,
            request_id: None,
        };
        let route = Route::new(&self.config.access, mailbox);
        let envelope = envelope::envelope(&self.config, &route, operation);
        let (response, header) = self.exchange(mailbox, operation, envelope, &mut circumstances).await?;
        circumstances.retry_after = retry_after(&response.headers, self.clock.now());
        if let Some(id) = request_id(&response.headers) {
            circumstances.request_id = Some(id);
        }
        let success = (200..300).contains(&response.status);
        let messages = soap_body(&response.body).map_err(ReadError::from).and_then(|body| {
            if !success && body.child("Fault").is_none() {
                return Err(Unreadable::new("Body", "no SOAP fault").into());
            }
            response::messages(body, O::NAME, operation.items(), &circumstances)
        });
        match messages.and_then(|messages| operation.read(messages)) {
            Ok(answer) => {
                self.acceptance.note(&header, mailbox);
                Ok((answer, circumstances.request_id.as_deref().map(Arc::from)))
            }
            Err(ReadError::Fault(fault)) => Err(fault),
            Err(ReadError::Unreadable(unreadable)) if success => {
                Err(not_an_answer(&unreadable, &response, &circumstances))
            }
            Err(ReadError::Unreadable(_)) => Err(of_status(&response, &circumstances)),
        }
    }

    /// Sends the request, and once more with a new token when the server refuses the first; returns the answer and the
    /// header with which it came.
    async fn exchange<O: Operation>(
        &self,
        mailbox: &Address,
        operation: &O,
        envelope: Vec<u8>,
        circumstances: &mut Circumstances,
    ) -> Result<(Response, HeaderValue), Fault> {
        let client_request_id = Uuid::new_v4().to_string();
        let mut headers = envelope::headers(mailbox, O::NAME, &client_request_id);
        let body = envelope::body(&self.config, envelope, &mut headers);
        circumstances.request_id = Some(client_request_id);
        let mut refused_before: Option<HeaderValue> = None;
        loop {
            self.pace.admit(mailbox, 1).await;
            // After the wait: whoever waited while the credential was refused is not to try it too.
            let header = self.authorization.header().await?;
            headers.insert(AUTHORIZATION, header.clone());
            let request = Request {
                method: Method::POST,
                url: self.config.url.clone(),
                headers: headers.clone(),
                body: body.clone(),
            };
            let start = self.clock.now();
            let answer = self.transport.send(request).await;
            let elapsed = Duration::try_from(self.clock.now().duration_since(start)).unwrap_or_default();
            let status = answer.as_ref().ok().map(|response| response.status);
            // Before the report, which may let others go ahead.
            let is_refused = refused_before.is_none() && status == Some(401);
            let is_renewable = is_refused && self.authorization.refused(&header);
            let items = operation.items();
            self.pace.report(RequestReport { mailbox, operation: O::NAME, status, elapsed, items });
            let response = answer.map_err(|error| of_transport(&error, circumstances))?;
            if response.status != 401 {
                return Ok((response, header));
            }
            match refused_before {
                None if is_renewable => refused_before = Some(header),
                Some(before) if self.acceptance.opened_another(&[&before, &header], mailbox) => {
                    return Err(closed(circumstances));
                }
                None | Some(_) => return Err(refused(&response, circumstances)),
            }
        }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = ["request-id", "requestid"].into_iter().find_map(|name| headers.get(name))?;
    value.to_str().ok().map(str::to_owned)
}

/// The fault of a mailbox whose requests alone are refused.
fn closed(circumstances: &Circumstances) -> Fault {
    let message = "the server refuses a credential for this mailbox that it takes for others";
    let fault = Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "HTTP 401", message);
    circumstances.named(fault).hint("the application has no role on this mailbox: check the scope of its role")
}

fn refused(response: &Response, circumstances: &Circumstances) -> Fault {
    let locked = contains(&response.body, b"locked out");
    let message = if locked { "the account is locked out" } else { "the server refuses the credential" };
    let fault = Fault::new(FaultScope::Credential, FaultKind::Permanent, "HTTP 401", message);
    circumstances.named(fault).hint(
        "check the account and its password or secret (with NTLM also whether a proxy opens TLS on the way, which Extended \
         Protection refuses); repeated attempts lock accounts, so nothing more is sent for a while",
    )
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words))
}

fn of_transport(error: &TransportError, circumstances: &Circumstances) -> Fault {
    match error {
        TransportError::Untrusted { problem, .. } => {
            let kind = FaultKind::Transient { wait: None };
            circumstances
                .named(Fault::new(FaultScope::Server, kind, problem.code(), error.to_string()))
                .hint(problem.hint())
        }
        TransportError::NoLogOn { .. } => circumstances
            .named(Fault::new(FaultScope::Credential, FaultKind::Permanent, "NoLogOn", error.to_string()))
            .hint(
                "set authentication in [exchange] to what the EWS virtual directory offers, or let it offer more: \
                 Get-WebServicesVirtualDirectory | Format-List *Authentication*",
            ),
        TransportError::Unreachable { .. } => {
            let kind = FaultKind::Transient { wait: None };
            circumstances
                .named(Fault::new(FaultScope::Server, kind, "Unreachable", error.to_string()))
                .hint("check ews_service_url, the name service, the network and the certificate")
        }
        TransportError::Interrupted { .. } => {
            circumstances.unknown_outcome(FaultScope::Mailbox, "Interrupted", error.to_string())
        }
        TransportError::TooLarge { .. } => {
            circumstances.unknown_outcome(FaultScope::Mailbox, "TooLarge", error.to_string()).hint("lower batch_size")
        }
    }
}

/// An answer of success that is not one: a login page of a proxy, nothing, or half an answer.
fn not_an_answer(unreadable: &Unreadable, response: &Response, circumstances: &Circumstances) -> Fault {
    let content_type = response.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let page = content_type.is_some_and(|value| value.starts_with("text/html")) || contains(&response.body, b"<html");
    if page {
        return circumstances
            .unknown_outcome(FaultScope::Server, "NotEws", "a web page in place of an answer of EWS")
            .hint("check that ews_service_url ends in /EWS/Exchange.asmx and that no proxy asks for a sign-in");
    }
    let message = format!("the answer cannot be read: {unreadable}");
    circumstances.unknown_outcome(FaultScope::Mailbox, "UnreadableAnswer", message)
}

/// The fault of a status without a SOAP body.
fn of_status(response: &Response, circumstances: &Circumstances) -> Fault {
    let status = response.status;
    let code = format!("HTTP {status}");
    let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let later = FaultKind::Transient { wait: circumstances.retry_after };
    let never = |scope, message: &str, hint: &str| {
        circumstances.named(Fault::new(scope, FaultKind::Permanent, code.clone(), message)).hint(hint)
    };
    match status {
        403 => never(
            FaultScope::Mailbox,
            "the server forbids access",
            "EWS may be disabled for the mailbox, the organisation or this application (in Exchange Online EWS ends: \
             use use_graph_api), or the account lacks the right",
        ),
        404 | 410 => never(FaultScope::Server, "there is no EWS at this address", "check ews_service_url"),
        413 => never(FaultScope::Item, "the server finds the request too large", "lower batch_size"),
        300..400 if header("location").contains("genericerrorpage") => {
            circumstances.named(Fault::new(FaultScope::Server, later, code, "the server leads to its error page"))
        }
        300..400 => never(FaultScope::Server, "the server leads elsewhere", "check ews_service_url"),
        429 => circumstances.named(Fault::new(FaultScope::Server, later, code, "the server asks to slow down")),
        // With a Retry-After it is the queue in front of the service that turns the request away; without one nobody knows.
        503 if circumstances.retry_after.is_some() || circumstances.effect == Effect::Read => {
            circumstances.named(Fault::new(FaultScope::Server, later, code, "the service is not available"))
        }
        408 | 500.. => {
            let cause = header("x-caserrorcode").chars().take(80).collect::<String>();
            let message = format!("the server failed {cause}");
            let version = contains(&response.body, b"server version is invalid");
            if version {
                let hint = "set exchange_server_version to a version that this server knows";
                return never(FaultScope::Server, "the server does not know the version asked for", hint);
            }
            let scope = if status == 503 { FaultScope::Server } else { FaultScope::Mailbox };
            circumstances.unknown_outcome(scope, &code, message.trim_end())
        }
        // What is wrong with every mailbox shows with every mailbox.
        _ => {
            never(FaultScope::Mailbox, "the server does not take the request", "check the mailbox and ews_service_url")
        }
    }
}
