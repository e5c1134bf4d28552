//! The door of Graph: tokens, rights, limits and faults, alone or inside a batch.

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::{HeaderMap, Method, Response};
use serde_json::{Value, json};

use super::{
    super::{
        answer, cloud,
        faults::{Face, Site},
        gate::{Admission, Refusal},
        graph::{
            Ask, GraphError, Operation, Route,
            batch::{Step, failed_dependency, steps, wrap},
            carry_out, prefer, route, user_id,
        },
        identity::{Denied, Who},
        service::Sandbox,
        settings::ApplicationSettings,
        store::Half,
        token::Audience,
        urlencoded,
    },
    Inbound, Outcome, elsewhere, login_page, proxy,
};

/// One request, alone or of a batch.
struct One<'a> {
    application: &'a ApplicationSettings,
    method: &'a Method,
    /// Below `/v1.0/`.
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    body: Result<Option<&'a Value>, GraphError>,
    origin: &'a str,
    in_batch: bool,
}

/// Answers a request below `/v1.0/`.
pub(in super::super) async fn answer(sandbox: &Sandbox, inbound: &Inbound, path: &str) -> Outcome {
    let face = (Audience::Graph, cloud::host(&inbound.origin));
    let who = sandbox.identity().who(inbound.header("authorization"), face, sandbox.now());
    let application = match who {
        Ok(Who::Application(application)) => application,
        Ok(Who::Account(_)) => return Outcome::Answer(unauthorized(sandbox, "Access token is empty.")),
        Err(denied) => {
            let message = match denied {
                Denied::Token(fault) => fault.message(),
                Denied::NoCredential
                | Denied::WrongPassword { .. }
                | Denied::Locked { .. }
                | Denied::OutOfOrder
                | Denied::Unsigned { .. }
                | Denied::Unbound { .. } => "Access token is empty.",
            };
            return Outcome::Answer(unauthorized(sandbox, message));
        }
    };
    let body = parse_body(inbound);
    if urlencoded::decode(path, false) == "$batch" {
        return batch(sandbox, inbound, &application, body).await;
    }
    let one = One {
        application: &application,
        method: &inbound.method,
        path,
        query: &inbound.query,
        headers: &inbound.headers,
        body: body.as_ref().map(Option::as_ref).map_err(Clone::clone),
        origin: &inbound.origin,
        in_batch: false,
    };
    match carry_out_one(sandbox, &one).await {
        Ok(response) => Outcome::Answer(response),
        Err(Cut) => Outcome::Broken,
    }
}

fn parse_body(inbound: &Inbound) -> Result<Option<Value>, GraphError> {
    if inbound.body.is_empty() {
        return Ok(None);
    }
    if !inbound.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(GraphError::new(415, "RequestBodyRead", "A body must be of the type application/json."));
    }
    let read = serde_json::from_slice(&inbound.body);
    read.map(Some).map_err(|_| GraphError::new(400, "BadRequest", "Unable to read JSON request payload."))
}

/// The connection breaks.
struct Cut;

/// Carries out one request behind the gate.
async fn carry_out_one(sandbox: &Sandbox, one: &One<'_>) -> Result<Response<Bytes>, Cut> {
    let refuse = |error: &GraphError| Ok(error_response(sandbox, error));
    let route = match route(one.method, one.path) {
        Ok(route) => route,
        Err(error) => return refuse(&error),
    };
    let mailbox = primary_address(sandbox, &route.user);
    let site =
        Site { face: Face::Graph, operation: route.operation.name(), mailbox: Some(&mailbox), in_batch: one.in_batch };
    let pass = match sandbox.gate().admit(&site).await {
        Admission::Enter(pass) => pass,
        Admission::Break => return Err(Cut),
        Admission::Refuse(refusal) => return Ok(refused(sandbox, refusal)),
    };
    let response = match may(one.application, &route, &mailbox).and_then(|()| execute(sandbox, one, &route, &mailbox)) {
        Ok(response) => named(response),
        Err(error) => error_response(sandbox, &error),
    };
    if pass.drop_answer { Err(Cut) } else { Ok(response) }
}

