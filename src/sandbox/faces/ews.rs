//! The door of EWS: passwords and tokens, limits and faults.

use bytes::Bytes;
use http::{Method, Response};

use super::{
    super::{
        answer,
        caller::{Caller, Delegation, Impersonation, Right},
        counters::increment,
        ews,
        faults::{Face, Site},
        gate::{Admission, Refusal},
        identity::{Denied, Who},
        service::Sandbox,
        settings::Scope,
        token::Audience,
    },
    Inbound, Outcome, elsewhere, login_page, proxy,
};

/// The role that opens EWS to an application.
const ROLE: &str = "full_access_as_app";

/// Answers a request to `/EWS/Exchange.asmx`.
pub(in super::super) async fn answer(sandbox: &Sandbox, inbound: &Inbound) -> Outcome {
    let who = sandbox.identity().who(inbound.header("authorization"), Audience::Ews, sandbox.now());
    let who = match who {
        Ok(who) => who,
        Err(denied) => return Outcome::Answer(unauthorized(sandbox, &denied)),
    };
    let Some(caller) = caller(who) else { return Outcome::Answer(answer::empty(403)) };
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
        Who::Application(application) => application.roles.iter().any(|role| role == ROLE).then(|| Caller {
            name: application.client_id,
            mailbox: None,
            is_application: true,
            impersonation: impersonation(application.scope),
            delegations: Vec::new(),
        }),
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
        Denied::NoCredential => String::new(),
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
    let response = answer::with_header(response, "www-authenticate", "Basic realm=\"sandbox\"");
    let response = answer::with_header(response, "www-authenticate", "Bearer realm=\"\"");
    match denied {
        Denied::Token(_) => answer::with_header(
            response,
            "x-ms-diagnostics",
            &format!("2000003;reason=\"{reason}\";error_category=\"invalid_token\""),
        ),
        Denied::NoCredential | Denied::WrongPassword { .. } | Denied::Locked { .. } => response,
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
