//! An allocator that counts: the calls of each thread and, on request, the live bytes of the process.
#![allow(unsafe_code, reason = "only an unsafe trait makes an allocator; every call is passed on as it came")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::AtomicIsize;
use std::sync::atomic::Ordering::Relaxed;

thread_local! {
    /// How often this thread allocated. Without a destructor, so that it can be used at any time.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The bytes that are allocated now. Stays at zero unless `LIVE`.
static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator behind a counter.
///
/// `LIVE`: also adds up the bytes, in one word that all threads share; too dear where time is measured.
pub(crate) struct Counting<const LIVE: bool>;

/// How often the calling thread has allocated, growing a block included.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// The bytes that the process has allocated and not freed.
pub(crate) fn live_bytes() -> isize {
    LIVE_BYTES.load(Relaxed)
}

impl<const LIVE: bool> Counting<LIVE> {
    fn count(grown: usize, shrunk: usize) {
        if grown > 0 {
            ALLOCATIONS.with(|allocations| allocations.set(allocations.get() + 1));
        }
        if LIVE {
            LIVE_BYTES.fetch_add(grown as isize - shrunk as isize, Relaxed);
        }
    }
}

// SAFETY: every method passes its arguments on to the system's allocator, which keeps the contract; counting neither
// allocates nor unwinds.
unsafe impl<const LIVE: bool> GlobalAlloc for Counting<LIVE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size(), 0);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::count(0, layout.size());
        // SAFETY: the block came from the system's allocator, with this layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::count(new_size, layout.size());
        // SAFETY: as in `dealloc`; the caller vouches for the new size.
        unsafe { System.realloc(block, layout, new_size) }
    }
}
