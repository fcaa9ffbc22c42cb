//! Single operations in tight loops: nanoseconds and allocations of each call.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vidette::{Hub, breadcrumb};

use crate::allocations;
use crate::load::processor_time;

/// What one call costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub nanoseconds: f64,
    pub allocations: f64,
}

/// What is measured alone.
pub struct Costs {
    pub breadcrumb: Cost,
    pub tags: Cost,
    pub fork: Cost,
    pub request: Cost,
}

/// Measures on a hub that holds as many breadcrumbs as it can, as that of a service that has run for a while.
pub fn all() -> Costs {
    let parent = Arc::new(Hub::new_from_top(Hub::current()));
    Hub::run(parent, || {
        (0..1_000).for_each(leave_breadcrumb);
        let breadcrumb = cost_of(leave_breadcrumb);
        let fork = cost_of(|_| drop(black_box(Arc::new(Hub::new_from_top(Hub::current())))));
        let request = cost_of(|number| {
            Hub::run(Arc::new(Hub::new_from_top(Hub::current())), || {
                set_tags(number);
                (0..10).for_each(leave_breadcrumb);
            });
        });
        Costs { breadcrumb, tags: cost_of(set_tags), fork, request }
    })
}

fn leave_breadcrumb(number: usize) {
    breadcrumb!(
        ty: "query", category: "db.query", table = "goods", rows = number, cached = false,
        "SELECT * FROM goods WHERE id = {}", number,
    );
}

fn set_tags(number: usize) {
    vidette::configure_scope(|scope| {
        scope.set_tag("route", "/orders/{id}");
        scope.set_tag("tenant", "north");
        scope.set_tag("lines", number % 8);
    });
}

/// The median of several rounds, after one to warm up. In processor time, so that others don't count.
fn cost_of(call: impl Fn(usize)) -> Cost {
    let round = |_| {
        let (start, processor, allocated) = (Instant::now(), processor_time(), allocations::count());
        (0..CALLS).for_each(|number| call(black_box(number)));
        let (wall, allocated) = (start.elapsed(), allocations::count() - allocated);
        let spent = Some(processor_time() - processor).filter(|spent| *spent > Duration::ZERO).unwrap_or(wall);
        Cost { nanoseconds: spent.as_nanos() as f64 / CALLS as f64, allocations: allocated as f64 / CALLS as f64 }
    };
    round(0);
    let mut rounds: Vec<_> = (0..ROUNDS).map(round).collect();
    rounds.sort_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds));
    rounds[ROUNDS / 2]
}

const ROUNDS: usize = 9;
/// Fewer where nothing is optimised: the numbers say little there.
const CALLS: usize = if cfg!(debug_assertions) { 500 } else { 20_000 };
