//! The Test button: who we are to Outlook and what we may do there, step by step, with the cause of what fails.

mod canary;
mod server;
mod token;

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::wiring::{self, Outlook, WiringError};
use crate::{
    auth::TokenMemory,
    clock::Clock,
    diagnosis::{self, CameBack, Cause, Facts, Mode, Proof, Token, Way},
    gateway::Calendar,
    http::client::ReqwestTransport,
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
        link::Owner,
        snapshot::Snapshot,
    },
    scheduler::{CalendarChoice, KnownCalendar, choose_calendar, refuse_a_change},
    settings::{Credential, EwsAccess, Protocol, Settings},
    state::Store,
};

/// The name that canaries carry as their owner.
const OWNER: &str = "calsyncd test";

/// What a step of the test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessStep {
    /// The host has an address.
    Name,
    /// It takes connections, and its certificate is good.
    Connection,
    /// Its clock and ours agree.
    Clock,
    /// We have something to show: a token, or the password.
    Credential,
    /// The server takes it.
    Authentication,
    /// The mailbox is there, and on this server.
    Mailbox,
    /// Its calendar opens.
    Calendar,
    /// Our own items in it can be found.
    Items,
    /// An item can be written.
    Write,
    /// It shows what was written, on whole days and across a change of clocks too.
    ReadBack,
    /// It can be changed.
    Change,
    /// It can be deleted, and is gone.
    Delete,
    /// A mailbox outside the scope is refused.
    Refusal,
}

impl AccessStep {
    /// What the step tries, in a word or two.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Clock => "clock",
            Self::Credential => "credential",
            Self::Authentication => "authentication",
            Self::Mailbox => "mailbox",
            Self::Calendar => "calendar",
            Self::Items => "items",
            Self::Write => "write",
            Self::ReadBack => "read back",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Refusal => "refusal",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The step.
    pub step: AccessStep,
    /// The mailbox; `None` for a step that concerns them all.
    pub mailbox: Option<Address>,
    /// What was tried, on what.
    pub tried: String,
    /// What came back, or why not.
    pub result: Result<String, Failure>,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What came back.
    pub fault: Fault,
    /// What is wrong.
    pub cause: Cause,
    /// What to do about it, a line for each step.
    pub advice: Vec<String>,
}

/// What is to be tested.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The mailboxes to open, to write to and to clean up again.
    pub mailboxes: Vec<Address>,
    /// The mailboxes that are to be refused; they are read only.
    pub out_of_scope: Vec<Address>,
}

/// Whether the test goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Onward {
    Yes,
    /// Nothing more makes sense in this mailbox.
    NotHere,
    /// Nothing more makes sense anywhere: it would cost another attempt, or meet the same.
    No,
}

/// A test that runs.
struct Test<'a, F> {
    settings: &'a Settings,
    store: &'a Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    outlook: Outlook,
    /// To look at the server without a credential.
    client: ReqwestTransport,
    /// The roles of the token, once it is there.
    roles: Option<Vec<String>>,
    ok: bool,
    tell: F,
}

/// Tests the access, telling each step as it ends. A canary is written to each mailbox, and removed whatever happens; nothing
/// else is touched. Returns whether all went well.
///
/// # Errors
/// When TLS or the credential cannot be set up.
pub async fn test_access(
    settings: &Settings,
    store: &Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    wanted: &Wanted,
    tell: impl FnMut(&StepResult),
) -> Result<bool, WiringError> {
    let outlook = wiring::outlook(settings, &Owner(OWNER.to_owned()), &clock, &TokenMemory::default())?;
    let client = ReqwestTransport::new(wiring::http(settings))?;
    let mut test = Test { settings, store, clock, stop, outlook, client, roles: None, ok: true, tell };
    if test.server().await == Onward::No || test.credential().await == Onward::No {
        return Ok(false);
    }
    for mailbox in &wanted.mailboxes {
        if test.stop.is_cancelled() || test.mailbox(mailbox).await == Onward::No {
            return Ok(false);
        }
    }
    for mailbox in &wanted.out_of_scope {
        if test.stop.is_cancelled() || test.refusal(mailbox).await == Onward::No {
            return Ok(false);
        }
    }
    Ok(test.ok)
}

