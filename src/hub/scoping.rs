//! Pushing, popping and configuring the scopes of a hub.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::bound::Backend;
use super::layer::{Layer, Rebuilt};
use super::{Hub, Stack};
use crate::scope::Scope;
use crate::session::Session;
use crate::sync::swap::{Draft, Placed, Shared};
use crate::sync::unique;

/// Pops the scope that [`Hub::push_scope`] pushed when dropped: in any order, on any thread.
///
/// A guard made by default pops nothing.
#[derive(Default)]
#[must_use = "the scope is popped when the guard is dropped"]
pub struct ScopeGuard {
    stack: Option<Shared<Stack>>,
    layer: u64,
}

impl Hub {
    /// Pushes a copy of the scope on top. What is set in it goes when the guard is dropped, breadcrumbs included.
    pub fn push_scope(&self) -> ScopeGuard {
        ScopeGuard { stack: Some(self.stack.clone()), layer: self.stack.push() }
    }

    /// Changes the scope on top, for all later captures of this hub.
    ///
    /// The closure gets a draft, and runs once. If another thread changed the scope meanwhile (or the closure did), both
    /// changes stand; on what both touched, the one that ends last wins. A scope that was popped before the closure
    /// ended takes the change along.
    pub fn configure_scope<F, R>(&self, change: F) -> R
    where
        F: FnOnce(&mut Scope) -> R,
        R: Default,
    {
        self.configure(change, |_| true)
    }

    /// Changes the scope on top, if the client that is bound says that it is open.
    pub(crate) fn configure_if_active<F, R>(&self, change: F) -> R
    where
        F: FnOnce(&mut Scope) -> R,
        R: Default,
    {
        self.configure(change, is_active)
    }

    fn configure<F, R>(&self, change: F, is_wanted: impl FnOnce(&Layer) -> bool) -> R
    where
        F: FnOnce(&mut Scope) -> R,
        R: Default,
    {
        let top = self.stack.keep_top();
        if !is_wanted(&top) {
            return R::default();
        }
        // The draft stands where the changed scope is going to be: in the layer that replaces this one.
        let mut drafted = Draft::make(|| top.drafted());
        let Some(scope) = drafted.own_scope() else { return R::default() };
        let token = scope.token();
        let result = change(scope);
        let is_another = scope.token() != token;
        let touched = scope.end_draft();
        let crumbs = scope.take_crumbs();
        if is_another {
            // Another scope was put in the draft's place: it replaces everything, but for the session, which no draft writes.
            let whole = scope.clone().with_crumbs(crumbs);
            let whole_with = |session: Option<&Arc<Session>>| whole.clone().with_session(session.cloned());
            self.stack.edit(drafted.id, |newer| newer.with_scope(whole_with(newer.scope().session()), true));
            return result;
        }
        let crumbs = touched.cleared_breadcrumbs().then_some(crumbs);
        drafted.complete(&top, crumbs.as_ref());
        // The common case: no other came between, and nothing is copied.
        if let Err(refused) = self.stack.top.replace(top, Placed::new(drafted.share())) {
            self.stack.edit(refused.id, |newer| {
                let merged = refused.scope().merge_onto(&touched, newer.scope());
                newer.with_scope(merged.with_crumbs(crumbs.clone().unwrap_or_default()), crumbs.is_some())
            });
        }
        result
    }

    /// Runs `callback` under a scope of its own, which `configure` sets up.
    pub fn with_scope<C, F, R>(&self, configure: C, callback: F) -> R
    where
        C: FnOnce(&mut Scope),
        F: FnOnce() -> R,
    {
        self.under_scope(configure, callback, |_| true)
    }

    /// The same, with a scope that is set up only if the client that is bound says that it is open.
    pub(crate) fn with_scope_if_active<C, F, R>(&self, configure: C, callback: F) -> R
    where
        C: FnOnce(&mut Scope),
        F: FnOnce() -> R,
    {
        self.under_scope(configure, callback, is_active)
    }

    fn under_scope<C, F, R>(&self, configure: C, callback: F, is_wanted: impl FnOnce(&Layer) -> bool) -> R
    where
        C: FnOnce(&mut Scope),
        F: FnOnce() -> R,
    {
        let mut pushed = Some(Pushed { stack: &self.stack, layer: self.stack.push() });
        self.configure(configure, |top| {
            let is_wanted = is_wanted(top);
            if !is_wanted {
                pushed = None;
            }
            is_wanted
        });
        callback()
    }
}

/// True if the client that is bound says that it is open.
fn is_active(top: &Layer) -> bool {
    top.bound().is_some_and(Backend::is_enabled)
}

/// Pops a scope when dropped, of a hub that outlives it.
struct Pushed<'a> {
    stack: &'a Stack,
    layer: u64,
}

impl Drop for Pushed<'_> {
    fn drop(&mut self) {
        self.stack.pop(self.layer);
    }
}

impl Stack {
    /// Pushes a layer, and returns its id.
    #[inline]
    fn push(&self) -> u64 {
        let id = unique::number();
        if !Layer::push(id, &self.top) {
            self.push_whole(id);
        }
        id
    }

    /// The same, of a layer that has everything as its own.
    #[cold]
    #[inline(never)]
    fn push_whole(&self, id: u64) {
        loop {
            let top = self.keep_top();
            let child = Shared::make(|| Layer::child_of(top.clone(), id));
            if self.top.replace(top, Placed::new(child)).is_ok() {
                return;
            }
        }
    }

    /// Unlinks a layer wherever it stands. The lowest stays, and one that is gone already is no error.
    #[inline]
    fn pop(&self, id: u64) {
        let is_gone = {
            let top = self.top();
            top.id == id && top.unstack()
        };
        if !is_gone {
            self.unlink(id);
        }
    }

    /// The same, where it is not on top, or others are busy.
    #[cold]
    #[inline(never)]
    fn unlink(&self, id: u64) {
        self.publish(|top| top.rebuilt(id, &mut |_| Rebuilt::Unlinked));
    }

    /// Changes the layer of id `id` wherever it stands.
    pub(super) fn edit(&self, id: u64, mut change: impl FnMut(&Layer) -> Layer) {
        self.publish(|top| top.rebuilt(id, &mut |layer| Rebuilt::Changed(Shared::make(|| change(layer)))));
    }
}

impl Drop for ScopeGuard {
    fn drop(&mut self) {
        if let Some(stack) = &self.stack {
            stack.pop(self.layer);
        }
    }
}

/// As with the hub whose layer it pops.
impl RefUnwindSafe for ScopeGuard {}
impl UnwindSafe for ScopeGuard {}

impl fmt::Debug for ScopeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeGuard").field("layer", &self.layer).finish()
    }
}
