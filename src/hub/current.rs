//! The process's hub, the thread's hub, and switching between them.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, MutexGuard};

use arc_swap::ArcSwapOption;

use super::Hub;
use super::bound::Bound;
use super::kept::Kept;
use super::layer::HAS_CLIENT;
use crate::gate;
use crate::scope::Scope;

thread_local! {
    /// Borrowed only where no user code can run: it may switch or drop the hub.
    static CURRENT: RefCell<Place> = const { RefCell::new(Place::NONE) };
}

/// A thread's hub, `None` until its first use, and what the thread keeps of it.
#[derive(Debug)]
struct Place {
    hub: Option<Arc<Hub>>,
    kept: Kept,
}

impl Place {
    const NONE: Self = Self { hub: None, kept: Kept::NOTHING };
}

/// The hub that threads without one of their own start from. Read by all, written once or twice in a process.
static MAIN: ArcSwapOption<Hub> = ArcSwapOption::const_empty();

impl Hub {
    /// The current hub of this thread.
    ///
    /// On its first use a thread gets a copy of the [main](Hub::main) hub's top; the first thread of all gets the main hub
    /// itself.
    #[must_use]
    pub fn current() -> Arc<Hub> {
        take_part(Arc::clone).unwrap_or_else(|| Arc::new(Hub::new_from_top(Hub::main())))
    }

    /// The main hub: that of the thread that called [`init`](crate::init()), or else of the first thread that used a hub.
    #[must_use]
    pub fn main() -> Arc<Hub> {
        MAIN.load_full().unwrap_or_else(|| claim_main().0)
    }

    /// Calls `callback` with the current hub.
    #[deprecated = "use `Hub::with_active`, which does nothing without a client, or `Hub::current`"]
    pub fn with<F, R>(callback: F) -> R
    where
        F: FnOnce(&Arc<Hub>) -> R,
    {
        callback(&Hub::current())
    }

    /// Calls `callback` with the current hub if a client is bound to it that is open; otherwise returns the default.
    #[inline]
    pub fn with_active<F, R>(callback: F) -> R
    where
        F: FnOnce(&Arc<Hub>) -> R,
        R: Default,
    {
        if gate::is_open() { with_active_current(callback) } else { R::default() }
    }

    /// Runs `callback` with `hub` as the current hub of this thread.
    pub fn run<F: FnOnce() -> R, R>(hub: Arc<Hub>, callback: F) -> R {
        let _guard = HubSwitchGuard::new(hub);
        callback()
    }
}

/// Makes a hub the current one of this thread until dropped.
///
/// Guards need not be dropped in the order in which they were made: each restores what it replaced.
#[must_use = "the previous hub comes back when the guard is dropped"]
pub struct HubSwitchGuard {
    previous: Option<Arc<Hub>>,
    /// What it does to a thread's local it must undo on that thread.
    stays_on_its_thread: PhantomData<MutexGuard<'static, ()>>,
}

impl HubSwitchGuard {
    /// Switches to `hub`.
    #[inline]
    pub fn new(hub: Arc<Hub>) -> Self {
        let mut previous = Some(hub);
        exchange(&mut previous);
        Self { previous, stays_on_its_thread: PhantomData }
    }
}

impl Drop for HubSwitchGuard {
    #[inline]
    fn drop(&mut self) {
        // User closures may hang on the hub that is found there: it is dropped with the guard, when nothing is borrowed.
        exchange(&mut self.previous);
    }
}

/// Makes a hub the current one for one poll of the future that it is bound to.
///
/// The future has a second handle to its hub, which stays with the thread during the poll, so that a poll counts none. In its
/// place stands meanwhile the hub that the thread had before.
pub(crate) struct Stay<'a> {
    hub: &'a Arc<Hub>,
    second: &'a mut Option<Arc<Hub>>,
}

impl<'a> Stay<'a> {
    #[inline]
    pub(crate) fn new(hub: &'a Arc<Hub>, second: &'a mut Option<Arc<Hub>>) -> Self {
        second.get_or_insert_with(|| Arc::clone(hub));
        exchange(second);
        Self { hub, second }
    }
}

impl Drop for Stay<'_> {
    #[inline]
    fn drop(&mut self) {
        exchange(self.second);
        // A guard that outlives the poll may have put another hub in place, and have taken ours.
        if self.second.as_ref().is_some_and(|left| !Arc::ptr_eq(left, self.hub)) {
            *self.second = None;
        }
    }
}

/// A hub may be seen after a panic, so what restores one may be.
impl RefUnwindSafe for HubSwitchGuard {}
impl UnwindSafe for HubSwitchGuard {}

impl std::fmt::Debug for HubSwitchGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubSwitchGuard").finish_non_exhaustive()
    }
}

/// The rest of [`Hub::with_active`], apart so that its first question is asked in line.
#[inline(never)]
fn with_active_current<F, R>(callback: F) -> R
where
    F: FnOnce(&Arc<Hub>) -> R,
    R: Default,
{
    with_current_if_active(callback)
}

/// The same, for a caller that has asked the gate.
#[inline]
pub(crate) fn with_current_if_active<F, R>(callback: F) -> R
where
    F: FnOnce(&Arc<Hub>) -> R,
    R: Default,
{
    let hub = Hub::current();
    if hub.is_active() { callback(&hub) } else { R::default() }
}

