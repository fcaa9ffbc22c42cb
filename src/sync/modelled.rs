//! The model checker's atomics and cells, made to branch where it would not by itself.

use std::sync::atomic::Ordering;

pub(crate) use loom::cell::UnsafeCell;

macro_rules! modelled_atomic {
    ($name:ident, $value:ty) => {
        /// An atomic whose loads are branching points too.
        ///
        /// Where a thread loads and then stores one atomic, the checker may stop after a single execution. `turn`
        /// orders nothing (all its accesses are relaxed), but its bumps conflict, so that every access branches.
        #[derive(Debug)]
        pub(crate) struct $name {
            value: loom::sync::atomic::$name,
            turn: loom::sync::atomic::AtomicUsize,
        }

        #[allow(dead_code, reason = "the model uses the operations that the code under test uses")]
        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self { value: loom::sync::atomic::$name::new(value), turn: loom::sync::atomic::AtomicUsize::new(0) }
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.store(value, order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.swap(value, order)
            }

            pub(crate) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.fetch_add(value, order)
            }

            pub(crate) fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.fetch_sub(value, order)
            }

            pub(crate) fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.fetch_or(value, order)
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.compare_exchange(current, new, success, failure)
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }
        }
    };
}

modelled_atomic!(AtomicU8, u8);
modelled_atomic!(AtomicU32, u32);
modelled_atomic!(AtomicU64, u64);
