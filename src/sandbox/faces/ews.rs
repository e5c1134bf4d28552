//! The door of EWS: passwords and tokens, limits and faults.

use bytes::Bytes;
use http::{Method, Response};

use super::{
    super::{
        answer,
        caller::{Caller, Delegation, Impersonation, Right},
        cloud,
        counters::increment,
        ews,
        faults::{Face, Site},
        gate::{Admission, Refusal},
        identity::{Denied, Who},
        ntlm,
        service::Sandbox,
        settings::{LogOnScheme, Scope},
        token::Audience,
    },
    Inbound, Outcome, elsewhere, login_page, proxy,
};

/// The role that opens EWS to an application.
const ROLE: &str = "full_access_as_app";
/// The role that Exchange itself grants (RBAC for Applications).
const RBAC_ROLE: &str = "Application EWS.AccessAsApp";

/// Answers a request to `/EWS/Exchange.asmx`.
pub(in super::super) async fn answer(sandbox: &Sandbox, inbound: &Inbound) -> Outcome {
    let who = match who(sandbox, inbound) {
        Ok(Asked::By(who)) => who,
        Ok(Asked::ForAChallenge(token)) => {
            sandbox.counters().update(|counts| counts.challenges += 1);
            let response = answer::answer(401, "text/html; charset=utf-8", Bytes::new());
            return Outcome::Answer(answer::with_header(response, "www-authenticate", &format!("NTLM {token}")));
        }
        Err(denied) => return Outcome::Answer(unauthorized(sandbox, &denied)),
    };
    let Some(caller) = caller(*who) else { return Outcome::Answer(answer::empty(403)) };
    if inbound.method != Method::POST {
        return Outcome::Answer(answer::html(200, "<html><body>You have created a service.</body></html>".to_owned()));
    }
    if !inbound.header("content-type").is_some_and(|kind| kind.to_lowercase().starts_with("text/xml")) {
        return Outcome::Answer(answer::empty(415));
    }
    let call = match ews::parse(&inbound.body) {
        Ok(call) => call,
        Err(reply) => {
            sandbox.counters().request("Unreadable", None);
            return Outcome::Answer(soap(reply));
        }
    };
    let newest = sandbox.settings().ews_version_max.as_deref();
    if newest.is_some_and(|newest| call.is_newer_than(newest)) {
        return Outcome::Answer(soap(ews::fault(
            "ErrorInvalidServerVersion",
            "The specified server version is invalid.",
        )));
    }
    let operation = call.operation();
    let mailbox = call.mailbox(sandbox.store(), &caller).map(|address| address.to_lowercase());
    let items = u64::try_from(call.item_count()).unwrap_or(u64::MAX);
    sandbox.counters().update(|counts| increment(&mut counts.items, operation, items));
    let site = Site { face: Face::Ews, operation, mailbox: mailbox.as_deref(), in_batch: false };
    let pass = match sandbox.gate().admit(&site).await {
        Admission::Enter(pass) => pass,
        Admission::Break => return Outcome::Broken,
        Admission::Refuse(refusal) => return Outcome::Answer(refused(sandbox, refusal)),
    };
    let response = soap(ews::execute(sandbox.store(), &caller, call));
    if pass.drop_answer { Outcome::Broken } else { Outcome::Answer(response) }
}

/// What a request is.
enum Asked {
    By(Box<Who>),
    ForAChallenge(String),
}

/// Who asks: whom the connection belongs to, or who shows a credential.
fn who(sandbox: &Sandbox, inbound: &Inbound) -> Result<Asked, Denied> {
    let (settings, authorization) = (sandbox.settings(), inbound.header("authorization"));
    if let Some(wire) = &inbound.wire
        && settings.authentication.contains(&LogOnScheme::Ntlm)
    {
        let protection = settings.extended_protection;
        match ntlm::step(sandbox.identity(), protection, wire, authorization, sandbox.now()) {
            Some(ntlm::Step::Challenge(token)) => return Ok(Asked::ForAChallenge(token)),
            Some(ntlm::Step::Known(account)) => return Ok(Asked::By(Box::new(Who::Account(account)))),
            Some(ntlm::Step::Denied(denied)) => return Err(denied),
            None => {}
        }
    }
    let face = (Audience::Ews, cloud::host(&inbound.origin));
    sandbox.identity().who(authorization, face, sandbox.now()).map(Box::new).map(Asked::By)
}

