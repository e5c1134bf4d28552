//! The ways in to EWS, each against the sandbox: NTLM with Extended Protection, the choice of a scheme, certificates, a proxy.
//!
//! The client's codec and the sandbox's share no code, so that each is a check of the other.
#![allow(clippy::unwrap_used)]

mod certificates;
mod proxy;
mod stage;

use std::sync::Arc;

use calsyncd::{
    auth::ntlm::{PasswordLogOn, Schemes},
    http::{
        Transport, TransportError,
        pinned::{LogOn, LogOnError, Peer, Step},
    },
    sandbox::{AccountSettings, ExtendedProtection, LogOnScheme},
};
use http::HeaderValue;

use crate::stage::{PASSWORD, USER, get, log_on, pinned, settings, start};

#[tokio::test]
async fn a_connection_logs_on_once_with_each_form_of_a_name() {
    let mut settings = settings();
    for user in ["EXAMPLE\\josé", "josé@example.test"] {
        let (user, password) = (user.to_owned(), "pässwörd €".to_owned());
        settings.accounts.push(AccountSettings { user, password, ..AccountSettings::default() });
    }
    let sandbox = start(settings).await;
    let users = [
        (USER, PASSWORD),
        ("EXAMPLE\\service", PASSWORD),
        ("example\\josé", "pässwörd €"),
        ("josé@example.test", "pässwörd €"),
    ];
    for (number, (user, password)) in (1..).zip(users) {
        let transport = pinned(&sandbox, log_on(user, password, Schemes::NtlmOnly));
        for _ in 0..3 {
            assert_eq!(get(&transport, &sandbox.url()).await.unwrap().status, 200, "{user}");
        }
        assert_eq!(sandbox.counters().challenges, number, "{user}");
    }
    assert!(sandbox.counters().failed_log_ons.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_keep_their_connections_and_lose_them_often() {
    for close_every in [0, 20, 3] {
        let mut settings = settings();
        settings.close_every = close_every;
        let sandbox = start(settings).await;
        let transport = Arc::new(pinned(&sandbox, log_on(USER, PASSWORD, Schemes::NtlmOnly)));
        let workers = (0..8).map(|_| {
            let (transport, url) = (Arc::clone(&transport), sandbox.url());
            tokio::spawn(async move {
                let mut answered = 0;
                for _ in 0..40 {
                    match get(&*transport, &url).await {
                        Ok(answer) => {
                            assert_eq!(answer.status, 200);
                            answered += 1;
                        }
                        // The server closed the connection when the request was on its way.
                        Err(error) => assert!(matches!(error, TransportError::Interrupted { .. }), "{error}"),
                    }
                }
                answered
            })
        });
        let mut answered = 0;
        for worker in workers.collect::<Vec<_>>() {
            answered += worker.await.unwrap();
        }
        let counts = sandbox.counters();
        assert!(counts.failed_log_ons.is_empty() && counts.unbound_log_ons == 0, "{counts:?}");
        match close_every {
            0 => assert_eq!((answered, counts.challenges <= 8), (320, true), "{counts:?}"),
            _ => assert!(answered >= 160 && counts.challenges > 8, "{answered}: {counts:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_shown_once() {
    for schemes in [Schemes::NtlmOnly, Schemes::NtlmOrBasic] {
        let mut settings = settings();
        settings.authentication = vec![LogOnScheme::Negotiate, LogOnScheme::Ntlm, LogOnScheme::Basic];
        let sandbox = start(settings).await;
        let transport = pinned(&sandbox, log_on(USER, "guess", schemes));
        for _ in 0..3 {
            assert_eq!(get(&transport, &sandbox.url()).await.unwrap().status, 401);
        }
        assert_eq!(sandbox.counters().failed_log_ons.values().sum::<u64>(), 1);
    }
}

#[tokio::test]
async fn the_server_chooses_the_scheme() {
    use LogOnScheme::{Basic, Negotiate, Ntlm};
    let cases: [(&[LogOnScheme], Schemes, Option<u64>); 6] = [
        (&[Negotiate, Ntlm, Basic], Schemes::NtlmOrBasic, Some(1)),
        (&[Basic, Ntlm], Schemes::NtlmOrBasic, Some(1)),
        (&[Negotiate, Basic], Schemes::NtlmOrBasic, Some(0)),
        (&[Negotiate], Schemes::NtlmOrBasic, None),
        (&[Negotiate, Basic], Schemes::NtlmOnly, None),
        (&[], Schemes::NtlmOnly, None),
    ];
    for (offered, schemes, expected) in cases {
        let mut settings = settings();
        settings.authentication = offered.to_vec();
        let sandbox = start(settings).await;
        let transport = pinned(&sandbox, log_on(USER, PASSWORD, schemes));
        for _ in 0..2 {
            let answer = get(&transport, &sandbox.url()).await;
            match (expected, answer) {
                (Some(challenges), Ok(answer)) => {
                    assert_eq!((answer.status, sandbox.counters().challenges), (200, challenges), "{offered:?}");
                }
                (None, Err(TransportError::NoLogOn { cause, .. })) => {
                    assert!(cause.contains("NTLM"), "{offered:?}: {cause}");
                }
                (_, other) => panic!("{offered:?}: {other:?}"),
            }
        }
        // Asked once, if at all.
        assert!(sandbox.counters().statuses.get(&401).is_none_or(|count| *count <= 4), "{:?}", sandbox.counters());
        assert!(sandbox.counters().failed_log_ons.is_empty());
    }
}

#[tokio::test]
async fn what_asks_for_no_log_on_is_the_answer() {
    for schemes in [Schemes::NtlmOnly, Schemes::NtlmOrBasic] {
        let sandbox = start(settings()).await;
        let transport = pinned(&sandbox, log_on(USER, PASSWORD, schemes));
        let elsewhere = sandbox.url().replace("Exchange.asmx", "") + "/nothing";
        assert_eq!(get(&transport, &elsewhere).await.unwrap().status, 404);
        assert_eq!(sandbox.counters().challenges, 0);
    }
}

/// Logs on without looking at the certificate, or with that of somebody in between.
#[derive(Debug)]
struct Unbound(Arc<PasswordLogOn>, Option<&'static [u8]>);

impl LogOn for Unbound {
    fn begin(&self) -> Result<Step, LogOnError> {
        self.0.begin()
    }

    fn offered(&self, schemes: &[String]) -> Result<Step, LogOnError> {
        self.0.offered(schemes)
    }

    fn scheme(&self) -> &'static str {
        self.0.scheme()
    }

    fn answer(&self, challenge: &[u8], peer: Peer<'_>) -> Result<HeaderValue, LogOnError> {
        self.0.answer(challenge, Peer { certificate: self.1, ..peer })
    }

    fn refused(&self) {
        LogOn::refused(&*self.0);
    }
}

#[tokio::test]
async fn extended_protection_wants_the_binding() {
    use ExtendedProtection::{Allow, None as Off, Require};
    let other: &[u8] = b"the certificate of a proxy";
    let cases = [(Off, None, 200), (Off, Some(other), 200), (Allow, None, 200), (Allow, Some(other), 401)];
    for (protection, certificate, status) in
        cases.into_iter().chain([(Require, None, 401), (Require, Some(other), 401)])
    {
        let mut settings = settings();
        settings.extended_protection = protection;
        let sandbox = start(settings).await;
        let transport = pinned(&sandbox, Arc::new(Unbound(log_on(USER, PASSWORD, Schemes::NtlmOnly), certificate)));
        let answer = get(&transport, &sandbox.url()).await.unwrap();
        assert_eq!(answer.status, status, "{protection:?} {certificate:?}");
        assert_eq!(sandbox.counters().unbound_log_ons, u64::from(status == 401), "{protection:?} {certificate:?}");
        let bound = pinned(&sandbox, log_on(USER, PASSWORD, Schemes::NtlmOnly));
        assert_eq!(get(&bound, &sandbox.url()).await.unwrap().status, 200, "{protection:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_unreachable() {
    let sandbox = start(settings()).await;
    let (transport, url) = (pinned(&sandbox, log_on(USER, PASSWORD, Schemes::NtlmOnly)), sandbox.url());
    assert_eq!(get(&transport, &url).await.unwrap().status, 200);
    sandbox.stop().await;
    let transport: &dyn Transport = &transport;
    let mut last = get(transport, &url).await.unwrap_err();
    // The kept connection may have been on its way out.
    if matches!(last, TransportError::Interrupted { .. }) {
        last = get(transport, &url).await.unwrap_err();
    }
    assert!(matches!(last, TransportError::Unreachable { .. }), "{last}");
}
