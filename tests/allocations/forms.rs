//! Breadcrumbs in each form that they come in, and by each way.

use std::borrow::Cow;
use std::sync::{Arc, Barrier};

use vidette::{Breadcrumb, Hub, HubSwitchGuard, Level, breadcrumb};

use crate::{allocations, alone, bound, each, three_fields};

#[test]
fn no_form_of_breadcrumb_allocates() {
    let _alone = alone();
    let _bound = bound();
    (0..1_000).for_each(three_fields);
    let (text, owned, borrowed) = ("a text", "an owned text".to_owned(), Cow::Borrowed("a borrowed one"));
    let forms: &[(&str, &dyn Fn())] = &[
        ("nothing but a word", &|| breadcrumb!("plain")),
        ("a type alone", &|| breadcrumb!(ty: "http")),
        ("a category", &|| breadcrumb!(category: "cache", "plain")),
        ("a level", &|| breadcrumb!(level: Level::Warning, "plain")),
        ("the whole header", &|| breadcrumb!(level: Level::Error, category: "cache", ty: "http", "plain")),
        ("fields alone", &|| breadcrumb!(category: "cache", hit = true, age = 7)),
        ("numbers", &|| breadcrumb!(a = 1_i8, b = -2_i64, c = 3_usize, d = 4.5_f32, e = 6.7_f64, "numbers")),
        ("texts", &|| breadcrumb!(a = text, b = owned, c = borrowed, d = 'x', "texts")),
        ("options", &|| breadcrumb!(some = Some(1), none = None::<&str>, text = Some(text))),
        ("a formatted message", &|| breadcrumb!("{text} {:>5} {:?} {:.2}", 1, Level::Info, 1.0)),
        ("a captured argument", &|| breadcrumb!(n = 1, "{text}")),
        ("an empty message", &|| breadcrumb!("")),
        ("as long as fits", &|| breadcrumb!("{:136}", "")),
    ];
    for (name, form) in forms {
        assert_eq!(allocations(|| (0..1_000).for_each(|_| form())), 0, "{name}");
    }
}

/// A breadcrumb as an HTTP client would add it.
fn built() -> Breadcrumb {
    let mut breadcrumb = Breadcrumb {
        ty: "http".into(),
        category: Some("http.client".into()),
        message: Some("GET /cart".into()),
        ..Breadcrumb::default()
    };
    breadcrumb.data.insert("status_code".into(), 200.into());
    breadcrumb
}

#[test]
fn adding_what_a_closure_builds_allocates_what_it_builds() {
    let _alone = alone();
    let (hub, _guard) = bound();
    let own = allocations(|| (0..1_000).for_each(|_| drop(built())));
    let ways: &[(&str, &dyn Fn())] = &[
        ("add_breadcrumb of a closure", &|| vidette::add_breadcrumb(built)),
        ("add_breadcrumb of a value", &|| vidette::add_breadcrumb(built())),
        ("Hub::add_breadcrumb", &|| hub.add_breadcrumb(built)),
    ];
    for (name, way) in ways {
        (0..2_000).for_each(|_| way());
        assert_eq!(allocations(|| (0..1_000).for_each(|_| way())), own, "{name}");
    }
}

#[test]
fn a_scope_and_a_fork_allocate_at_most_three_times_beside_what_closures_build() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(|_| vidette::add_breadcrumb(built));
    let own = each(|| drop(built()));
    let scope = || vidette::with_scope(|scope| scope.set_tag("step", "parse"), || vidette::add_breadcrumb(built));
    assert!(each(scope) <= own + 3, "{} with a scope, of which the breadcrumb {own}", each(scope));
    let fork = || {
        let fork = Arc::new(Hub::new_from_top(&hub));
        Hub::run(fork, || (0..10).for_each(|_| vidette::add_breadcrumb(built)));
    };
    assert!(each(fork) <= 10 * own + 3, "{} with a fork, of which each breadcrumb {own}", each(fork));
}

#[test]
fn breadcrumbs_of_several_threads_on_one_hub_allocate_nothing() {
    let _alone = alone();
    let (hub, _guard) = bound();
    let start = Barrier::new(THREADS);
    let thread = || {
        let _guard = HubSwitchGuard::new(Arc::clone(&hub));
        // What a thread needs first, and as many chunks as all hold at once.
        (0..2_000).for_each(three_fields);
        start.wait();
        allocations(|| (0..5_000).for_each(three_fields))
    };
    let all = std::thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(thread));
        threads.map(|thread| thread.join().unwrap()).iter().sum::<u64>()
    });
    assert!(all <= SLACK, "{all} allocations for {THREADS} × 5,000 breadcrumbs");
}

#[test]
fn breadcrumbs_and_scopes_allocate_no_more_among_many_threads() {
    let _alone = alone();
    let (ready, leave) = (Barrier::new(OTHERS + 1), Barrier::new(OTHERS + 1));
    std::thread::scope(|scope| {
        for _ in 0..OTHERS {
            scope.spawn(|| {
                let (hub, _guard) = bound();
                three_fields(1);
                hub.configure_scope(|scope| scope.set_tag("thread", "other"));
                ready.wait();
                leave.wait();
            });
        }
        ready.wait();
        let (hub, _guard) = bound();
        (0..1_000).for_each(three_fields);
        assert_eq!(allocations(|| (0..1_000).for_each(three_fields)), 0);
        assert!(each(|| hub.configure_scope(|scope| scope.set_tag("region", "west"))) <= 2);
        assert!(each(|| vidette::with_scope(|scope| scope.set_tag("step", "parse"), || three_fields(1))) <= 3);
        assert!(each(|| Hub::run(Arc::new(Hub::new_from_top(&hub)), || three_fields(1))) <= 3);
        leave.wait();
    });
}

const THREADS: usize = 4;
/// Threads that stand still in the middle of a chunk make others take a new one, now and then.
const SLACK: u64 = 20;
const OTHERS: usize = 256;
