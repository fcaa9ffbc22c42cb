//! A hub: a stack of scopes and what it is bound to.
//!
//! Any number of threads may use one hub at once. Its state is one word, the top layer; a layer is immutable, and every
//! change publishes a new one with a compare-and-swap.
//!
//! ```text
//!   Hub ─ top ─► layer 2 ─► layer 1 ─► layer 0        each: client, scope, trail of breadcrumbs
//! ```
//!
//! # Guarantees
//! No operation waits for another thread, and no user code runs while anything of a hub is held.

pub(crate) mod bound;
pub(crate) mod current;
mod kept;
pub(crate) mod layer;
mod recording;
mod scoping;
mod session;
mod tracing;

use std::error::Error;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use uuid::Uuid;

use self::bound::{Backend, Bound};
pub use self::current::HubSwitchGuard;
pub(crate) use self::current::Stay;
use self::layer::{HAS_CLIENT, Layer};
pub(crate) use self::recording::add_to_current;
pub use self::recording::{IntoBreadcrumbs, record};
pub use self::scoping::ScopeGuard;
pub(crate) use self::tracing::start_with_current;
use crate::error::chain_of;
use crate::integration::Integration;
use crate::matter::{Matter, Taken};
use crate::protocol::{Event, Level};
use crate::scope::Scope;
use crate::sync::pool::{Pool, Share, Spares};
use crate::sync::swap::{Borrow, Content, Placed, Shared, Spare, Swap};

/// The central object: binds a client to a stack of scopes.
///
/// Most code uses the free functions of the crate, which work on the [current](Hub::current) hub of the thread. A hub of
/// its own, for each request or task, keeps what happens there apart: see [`Hub::new_from_top`].
///
/// ```
/// use std::sync::Arc;
/// use vidette::Hub;
///
/// let hub = Arc::new(Hub::new_from_top(Hub::current()));
/// Hub::run(hub, || vidette::configure_scope(|scope| scope.set_tag("request", 7)));
/// ```
///
/// # Threads
/// A new thread starts from the [main](Hub::main) hub, not from the one of the code that spawns it. To take that along,
/// hand over the hub itself, or a fork if both go on at the same time:
///
/// ```
/// use std::sync::Arc;
/// use vidette::{Hub, configure_scope};
///
/// configure_scope(|scope| scope.set_tag("request", 7));
/// let hub = Arc::new(Hub::new_from_top(Hub::current()));
/// let worker = std::thread::spawn(|| {
///     Hub::run(hub, || {
///         configure_scope(|scope| scope.set_tag("worker", true));
///         // …
///     })
/// });
/// worker.join().unwrap();
/// ```
///
/// A pool's threads serve many callers. With rayon, fork the hub for each closure:
///
/// ```
/// use std::sync::Arc;
/// use rayon::prelude::*;
/// use vidette::{Hub, breadcrumb, configure_scope};
///
/// configure_scope(|scope| scope.set_tag("job", "nightly"));
/// let hub = Hub::current();
/// let squares: Vec<u64> = (0..100_u64)
///     .into_par_iter()
///     .map(|n| {
///         Hub::run(Arc::new(Hub::new_from_top(&hub)), || {
///             breadcrumb!(n = n, "squaring");
///             n * n
///         })
///     })
///     .collect();
/// assert_eq!(squares[7], 49);
/// ```
pub struct Hub {
    stack: Shared<Stack>,
}

/// The state of a hub. Scope guards hold it too, so that they can outlive the hub.
struct Stack {
    /// The top layer; never empty.
    top: Swap<Layer>,
    last_event: Swap<EventId>,
}

/// The id of the last event that was sent on its way.
#[derive(Clone, Copy, Debug)]
struct EventId(Uuid);

impl Hub {
    pub(crate) fn with_root(bound: Option<Bound>, scope: Scope) -> Self {
        Self::with_top(|| Layer::root(bound, scope))
    }

    fn with_top(layer: impl FnOnce() -> Layer) -> Self {
        let top = Swap::new(Some(Shared::make(layer)));
        Self { stack: Shared::make(|| Stack { top, last_event: Swap::new(None) }) }
    }

    /// Makes a hub of its own with what `other` has on top: its client, a copy of its scope, and its breadcrumbs as of now.
    ///
    /// From here on the two go separate ways. Costs at most three allocations, whatever the scope and the breadcrumbs hold.
    #[must_use]
    pub fn new_from_top<H: AsRef<Hub>>(other: H) -> Self {
        let other = other.as_ref();
        Self::with_top(|| other.stack.top().fork())
    }

    /// Captures an event with the scope on top, and returns its id; nil if it was dropped.
    pub fn capture_event(&self, event: Event<'static>) -> Uuid {
        self.capture(|| event.into(), true)
    }

