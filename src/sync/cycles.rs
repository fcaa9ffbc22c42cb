//! The processor's cycle counter.
//!
//! Reading it takes half as long as asking the system for the time. What its numbers mean is for others to find
//! out.

/// Cycles since some moment. `None`: the processor has no counter that this crate knows to read.
#[inline]
pub(crate) fn now() -> Option<u64> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    {
        // SAFETY: every processor of this architecture has the instruction, and Linux lets programs use it.
        Some(unsafe { std::arch::x86_64::_rdtsc() })
    }
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    None
}
