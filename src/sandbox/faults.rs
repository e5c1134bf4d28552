//! Which request meets which fault: decided from rules, counts and a seed, and from nothing else.

use serde::Deserialize;

/// One rule: what happens, to which requests, and how often.
///
/// A rule counts the requests that it fits. With `nth` it strikes at that one, with `every` too at each `every`th after it;
/// with `rate` it strikes at random; with none of them it strikes at each. `times` bounds the strikes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Only to this operation: `CreateItem`, `CreateEvent`, `Token`…; absent for any.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only to this mailbox; absent for any.
    #[serde(default)]
    pub mailbox: Option<String>,
    /// At the nth request that fits, counted from 1; 0 for no such rule.
    #[serde(default)]
    pub nth: u64,
    /// And at each `every`th after it; 0 for no more.
    #[serde(default)]
    pub every: u64,
    /// At this share of the requests that fit, 0 to 1.
    #[serde(default)]
    pub rate: f64,
    /// At most so many times; 0 for no bound.
    #[serde(default)]
    pub times: u64,
    /// What the answer asks to wait; absent for the throttling settings' wait.
    #[serde(default)]
    pub retry_after_s: Option<f64>,
    /// How long `slow` takes.
    #[serde(default)]
    pub delay_ms: u64,
}

impl Fault {
    /// A rule that strikes at every request.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            mailbox: None,
            nth: 0,
            every: 0,
            rate: 0.0,
            times: 0,
            retry_after_s: None,
            delay_ms: 0,
        }
    }

    /// A rule that strikes once, at the nth request of this operation.
    #[must_use]
    pub fn nth(kind: FaultKind, nth: u64, operation: &str) -> Self {
        Self { nth, operation: Some(operation.to_owned()), ..Self::new(kind) }
    }

    /// A rule that strikes at this share of the requests.
    #[must_use]
    pub fn rate(kind: FaultKind, rate: f64) -> Self {
        Self { rate, ..Self::new(kind) }
    }

    fn fits(&self, site: &Site<'_>) -> bool {
        self.kind.can_happen(site)
            && self.operation.as_deref().is_none_or(|operation| operation.eq_ignore_ascii_case(site.operation))
            && self
                .mailbox
                .as_deref()
                .is_none_or(|mailbox| site.mailbox.is_some_and(|address| mailbox.eq_ignore_ascii_case(address)))
    }

    /// Whether the rule strikes at the `seen`th request that fits it, after `struck` earlier strikes.
    fn strikes(&self, seen: u64, struck: u64, random: &mut fastrand::Rng) -> bool {
        if self.times > 0 && struck >= self.times {
            return false;
        }
        if self.rate > 0.0 {
            return random.f64() < self.rate;
        }
        match (self.nth, self.every) {
            (0, 0) => true,
            (nth, 0) => seen == nth,
            (0, every) => seen.is_multiple_of(every),
            (nth, every) => seen >= nth && (seen - nth).is_multiple_of(every),
        }
    }
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request is carried out, and then the connection breaks without an answer.
    DropAnswerAfterCommit,
    /// 503, with `Retry-After`.
    #[serde(rename = "http_503")]
    Http503,
    /// 500 of the web server, not of the protocol.
    #[serde(rename = "http_500")]
    Http500,
    /// 429, with `Retry-After`.
    #[serde(rename = "http_429")]
    Http429,
    /// 429 of one inner request of a Graph batch.
    #[serde(rename = "batch_429")]
    Batch429,
    /// EWS: `ErrorServerBusy` with `BackOffMilliseconds`.
    ServerBusy,
    /// The connection breaks before the request is carried out.
    Reset,
    /// The answer takes `delay_ms` longer.
    Slow,
    /// 401, although the credential is right.
    Unauthorized,
    /// 200 with the HTML page of a log-on form.
    HtmlLoginPage,
    /// 401, and every token issued so far is void.
    TokenRevoked,
    /// The mailbox is being moved.
    MailboxMoved,
    /// 407: a proxy in between wants a log-on of its own.
    ProxyLogin,
    /// 302 to a page for people.
    Redirect,
    /// 403: EWS is blocked, or access is denied.
    Forbidden,
}

impl FaultKind {
    /// Whether this can happen to a request there at all; a rule does not count the others.
    const fn can_happen(self, site: &Site<'_>) -> bool {
        match self {
            Self::ServerBusy => matches!(site.face, Face::Ews),
            Self::Batch429 => site.in_batch,
            Self::Http429 => matches!(site.face, Face::Graph | Face::Token),
            Self::MailboxMoved => site.mailbox.is_some(),
            Self::TokenRevoked => !matches!(site.face, Face::Token),
            Self::HtmlLoginPage | Self::ProxyLogin | Self::Redirect => !site.in_batch,
            Self::Forbidden => !matches!(site.face, Face::Token),
            Self::DropAnswerAfterCommit
            | Self::Http503
            | Self::Http500
            | Self::Reset
            | Self::Slow
            | Self::Unauthorized => true,
        }
    }
}

