//! Futures and threads: each with the hub that it was given.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use vidette::{Hub, HubSwitchGuard, Level, SentryFutureExt, breadcrumb, configure_scope};

use crate::rig::Rig;

/// Is ready at the second poll.
async fn pause() {
    let mut polled = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn tasks_that_move_between_threads_keep_their_scopes_apart() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let work = async move {
                configure_scope(|scope| scope.set_tag("task", task));
                for step in 0..10 {
                    breadcrumb!("{task}.{step}");
                    pause().await;
                }
                vidette::capture_message("done", Level::Info)
            };
            runtime.spawn(work.bind_hub(Hub::new_from_top(&*rig.hub)))
        })
        .collect();
    for task in tasks {
        assert!(!runtime.block_on(task).unwrap().is_nil());
    }
    let events = rig.events();
    assert_eq!(events.len(), 64);
    for event in events {
        let task = &event.tags["task"];
        let expected: Vec<_> = (0..10).map(|step| format!("{task}.{step}")).collect();
        assert_eq!(crate::rig::crumbs(&event), expected);
    }
    assert!(rig.crumbs().is_empty());
}

#[test]
fn a_future_sees_its_hub_in_each_poll_and_its_caller_never_does() {
    let (ours, theirs) = (Rig::new(), Rig::new());
    ours.run(|| {
        let hub = Arc::clone(&theirs.hub);
        let mut future = pin!(
            async {
                assert!(Arc::ptr_eq(&Hub::current(), &hub));
                pause().await;
                assert!(Arc::ptr_eq(&Hub::current(), &hub));
                async { assert!(Arc::ptr_eq(&Hub::current(), &ours.hub)) }.bind_hub(Arc::clone(&ours.hub)).await;
                assert!(Arc::ptr_eq(&Hub::current(), &hub));
            }
            .bind_hub(Arc::clone(&hub))
        );
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert!(Arc::ptr_eq(&Hub::current(), &ours.hub));
        assert!(future.as_mut().poll(&mut context).is_ready());
        assert!(Arc::ptr_eq(&Hub::current(), &ours.hub));
    });
}

#[test]
fn a_future_keeps_its_hub_though_a_guard_outlives_a_poll() {
    let (ours, theirs, third) = (Rig::new(), Rig::new(), Rig::new());
    ours.run(|| {
        let is_current = |rig: &Rig| Arc::ptr_eq(&Hub::current(), &rig.hub);
        let mut future = pin!(
            async {
                pause().await;
                let guard = HubSwitchGuard::new(Arc::clone(&third.hub));
                pause().await;
                assert!(is_current(&theirs), "each poll switches anew");
                drop(guard);
                assert!(is_current(&theirs), "what the guard replaced");
                pause().await;
                assert!(is_current(&theirs));
            }
            .bind_hub(Arc::clone(&theirs.hub))
        );
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(future.as_mut().poll(&mut context).is_pending());
            assert!(is_current(&ours));
        }
        assert!(future.as_mut().poll(&mut context).is_ready());
        assert!(is_current(&ours));
    });
    assert_eq!([&ours, &theirs, &third].map(|rig| Arc::strong_count(&rig.hub)), [1; 3]);
}

#[test]
fn a_future_that_panics_gives_the_hub_back() {
    let (ours, theirs) = (Rig::new(), Rig::new());
    ours.run(|| {
        let future = async { panic!("on purpose") }.bind_hub(Arc::clone(&theirs.hub));
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _: Poll<()> = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
        }));
        assert!(polled.is_err());
        assert!(Arc::ptr_eq(&Hub::current(), &ours.hub));
    });
}