/// The rights of who asks; an application without the role has none.
fn caller(who: Who) -> Option<Caller> {
    match who {
        Who::Account(account) => Some(Caller {
            name: account.user,
            mailbox: account.mailbox,
            is_application: false,
            impersonation: impersonation(account.impersonate),
            delegations: delegations(account.delegate_of, Right::Editor)
                .chain(delegations(account.reviewer_of, Right::Reviewer))
                .collect(),
        }),
        Who::Application(application) => {
            let scope = if application.roles.iter().any(|role| role == ROLE) {
                application.scope
            } else if application.rbac_roles.iter().any(|role| role == RBAC_ROLE) {
                application.rbac_scope
            } else {
                return None;
            };
            Some(Caller {
                name: application.client_id,
                mailbox: None,
                is_application: true,
                impersonation: impersonation(scope),
                delegations: Vec::new(),
            })
        }
    }
}

fn delegations(mailboxes: Vec<String>, right: Right) -> impl Iterator<Item = Delegation> {
    mailboxes.into_iter().map(move |mailbox| Delegation { mailbox, right })
}

fn impersonation(scope: Scope) -> Impersonation {
    match scope {
        Scope::All => Impersonation::Everybody,
        Scope::None => Impersonation::Nobody,
        Scope::Only(addresses) => Impersonation::Listed(addresses),
    }
}

fn soap(reply: ews::Reply) -> Response<Bytes> {
    let response = answer::answer(reply.status, "text/xml; charset=utf-8", reply.body);
    answer::with_header(response, "request-id", &uuid::Uuid::new_v4().to_string())
}

fn unauthorized(sandbox: &Sandbox, denied: &Denied) -> Response<Bytes> {
    let reason = match denied {
        Denied::NoCredential | Denied::OutOfOrder | Denied::Unsigned { .. } => String::new(),
        Denied::Unbound { .. } => {
            sandbox.counters().update(|counts| counts.unbound_log_ons += 1);
            String::new()
        }
        Denied::WrongPassword { user } => {
            sandbox.counters().failed_log_on(user);
            String::new()
        }
        Denied::Locked { user } => {
            sandbox.counters().failed_log_on(user);
            "The referenced account is currently locked out and may not be logged on to.".to_owned()
        }
        Denied::Token(fault) => fault.message().to_owned(),
    };
    let response = answer::answer(401, "text/html; charset=utf-8", reason.clone());
    let schemes = sandbox.settings().authentication.iter().map(|scheme| scheme.challenge());
    let response = schemes
        .chain(["Bearer realm=\"\""])
        .fold(response, |response, scheme| answer::with_header(response, "www-authenticate", scheme));
    match denied {
        Denied::Token(_) => answer::with_header(
            response,
            "x-ms-diagnostics",
            &format!("2000003;reason=\"{reason}\";error_category=\"invalid_token\""),
        ),
        _ => response,
    }
}

fn refused(sandbox: &Sandbox, refusal: Refusal) -> Response<Bytes> {
    match refusal {
        Refusal::TooMany { back_off_ms, .. } => soap(ews::busy_fault(back_off_ms)),
        Refusal::Unavailable { retry_after } => {
            let response = answer::html(503, "<html><body>Service Unavailable</body></html>".to_owned());
            match retry_after {
                Some(wait) => answer::with_header(response, "retry-after", &wait),
                None => response,
            }
        }
        Refusal::Internal => {
            answer::html(500, "<html><body>Server Error in '/EWS' Application.</body></html>".to_owned())
        }
        Refusal::Moved => {
            soap(ews::fault("ErrorMailboxMoveInProgress", "The mailbox is being moved. Try again later."))
        }
        Refusal::Unauthorized => unauthorized(sandbox, &Denied::NoCredential),
        Refusal::TokenRevoked => {
            sandbox.revoke_tokens();
            unauthorized(sandbox, &Denied::Token(super::super::token::TokenFault::Revoked))
        }
        Refusal::LoginPage => login_page(),
        Refusal::Proxy => proxy(),
        Refusal::Redirect => elsewhere(),
        Refusal::Forbidden => answer::empty(403),
    }
}
