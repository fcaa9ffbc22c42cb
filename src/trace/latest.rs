//! Named values of which the latest counts, borrowed from where they were said.
//!
//! What a map would sort, allocate and free for each entry is a short list here, on the stack while it has up to four.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

/// Named values, from the latest to the earliest. Once they are settled, each name stands once, in the order of names.
#[derive(Debug)]
pub(crate) struct Latest<'a, V>(SmallVec<[(Cow<'a, str>, Option<V>); 4]>);

impl<'a, V> Latest<'a, V> {
    #[inline]
    pub(super) fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Adds what was said before all that is there. `None`: the name was taken away.
    #[inline]
    pub(crate) fn before_that(&mut self, name: impl Into<Cow<'a, str>>, value: Option<V>) {
        self.0.push((name.into(), value));
    }

    /// Leaves the latest value of each name.
    #[inline]
    pub(crate) fn settle(&mut self) {
        // Most often there are none or one.
        if let [_, _, ..] | [(_, None)] = &*self.0 {
            // What was said later stays in front of what has the same name.
            self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
            self.0.dedup_by(|(earlier, _), (later, _)| earlier == later);
            self.0.retain(|(_, value)| value.is_some());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().filter_map(|(name, value)| Some((&**name, value.as_ref()?)))
    }
}

impl<V: Serialize> Serialize for Latest<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_counts_and_names_are_in_order() {
        let mut latest = Latest::new();
        for (name, value) in
            [("b", Some(1)), ("gone", None), ("a", Some(2)), ("b", Some(3)), ("gone", Some(4)), ("b", None)]
        {
            latest.before_that(name, value);
        }
        latest.settle();
        assert_eq!(latest.iter().collect::<Vec<_>>(), [("a", &2), ("b", &1)]);
        assert_eq!(serde_json::to_string(&latest).unwrap(), r#"{"a":2,"b":1}"#);
        let mut nothing = Latest::<u8>::new();
        nothing.before_that("gone", None);
        nothing.settle();
        assert!(nothing.is_empty());
    }
}
