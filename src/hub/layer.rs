//! Layers: what a hub stacks, each an immutable whole of a client, a scope and a trail of breadcrumbs.

use std::sync::{Arc, OnceLock};

use super::bound::{Backend, Bound};
use crate::scope::record::Record;
use crate::scope::{Crumbs, Scope, Trail};
use crate::session::Session;
use crate::sync::pool::{Pool, Share, Spares};
use crate::sync::ring::{Cargo, Writer};
use crate::sync::swap::{Content, Placed, Shared, Spare, Stacked, Swap};

/// One level of a hub's stack. A change makes a new layer of the same id.
///
/// A layer that was pushed has nothing of its own until something is set in it: it inherits what its parent has, which is
/// what the parent had when it was pushed, since a parent that changes is another layer. What a layer inherits may be its
/// parent's own, or inherited in turn, from seven layers below at most.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Unique in the process, but for the lowest of each hub.
    pub(crate) id: u64,
    bound: Part<Option<Bound>>,
    /// Without breadcrumbs: they stand in the trail.
    scope: Part<Scope>,
    trail: Part<Trail>,
    parent: Option<Placed<Layer>>,
}

/// A part of a layer.
#[derive(Clone, Debug)]
enum Part<T> {
    Own(T),
    /// The parent's own.
    Inherited,
}

impl Layer {
    /// A layer that no other lies under.
    pub(crate) fn root(bound: Option<Bound>, mut scope: Scope) -> Self {
        let trail = Trail::Inherited(scope.take_crumbs());
        Self::lowest(bound, scope, trail)
    }

    /// The same with a copy of everything, and of the breadcrumbs what is there now.
    pub(crate) fn fork(&self) -> Self {
        Self::lowest(self.bound().cloned(), self.scope().clone(), Trail::Inherited(self.crumbs()))
    }

    fn lowest(bound: Option<Bound>, scope: Scope, trail: Trail) -> Self {
        Self { id: 0, bound: Part::Own(bound), scope: Part::Own(scope), trail: Part::Own(trail), parent: None }
    }

    /// Pushes a layer on whatever is the top of a hub. False: the top inherits from so far below that it does not serve as a parent.
    #[inline]
    pub(crate) fn push(id: u64, top: &Swap<Self>) -> bool {
        // Looks at no layer: the tag says how far down the top inherits from.
        let tag = |tag: u64| (tag & DEPTH < DEPTH).then(|| tag + DEEPER);
        top.stack(|| Self::inheriting(id, None), tag)
    }

    /// A layer to put on top of `parent`, which has all that is there as its own.
    pub(crate) fn child_of(parent: Shared<Self>, id: u64) -> Self {
        let (bound, scope) = (Part::Own(parent.bound().cloned()), Part::Own(parent.scope().clone()));
        let trail = Part::Own(Trail::Inherited(parent.crumbs()));
        Self { id, bound, scope, trail, parent: Some(Placed::new(parent)) }
    }

    #[inline]
    fn inheriting(id: u64, parent: Option<Placed<Self>>) -> Self {
        Self { id, bound: Part::Inherited, scope: Part::Inherited, trail: Part::Inherited, parent }
    }

