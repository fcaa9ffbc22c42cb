//! Layers: what a hub stacks, each an immutable whole of a client, a scope and a trail of breadcrumbs.

use std::sync::{Arc, OnceLock};

use crossbeam_queue::ArrayQueue;

use super::bound::{Backend, Bound};
use crate::scope::{Crumbs, Scope, Trail};
use crate::session::Session;
use crate::sync::swap::{Content, Shared, Spare};

/// One level of a hub's stack. A change makes a new layer of the same id.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Unique among the layers of one hub.
    pub(crate) id: u64,
    /// Counts the changes to the layer's scope.
    pub(crate) version: u64,
    pub(crate) bound: Option<Bound>,
    /// Without breadcrumbs: they stand in the trail.
    pub(crate) scope: Scope,
    pub(crate) trail: Trail,
    pub(crate) parent: Option<Shared<Layer>>,
}

impl Layer {
    /// A layer that no other lies under.
    pub(crate) fn root(bound: Option<Bound>, mut scope: Scope) -> Self {
        let crumbs = scope.take_crumbs();
        Self { id: 0, version: 0, bound, scope, trail: Trail::Inherited(crumbs), parent: None }
    }

    /// The same with a copy of everything, and of the breadcrumbs what is there now.
    pub(crate) fn fork(&self) -> Self {
        Self {
            id: 0,
            version: 0,
            bound: self.bound.clone(),
            scope: self.scope.clone(),
            trail: Trail::Inherited(self.crumbs()),
            parent: None,
        }
    }

    /// A layer to put on top of `parent`.
    pub(crate) fn child_of(parent: Shared<Self>, id: u64) -> Self {
        let mut child = parent.fork();
        child.id = id;
        child.parent = Some(parent);
        child
    }

    /// Shows `look` the client and the scope, if the client is open.
    pub(crate) fn show<R>(&self, look: impl FnOnce(&Bound, &Scope) -> R) -> Option<R> {
        let bound = self.bound.as_ref().filter(|bound| bound.is_enabled())?;
        Some(look(bound, &self.scope))
    }

    /// The scope as of now, with its breadcrumbs.
    pub(crate) fn snapshot(&self) -> Scope {
        self.scope.clone().with_crumbs(self.crumbs())
    }

    /// A draft of the scope, with its breadcrumbs as of now.
    pub(crate) fn draft(&self) -> Scope {
        self.scope.to_draft().with_crumbs(self.crumbs())
    }

    pub(crate) fn with_trail(&self, trail: Trail) -> Self {
        self.remade(self.version, self.scope.clone(), trail)
    }

    pub(crate) fn with_bound(&self, bound: Option<Bound>) -> Self {
        let mut changed = self.shallow();
        changed.bound = bound;
        changed
    }

    /// The same layer with another scope; `with_crumbs`: and the breadcrumbs of that scope.
    pub(crate) fn with_scope(&self, mut scope: Scope, with_crumbs: bool) -> Self {
        let crumbs = scope.take_crumbs();
        let trail = if with_crumbs { Trail::Inherited(crumbs) } else { self.trail.clone() };
        self.remade(self.version + 1, scope, trail)
    }

    /// The same layer with another session, or none.
    pub(crate) fn with_session(&self, session: Option<Arc<Session>>) -> Self {
        self.remade(self.version + 1, self.scope.clone().with_session(session), self.trail.clone())
    }

    /// Takes the scope out of a layer that nobody has seen.
    pub(crate) fn into_scope(mut self) -> Scope {
        std::mem::take(&mut self.scope)
    }

    /// How many breadcrumbs this layer remembers.
    pub(crate) fn length(&self) -> usize {
        self.bound.as_ref().map_or(0, |bound| Backend::options(bound).max_breadcrumbs)
    }

    fn crumbs(&self) -> Crumbs {
        self.trail.freeze(self.length())
    }

    /// The stack of which this is the top, with `change` made to the layer of id `id`. `None`: it is not there.
    ///
    /// Layers above it are copied, with the parent changed.
    pub(crate) fn rebuilt(&self, id: u64, change: &mut dyn FnMut(&Self) -> Rebuilt) -> Option<Shared<Self>> {
        let mut above = Vec::new();
        let mut at = self;
        while at.id != id {
            above.push(at);
            at = at.parent.as_deref()?;
        }
        let mut top = match change(at) {
            Rebuilt::Changed(layer) => Shared::new(layer),
            Rebuilt::Unlinked => at.parent.clone()?,
        };
        while let Some(layer) = above.pop() {
            let mut copy = layer.shallow();
            copy.parent = Some(top);
            top = Shared::new(copy);
        }
        Some(top)
    }

    fn shallow(&self) -> Self {
        self.remade(self.version, self.scope.clone(), self.trail.clone())
    }

    /// The same client and parent with another scope and trail.
    #[inline]
    fn remade(&self, version: u64, scope: Scope, trail: Trail) -> Self {
        Self { id: self.id, version, bound: self.bound.clone(), scope, trail, parent: self.parent.clone() }
    }
}

/// What became of a layer.
pub(crate) enum Rebuilt {
    Changed(Layer),
    Unlinked,
}

impl Drop for Layer {
    fn drop(&mut self) {
        // One after the other: a stack of many scopes must not become a stack of many calls.
        let mut next = self.parent.take();
        while let Some(mut layer) = next.and_then(Shared::into_inner) {
            next = layer.parent.take();
        }
    }
}

impl Content for Layer {
    /// True if a client is bound.
    fn tag(&self) -> bool {
        self.bound.is_some()
    }

    fn spares() -> Option<&'static ArrayQueue<Spare<Self>>> {
        static SPARES: OnceLock<ArrayQueue<Spare<Layer>>> = OnceLock::new();
        Some(SPARES.get_or_init(|| ArrayQueue::new(MOST_SPARES)))
    }
}

/// Emptied layers that wait for their next use, at most: less than 100 KiB.
const MOST_SPARES: usize = 256;

const _: () = assert!(size_of::<Layer>() <= 320);
