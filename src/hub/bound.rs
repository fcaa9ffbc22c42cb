//! What a hub is bound to: a client, or, in builds without clients, nothing at all.

use std::sync::Arc;

use uuid::Uuid;

use crate::integration::Integration;
use crate::matter::Taken;
#[cfg(any(feature = "logs", feature = "metrics"))]
use crate::offer::Left;
use crate::options::ClientOptions;
use crate::protocol::{Breadcrumb, MonitorCheckIn};
use crate::session::Sink;
use crate::trace::Tracer;

/// What hubs ask of a client. One trait, so that builds with and without clients can't drift apart.
pub(crate) trait Backend {
    fn is_enabled(&self) -> bool;

    fn options(&self) -> &ClientOptions;

    /// An integration, found by its type.
    fn integration<I: Integration>(&self) -> Option<&I>;

    /// True if [`admit_breadcrumb`](Self::admit_breadcrumb) has to see each breadcrumb.
    fn examines_breadcrumbs(&self) -> bool;

    /// Lets the host's callback see a breadcrumb.
    fn admit_breadcrumb(&self, breadcrumb: Breadcrumb) -> Option<Breadcrumb>;

    /// Takes an event on its way. Nil: it was dropped.
    fn capture(&self, taken: &mut Option<Taken>) -> Uuid;

    /// The client, as what hears of sessions.
    fn session_sink(&self) -> Arc<dyn Sink>;

    /// What transactions are started with.
    fn into_tracer(self) -> Arc<dyn Tracer>;

    /// Takes a check-in on its way. Nil: it was dropped.
    fn capture_check_in(&self, check_in: MonitorCheckIn) -> Uuid;

    /// Takes a log on its way, as far as that runs no code of the host.
    #[cfg(feature = "logs")]
    fn offer_log(&self, record: &mut Option<crate::logs::Record>) -> Option<Left>;

    /// Does what [`offer_log`](Self::offer_log) left.
    #[cfg(feature = "logs")]
    fn finish_log(&self, left: Left, record: Option<crate::logs::Record>);

    /// Takes a metric on its way, as far as that runs no code of the host.
    #[cfg(feature = "metrics")]
    fn offer_metric(&self, record: &mut Option<crate::metrics::Record>) -> Option<Left>;

    /// Does what [`offer_metric`](Self::offer_metric) left.
    #[cfg(feature = "metrics")]
    fn finish_metric(&self, left: Left, record: Option<crate::metrics::Record>);
}

/// Whether this build has sessions; without them none is started.
pub(crate) const HAS_SESSIONS: bool = cfg!(feature = "release-health");

#[cfg(feature = "client")]
pub(crate) type Bound = Arc<crate::client::Client>;

#[cfg(feature = "client")]
mod with_client {
    //! Binding clients to hubs.

    use std::sync::Arc;

    use uuid::Uuid;

    use super::Backend;
    #[cfg(any(feature = "logs", feature = "metrics"))]
    use super::Left;
    use crate::client::Client;
    use crate::hub::{Hub, current};
    use crate::integration::Integration;
    use crate::matter::Taken;
    use crate::options::ClientOptions;
    use crate::protocol::{Breadcrumb, MonitorCheckIn};
    use crate::scope::Scope;
    use crate::session::Sink;
    use crate::trace::{Origin, Tracer, Tree};

    impl Hub {
        /// Makes a hub of a client and a scope.
        #[must_use]
        pub fn new(client: Option<Arc<Client>>, scope: Arc<Scope>) -> Hub {
            Hub::with_root(client, (*scope).clone())
        }

        /// The client that is bound, open or not.
        #[must_use]
        pub fn client(&self) -> Option<Arc<Client>> {
            self.bound()
        }

        /// Binds a client to the scope on top, and to those pushed on it later; `None` unbinds.
        pub fn bind_client(&self, client: Option<Arc<Client>>) {
            self.bind(client);
        }
    }

    impl Backend for Arc<Client> {
        #[inline]
        fn is_enabled(&self) -> bool {
            Client::is_enabled(self)
        }

