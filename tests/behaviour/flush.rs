//! Flushing, closing and dropping: in time, whatever the transport does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vidette::protocol::client_report::{Category, Reason};
use vidette::{Client, ClientOptions, Hub};

use crate::rig::{
    Gate, OpenAtEnd, PATIENCE, Probe, assert_balanced, assert_settled, capture, client, discarded, eventually, hub,
    watched,
};

/// A client whose transport stands still with one event, while three more wait.
fn stuck(options: ClientOptions) -> (Gate, Arc<Probe>, Arc<Client>, Arc<Hub>) {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(options.transport(Arc::clone(&probe)));
    let hub = hub(&client);
    assert!(capture(&hub, "0"));
    gate.wait_for_arrival();
    assert!((1..4).all(|n| capture(&hub, &n.to_string())));
    (gate, probe, client, hub)
}

/// Runs what may take 50 ms, and checks that it does not take seconds.
fn in_time<R>(body: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = body();
    let taken = start.elapsed();
    // Not 50 ms more, as promised: the machine may have other things to do. The transport blocks for thirty seconds.
    assert!(taken < Duration::from_millis(1_500), "{taken:?}");
    result
}

#[test]
fn flush_returns_in_time_while_the_transport_blocks_and_loses_nothing() {
    let (gate, probe, client, _hub) = stuck(ClientOptions::new());
    let _open = OpenAtEnd(&gate);
    assert!(!in_time(|| client.flush(Some(Duration::from_millis(50)))));
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.captured(Category::Error), stats.queued()), (4, 3));
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    assert_eq!(probe.messages(), ["0", "1", "2", "3"]);
    assert_settled(&client.stats());
    assert_eq!(client.stats().handed_over(Category::Error), 4);
}

#[test]
fn close_returns_in_time_while_the_transport_blocks_and_counts_what_is_left() {
    let (gate, probe, client, hub) = stuck(ClientOptions::new());
    let _open = OpenAtEnd(&gate);
    assert!(!in_time(|| client.close(Some(Duration::from_millis(50)))));
    assert!(!capture(&hub, "too late"));
    gate.open();
    eventually("all is settled", || client.stats().held(Category::Error) == 0);
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!((stats.captured(Category::Error), stats.handed_over(Category::Error)), (4, 1));
    assert_eq!(discarded(&stats, Reason::NetworkError), 3);
    assert_eq!(probe.messages(), ["0"]);
}

#[test]
fn dropping_the_last_client_returns_in_time_while_the_transport_blocks() {
    let (gate, _probe, client, hub) = stuck(ClientOptions::new().shutdown_timeout(Duration::from_millis(50)));
    let _open = OpenAtEnd(&gate);
    drop(hub);
    assert_eq!(Arc::strong_count(&client), 1);
    in_time(|| drop(client));
}

#[test]
fn dropping_the_last_client_sends_what_is_queued() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let hub = hub(&client);
    (0..100).for_each(|n| assert!(capture(&hub, &n.to_string())));
    drop((client, hub));
    assert!(probe.messages().into_iter().eq((0..100).map(|n| n.to_string())));
}

#[test]
fn flush_waits_for_what_came_before_it_though_more_keeps_coming() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)).transport_channel_capacity(100_000));
    let (hub, done) = (hub(&client), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                capture(&hub, "more");
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        let own = Hub::new_from_top(&hub);
        let all_there = (0..20).all(|n| {
            let message = format!("flushed {n}");
            capture(&own, &message) && client.flush(Some(PATIENCE)) && probe.messages().contains(&message)
        });
        done.store(true, Ordering::Relaxed);
        assert!(all_there);
    });
    assert!(client.flush(None));
    assert_settled(&client.stats());
}

#[test]
fn flush_of_a_client_that_has_nothing_is_true_at_once_and_starts_nothing() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let probe = Probe::doing(Gate::opened(), move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    assert!(in_time(|| client.flush(None)));
    assert_eq!(calls.load(Ordering::Relaxed), 0, "the transport has heard nothing");
}

#[test]
fn a_flush_for_longer_than_time_lasts_returns_when_all_is_sent() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    assert!(capture(&hub(&client), "event"));
    assert!(watched("an endless flush", move || client.flush(Some(Duration::MAX)) && client.close(Some(Duration::MAX))));
    assert_eq!(probe.messages(), ["event"]);
}

#[test]
fn many_threads_may_flush_and_close_at_once() {
    watched("flushes and closes at once", || {
        for _ in 0..50 {
            let probe = Probe::new(Gate::opened());
            let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
            let hub = hub(&client);
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let (hub, client) = (&hub, &client);
                    scope.spawn(move || {
                        (0..20).for_each(|n| _ = capture(hub, &n.to_string()));
                        if thread == 0 { client.close(Some(PATIENCE)) } else { client.flush(Some(PATIENCE)) }
                    });
                }
            });
            eventually("all is settled", || client.stats().held(Category::Error) == 0);
            let stats = client.stats();
            assert_settled(&stats);
            assert_eq!(probe.messages().len() as u64, stats.handed_over(Category::Error));
        }
    });
}

#[test]
fn flush_and_close_on_the_sender_thread_are_false_at_once() {
    let answers = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seat: Arc<std::sync::OnceLock<std::sync::Weak<Client>>> = Arc::default();
    let (own, log) = (Arc::clone(&seat), Arc::clone(&answers));
    let probe = Probe::doing(Gate::opened(), move |method| {
        let client = own.get().and_then(std::sync::Weak::upgrade);
        if let (Some(client), "send_envelope") = (client, method) {
            let both = in_time(|| [client.flush(Some(PATIENCE)), client.close(Some(PATIENCE))]);
            log.lock().unwrap().extend(both);
        }
    });
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    seat.set(Arc::downgrade(&client)).unwrap();
    assert!(capture(&hub(&client), "event"));
    eventually("it answered", || answers.lock().unwrap().len() == 2);
    assert_eq!(*answers.lock().unwrap(), [false, false]);
    eventually("it closed all the same", || !client.is_enabled() && client.stats().held(Category::Error) == 0);
    assert_eq!(probe.messages(), ["event"]);
    assert_settled(&client.stats());
}

#[test]
fn flush_and_close_inside_a_callback_are_false_at_once() {
    let answers = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&answers);
    let options = ClientOptions::new().before_send(move |event| {
        let client = Hub::current().client().unwrap();
        let both = in_time(|| [client.flush(Some(PATIENCE)), client.close(Some(PATIENCE))]);
        log.lock().unwrap().extend(both);
        Some(event)
    });
    // The transport stands still, so that there is something to wait for.
    let (gate, probe, hub) = {
        let gate = Gate::closed();
        let probe = Probe::new(gate.clone());
        let client = client(options.transport(Arc::clone(&probe)));
        let hub = hub(&client);
        client.send_envelope(vidette::protocol::Event::default().into());
        gate.wait_for_arrival();
        (gate, probe, hub)
    };
    let _open = OpenAtEnd(&gate);
    Hub::run(Arc::clone(&hub), || _ = capture(&hub, "event"));
    assert_eq!(*answers.lock().unwrap(), [false, false]);
    gate.open();
    let client = hub.client().unwrap();
    assert!(!client.is_enabled());
    eventually("all is settled", || client.stats().held(Category::Error) == 0);
    assert_settled(&client.stats());
    assert!(probe.take().len() <= 2);
}