fn execute(sandbox: &Sandbox, one: &One<'_>, route: &Route, mailbox: &str) -> Result<Response<Bytes>, GraphError> {
    check_routing_hint(sandbox, one.headers, mailbox)?;
    let texts =
        |name: &str| one.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>();
    carry_out(&Ask {
        store: &sandbox.store().seen_from(Half::Online),
        route,
        mailbox,
        prefer: prefer(texts("prefer").into_iter())?,
        query: one.query,
        body: one.body.clone()?,
        if_match: texts("if-match").first().copied(),
        address: &format!("{}/v1.0/{}", one.origin, one.path.trim_start_matches('/')),
    })
}

/// Graph needs no routing hint, and refuses one that leads to another mailbox.
fn check_routing_hint(sandbox: &Sandbox, headers: &HeaderMap, mailbox: &str) -> Result<(), GraphError> {
    let Some(hint) = headers.get("x-anchormailbox").and_then(|hint| hint.to_str().ok()) else { return Ok(()) };
    let address = hint.rsplit(':').next().unwrap_or(hint);
    if primary_address(sandbox, address) == mailbox {
        return Ok(());
    }
    let message = "The routing hint of X-AnchorMailbox does not lead to the mailbox.";
    Err(GraphError::new(400, "ErrorIncorrectRoutingHint", message))
}

/// The primary address of a user in lower case, given by an address or an object id; an unknown one stays as it is.
fn primary_address(sandbox: &Sandbox, user: &str) -> String {
    if let Ok(id) = uuid::Uuid::try_parse(user) {
        let found = sandbox.store().mailboxes().into_iter().find(|mailbox| user_id(&mailbox.settings.address) == id);
        return found.map_or_else(|| user.to_owned(), |mailbox| mailbox.settings.address.to_lowercase());
    }
    let found = sandbox.store().mailbox(user);
    found.map_or_else(|_| user.to_owned(), |mailbox| mailbox.settings.address).to_lowercase()
}