    #[inline]
    pub(crate) fn bound(&self) -> Option<&Bound> {
        let mut at = self;
        loop {
            match &at.bound {
                Part::Own(bound) => return bound.as_ref(),
                Part::Inherited => at = at.parent.as_deref()?,
            }
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        /// The lowest layer has a scope of its own, so this is never asked for.
        static NONE: OnceLock<Scope> = OnceLock::new();
        let mut at = self;
        loop {
            match (&at.scope, &at.parent) {
                (Part::Own(scope), _) => return scope,
                (Part::Inherited, Some(parent)) => at = parent,
                (Part::Inherited, None) => return NONE.get_or_init(Scope::default),
            }
        }
    }

    /// Shows `look` the client and the scope, if the client is open.
    pub(crate) fn show<R>(&self, look: impl FnOnce(&Bound, &Scope) -> R) -> Option<R> {
        let bound = self.bound().filter(|bound| bound.is_enabled())?;
        Some(look(bound, self.scope()))
    }

    /// The scope as of now, with its breadcrumbs.
    #[inline]
    pub(crate) fn snapshot(&self) -> Scope {
        self.scope().copied_with(self.crumbs())
    }

    /// A draft of this layer's scope, with the breadcrumbs as of now, in a layer that is to be [completed](Self::complete).
    // Inlined, so that it is made where it is to be.
    #[inline(always)]
    pub(crate) fn drafted(&self) -> Self {
        Self {
            id: self.id,
            bound: Part::Inherited,
            scope: Part::Own(self.scope().to_draft(self.crumbs())),
            trail: Part::Inherited,
            parent: None,
        }
    }

    /// Takes over all but the scope from the layer in whose place this one comes; and `crumbs`, if they replace those there.
    #[inline]
    pub(crate) fn complete(&mut self, top: &Self, crumbs: Option<&Crumbs>) {
        self.bound = top.bound.clone();
        self.trail = crumbs.map_or_else(|| top.trail.clone(), |crumbs| Part::Own(Trail::Inherited(crumbs.clone())));
        self.parent.clone_from(&top.parent);
    }

    /// The scope, to be changed, if it is the layer's own.
    #[inline]
    pub(crate) fn own_scope(&mut self) -> Option<&mut Scope> {
        match &mut self.scope {
            Part::Own(scope) => Some(scope),
            Part::Inherited => None,
        }
    }

    /// Moves the record here. False: the layer has to be made [`with_room`](Self::with_room) first, and the record stays.
    #[inline]
    pub(crate) fn push_record(&self, record: &mut impl Cargo<Record>) -> bool {
        match &self.trail {
            Part::Own(trail) => trail.push(record),
            Part::Inherited => false,
        }
    }

    /// A writer to where the next record goes.
    pub(crate) fn writer(&self) -> Option<Writer<Record>> {
        match &self.trail {
            Part::Own(trail) => trail.writer(),
            Part::Inherited => None,
        }
    }

    /// True if breadcrumbs were added here: there is a chunk of the layer's own.
    pub(crate) fn has_chunk(&self) -> bool {
        matches!(self.trail, Part::Own(Trail::Live(_)))
    }

    /// True if that chunk has a free slot.
    pub(crate) fn has_room(&self) -> bool {
        matches!(&self.trail, Part::Own(trail) if trail.has_room())
    }

    /// The same layer with room for more breadcrumbs, which remembers at least the newest `length`.
    pub(crate) fn with_room(&self, length: usize) -> Self {
        let trail = match &self.trail {
            Part::Own(trail) => trail.next(length),
            Part::Inherited => self.crumbs().next(length),
        };
        self.remade(self.scope.clone(), Part::Own(trail))
    }

    pub(crate) fn with_bound(&self, bound: Option<Bound>) -> Self {
        let (scope, trail) = (self.scope.clone(), self.trail.clone());
        Self { id: self.id, bound: Part::Own(bound), scope, trail, parent: self.parent.clone() }
    }

    /// The same layer with another scope; `with_crumbs`: and the breadcrumbs of that scope.
    pub(crate) fn with_scope(&self, mut scope: Scope, with_crumbs: bool) -> Self {
        let crumbs = scope.take_crumbs();
        let trail = if with_crumbs { Part::Own(Trail::Inherited(crumbs)) } else { self.trail.clone() };
        self.remade(Part::Own(scope), trail)
    }

    /// The same layer with another session, or none.
    // Inlined, so that it is made where it is to be.
    #[inline(always)]
    pub(crate) fn with_session(&self, session: Option<Arc<Session>>) -> Self {
        let scope = Part::Own(self.scope().copied_with_session(session));
        self.remade(scope, self.trail.clone())
    }

    /// How many breadcrumbs this layer remembers.
    pub(crate) fn length(&self) -> usize {
        self.bound().map_or(0, |bound| Backend::options(bound).max_breadcrumbs)
    }

    fn crumbs(&self) -> Crumbs {
        self.newest_crumbs(self.length())
    }

    fn newest_crumbs(&self, length: usize) -> Crumbs {
        let mut at = self;
        loop {
            match (&at.trail, &at.parent) {
                (Part::Own(trail), _) => return trail.freeze(length),
                (Part::Inherited, Some(parent)) => at = parent,
                (Part::Inherited, None) => return Crumbs::default(),
            }
        }
    }

    /// The stack of which this is the top, with `change` made to the layer of id `id`. `None`: it is not there.
    ///
    /// Layers above it are copied, with the parent changed; the first of them keeps what it inherited, as its own.
    pub(crate) fn rebuilt(&self, id: u64, change: &mut dyn FnMut(&Self) -> Rebuilt) -> Option<Placed<Self>> {
        let mut above = Vec::new();
        let mut at = self;
        while at.id != id {
            above.push(at);
            at = at.parent.as_deref()?;
        }
        let mut top = match change(at) {
            Rebuilt::Changed(layer) => Placed::new(layer),
            Rebuilt::Unlinked => at.parent.clone()?,
        };
        let mut is_next = true;
        while let Some(layer) = above.pop() {
            let mut copy = layer.remade(layer.scope.clone(), layer.trail.clone());
            if is_next {
                copy.own(layer);
            }
            copy.parent = Some(top);
            top = Placed::new(Shared::new(copy));
            is_next = false;
        }
        Some(top)
    }

    /// Makes all that this layer inherits its own, as `like` sees it.
    fn own(&mut self, like: &Self) {
        if self.bound.is_inherited() {
            self.bound = Part::Own(like.bound().cloned());
        }
        if self.scope.is_inherited() {
            self.scope = Part::Own(like.scope().clone());
        }
        if self.trail.is_inherited() {
            self.trail = Part::Own(Trail::Inherited(like.crumbs()));
        }
    }

    /// The same client and parent with another scope and trail.
    #[inline(always)]
    fn remade(&self, scope: Part<Scope>, trail: Part<Trail>) -> Self {
        Self { id: self.id, bound: self.bound.clone(), scope, trail, parent: self.parent.clone() }
    }
}

impl<T> Part<T> {
    fn is_inherited(&self) -> bool {
        matches!(self, Self::Inherited)
    }
}

/// What became of a layer.
pub(crate) enum Rebuilt {
    Changed(Shared<Layer>),
    Unlinked,
}

impl Drop for Layer {
    fn drop(&mut self) {
        // One after the other: a stack of many scopes must not become a stack of many calls.
        let mut next = self.parent.take();
        while let Some(mut layer) = next.and_then(Placed::into_inner) {
            next = layer.parent.take();
        }
    }
}

impl Stacked for Layer {
    #[inline]
    fn below(&self) -> Option<&Placed<Self>> {
        self.parent.as_ref()
    }

