//! Passes over mailboxes, and what keeps a mailbox or a whole server waiting.

use jiff::Timestamp;

use super::super::catalogue::declare_events;

declare_events! {
    /// What a pass is about to do.
    DEBUG PlanMade<'a> "plan_made": "a mailbox has its plan" {
        /// The mailbox.
        mailbox: &'a str,
        /// Items to create.
        create: u64,
        /// Items to update.
        update: u64,
        /// Items to delete.
        delete: u64,
        /// Items that are right already.
        kept: u64,
        /// Deletions held back.
        held: u64,
        /// Events in quarantine.
        quarantined: u64,
    }

    /// A mailbox is as the source says, but for what is held or quarantined.
    INFO MailboxPassFinished<'a> "mailbox_pass_finished": "a pass over a mailbox is finished" {
        /// The mailbox.
        mailbox: &'a str,
        /// Items created.
        created: u64,
        /// Items updated.
        updated: u64,
        /// Items deleted.
        deleted: u64,
        /// Writes that failed: refused for good, or due again.
        failed: u64,
        /// Items that were right already.
        kept: u64,
        /// Deletions held back.
        held: u64,
        /// Events in quarantine.
        quarantined: u64,
        /// Requests sent.
        requests: u64,
        /// Milliseconds.
        elapsed_ms: u64,
    } metric "mailbox_passes_total"

    /// A mailbox is left alone for a while; the others go on.
    WARN MailboxParked<'a> "mailbox_parked": "a mailbox is parked" {
        /// The mailbox.
        mailbox: &'a str,
        /// The code of the fault.
        code: &'a str,
        /// What happened.
        reason: &'a str,
        /// When it is tried again; absent: when somebody has changed something.
        until: Option<Timestamp>,
        /// What to do.
        hint: Option<&'a str>,
    } metric "mailboxes_parked_total"

    /// A parked mailbox works again.
    INFO MailboxUnparked<'a> "mailbox_unparked": "a parked mailbox works again" {
        /// The mailbox.
        mailbox: &'a str,
    }

    /// The server refused who we are. It is not asked again, so that no account is locked.
    ERROR CredentialParkedError<'a> "credential_parked_error": "the credential is refused: nothing is sent with it" {
        /// The side whose server refuses it: ews or graph.
        side: &'a str,
        /// The code of the fault.
        code: &'a str,
        /// What the server said.
        reason: &'a str,
        /// What to do.
        hint: Option<&'a str>,
        /// When it is tried once more; a reload that changes it tries at once.
        until: Timestamp,
    } metric "credentials_parked_total"

    /// A mailbox is on the other side of the hybrid now, or the protocol has changed: its items were found by their keys.
    INFO MailboxMoved<'a> "mailbox_moved": "a mailbox has moved: its items are followed" {
        /// The mailbox.
        mailbox: &'a str,
        /// Where it was: ews or graph.
        from: &'a str,
        /// Where it is: ews or graph.
        to: &'a str,
        /// Items that were found there.
        found: u64,
        /// Items that were not: their events are written anew.
        lost: u64,
    } metric "mailboxes_moved_total"

    /// A parked credential works again.
    INFO CredentialRestored<'a> "credential_restored": "the credential works again" {
        /// The side: ews or graph.
        side: &'a str,
    }

    /// The server asked everybody to wait.
    WARN ServerPaused<'a> "server_paused": "the server asks to wait: nothing is sent meanwhile" {
        /// The side whose server it is: ews or graph.
        side: &'a str,
        /// Milliseconds of the wait.
        wait_ms: u64,
        /// The code of the fault.
        code: &'a str,
    } metric "server_pauses_total"

    /// More deletions than the brake lets pass: they wait for somebody's word. Creates and updates go on.
    WARN DeletionsHeld<'a> "deletions_held": "deletions are held back" {
        /// The mailbox.
        mailbox: &'a str,
        /// Deletions held.
        count: u64,
        /// Items of ours in the mailbox.
        total: u64,
        /// Which limit holds them.
        reason: &'a str,
    } hint "`calsyncd held list` names them; bring the events back into the source, or let them go with `calsyncd held approve`" metric "deletions_held_total"

    /// Items whose events are other people's now stay until those people's calendars show them.
    INFO HandOverWaits<'a> "hand_over_waits": "items stay until they are created in other calendars" {
        /// The mailbox.
        mailbox: &'a str,
        /// Items that stay for now.
        count: u64,
        /// The mailboxes that they wait for.
        destinations: &'a str,
    }

    /// The items of this mailbox belong to another instance: nothing is written.
    ERROR OwnershipRefusedError<'a> "ownership_refused_error": "a mailbox belongs to another instance" {
        /// The mailbox.
        mailbox: &'a str,
        /// The other instance.
        owner: &'a str,
    } hint "leave the mailbox to it; or stop it, and take over with `calsyncd adopt --take-over`" metric "ownership_refusals_total"

    /// Items were written after what the state knows of them: it is an old copy, such as a backup. What the items say counts,
    /// and nothing is rewritten for it.
    WARN StateOutdated<'a> "state_outdated": "items are newer than the state" {
        /// The mailbox.
        mailbox: &'a str,
        /// Items that are newer.
        count: u64,
    } metric "states_outdated_total"

    /// The checker found a plan that must not run. Nothing was written.
    ERROR PlanRefusedError<'a> "plan_refused_error": "a plan is refused by its checker" {
        /// The mailbox.
        mailbox: &'a str,
        /// The rule that it breaks.
        rule: &'a str,
        /// The item, if it is about one.
        key: Option<&'a str>,
    } hint "this is a fault of calsyncd: report it with the output of `calsyncd plan --mailbox`" metric "plans_refused_total"
}
