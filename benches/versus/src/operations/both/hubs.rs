//! Breadcrumbs, scopes, forks and switches: what stays on the calling thread.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::sdk::protocol::Event;
use super::sdk::{self, ClientOptions, Hub, HubSwitchGuard, SentryFutureExt};
use super::stage::{Stage, small};
use crate::measure::{Run, timed};
use crate::operations::{Host, opaque};

pub fn breadcrumb(host: Host) -> Run {
    Stage::full(host).under(super::rich, |event, calls| {
        let last = event.breadcrumbs.last().expect("one was added");
        assert_eq!(last.message, Some(format!("GET /cart/{}", calls - 1)));
        assert_eq!(last.data.len(), 3);
    })
}

pub fn plain_breadcrumb(host: Host) -> Run {
    Stage::full(host).under(|_| super::small(), ends_cold)
}

pub fn add_breadcrumb(host: Host) -> Run {
    Stage::full(host).under(|_| sdk::add_breadcrumb(small), ends_cold)
}

/// What the closure of `add_breadcrumb` does, and the drop of the breadcrumb that has to make room.
pub fn closure() -> Run {
    Run::new(build, |_| ())
}

pub fn own_add_breadcrumb() -> Run {
    add_breadcrumb(Host::Enabled).less(build)
}

fn build(calls: u64) -> crate::measure::Cost {
    timed(calls, |_| drop(black_box(small())))
}

pub fn filtered_breadcrumb() -> Run {
    let options = ClientOptions::new().before_breadcrumb(|breadcrumb| Some(black_box(breadcrumb)));
    Stage::with(Host::Enabled, options).under(|_| sdk::add_breadcrumb(small), ends_cold)
}

fn ends_cold(event: &Event<'static>, calls: u64) {
    let cold = |message: &str| message == "the cache was cold";
    let messages = event.breadcrumbs.iter().filter_map(|breadcrumb| breadcrumb.message.as_deref());
    assert!(messages.rev().take_while(|message| cold(message)).count() as u64 >= calls.min(100));
}

/// Sets a tag where `tags` are, itself among them.
pub fn configure_scope(host: Host, tags: usize) -> Run {
    let stage = Stage::new(host);
    stage.hub.configure_scope(|scope| (1..tags).for_each(|n| scope.set_tag(&format!("tag-{n}"), n)));
    stage.under(
        |_| sdk::configure_scope(|scope| scope.set_tag("region", opaque(&"eu-west-1"))),
        move |event, _| {
            assert_eq!(event.tags.get("region").map(String::as_str), Some("eu-west-1"));
            assert_eq!(event.tags.len(), tags);
        },
    )
}

pub fn push_scope(host: Host) -> Run {
    let stage = Stage::new(host);
    let hub = Arc::clone(&stage.hub);
    stage.under(move |_| drop(black_box(hub.push_scope())), |_, _| ())
}

pub fn with_scope(host: Host) -> Run {
    let step = |_| {
        sdk::with_scope(|scope| scope.set_tag("step", opaque(&"parse")), || sdk::add_breadcrumb(small));
    };
    Stage::full(host).under(step, left_no_trace)
}

pub fn with_scope_by_macro(host: Host) -> Run {
    let step = |_| sdk::with_scope(|scope| scope.set_tag("step", opaque(&"parse")), super::small);
    Stage::full_by_macro(host).under(step, left_no_trace)
}

pub fn nested_scopes(host: Host) -> Run {
    fn descend(depth: u32) {
        if depth > 0 {
            sdk::with_scope(|scope| scope.set_tag("depth", black_box(depth)), || descend(depth - 1));
        }
    }
    Stage::full(host).under(|_| descend(4), left_no_trace)
}

fn left_no_trace(event: &Event<'static>, _: u64) {
    assert!(event.tags.is_empty(), "what was set on a scope went with it");
    assert!(event.breadcrumbs.iter().all(|breadcrumb| breadcrumb.category.as_deref() == Some("http.client")));
}

pub fn fork(host: Host) -> Run {
    forked(Stage::full(host), || sdk::add_breadcrumb(small))
}

pub fn fork_by_macro(host: Host) -> Run {
    forked(Stage::full_by_macro(host), super::small)
}

fn forked(stage: Stage, add: fn()) -> Run {
    let parent = Arc::clone(&stage.hub);
    let request = move |_| {
        let fork = Arc::new(Hub::new_from_top(black_box(&parent)));
        Hub::run(fork, || (0..10).for_each(|_| add()));
    };
    stage.under(request, left_no_trace)
}

pub fn switch(host: Host) -> Run {
    let other = Stage::new(host).hub;
    let switch = move |_| drop(black_box(HubSwitchGuard::new(Arc::clone(&other))));
    Stage::new(host).under(switch, |_, _| ())
}

pub fn poll(host: Host) -> Run {
    let hub = Stage::new(host).hub;
    let batch = move |calls| {
        let pending = std::future::poll_fn(|_| black_box(Poll::<()>::Pending));
        let mut future = pin!(pending.bind_hub(Arc::clone(&hub)));
        let mut context = Context::from_waker(Waker::noop());
        timed(calls, |_| _ = black_box(future.as_mut().poll(&mut context)))
    };
    Run::new(batch, |_| ())
}

/// A request whose future is bound to a hub and polled to its end.
pub fn polls(host: Host, polls: u32) -> Run {
    let hub = Stage::new(host).hub;
    let request = move |_| {
        let mut left = polls;
        let step = move |_: &mut Context<'_>| {
            left -= 1;
            if black_box(left) == 0 { Poll::Ready(()) } else { Poll::Pending }
        };
        let mut future = pin!(std::future::poll_fn(step).bind_hub(Arc::clone(&hub)));
        let mut context = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut context).is_pending() {}
    };
    Run::new(move |calls| timed(calls, &request), |_| ())
}