    #[inline]
    fn below_mut(&mut self) -> &mut Option<Placed<Self>> {
        &mut self.parent
    }
}

impl Content for Layer {
    fn tag(&self) -> u64 {
        // The parent's word says what would else be looked for.
        let below = self.parent.as_ref().map_or(0, Placed::tag);
        let client = match &self.bound {
            Part::Own(bound) if bound.as_ref().is_some_and(Backend::is_enabled) => HAS_CLIENT,
            Part::Own(_) => 0,
            Part::Inherited => below & HAS_CLIENT,
        };
        let inherits = self.bound.is_inherited() || self.scope.is_inherited() || self.trail.is_inherited();
        // On what inherits from the deepest, a layer with all of its own is put.
        client | if inherits { ((below & DEPTH) + DEEPER).min(DEPTH) } else { 0 }
    }

    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        static POOL: Pool<Spare<Layer>> = Pool::new(MOST_SPARES);
        thread_local! {
            static SHARE: Share<Spare<Layer>, 8> = const { Share::of(&POOL) };
        }
        Some(&SHARE)
    }
}

/// Of a layer's tag: a client is bound that was open when the layer came to its place. What is closed never opens again.
pub(crate) const HAS_CLIENT: u64 = 1;
/// Of a layer's tag: from how many layers below it inherits at most, in steps of [`DEEPER`]. Whoever looks for something goes
/// that far.
const DEPTH: u64 = 14;
const DEEPER: u64 = 2;
/// Emptied layers that wait for their next use, at most, beside eight with each thread: less than 100 KiB.
const MOST_SPARES: usize = 256;

const _: () = assert!(size_of::<Layer>() <= 320);
