//! A small sorted list of named values that remembers who set what.

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::draft::Token;
use crate::sync::pool::{Pool, Share, Spares};
use crate::sync::swap::{Content, Draft, Shared, Spare};

/// Named values, sorted by name. Cheap to copy when its values are.
#[derive(Debug)]
pub(crate) struct Keyed<V>(SmallVec<[Entry<V>; 2]>);

#[derive(Clone, Debug)]
struct Entry<V> {
    key: SmolStr,
    value: V,
    /// The draft that set it.
    by: Token,
}

impl<V: Clone> Clone for Keyed<V> {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.clone_from(self);
        copy
    }

    /// Copies the entries to their places, one by one.
    fn clone_from(&mut self, source: &Self) {
        self.0.clear();
        self.0.reserve_exact(source.0.len());
        source.0.iter().for_each(|entry| self.0.push(entry.clone()));
    }
}

impl<V> Default for Keyed<V> {
    #[inline]
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

impl<V: Clone> Keyed<V> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SmolStr, &V)> {
        self.0.iter().map(|entry| (&entry.key, &entry.value))
    }

    pub(crate) fn set(&mut self, key: &str, value: V, by: Token) {
        match self.find(key) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.value = value;
                    entry.by = by;
                }
            }
            Err(at) => self.0.insert(at, Entry { key: SmolStr::new(key), value, by }),
        }
    }

    /// Becomes a copy of `source` with a value set, of which nothing is copied that is replaced.
    fn copy_with(&mut self, source: &Self, key: &str, value: V, by: Token) {
        let (before, key, after) = match source.find(key) {
            Ok(at) => {
                let (before, from) = source.0.split_at(at);
                let (same, after) = from.split_at(1);
                (before, same.first().map_or_else(|| SmolStr::new(key), |entry| entry.key.clone()), after)
            }
            Err(at) => {
                let (before, after) = source.0.split_at(at);
                (before, SmolStr::new(key), after)
            }
        };
        self.0.reserve_exact(before.len() + 1 + after.len());
        before.iter().for_each(|entry| self.0.push(entry.clone()));
        self.0.push(Entry { key, value, by });
        after.iter().for_each(|entry| self.0.push(entry.clone()));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(key) {
            self.0.remove(at);
        }
    }

    /// True if the draft `by` set something here.
    pub(crate) fn has_any_by(&self, by: Token) -> bool {
        self.0.iter().any(|entry| entry.by == by)
    }

    /// Puts what the draft `by` set here into `newer`.
    pub(crate) fn replay_onto(&self, newer: &mut Self, by: Token) {
        for entry in self.0.iter().filter(|entry| entry.by == by) {
            newer.set(&entry.key, entry.value.clone(), by);
        }
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| entry.key.as_str().cmp(key))
    }
}

impl Keyed<SmolStr> {
    /// Sets a value in a shared list, of which others keep what they have.
    pub(crate) fn set_shared(list: &mut Option<Shared<Self>>, key: &str, value: SmolStr, by: Token) {
        let Some(shared) = list else {
            let mut first = Draft::make(Self::default);
            first.0.push(Entry { key: SmolStr::new(key), value, by });
            *list = Some(first.share());
            return;
        };
        if let Some(own) = shared.get_mut() {
            return own.set(key, value, by);
        }
        let mut copy = Draft::make(Self::default);
        copy.copy_with(shared, key, value, by);
        *shared = copy.share();
    }
}

/// Tags are set often, and a list of them is made each time.
impl Content for Keyed<SmolStr> {
    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        static POOL: Pool<Spare<Keyed<SmolStr>>> = Pool::new(MOST_SPARES);
        thread_local! {
            static SHARE: Share<Spare<Keyed<SmolStr>>, 4> = const { Share::of(&POOL) };
        }
        Some(&SHARE)
    }
}

/// Emptied lists that wait for their next use, at most, beside four with each thread: less than 40 KiB.
const MOST_SPARES: usize = 256;
