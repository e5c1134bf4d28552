//! The Test button: who we are to Outlook and what we may do there, step by step, with the cause of what fails.

mod canary;
mod server;
mod token;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::wiring::{self, Outlook, WiringError};
use crate::{
    auth::TokenMemory,
    clock::Clock,
    diagnosis::{self, CameBack, Cause, Facts, Mode, Proof, Token, Way},
    gateway::{Calendar, is_absent},
    http::client::ReqwestTransport,
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
        link::Owner,
        side::Side,
        snapshot::Snapshot,
    },
    scheduler::{CalendarChoice, KnownCalendar, choose_calendar, place_of, refuse_a_change},
    settings::{Credential, EwsAccess, Protocol, Settings, SideSettings},
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
    /// In a hybrid, one side has the mailbox and the other one has not.
    Place,
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
            Self::Place => "place",
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
    /// The side whose server it is about.
    pub side: Side,
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

/// A test that runs.
struct Test<'a, F> {
    settings: &'a Settings,
    store: &'a Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    /// The side under test.
    here: Tested<'a>,
    /// In a hybrid, the other one.
    there: Option<Tested<'a>>,
    /// To look at the server without a credential.
    client: ReqwestTransport,
    ok: bool,
    tell: F,
}

/// A side under test.
struct Tested<'a> {
    side: Side,
    settings: &'a SideSettings,
    outlook: Outlook,
    /// The roles of the token, once it is there.
    roles: Option<Vec<String>>,
    /// Why its mailboxes cannot be tested.
    closed: Option<Fault>,
}

