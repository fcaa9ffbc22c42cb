//! A chain: values on top of each other, which stay until the whole goes.
//!
//! Any thread pushes, any thread walks, nobody takes anything away. A chain can be sealed: from then on it holds what it
//! holds. It backs what is noted about a span while it runs, and the spans that a transaction collects.
//!
//! ```text
//!   Chain ─ top ─► link 3 ─► link 2 ─► link 1        a link knows how high it stands
//!          └ sealed?
//! ```
//! Nothing is removed while the chain lives, so walking counts no references and no link can come back under the same
//! address: a plain compare-and-swap of the top is enough.
//!
//! # Guarantees
//! Walking is wait-free, pushing and sealing are lock-free. A push allocates its link, and nothing for one that its caller
//! made long before. Dropping a chain is iterative.
//!
//! # Invariants
//! - **I1** Of each link that the chain reaches from its top it owns a count until it is emptied, or the link is lent to it
//!   by somebody who keeps it for longer.
//! - **I2** A link is pushed once in its life. Its place is written by that push alone, before the link is reachable, and
//!   never again.
//! - **I3** The top is changed by read-modify-writes alone, so whoever acquires it takes in every push before.
//!
//! # Orderings
//! HP1 ⇄ HP2 and HW1 ⇄ HP2 the links: their values and places.

use std::fmt;
use std::marker::PhantomData;
use std::panic::RefUnwindSafe;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{AtomicU64, UnsafeCell};

/// Values that are pushed and never taken back.
pub(crate) struct Chain<T> {
    /// The address of the newest link, and the bit that says whether another may come.
    top: AtomicU64,
    owns: PhantomData<Arc<Link<T>>>,
}

/// A value that can be pushed once, to one chain, and shared beside that.
pub(super) struct Link<T> {
    value: T,
    place: UnsafeCell<Place>,
}

/// Where a link stands (I2).
#[derive(Clone, Copy)]
struct Place {
    below: u64,
    height: u32,
}

/// Why a link was not pushed. It never will be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// The chain is sealed.
    Sealed,
    /// The chain is as high as it may be.
    Full,
}

// SAFETY: `place` is written before the link is shared through a chain, and only read after that (I2).
unsafe impl<T: Send + Sync> Sync for Link<T> {}

// A panic leaves no link half written: what is written is complete before it can be reached.
impl<T: RefUnwindSafe> RefUnwindSafe for Link<T> {}

impl<T> Chain<T> {
    pub(crate) fn new() -> Self {
        Self { top: AtomicU64::new(0), owns: PhantomData }
    }

    /// Puts a value on top, unless the chain is sealed.
    pub(crate) fn push(&self, value: T) -> Result<(), Refused> {
        // HQ1, Relaxed: saves the link; the push decides.
        if self.top.load(Relaxed) & SEALED != 0 {
            return Err(Refused::Sealed);
        }
        self.push_up_to(u32::MAX, value)
    }

    /// Puts a value on top, unless the chain is sealed or has `most` links.
    pub(crate) fn push_up_to(&self, most: u32, value: T) -> Result<(), Refused> {
        // SAFETY: nobody else knows the link.
        unsafe { self.push_link(Arc::new(Link::new(value)), most) }
    }

    /// Puts a link on top, unless the chain is sealed or has `most` links.
    ///
    /// # Safety
    /// The link was pushed to no chain before, and will be to none after (I2).
    pub(super) unsafe fn push_link(&self, link: Arc<Link<T>>, most: u32) -> Result<(), Refused> {
        // SAFETY: pushed once, as the caller says; our count of it becomes the chain's if it is pushed (I1).
        unsafe { self.put_on_top(&link, Arc::as_ptr(&link).expose_provenance() as u64, most)? };
        _ = Arc::into_raw(link);
        Ok(())
    }

    /// Puts a link on top that stays somebody else's, unless the chain is sealed or has `most` links.
    ///
    /// # Safety
    /// The link was pushed to no chain before, and will be to none after (I2). It stays where it is until the chain is
    /// dropped, or [emptied](Self::clear) (I1).
    pub(super) unsafe fn push_lent(&self, link: &Link<T>, most: u32) -> Result<(), Refused> {
        let address = ptr::from_ref(link).expose_provenance() as u64;
        // SAFETY: pushed once, as the caller says, and marked as lent (I1).
        unsafe { self.put_on_top(link, address | LENT, most) }
    }