/// Whether the application's roles reach so far.
fn may(application: &ApplicationSettings, route: &Route, mailbox: &str) -> Result<(), GraphError> {
    let has = |role: &str| application.roles.iter().any(|one| one == role);
    if route.operation == Operation::GetUser {
        if has("User.Read.All") {
            return Ok(());
        }
        let message = "Insufficient privileges to complete the operation.";
        return Err(GraphError::new(403, "Authorization_RequestDenied", message));
    }
    let reaches = has("Calendars.ReadWrite") || (has("Calendars.Read") && !route.operation.writes());
    let granted = |role: &str| application.rbac_roles.iter().any(|one| one == role);
    let granted = granted("Application Calendars.ReadWrite")
        || (granted("Application Calendars.Read") && !route.operation.writes());
    // What Exchange grants adds to what the token carries.
    if (reaches && application.scope.contains(mailbox)) || (granted && application.rbac_scope.contains(mailbox)) {
        return Ok(());
    }
    Err(GraphError::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."))
}

/// Carries out a batch: up to a number of steps at a time, prerequisites first, answers in any order.
async fn batch(
    sandbox: &Sandbox,
    inbound: &Inbound,
    application: &ApplicationSettings,
    body: Result<Option<Value>, GraphError>,
) -> Outcome {
    let site = Site { face: Face::Graph, operation: "Batch", mailbox: None, in_batch: false };
    let pass = match sandbox.gate().admit(&site).await {
        Admission::Enter(pass) => pass,
        Admission::Break => return Outcome::Broken,
        Admission::Refuse(refusal) => return Outcome::Answer(refused(sandbox, refusal)),
    };
    if inbound.method != Method::POST {
        return Outcome::Answer(error_response(sandbox, &GraphError::new(405, "BadRequest", "A batch is posted.")));
    }
    let steps = match body.and_then(|body| steps(&body.unwrap_or(Value::Null))) {
        Ok(steps) => steps,
        Err(error) => return Outcome::Answer(error_response(sandbox, &error)),
    };
    let Ok(mut answers) = run_steps(sandbox, inbound, application, &steps).await else { return Outcome::Broken };
    if pass.drop_answer {
        return Outcome::Broken;
    }
    sandbox.shuffle(&mut answers);
    Outcome::Answer(named(answer::json(200, &json!({"responses": answers}))))
}

/// The answer with the name of its request.
fn named(response: Response<Bytes>) -> Response<Bytes> {
    answer::with_header(response, "request-id", &uuid::Uuid::new_v4().to_string())
}

async fn run_steps(
    sandbox: &Sandbox,
    inbound: &Inbound,
    application: &ApplicationSettings,
    steps: &[Step],
) -> Result<Vec<Value>, Cut> {
    let mut statuses: Vec<Option<u16>> = vec![None; steps.len()];
    let mut started = vec![false; steps.len()];
    let mut answers = Vec::with_capacity(steps.len());
    let mut running = FuturesUnordered::new();
    let mut cut = false;
    loop {
        // Latency makes steps wait for each other; the number that runs at a time is Graph's.
        for (position, step) in steps.iter().enumerate() {
            let ready = step.after.iter().all(|before| statuses[*before].is_some());
            if started[position] || !ready || running.len() >= sandbox.settings().batch_concurrent.max(1) {
                continue;
            }
            started[position] = true;
            let failed = step.after.iter().any(|before| statuses[*before].is_none_or(|status| status >= 400));
            running.push(run_step(sandbox, inbound, application, position, step, failed));
        }
        let Some((position, outcome)) = running.next().await else { break };
        let response = match outcome {
            Ok(response) => response,
            Err(Cut) => {
                // The rest is still carried out: only the answer is lost.
                cut = true;
                answer::empty(500)
            }
        };
        let status = response.status().as_u16();
        sandbox.counters().status(status);
        statuses[position] = Some(status);
        answers.push(wrap(&steps[position].id, &response));
    }
    if cut { Err(Cut) } else { Ok(answers) }
}

async fn run_step(
    sandbox: &Sandbox,
    inbound: &Inbound,
    application: &ApplicationSettings,
    position: usize,
    step: &Step,
    failed: bool,
) -> (usize, Result<Response<Bytes>, Cut>) {
    if failed {
        return (position, Ok(error_response(sandbox, &failed_dependency())));
    }
    let (path, query) = step.url.split_once('?').unwrap_or((&step.url, ""));
    let one = One {
        application,
        method: &step.method,
        path: path.trim_start_matches('/'),
        query,
        headers: &step.headers,
        body: Ok(step.body.as_ref()),
        origin: &inbound.origin,
        in_batch: true,
    };
    (position, carry_out_one(sandbox, &one).await)
}

fn error_response(sandbox: &Sandbox, error: &GraphError) -> Response<Bytes> {
    let request_id = uuid::Uuid::new_v4().to_string();
    answer::with_header(error.response(sandbox.now(), &request_id), "request-id", &request_id)
}

fn unauthorized(sandbox: &Sandbox, message: &str) -> Response<Bytes> {
    let response = error_response(sandbox, &GraphError::new(401, "InvalidAuthenticationToken", message));
    answer::with_header(
        response,
        "www-authenticate",
        "Bearer realm=\"\", authorization_uri=\"/common/oauth2/authorize\"",
    )
}

fn refused(sandbox: &Sandbox, refusal: Refusal) -> Response<Bytes> {
    let (error, retry_after) = match refusal {
        Refusal::TooMany { retry_after, .. } => {
            let message = "Application is over its MailboxConcurrency limit.";
            (GraphError::new(429, "ApplicationThrottled", message), retry_after)
        }
        Refusal::Unavailable { retry_after } => {
            (GraphError::new(503, "serviceNotAvailable", "The service is temporarily unavailable."), retry_after)
        }
        Refusal::Internal => {
            let message = "An internal server error occurred. The operation failed.";
            (GraphError::new(500, "ErrorInternalServerError", message), None)
        }
        Refusal::Moved => {
            let message = "Mailbox move in progress. Try again later.";
            (GraphError::new(503, "ErrorMailboxMoveInProgress", message), None)
        }
        Refusal::Unauthorized => return unauthorized(sandbox, "Access token validation failure."),
        Refusal::TokenRevoked => {
            sandbox.revoke_tokens();
            return unauthorized(sandbox, super::super::token::TokenFault::Revoked.message());
        }
        Refusal::LoginPage => return login_page(),
        Refusal::Proxy => return proxy(),
        Refusal::Redirect => return elsewhere(),
        Refusal::Forbidden => {
            let message = "Access is denied. Check credentials and try again.";
            (GraphError::new(403, "ErrorAccessDenied", message), None)
        }
    };
    let response = error_response(sandbox, &error);
    match retry_after {
        Some(wait) => answer::with_header(response, "retry-after", &wait),
        None => response,
    }
}