impl<F: FnMut(&StepResult)> Test<'_, F> {
    /// Tells how a step ended and returns whether it went well.
    fn tell(
        &mut self,
        step: AccessStep,
        mailbox: Option<&Address>,
        tried: String,
        result: Result<String, Fault>,
    ) -> bool {
        let result = result.map_err(|fault| self.failure(step, mailbox, fault));
        let is_ok = result.is_ok();
        self.ok &= is_ok;
        (self.tell)(&StepResult { step, mailbox: mailbox.cloned(), tried, result });
        is_ok
    }

    fn failure(&self, step: AccessStep, mailbox: Option<&Address>, fault: Fault) -> Failure {
        let writes = matches!(step, AccessStep::Write | AccessStep::Change | AccessStep::Delete);
        let token = self.roles.as_deref().map_or(Token::Unknown, Token::Roles);
        let secret_like_an_id = token::is_secret_like_an_id(&self.settings.exchange.credential);
        let back = CameBack { code: &fault.code, message: &fault.message, writes, token, secret_like_an_id };
        let cause = diagnosis::cause(self.mode(), &back);
        let mut advice = diagnosis::advice(cause, &self.facts(mailbox, &fault));
        // Whoever found the fault knows best what to do about a calendar.
        if cause == Cause::CalendarMissing {
            advice = fault.hint.iter().cloned().collect();
        }
        Failure { fault, cause, advice }
    }

    fn mode(&self) -> Mode {
        let exchange = &self.settings.exchange;
        let proof = match exchange.credential {
            Credential::Password { .. } => Proof::Password,
            Credential::Application { .. } => Proof::Token,
        };
        let way = match &exchange.protocol {
            Protocol::Ews { access: EwsAccess::Impersonation(_), .. } => Way::Impersonation,
            Protocol::Ews { access: EwsAccess::Delegate, .. } => Way::Delegate,
            Protocol::Graph { .. } => Way::Graph,
        };
        Mode { way, proof, is_online: way == Way::Graph || proof == Proof::Token }
    }

    fn facts(&self, mailbox: Option<&Address>, fault: &Fault) -> Facts {
        let exchange = &self.settings.exchange;
        let (account, tenant) = match &exchange.credential {
            Credential::Password { user, .. } => (user.clone(), None),
            Credential::Application { client_id, token_url, .. } => {
                (client_id.clone(), token_url.split('/').nth(3).map(str::to_owned))
            }
        };
        let primary = fault.hint.iter().flat_map(|hint| hint.split([' ', ','])).filter(|word| word.contains('@'));
        let primary = primary.map(str::to_owned).find(|word| mailbox.is_none_or(|mailbox| word != mailbox.as_str()));
        let mailbox = mailbox.map_or_else(|| "ADDRESS".to_owned(), ToString::to_string);
        Facts { mode: self.mode(), mailbox, account, tenant, url: self.url().to_owned(), primary }
    }

    fn url(&self) -> &str {
        match &self.settings.exchange.protocol {
            Protocol::Ews { url, .. } => url,
            Protocol::Graph { root } => root,
        }
    }

    /// The token, and what it says of itself.
    async fn credential(&mut self) -> Onward {
        let tried = match &self.settings.exchange.credential {
            Credential::Password { user, .. } => format!("prepare the password of {user}"),
            Credential::Application { token_url, client_id, .. } => {
                format!("get a token for application {client_id} from {token_url}")
            }
        };
        let header = self.outlook.authorization.header().await;
        let claims = header.as_ref().ok().and_then(token::claims);
        let said = match (&self.settings.exchange.credential, &claims) {
            (Credential::Password { .. }, _) => "ready; one attempt is made with it".to_owned(),
            (Credential::Application { .. }, Some(claims)) => claims.told(),
            (Credential::Application { .. }, None) => "the token came; it does not say what it is for".to_owned(),
        };
        self.roles = claims.map(|claims| claims.roles);
        let ok = self.tell(AccessStep::Credential, None, tried, header.map(|_| said));
        if ok { Onward::Yes } else { Onward::No }
    }

    /// Opens a mailbox, looks for our items and lets a canary live in it.
    async fn mailbox(&mut self, mailbox: &Address) -> Onward {
        let opened = self.outlook.gateway.open(mailbox).await;
        let default = match opened {
            Ok(calendar) => calendar,
            Err(fault) => return self.not_opened(mailbox, fault),
        };
        let place = match self.mode() {
            Mode { way: Way::Graph, .. } => "it lives in Exchange Online",
            Mode { is_online: true, .. } => "it lives where this application's tokens are taken: Exchange Online",
            Mode { .. } => "it lives on this server",
        };
        self.tell(AccessStep::Authentication, Some(mailbox), self.shown(), Ok("it is taken".to_owned()));
        self.tell(AccessStep::Mailbox, Some(mailbox), format!("find the mailbox {mailbox}"), Ok(place.to_owned()));
        let Some(calendar) = self.calendar(mailbox, default).await else { return Onward::NotHere };
        if !self.items(mailbox, &calendar).await {
            return Onward::NotHere;
        }
        self.canary(&calendar).await;
        Onward::Yes
    }

    /// What is shown to the server, in words.
    fn shown(&self) -> String {
        match &self.settings.exchange.credential {
            Credential::Password { user, .. } => format!("show the password of {user}"),
            Credential::Application { client_id, .. } => format!("show the token of application {client_id}"),
        }
    }

    /// Tells of a mailbox that did not open, under the step that the cause belongs to.
    fn not_opened(&mut self, mailbox: &Address, fault: Fault) -> Onward {
        let cause = self.failure(AccessStep::Calendar, Some(mailbox), fault.clone()).cause;
        let step = step_of(cause);
        let (proved, found) = (Ok("it is taken".to_owned()), Ok("it is there".to_owned()));
        if step != AccessStep::Authentication {
            self.tell(AccessStep::Authentication, Some(mailbox), self.shown(), proved);
        }
        if step == AccessStep::Calendar {
            self.tell(AccessStep::Mailbox, Some(mailbox), format!("find the mailbox {mailbox}"), found);
        }
        let tried = match step {
            AccessStep::Authentication => self.shown(),
            AccessStep::Mailbox => format!("find the mailbox {mailbox}"),
            _ => format!("open the calendar of {mailbox}"),
        };
        let is_general = fault.scope == FaultScope::Credential || fault.scope == FaultScope::Server;
        self.tell(step, Some(mailbox), tried, Err(fault));
        if is_general { Onward::No } else { Onward::NotHere }
    }

    /// Finds the calendar that a pass would write to; makes none.
    async fn calendar(&mut self, mailbox: &Address, default: Calendar) -> Option<Calendar> {
        let tried = match &self.settings.exchange.calendar {
            Some(wanted) => format!("open the calendar {:?} of {mailbox}", wanted.name),
            None => format!("open the calendar of {mailbox}"),
        };
        let found = self.which_calendar(mailbox, default).await;
        let said = found.as_ref().map_err(Clone::clone).map(|calendar| match calendar {
            Some(_) => "it is open".to_owned(),
            None => "it is not there yet: the next pass makes it; nothing is written now".to_owned(),
        });
        self.tell(AccessStep::Calendar, Some(mailbox), tried, said);
        found.ok().flatten()
    }

    async fn which_calendar(&self, mailbox: &Address, default: Calendar) -> Result<Option<Calendar>, Fault> {
        let wanted = self.settings.exchange.calendar.as_ref();
        let of_state = |error: crate::state::StateError| {
            Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "State", error.to_string()).hint(error.hint())
        };
        let followed = self.store.calendar(mailbox).await.map_err(of_state)?;
        let items = self.store.links(mailbox).await.map_err(of_state)?.len();
        refuse_a_change(&KnownCalendar { wanted, followed: followed.as_ref(), items })?;
        let Some(wanted) = wanted else { return Ok(Some(default)) };
        let listed = self.outlook.gateway.calendars(mailbox).await?;
        Ok(match choose_calendar(wanted, followed.as_ref(), &listed)? {
            CalendarChoice::Open(id) => Some(Calendar { mailbox: mailbox.clone(), id }),
            CalendarChoice::Make => None,
        })
    }

    async fn items(&mut self, mailbox: &Address, calendar: &Calendar) -> bool {
        let found = self.outlook.gateway.read(calendar, None).await.map(|reading| match reading.snapshot {
            Snapshot::Whole(items) => format!("{} items carry our mark", items.len()),
            Snapshot::Changes { .. } | Snapshot::NotRead => "the calendar can be read".to_owned(),
        });
        self.tell(AccessStep::Items, Some(mailbox), "look for our own items".to_owned(), found)
    }

    /// Shows that a mailbox outside the scope is refused. Reads only.
    async fn refusal(&mut self, mailbox: &Address) -> Onward {
        let opened = self.outlook.gateway.open(mailbox).await;
        let tried = format!("open the calendar of {mailbox}, which is to be refused");
        let result = match opened {
            Ok(_) => Err(Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "NotRefused", "the calendar opens")),
            Err(fault) => {
                let cause = self.failure(AccessStep::Refusal, Some(mailbox), fault.clone()).cause;
                if is_refusal(cause) { Ok(format!("refused ({})", fault.code)) } else { Err(fault) }
            }
        };
        let general = |fault: &Fault| fault.scope == FaultScope::Credential || fault.scope == FaultScope::Server;
        let is_general = result.as_ref().is_err_and(general);
        self.tell(AccessStep::Refusal, Some(mailbox), tried, result);
        if is_general { Onward::No } else { Onward::Yes }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether a cause is that of a mailbox which is kept from us on purpose.
const fn is_refusal(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::OutOfScope | Cause::NoConsent | Cause::ImpersonationOutOfScope | Cause::DelegateWithoutRights
    )
}

/// The step that shows a cause.
const fn step_of(cause: Cause) -> AccessStep {
    match cause {
        Cause::AliasAddress | Cause::NoMailbox | Cause::OtherSide | Cause::MailboxUnusable | Cause::MailboxMoving => {
            AccessStep::Mailbox
        }
        Cause::OutOfScope
        | Cause::NoConsent
        | Cause::RoleMissing
        | Cause::ImpersonationNotGranted
        | Cause::ImpersonationOutOfScope
        | Cause::DelegateWithoutRights
        | Cause::DelegateReadsOnly
        | Cause::CalendarMissing
        | Cause::MailboxFull => AccessStep::Calendar,
        _ => AccessStep::Authentication,
    }
}
