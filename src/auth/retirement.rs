//! EWS in Exchange Online has an end: from then on nothing is sent there.
//! <https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-ews-exchange-online>

use std::{future::Future, pin::Pin, sync::Arc};

use http::HeaderValue;
use jiff::Timestamp;

use super::Authorization;
use crate::{
    clock::Clock,
    model::fault::{Fault, FaultKind, FaultScope},
};

/// Shows who we are until a service ends.
#[derive(Debug)]
pub struct UntilRetired {
    inner: Arc<dyn Authorization>,
    clock: Arc<dyn Clock>,
    ends: Timestamp,
}

impl UntilRetired {
    /// The same until `ends`.
    #[must_use]
    pub fn new(inner: Arc<dyn Authorization>, clock: Arc<dyn Clock>, ends: Timestamp) -> Self {
        Self { inner, clock, ends }
    }
}

impl Authorization for UntilRetired {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        if self.clock.now() < self.ends {
            return self.inner.header();
        }
        let message = format!(
            "Microsoft ended EWS in Exchange Online on {}: nothing is sent there any more",
            self.ends.strftime("%Y-%m-%d")
        );
        let fault = Fault::new(FaultScope::Server, FaultKind::Permanent, "EwsRetired", message)
            .hint("turn use_graph_api on; the items that are there are found again by their keys");
        Box::pin(async move { Err(fault) })
    }

    fn refused(&self, header: &HeaderValue) -> bool {
        self.inner.refused(header)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{pin::Pin, sync::Arc, time::Duration};

    use http::HeaderValue;
    use jiff::Timestamp;

    use super::UntilRetired;
    use crate::{
        auth::Authorization,
        clock::{Clock, Wait},
        model::fault::{Fault, FaultKind, FaultScope},
    };

    #[derive(Debug)]
    struct Still(Timestamp);

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            self.0
        }

        fn sleep(&self, _: Duration) -> Wait {
            Box::pin(std::future::ready(()))
        }
    }

    #[derive(Debug)]
    struct Always;

    impl Authorization for Always {
        fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
            Box::pin(async { Ok(HeaderValue::from_static("Bearer x")) })
        }

        fn refused(&self, _: &HeaderValue) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn nothing_is_shown_from_the_day_on() {
        let ends: Timestamp = "2027-04-01T00:00:00Z".parse().unwrap();
        for (now, is_shown) in
            [("2027-03-31T23:59:59.999Z", true), ("2027-04-01T00:00:00Z", false), ("2031-01-01T00:00:00Z", false)]
        {
            let clock = Arc::new(Still(now.parse().unwrap()));
            let header = UntilRetired::new(Arc::new(Always), clock, ends).header().await;
            let fault = header.err().map(|fault| (fault.scope, fault.kind, fault.code));
            let expected = (!is_shown).then(|| (FaultScope::Server, FaultKind::Permanent, "EwsRetired".to_owned()));
            assert_eq!(fault, expected, "{now}");
        }
    }
}