#[test]
fn each_switch_guard_restores_what_it_replaced_in_any_order() {
    let rig = Rig::new();
    let hubs: Vec<_> = (0..4).map(|_| Arc::new(Hub::new_from_top(&*rig.hub))).collect();
    let is_current = |n: usize| Arc::ptr_eq(&Hub::current(), &hubs[n]);
    Hub::run(Arc::clone(&hubs[0]), || {
        let switch = |n: usize| HubSwitchGuard::new(Arc::clone(&hubs[n]));
        let (one, two, three) = (switch(1), switch(2), switch(3));
        assert!(is_current(3));
        drop(two);
        assert!(is_current(1));
        drop(three);
        assert!(is_current(2));
        drop(one);
        assert!(is_current(0));
    });
}

#[test]
fn a_new_thread_has_a_hub_of_its_own() {
    // Whoever comes first gets the main hub.
    let main = Hub::main();
    let seen = std::thread::spawn(|| (Hub::current(), Hub::current())).join().unwrap();
    assert!(Arc::ptr_eq(&seen.0, &seen.1));
    assert!(!Arc::ptr_eq(&seen.0, &Hub::current()) && !Arc::ptr_eq(&seen.0, &main));
}

#[test]
fn a_hub_outlives_the_place_it_was_taken_from() {
    let rig = Rig::new();
    let kept = rig.run(|| {
        let inner = Arc::new(Hub::new_from_top(Hub::current()));
        Hub::run(inner, || {
            configure_scope(|scope| scope.set_tag("inner", 1));
            Hub::current()
        })
    });
    assert_eq!(rig.event_of(&kept).tags["inner"], "1");
}

#[test]
fn a_spawned_task_and_a_spawned_thread_carry_what_they_were_given() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let capture = |name: &str| {
        configure_scope(|scope| scope.set_tag(name, 1));
        vidette::capture_message(name, Level::Info)
    };
    rig.run(|| {
        runtime.block_on(async {
            configure_scope(|scope| scope.set_tag("request", 1));
            let forked = || Arc::new(Hub::new_from_top(Hub::current()));
            let task = async move { capture("task") };
            assert!(!tokio::spawn(task.bind_hub(forked())).await.unwrap().is_nil());
            let hub = forked();
            assert!(!std::thread::spawn(move || Hub::run(hub, || capture("thread"))).join().unwrap().is_nil());
            assert!(!capture("caller").is_nil());
        });
    });
    for event in rig.events() {
        let own = event.message.unwrap();
        let mut expected = vec![own, "request".to_owned()];
        expected.sort_unstable();
        assert!(event.tags.into_keys().eq(expected));
    }
}

#[test]
fn a_parallel_iterators_closures_keep_apart_with_a_fork_each() {
    use rayon::prelude::*;

    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_tag("job", "nightly"));
    let squares: u64 = (0..1_000_u64)
        .into_par_iter()
        .map(|n| {
            Hub::run(Arc::new(Hub::new_from_top(&rig.hub)), || {
                configure_scope(|scope| scope.set_tag("n", n));
                breadcrumb!("{n}");
                if n % 10 == 0 {
                    vidette::capture_message(&n.to_string(), Level::Info);
                }
                n * n
            })
        })
        .sum();
    assert_eq!(squares, 332_833_500);
    let events = rig.events();
    assert_eq!(events.len(), 100);
    for event in events {
        assert_eq!((event.tags["job"].as_str(), event.tags.get("n")), ("nightly", event.message.as_ref()));
        assert_eq!(crate::rig::crumbs(&event), [event.message.unwrap()]);
    }
}

#[test]
fn joined_futures_keep_apart_on_one_thread() {
    let rig = Rig::new();
    let requests = (0..20).map(|n| {
        let work = async move {
            for step in 0..5 {
                breadcrumb!("{n}.{step}");
                pause().await;
            }
            vidette::capture_message(&n.to_string(), Level::Info)
        };
        work.bind_hub(Hub::new_from_top(&*rig.hub))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(::futures::future::join_all(requests));
    let events = rig.events();
    assert_eq!(events.len(), 20);
    for event in events {
        let request = event.message.clone().unwrap();
        assert!(crate::rig::crumbs(&event).into_iter().eq((0..5).map(|step| format!("{request}.{step}"))));
    }
}