    /// Captures with the scope on top, if the client is open. No user code may run in `matter`.
    #[inline]
    fn capture(&self, matter: impl FnOnce() -> Matter, with_session: bool) -> Uuid {
        let (client, mut taken) = {
            let top = self.stack.top();
            let Some(client) = top.bound().filter(|client| client.is_enabled()).cloned() else { return Uuid::nil() };
            (client, Some(Taken { matter: matter(), scope: top.snapshot() }))
        };
        if !with_session && let Some(taken) = &mut taken {
            drop(taken.scope.take_session());
        }
        let id = client.capture(&mut taken);
        if !id.is_nil() {
            drop(self.stack.last_event.swap(Some(Shared::new(EventId(id)))));
        }
        id
    }

    /// Captures a message. Whatever its level, it is no error of the session.
    pub fn capture_message(&self, message: &str, level: Level) -> Uuid {
        self.capture(|| Matter::of_message(message, level), false)
    }

    /// Captures an error with the whole chain of its sources.
    pub fn capture_error<E: Error + ?Sized>(&self, error: &E) -> Uuid {
        if !self.has_client() {
            return Uuid::nil();
        }
        // What the error says is its author's code: it runs while nothing is borrowed.
        let chain = chain_of(error);
        self.capture(|| Matter::of_errors(chain), true)
    }

    /// Calls `callback` with an integration of the bound client, found by its type.
    ///
    /// Without a client, or without such an integration, the callback does not run and the default is returned.
    pub fn with_integration<I, F, R>(&self, callback: F) -> R
    where
        I: Integration,
        F: FnOnce(&I) -> R,
        R: Default,
    {
        match self.bound() {
            Some(client) => client.integration().map(callback).unwrap_or_default(),
            None => R::default(),
        }
    }

    /// The id of the last event that this hub captured and did not drop.
    #[must_use]
    pub fn last_event_id(&self) -> Option<Uuid> {
        self.stack.last_event.borrow().map(|id| id.0)
    }

    /// True if a client is bound that was open then, whether it is now or not. One relaxed load.
    #[inline]
    pub(crate) fn has_client(&self) -> bool {
        self.stack.top.tag() & HAS_CLIENT != 0
    }

    /// Shows `look` the client and the scope on top, if the client is open. No user code may run in it.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Bound, &Scope) -> R) -> Option<R> {
        self.stack.top().show(look)
    }

    /// True if a client is bound and takes items.
    pub(crate) fn is_active(&self) -> bool {
        self.has_client() && self.stack.top().bound().is_some_and(Backend::is_enabled)
    }

    pub(crate) fn bound(&self) -> Option<Bound> {
        self.stack.top().bound().cloned()
    }

    /// Binds or unbinds the top layer.
    pub(crate) fn bind(&self, bound: Option<Bound>) {
        self.stack.publish(|top| Some(Placed::new(Shared::new(top.with_bound(bound.clone())))));
    }
}

impl Stack {
    /// Borrows the top layer. Only for stretches without user code.
    #[inline]
    fn top(&self) -> Borrow<'_, Layer> {
        loop {
            // The word is set before anyone sees the hub, and only ever replaced by another layer.
            if let Some(top) = self.top.borrow() {
                return top;
            }
        }
    }

    /// The same, and the turn in which it is the top.
    #[inline]
    fn top_in_turn(&self) -> (u64, Borrow<'_, Layer>) {
        loop {
            // As above.
            if let Some(top) = self.top.borrow_in_turn() {
                return top;
            }
        }
    }

    /// A handle to the top layer. User code may run while it is held.
    #[inline]
    fn keep_top(&self) -> Shared<Layer> {
        self.top().keep()
    }

    /// Publishes a new top, remade until no other thread was faster. `None`: leaves everything as it is.
    ///
    /// User closures may hang on a scope: nothing is borrowed when the old layer is dropped.
    fn publish(&self, mut remake: impl FnMut(&Borrow<'_, Layer>) -> Option<Placed<Layer>>) {
        loop {
            let top = self.top();
            let Some(remade) = remake(&top) else { return };
            if top.replace(remade).is_ok() {
                return;
            }
        }
    }
}

/// What a panic interrupts leaves no trace: only finished layers are published.
impl RefUnwindSafe for Hub {}
impl UnwindSafe for Hub {}

impl AsRef<Hub> for Hub {
    fn as_ref(&self) -> &Hub {
        self
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("top", &*self.stack.top()).field("last_event_id", &self.last_event_id()).finish()
    }
}

impl Content for EventId {
    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        static POOL: Pool<Spare<EventId>> = Pool::new(MOST_SPARES);
        thread_local! {
            static SHARE: Share<Spare<EventId>, 4> = const { Share::of(&POOL) };
        }
        Some(&SHARE)
    }
}

impl Content for Stack {
    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        static POOL: Pool<Spare<Stack>> = Pool::new(MOST_SPARES);
        thread_local! {
            static SHARE: Share<Spare<Stack>, 4> = const { Share::of(&POOL) };
        }
        Some(&SHARE)
    }
}

/// Emptied stacks, and as many event ids, that wait for their next use, at most, beside four with each thread.
const MOST_SPARES: usize = 256;