    /// # Safety
    /// The link was pushed to no chain before, and will be to none after; `word` is its address and whose it is.
    #[inline]
    unsafe fn put_on_top(&self, link: &Link<T>, word: u64, most: u32) -> Result<(), Refused> {
        // HP1, Acquire: pairs with HP2; the place of the link on top. Model: `a_push_sees_the_link_it_stands_on`.
        let mut top = self.top.load(Acquire);
        loop {
            if top & SEALED != 0 {
                return Err(Refused::Sealed);
            }
            let height = self.at(top).map_or(0, |below| below.place().height);
            if height >= most {
                return Err(Refused::Full);
            }
            // SAFETY: the caller alone pushes it, and nobody can reach the link by the chain yet (I2).
            link.place.with_mut(|place| unsafe { *place = Place { below: top, height: height + 1 } });
            // HP2, Release: pairs with HW1 and HP1; the link. When it fails, it reads the top again, as HP1 does. Model:
            // `a_walker_sees_whole_values`.
            match self.top.compare_exchange_weak(top, word, Release, Acquire) {
                Ok(_) => return Ok(()),
                Err(changed) => top = changed,
            }
        }
    }

    /// Lets nothing come any more. True for the one who sealed it.
    pub(crate) fn seal(&self) -> bool {
        // HS1, Relaxed: publishes nothing of its own, and passes on what the pushes published (I3).
        self.top.fetch_or(SEALED, Relaxed) & SEALED == 0
    }

    pub(crate) fn is_sealed(&self) -> bool {
        // HS2, Relaxed: the bit tells of itself alone.
        self.top.load(Relaxed) & SEALED != 0
    }

    /// True if nothing was pushed, and it is not sealed. It says nothing about what another thread does meanwhile.
    pub(super) fn is_new(&self) -> bool {
        // HE1, Relaxed: nothing of the link is looked at.
        self.top.load(Relaxed) == 0
    }

    pub(crate) fn newest(&self) -> Option<&T> {
        self.iter().next()
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> u32 {
        self.load_top().map_or(0, |top| top.place().height)
    }

    /// Walks over the values that are there now, newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::successors(self.load_top(), |link| self.at(link.place().below)).map(|link| &link.value)
    }

    fn load_top(&self) -> Option<&Link<T>> {
        // HW1, Acquire: pairs with HP2; all links below (I3). Model: `a_walker_sees_whole_values`.
        self.at(self.top.load(Acquire))
    }

    /// The link of an address that was acquired from the top, or from the place of such a link.
    fn at(&self, address: u64) -> Option<&Link<T>> {
        // SAFETY: the chain owns a count of each link that was ever on top (I1), and we borrow the chain.
        unsafe { link_at::<T>(address).as_ref() }
    }
}

impl<T> Chain<T> {
    /// Lets go of all links. The chain is as new.
    pub(super) fn clear(&mut self) {
        // HD1, Relaxed: `&mut self`, so all pushes and walks have ended before.
        let mut top = self.top.load(Relaxed);
        if top == 0 {
            return;
        }
        // HD2, Relaxed: as HD1; who shares the chain after that publishes it.
        self.top.store(0, Relaxed);
        // One after the other: a long chain must not become a deep stack of calls.
        while let Some(link) = ptr::NonNull::new(link_at::<T>(top).cast_mut()) {
            if top & LENT != 0 {
                // SAFETY: whoever lent it keeps it for longer than this (I1).
                top = unsafe { link.as_ref() }.place().below;
            } else {
                // SAFETY: the address was taken of an Arc of this type, and the count is the chain's own (I1).
                let link = unsafe { Arc::from_raw(link.as_ptr()) };
                top = link.place().below;
            }
        }
    }
}

impl<T> Drop for Chain<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<T: fmt::Debug> fmt::Debug for Chain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> Link<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value, place: UnsafeCell::new(Place { below: 0, height: 0 }) }
    }

    pub(super) fn value(&self) -> &T {
        &self.value
    }

    pub(super) fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Where the link stands. Only for links that were reached by a chain.
    fn place(&self) -> Place {
        // SAFETY: reached by a chain, so its place is written and stays as it is (I2).
        self.place.with(|place| unsafe { *place })
    }
}

fn link_at<T>(word: u64) -> *const Link<T> {
    ptr::with_exposed_provenance((word & !(SEALED | LENT)) as usize)
}

// Two bits that the address of a link has not.
const SEALED: u64 = 1;
/// The link on top is somebody else's.
const LENT: u64 = 2;

#[cfg(test)]
mod tests;
