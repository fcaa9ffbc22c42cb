//! Identifiers of traces and spans, and the random numbers all identifiers are made of.
//!
//! # Guarantees
//! Each thread has a generator of its own with at least 128 bits of state, seeded by the operating system at its
//! first use: after that, an identifier costs a few nanoseconds and no system call. The numbers are good enough to
//! be unique, not to be secret. Works during the teardown of a thread, and where the operating system gives no
//! randomness: then time, process, thread and address make the seed.

use std::cell::RefCell;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use hex::FromHexError;
use rand::rngs::{SmallRng, SysRng};
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::tolerant;

/// Returns 64 random bits from the thread's generator.
#[inline]
pub(crate) fn random_u64() -> u64 {
    with_generator(Rng::next_u64)
}

/// Returns a random UUID (version 4).
///
/// Unique for all practical purposes, but not a secret: the generator behind it is not a cryptographic one.
pub fn random_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(random_bytes()).into_uuid()
}

/// The 16 bytes that name a trace, written as 32 lower-case hex digits.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct TraceId([u8; 16]);

/// The 8 bytes that name a span within its trace, written as 16 lower-case hex digits.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SpanId([u8; 8]);

/// Implements what both kinds of identifiers can do, from the number of their bytes.
macro_rules! hex_id {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Calls `f` with the hex digits, without allocating.
            fn with_hex<T>(&self, f: impl FnOnce(&str) -> T) -> T {
                f(str::from_utf8(&self.hex()).unwrap_or_default())
            }

            /// The hex digits.
            #[inline]
            pub(crate) fn hex(&self) -> [u8; 2 * $len] {
                let mut digits = [0; 2 * $len];
                for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
                    pair[0] = HEX_DIGITS[usize::from(byte >> 4)];
                    pair[1] = HEX_DIGITS[usize::from(byte & 15)];
                }
                digits
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.with_hex(|digits| f.pad(digits))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                $name(bytes)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.with_hex(str::to_owned)
            }
        }

        impl FromStr for $name {
            type Err = FromHexError;

            fn from_str(text: &str) -> Result<Self, FromHexError> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes)?;
                Ok($name(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = FromHexError;

            fn try_from(text: String) -> Result<Self, FromHexError> {
                text.parse()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.with_hex(|digits| serializer.serialize_str(digits))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                tolerant::parsed(deserializer)
            }
        }
    };
}

hex_id!(TraceId, 16);
hex_id!(SpanId, 8);

impl Default for TraceId {
    /// Makes a new random identifier.
    #[inline]
    fn default() -> Self {
        Self(random_bytes())
    }
}

impl Default for SpanId {
    /// Makes a new random identifier.
    #[inline]
    fn default() -> Self {
        // Zeros are no valid id.
        Self(random_u64().max(1).to_ne_bytes())
    }
}

impl SpanId {
    /// The bytes as a number, which is zero for no id that was made here.
    #[inline]
    pub(crate) fn to_bits(self) -> u64 {
        u64::from_ne_bytes(self.0)
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits.to_ne_bytes())
    }
}

impl TraceId {
    /// The first and the last eight bytes, as numbers.
    pub(crate) fn halves(self) -> (u64, u64) {
        let bits = u128::from_be_bytes(self.0);
        ((bits >> 64) as u64, bits as u64)
    }
}

#[inline]
fn random_bytes() -> [u8; 16] {
    let [first, last] = with_generator(|generator| [generator.next_u64(), generator.next_u64()]);
    (u128::from(first) << 64 | u128::from(last)).to_ne_bytes()
}

/// Runs `f` on the thread's generator, seeding it first if need be.
#[inline]
fn with_generator<T>(f: impl Fn(&mut SmallRng) -> T) -> T {
    // No code of a user runs in `f`, so the cell is never borrowed twice; a fresh generator is right in any case.
    GENERATOR
        .try_with(|cell| {
            let mut slot = cell.try_borrow_mut().ok()?;
            Some(f(slot.get_or_insert_with(seeded)))
        })
        .ok()
        .flatten()
        .unwrap_or_else(|| f(&mut seeded()))
}

#[cold]
fn seeded() -> SmallRng {
    SmallRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| SmallRng::from_seed(improvised_seed()))
}

/// Makes a seed without the operating system's help, from what differs between calls, threads and processes.
#[cold]
fn improvised_seed() -> <SmallRng as SeedableRng>::Seed {
    static CALLS: AtomicU64 = AtomicU64::new(0);

    let mut seed = <SmallRng as SeedableRng>::Seed::default();
    let here = std::ptr::from_ref(&seed).addr();
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    for (index, part) in seed.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (index, here, call, since_epoch, std::process::id()).hash(&mut hasher);
        part.copy_from_slice(&hasher.finish().to_ne_bytes()[..part.len()]);
    }
    seed
}

thread_local! {
    static GENERATOR: RefCell<Option<SmallRng>> = const { RefCell::new(None) };
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn ids_read_back_what_they_write() {
        let trace = TraceId::from([0xab; 16]);
        assert_eq!(trace.to_string(), "ab".repeat(16));
        assert_eq!(trace.to_string().parse(), Ok(trace));
        assert_eq!(TraceId::try_from("AB".repeat(16)), Ok(trace));
        assert_eq!(format!("{trace:?}"), format!("TraceId({trace})"));
        let span = SpanId::from([0, 1, 2, 3, 4, 5, 6, 0xff]);
        assert_eq!(String::from(span), "00010203040506ff");
        let json = serde_json::to_string(&span).unwrap();
        assert_eq!(json, "\"00010203040506ff\"");
        assert_eq!(serde_json::from_str::<SpanId>(&json).unwrap(), span);
    }

    #[test]
    fn a_wrong_length_or_digit_is_refused() {
        for text in ["", "00", "000102030405060", "0001020304050607ff", "zz01020304050607"] {
            assert!(text.parse::<SpanId>().is_err(), "{text:?}");
            assert!(text.parse::<TraceId>().is_err(), "{text:?}");
        }
        assert!(serde_json::from_str::<SpanId>("7").is_err());
    }

    #[test]
    fn a_random_uuid_is_of_version_four() {
        let id = random_uuid();
        assert_eq!(id.get_version_num(), 4);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn threads_draw_different_numbers() {
        let draw = || (0..1000).map(|_| random_u64()).collect::<Vec<_>>();
        let others = (0..4).map(|_| thread::spawn(draw)).collect::<Vec<_>>();
        let mut seen = draw().into_iter().collect::<HashSet<_>>();
        for other in others {
            seen.extend(other.join().unwrap());
        }
        assert_eq!(seen.len(), 5000);
    }

    #[test]
    fn improvised_seeds_differ() {
        assert_ne!(improvised_seed(), improvised_seed());
    }

    #[test]
    fn an_id_can_be_made_while_a_thread_ends() {
        struct AtExit(std::sync::mpsc::Sender<Uuid>);
        impl Drop for AtExit {
            fn drop(&mut self) {
                let _ = self.0.send(random_uuid());
            }
        }
        thread_local!(static LAST: RefCell<Option<AtExit>> = const { RefCell::new(None) });
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || LAST.with(|last| *last.borrow_mut() = Some(AtExit(sender)))).join().unwrap();
        assert_eq!(receiver.recv().unwrap().get_version_num(), 4);
    }
}