/// The three protocols that the sandbox speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// Exchange Web Services.
    Ews,
    /// Microsoft Graph.
    Graph,
    /// The token endpoint.
    Token,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// The protocol.
    pub(super) face: Face,
    /// The operation's name.
    pub(super) operation: &'a str,
    /// The mailbox that is asked for.
    pub(super) mailbox: Option<&'a str>,
    /// Whether it is an inner request of a Graph batch.
    pub(super) in_batch: bool,
}

/// The rules with what they have counted.
#[derive(Debug)]
pub(super) struct FaultPlan {
    rules: Vec<Counted>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Counted {
    fault: Fault,
    seen: u64,
    struck: u64,
}

impl FaultPlan {
    /// Rules that have seen nothing yet.
    pub(super) fn new(rules: Vec<Fault>, seed: u64) -> Self {
        let mut plan = Self { rules: Vec::new(), random: fastrand::Rng::with_seed(seed) };
        rules.into_iter().for_each(|fault| plan.add(fault));
        plan
    }

    /// Adds a rule, which counts from now.
    pub(super) fn add(&mut self, fault: Fault) {
        self.rules.push(Counted { fault, seen: 0, struck: 0 });
    }

    /// Forgets every rule.
    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    /// What happens to this request: the first rule that strikes. All rules that fit count it.
    pub(super) fn decide(&mut self, site: &Site<'_>) -> Option<Fault> {
        let mut decided = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.fault.fits(site)) {
            rule.seen += 1;
            if decided.is_none() && rule.fault.strikes(rule.seen, rule.struck, &mut self.random) {
                rule.struck += 1;
                decided = Some(rule.fault.clone());
            }
        }
        decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: Site<'_> =
        Site { face: Face::Ews, operation: "CreateItem", mailbox: Some("ana@example.test"), in_batch: false };

    fn struck_of(fault: Fault, site: &Site<'_>, requests: usize) -> Vec<usize> {
        let mut plan = FaultPlan::new(vec![fault], 7);
        (1..=requests).filter(|_| plan.decide(site).is_some()).collect()
    }

    fn check(fault: Fault, expected: &[usize]) {
        let mut plan = FaultPlan::new(vec![fault.clone()], 7);
        let struck: Vec<usize> = (1..=10).filter(|_| plan.decide(&ANA).is_some()).collect();
        assert_eq!(struck, expected, "{fault:?}");
    }

    #[test]
    fn a_rule_strikes_where_it_says() {
        let reset = || Fault::new(FaultKind::Reset);
        check(Fault { times: 2, ..reset() }, &[1, 2]);
        check(Fault::nth(FaultKind::Reset, 3, "createitem"), &[3]);
        check(Fault::nth(FaultKind::Reset, 1, "DeleteItem"), &[]);
        check(Fault { nth: 2, every: 3, ..reset() }, &[2, 5, 8]);
        check(Fault { nth: 2, every: 3, times: 2, ..reset() }, &[2, 5]);
        check(Fault { every: 4, ..reset() }, &[4, 8]);
        check(Fault { mailbox: Some("ANA@example.test".to_owned()), nth: 1, ..reset() }, &[1]);
        check(Fault { mailbox: Some("bob@example.test".to_owned()), ..reset() }, &[]);
        check(Fault { times: 1, ..Fault::new(FaultKind::ServerBusy) }, &[1]);
        check(Fault::new(FaultKind::Http429), &[]);
        check(Fault::new(FaultKind::Batch429), &[]);
    }

    #[test]
    fn a_rate_follows_the_seed() {
        let fault = Fault::rate(FaultKind::Http503, 0.3);
        let struck = struck_of(fault.clone(), &ANA, 1000);
        assert_eq!(struck, struck_of(fault, &ANA, 1000));
        assert!((200..400).contains(&struck.len()), "{}", struck.len());
        assert!(struck_of(Fault::rate(FaultKind::Http503, 1.0), &ANA, 20).len() == 20);
    }

    #[test]
    fn each_rule_counts_even_when_an_earlier_one_strikes() {
        let rules =
            vec![Fault::nth(FaultKind::Reset, 1, "CreateItem"), Fault::nth(FaultKind::Http500, 2, "CreateItem")];
        let mut plan = FaultPlan::new(rules, 1);
        let kinds: Vec<_> = (0..3).map(|_| plan.decide(&ANA).map(|fault| fault.kind)).collect();
        assert_eq!(kinds, [Some(FaultKind::Reset), Some(FaultKind::Http500), None]);
    }

    #[test]
    fn a_batch_fault_needs_a_batch() {
        let site = Site { face: Face::Graph, operation: "CreateEvent", mailbox: None, in_batch: true };
        let mut plan = FaultPlan::new(vec![Fault::new(FaultKind::Batch429)], 1);
        assert!(plan.decide(&site).is_some());
        assert!(plan.decide(&Site { in_batch: false, ..site }).is_none());
    }
}