        fn options(&self) -> &ClientOptions {
            Client::options(self)
        }

        fn integration<I: Integration>(&self) -> Option<&I> {
            Client::integration(self)
        }

        fn examines_breadcrumbs(&self) -> bool {
            Client::options(self).before_breadcrumb.is_some()
        }

        fn admit_breadcrumb(&self, breadcrumb: Breadcrumb) -> Option<Breadcrumb> {
            Client::admit_breadcrumb(self, breadcrumb)
        }

        #[inline]
        fn capture(&self, taken: &mut Option<Taken>) -> Uuid {
            self.core().capture(taken)
        }

        fn session_sink(&self) -> Arc<dyn Sink> {
            Arc::clone(self) as Arc<dyn Sink>
        }

        fn into_tracer(self) -> Arc<dyn Tracer> {
            self
        }

        #[inline]
        fn capture_check_in(&self, check_in: MonitorCheckIn) -> Uuid {
            Client::capture_check_in(self, check_in)
        }

        #[cfg(feature = "logs")]
        #[inline]
        fn offer_log(&self, record: &mut Option<crate::logs::Record>) -> Option<Left> {
            self.core().offer_log(record)
        }

        #[cfg(feature = "logs")]
        fn finish_log(&self, left: Left, record: Option<crate::logs::Record>) {
            self.core().finish_log(left, record);
        }

        #[cfg(feature = "metrics")]
        #[inline]
        fn offer_metric(&self, record: &mut Option<crate::metrics::Record>) -> Option<Left> {
            self.core().offer_metric(record)
        }

        #[cfg(feature = "metrics")]
        fn finish_metric(&self, left: Left, record: Option<crate::metrics::Record>) {
            self.core().finish_metric(left, record);
        }
    }

    impl Tracer for Client {
        fn options(&self) -> &ClientOptions {
            Client::options(self)
        }

        fn origin(&self) -> &Arc<Origin> {
            Client::origin(self)
        }

        fn finish(&self, tree: Arc<Tree>) {
            // The scope of the hub that is current now, whichever the transaction was started with.
            self.capture_transaction(tree, current::show_scope(Scope::backdrop));
        }

        fn discard(&self, spans: u64) {
            self.discard_transaction(spans);
        }
    }
}

#[cfg(not(feature = "client"))]
pub(crate) type Bound = Never;

/// A client that can't exist, so that all code for one is deleted.
#[cfg(not(feature = "client"))]
#[derive(Clone, Debug)]
pub(crate) enum Never {}

#[cfg(not(feature = "client"))]
impl Backend for Never {
    fn is_enabled(&self) -> bool {
        match *self {}
    }

    fn options(&self) -> &ClientOptions {
        match *self {}
    }

    fn integration<I: Integration>(&self) -> Option<&I> {
        match *self {}
    }

    fn examines_breadcrumbs(&self) -> bool {
        match *self {}
    }

    fn admit_breadcrumb(&self, _: Breadcrumb) -> Option<Breadcrumb> {
        match *self {}
    }

    fn capture(&self, _: &mut Option<Taken>) -> Uuid {
        match *self {}
    }

    fn session_sink(&self) -> Arc<dyn Sink> {
        match *self {}
    }

    fn into_tracer(self) -> Arc<dyn Tracer> {
        match self {}
    }

    fn capture_check_in(&self, _: MonitorCheckIn) -> Uuid {
        match *self {}
    }

    #[cfg(feature = "logs")]
    fn offer_log(&self, _: &mut Option<crate::logs::Record>) -> Option<Left> {
        match *self {}
    }

    #[cfg(feature = "logs")]
    fn finish_log(&self, _: Left, _: Option<crate::logs::Record>) {
        match *self {}
    }

    #[cfg(feature = "metrics")]
    fn offer_metric(&self, _: &mut Option<crate::metrics::Record>) -> Option<Left> {
        match *self {}
    }

    #[cfg(feature = "metrics")]
    fn finish_metric(&self, _: Left, _: Option<crate::metrics::Record>) {
        match *self {}
    }
}
