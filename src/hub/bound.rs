//! What a hub is bound to: a client, or, in builds without clients, nothing at all.

use uuid::Uuid;

use crate::protocol::{Breadcrumb, Event};
use crate::scope::Scope;

/// What hubs ask of a client. One trait, so that builds with and without clients can't drift apart.
pub(crate) trait Backend {
    fn is_enabled(&self) -> bool;

    /// How many breadcrumbs a layer remembers.
    fn max_breadcrumbs(&self) -> usize;

    /// True if [`admit_breadcrumb`](Self::admit_breadcrumb) has to see each breadcrumb.
    fn examines_breadcrumbs(&self) -> bool;

    /// Lets the host's callback see a breadcrumb.
    fn admit_breadcrumb(&self, breadcrumb: Breadcrumb) -> Option<Breadcrumb>;

    /// Takes an event on its way. Nil: it was dropped.
    fn capture(&self, event: Event<'static>, scope: Scope) -> Uuid;
}

#[cfg(feature = "client")]
pub(crate) type Bound = std::sync::Arc<crate::client::Client>;

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

    fn max_breadcrumbs(&self) -> usize {
        match *self {}
    }

    fn examines_breadcrumbs(&self) -> bool {
        match *self {}
    }

    fn admit_breadcrumb(&self, _: Breadcrumb) -> Option<Breadcrumb> {
        match *self {}
    }

    fn capture(&self, _: Event<'static>, _: Scope) -> Uuid {
        match *self {}
    }
}
