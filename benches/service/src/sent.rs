//! What the transports have serialized: that both sides do the same.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

static ENVELOPES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

pub fn count(bytes: usize) {
    ENVELOPES.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

/// Envelopes and bytes since the start.
pub fn so_far() -> (u64, u64) {
    (ENVELOPES.load(Relaxed), BYTES.load(Relaxed))
}