/// Tests the access, telling each step as it ends. A canary is written to each mailbox, and removed whatever happens; nothing
/// else is touched. The `parked` sides are left alone. Returns whether all went well.
///
/// # Errors
/// When TLS or the credential cannot be set up.
pub async fn test_access<'a>(
    settings: &'a Settings,
    store: &'a Store,
    parked: &BTreeMap<Side, Fault>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    wanted: &Wanted,
    tell: impl FnMut(&StepResult),
) -> Result<bool, WiringError> {
    let tested = |(side, of_side): (&Side, &'a SideSettings)| {
        let owner = Owner(OWNER.to_owned());
        let outlook = wiring::outlook(settings, of_side, &owner, &clock, &TokenMemory::default())?;
        Ok::<_, WiringError>(Tested {
            side: *side,
            settings: of_side,
            outlook,
            roles: None,
            closed: parked.get(side).cloned(),
        })
    };
    let mut sides = settings.exchange.sides.iter().map(tested);
    let (here, there) = (sides.next(), sides.next());
    let Some(here) = here.transpose()? else { return Ok(false) };
    let there = there.transpose()?;
    let client = ReqwestTransport::new(wiring::http(settings))?;
    let mut test = Test { settings, store, clock: Arc::clone(&clock), stop, here, there, client, ok: true, tell };
    test.sides().await;
    for mailbox in &wanted.mailboxes {
        if test.is_over() {
            return Ok(false);
        }
        test.mailbox(mailbox).await;
    }
    for mailbox in &wanted.out_of_scope {
        if test.is_over() {
            return Ok(false);
        }
        test.refusal(mailbox).await;
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
        (self.tell)(&StepResult { step, side: self.here.side, mailbox: mailbox.cloned(), tried, result });
        is_ok
    }

    fn failure(&self, step: AccessStep, mailbox: Option<&Address>, fault: Fault) -> Failure {
        let writes = matches!(step, AccessStep::Write | AccessStep::Change | AccessStep::Delete);
        let token = self.here.roles.as_deref().map_or(Token::Unknown, Token::Roles);
        let secret_like_an_id = token::is_secret_like_an_id(&self.here.settings.credential);
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
        let proof = match self.here.settings.credential {
            Credential::Password { .. } => Proof::Password,
            Credential::Application { .. } => Proof::Token,
        };
        let way = match &self.here.settings.protocol {
            Protocol::Ews { access: EwsAccess::Impersonation(_), .. } => Way::Impersonation,
            Protocol::Ews { access: EwsAccess::Delegate, .. } => Way::Delegate,
            Protocol::Graph { .. } => Way::Graph,
        };
        Mode { way, proof, is_online: way == Way::Graph || proof == Proof::Token }
    }

    fn facts(&self, mailbox: Option<&Address>, fault: &Fault) -> Facts {
        let (account, tenant) = match &self.here.settings.credential {
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
        self.here.settings.url()
    }

    /// The token, and what it says of itself.
    async fn credential(&mut self) -> bool {
        let tried = match &self.here.settings.credential {
            Credential::Password { user, .. } => format!("prepare the password of {user}"),
            Credential::Application { token_url, client_id, .. } => {
                format!("get a token for application {client_id} from {token_url}")
            }
        };
        let header = self.here.outlook.authorization.header().await;
        let claims = header.as_ref().ok().and_then(token::claims);
        let said = match (&self.here.settings.credential, &claims) {
            (Credential::Password { .. }, _) => "ready; one attempt is made with it".to_owned(),
            (Credential::Application { .. }, Some(claims)) => claims.told(),
            (Credential::Application { .. }, None) => "the token came; it does not say what it is for".to_owned(),
        };
        self.here.roles = claims.map(|claims| claims.roles);
        self.tell(AccessStep::Credential, None, tried, header.map(|_| said))
    }

    /// Looks at each server, and gets ready what is shown to it.
    async fn sides(&mut self) {
        for _ in 0..2 {
            if self.here.closed.is_some() {
                self.ok = false;
            } else if !(self.server().await && self.credential().await) {
                self.close("ServerUntested", "see what failed before");
            }
            if !self.turn_to_the_other() {
                return;
            }
        }
    }

    /// Turns to the other side of a hybrid; returns whether there is one.
    fn turn_to_the_other(&mut self) -> bool {
        let Some(there) = &mut self.there else { return false };
        std::mem::swap(&mut self.here, there);
        true
    }

    fn turn_to(&mut self, side: Side) {
        if self.here.side != side {
            self.turn_to_the_other();
        }
    }

    /// Nothing more makes sense on this side: it would cost another attempt, or meet the same.
    fn close(&mut self, code: &str, message: &str) {
        self.ok = false;
        let fault = Fault::new(FaultScope::Server, FaultKind::Permanent, code, message);
        self.here.closed.get_or_insert(fault);
    }

    fn close_at(&mut self, fault: &Fault) {
        if fault.scope == FaultScope::Credential || fault.scope == FaultScope::Server {
            self.close(&fault.code, &fault.message);
        }
    }

    /// Whether nothing more makes sense anywhere.
    fn is_over(&self) -> bool {
        let is_closed = self.here.closed.is_some() && self.there.as_ref().is_none_or(|there| there.closed.is_some());
        self.stop.is_cancelled() || is_closed
    }

    /// Opens a mailbox where it lives, looks for our items and lets a canary live in it.
    async fn mailbox(&mut self, mailbox: &Address) {
        if self.there.is_some() && !self.place(mailbox).await {
            return;
        }
        let opened = self.here.outlook.gateway.open(mailbox).await;
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
        let Some(calendar) = self.calendar(mailbox, default).await else { return };
        if self.items(mailbox, &calendar).await {
            self.canary(&calendar).await;
        }
    }

    /// Finds out on which side of a hybrid a mailbox lives, and turns to it.
    async fn place(&mut self, mailbox: &Address) -> bool {
        let known = self.store.place(mailbox).await.ok().flatten().map(|place| place.side);
        let mut opened = BTreeMap::new();
        for _ in 0..2 {
            let said = match &self.here.closed {
                Some(fault) => Err(fault.clone()),
                None => self.here.outlook.gateway.open(mailbox).await.map(|_| ()),
            };
            if let Err(fault) = said.as_ref()
                && self.here.closed.is_none()
                && fault.scope == FaultScope::Credential
            {
                self.close_at(fault);
                self.tell(AccessStep::Authentication, Some(mailbox), self.shown(), Err(fault.clone()));
            }
            opened.insert(self.here.side, said);
            self.turn_to_the_other();
        }
        let (Some(ews), Some(graph)) = (opened.get(&Side::Ews), opened.get(&Side::Graph)) else { return false };
        let tried = format!("find out where {mailbox} lives");
        match place_of(ews, graph, known) {
            Ok(side) => {
                self.turn_to(side);
                let moved =
                    known.filter(|known| *known != side).map_or("", |_| ": it has moved, the next pass follows");
                let said = format!("{} has it, {} has not{moved}", side.place(), side.other().place());
                self.tell(AccessStep::Place, Some(mailbox), tried, Ok(said));
                true
            }
            Err((side, fault)) => {
                self.turn_to(side);
                // What closed a side was told when it did.
                let is_told = self.here.closed.is_some();
                self.close_at(&fault);
                if is_told {
                    self.ok = false;
                } else {
                    self.tell(AccessStep::Place, Some(mailbox), tried, Err(fault));
                }
                false
            }
        }
    }

    /// What is shown to the server, in words.
    fn shown(&self) -> String {
        match &self.here.settings.credential {
            Credential::Password { user, .. } => format!("show the password of {user}"),
            Credential::Application { client_id, .. } => format!("show the token of application {client_id}"),
        }
    }

    /// Tells of a mailbox that did not open, under the step that the cause belongs to.
    fn not_opened(&mut self, mailbox: &Address, fault: Fault) {
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
        self.close_at(&fault);
        self.tell(step, Some(mailbox), tried, Err(fault));
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
        let noted = self.store.place(mailbox).await.map_err(of_state)?;
        // In another place it has another id, and is found by its name once more.
        let is_here = noted.is_none_or(|noted| noted.side == self.here.side);
        let here = followed.as_ref().filter(|_| is_here);
        let items = self.store.links(mailbox).await.map_err(of_state)?.len();
        refuse_a_change(&KnownCalendar { wanted, followed: followed.as_ref(), items })?;
        let Some(wanted) = wanted else { return Ok(Some(default)) };
        let listed = self.here.outlook.gateway.calendars(mailbox).await?;
        Ok(match choose_calendar(wanted, here, &listed)? {
            CalendarChoice::Open(id) => Some(Calendar { mailbox: mailbox.clone(), id }),
            CalendarChoice::Make => None,
        })
    }

    async fn items(&mut self, mailbox: &Address, calendar: &Calendar) -> bool {
        let found = self.here.outlook.gateway.read(calendar, None).await.map(|reading| match reading.snapshot {
            Snapshot::Whole(items) => format!("{} items carry our mark", items.len()),
            Snapshot::Changes { .. } | Snapshot::NotRead => "the calendar can be read".to_owned(),
        });
        self.tell(AccessStep::Items, Some(mailbox), "look for our own items".to_owned(), found)
    }

    /// Shows that a mailbox outside the scope is refused. Reads only; in a hybrid each side is asked, and one that has no such
    /// mailbox proves nothing.
    async fn refusal(&mut self, mailbox: &Address) {
        let mut elsewhere = Vec::new();
        let mut told = false;
        for _ in 0..2 {
            let tried = format!("open the calendar of {mailbox}, which is to be refused");
            if self.here.closed.is_none() {
                match self.refused(mailbox).await {
                    Err(fault) if self.there.is_some() && is_absent(&fault) => {
                        elsewhere.push((self.here.side, tried, fault))
                    }
                    result => {
                        told = true;
                        if let Err(fault) = &result {
                            self.close_at(fault);
                        }
                        self.tell(AccessStep::Refusal, Some(mailbox), tried, result);
                    }
                }
            }
            if !self.turn_to_the_other() {
                return;
            }
        }
        if !told && let Some((side, tried, fault)) = elsewhere.pop() {
            self.turn_to(side);
            self.tell(AccessStep::Refusal, Some(mailbox), tried, Err(fault));
        }
    }

    async fn refused(&self, mailbox: &Address) -> Result<String, Fault> {
        match self.here.outlook.gateway.open(mailbox).await {
            Ok(_) => Err(Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "NotRefused", "the calendar opens")),
            Err(fault) => {
                let cause = self.failure(AccessStep::Refusal, Some(mailbox), fault.clone()).cause;
                if is_refusal(cause) { Ok(format!("refused ({})", fault.code)) } else { Err(fault) }
            }
        }
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
        Cause::AliasAddress
        | Cause::NoMailbox
        | Cause::OtherSide
        | Cause::OnBothSides
        | Cause::MailboxUnusable
        | Cause::MailboxMoving => AccessStep::Mailbox,
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
