//! Medians and quartiles.

use serde::{Deserialize, Serialize};

/// Where the middle half of some values lies.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub struct Spread {
    pub first: f64,
    pub median: f64,
    pub third: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let [first, median, third] = [1, 2, 3].map(|quarter| values[values.len() * quarter / 4]);
        Self { first, median, third }
    }

    /// Joins those of several runs: the median of each.
    pub fn joined(spreads: &[Self]) -> Self {
        let of = |part: fn(&Self) -> f64| median(spreads.iter().map(part));
        Self { first: of(|spread| spread.first), median: of(|spread| spread.median), third: of(|spread| spread.third) }
    }
}

pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    Spread::of(values).median
}