/// Makes the current hub the one that new threads start from.
pub(crate) fn make_current_main() -> Arc<Hub> {
    let hub = Hub::current();
    MAIN.store(Some(Arc::clone(&hub)));
    hub
}

/// The tag of the current hub's top layer: zero if there is no hub.
// Not in line: each `breadcrumb!` would have it of its own.
#[inline(never)]
pub(crate) fn current_tag() -> u64 {
    take_part(|hub| hub.stack.top.tag()).unwrap_or(0)
}

/// True if a client is bound to the current hub that was open then.
#[inline]
pub(crate) fn current_has_client() -> bool {
    current_tag() & HAS_CLIENT != 0
}

/// Shows `look` the client and the scope on top of the current hub, if the client is open. No user code may run in it.
pub(crate) fn look_at_current<R>(look: impl FnOnce(&Bound, &Scope) -> R) -> Option<R> {
    let (seen, replaced) = take_part(|hub| {
        let top = hub.stack.top();
        (top.show(look), top.end())
    })?;
    // User closures may hang on a layer that was replaced meanwhile: it is dropped when nothing is borrowed.
    drop(replaced);
    seen
}

/// Shows `look` the scope on top of the current hub. No user code may run in it.
pub(crate) fn show_scope<R>(look: impl Fn(&Scope) -> R) -> R {
    let shown = take_part(|hub| {
        let top = hub.stack.top();
        (look(top.scope()), top.end())
    });
    match shown {
        Some((seen, replaced)) => {
            // As in `look_at_current`.
            drop(replaced);
            seen
        }
        None => look(&Hub::current().scope()),
    }
}

/// Calls `with` with the current hub, without counting a reference. No user code may run in `with`.
///
/// `None`: the thread's locals are gone.
#[inline]
pub(super) fn take_part<R>(with: impl FnOnce(&Arc<Hub>) -> R) -> Option<R> {
    take_all(|hub, _| with(hub))
}

/// Calls `with` with the current hub and what is kept of it. No user code may run in `with`.
///
/// `None`: the thread's locals are gone.
#[inline]
pub(super) fn take_all<R>(with: impl FnOnce(&Arc<Hub>, &mut Kept) -> R) -> Option<R> {
    CURRENT
        .try_with(|current| {
            if let Ok(mut place) = current.try_borrow_mut()
                && let Place { hub: Some(hub), kept } = &mut *place
            {
                return with(hub, kept);
            }
            take_first(current, with)
        })
        .ok()
}

/// Does the same where the thread has no hub yet, and gives it one.
#[cold]
#[inline(never)]
fn take_first<R>(current: &RefCell<Place>, with: impl FnOnce(&Arc<Hub>, &mut Kept) -> R) -> R {
    let first = first_of_thread();
    let mut fallback = Place::NONE;
    let mut borrowed = current.try_borrow_mut();
    let place = borrowed.as_deref_mut().unwrap_or(&mut fallback);
    with(place.hub.get_or_insert(first), &mut place.kept)
}

/// The hub that a thread starts with.
#[cold]
fn first_of_thread() -> Arc<Hub> {
    let (main, claimed) = match MAIN.load_full() {
        Some(main) => (main, false),
        None => claim_main(),
    };
    if claimed { main } else { Arc::new(Hub::new_from_top(main)) }
}

/// The main hub, and whether it is new, and this thread's.
#[cold]
fn claim_main() -> (Arc<Hub>, bool) {
    let fresh = Arc::new(Hub::with_root(None, Scope::default()));
    let before = MAIN.compare_and_swap(&None::<Arc<Hub>>, Some(Arc::clone(&fresh)));
    match &*before {
        Some(main) => (Arc::clone(main), false),
        None => {
            // The first thread of all works on the main hub, whichever way it came to it.
            _ = CURRENT.try_with(|current| {
                if let Ok(mut current) = current.try_borrow_mut() {
                    current.hub.get_or_insert_with(|| Arc::clone(&fresh));
                }
            });
            (fresh, true)
        }
    }
}

/// Exchanges the thread's hub for another. A thread that is being torn down has none, and lets go of what it is given.
// Not in line, and what is rare apart from it: so it moves two words, and saves no register for what it seldom does.
#[inline(never)]
fn exchange(hub: &mut Option<Arc<Hub>>) {
    let left = CURRENT.try_with(|current| {
        let Ok(mut place) = current.try_borrow_mut() else { return Err(()) };
        std::mem::swap(&mut place.hub, hub);
        let keeps = place.kept.is_something();
        drop(place);
        if keeps {
            let_go(current);
        }
        Ok(())
    });
    if !matches!(left, Ok(Ok(()))) {
        refuse(hub);
    }
}

#[cold]
#[inline(never)]
fn refuse(hub: &mut Option<Arc<Hub>>) {
    *hub = None;
}

/// Drops what the thread kept of a hub, when nothing is borrowed.
#[inline(never)]
fn let_go(current: &RefCell<Place>) {
    let kept = current.try_borrow_mut().map(|mut place| place.kept.let_go());
    drop(kept);
}
