//! Losses: each is counted once, with its reason, and the server is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use vidette::client_report::{Reason as LossReason, Recorder};
use vidette::protocol::client_report::{Category, LossSource, Reason};
use vidette::protocol::{Attachment, Event};
use vidette::wire::EnvelopeItem;
use vidette::{ClientOptions, Envelope, Hub};

use crate::rig::{
    Gate, OpenAtEnd, PATIENCE, Probe, Recording, assert_balanced, assert_settled, capture, client, discarded,
    discarded_of, eventually, hub,
};

/// What the client reports in these envelopes say.
fn reported(envelopes: &[Envelope]) -> Vec<(Category, Option<Reason>, u64)> {
    let reports = envelopes.iter().flat_map(Envelope::items).filter_map(|item| match item {
        EnvelopeItem::ClientReport(report) => Some(report),
        _ => None,
    });
    let losses = reports.flat_map(|report| report.losses().collect::<Vec<_>>());
    let mut losses: Vec<_> = losses.map(|loss| (loss.category, loss.reason, loss.quantity)).collect();
    losses.sort_unstable();
    losses
}

#[test]
fn what_finds_the_queue_full_is_counted_and_reported_at_close() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)).transport_channel_capacity(2));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    assert!(capture(&hub, "sending"));
    gate.wait_for_arrival();
    assert!(capture(&hub, "1") && capture(&hub, "2"));
    let last = hub.last_event_id();
    assert!((0..5).all(|_| !capture(&hub, "no room")));
    assert_eq!(hub.last_event_id(), last, "what was dropped is not the last event");
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((discarded(&stats, Reason::QueueOverflow), stats.queued()), (5, 2));
    gate.open();
    assert!(client.close(Some(PATIENCE)));
    let sent = probe.take();
    assert_eq!(reported(&sent), [(Category::Error, Some(Reason::QueueOverflow), 5)]);
    assert_eq!(sent.iter().filter(|envelope| envelope.event().is_some()).count(), 3);
    assert_settled(&client.stats());
}

#[test]
fn a_queue_that_holds_too_many_bytes_is_full() {
    let gate = Gate::closed();
    let client = client(ClientOptions::new().transport(Probe::new(gate.clone())));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    assert!(capture(&hub, "sending"));
    gate.wait_for_arrival();
    let large = || Event { message: Some("x".repeat(10 << 20)), ..Event::default() };
    let kept = (0..10).filter(|_| !hub.capture_event(large()).is_nil()).count();
    assert!((3..=6).contains(&kept), "{kept} of 10 MiB each");
    assert_eq!(discarded(&client.stats(), Reason::QueueOverflow), 10 - kept as u64);
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    assert!(
        (0..4).all(|_| !hub.capture_event(large()).is_nil() && client.flush(Some(PATIENCE))),
        "there is room again"
    );
    assert_settled(&client.stats());
}

#[test]
fn every_reason_is_reported_once_at_close() {
    let probe = Probe::new(Gate::opened());
    let options =
        ClientOptions::new().transport(Arc::clone(&probe)).before_send(|event| match event.message.as_deref() {
            Some("before_send") => None,
            _ => Some(event),
        });
    let client = client(options);
    let hub = hub(&client);
    let file = Attachment { buffer: vec![0; 100], ..Attachment::default() };
    hub.configure_scope(|scope| {
        scope.add_attachment(file);
        scope.add_event_processor(|event| (event.message.as_deref() != Some("processor")).then_some(event));
    });
    assert!(!capture(&hub, "before_send") && !capture(&hub, "processor") && !capture(&hub, "processor"));
    assert!(capture(&hub, "kept"));
    assert!(client.close(None));
    let sent = probe.take();
    let mut expected = [
        (Category::Error, Some(Reason::BeforeSend), 1),
        (Category::Error, Some(Reason::EventProcessor), 2),
        (Category::Attachment, Some(Reason::BeforeSend), 100),
        (Category::Attachment, Some(Reason::EventProcessor), 200),
    ];
    expected.sort_unstable();
    assert_eq!(reported(&sent), expected);
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(discarded_of(&stats, Category::Attachment, Reason::EventProcessor), 200);
}

#[test]
fn losses_are_reported_though_nothing_was_ever_sent() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)).sample_rate(0.0));
    let hub = hub(&client);
    assert!((0..3).all(|_| !capture(&hub, "unlucky")));
    drop((hub, client));
    assert_eq!(reported(&probe.take()), [(Category::Error, Some(Reason::SampleRate), 3)]);
}

#[test]
fn what_a_transport_lost_later_moves_from_the_handed_over_to_the_discarded() {
    let (probe, recorder) = (Probe::new(Gate::opened()), Arc::new(Mutex::new(None)));
    let factory = Recording { probe: Arc::clone(&probe), recorder: Arc::clone(&recorder) };
    let client = client(ClientOptions::new().transport(factory));
    let hub = hub(&client);
    let recorder = recorder.lock().unwrap().take().unwrap();
    assert!((0..3).all(|n| capture(&hub, &n.to_string())));
    assert!(client.flush(Some(PATIENCE)));
    assert_eq!(client.stats().handed_over(Category::Error), 3);
    recorder.record_lost_data(&probe.take()[1], LossReason::NetworkError);
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!((stats.handed_over(Category::Error), discarded(&stats, Reason::NetworkError)), (2, 1));
    assert!(client.close(Some(PATIENCE)));
    assert_eq!(reported(&probe.take()), [(Category::Error, Some(Reason::NetworkError), 1)]);
}

#[test]
fn what_a_transport_loses_while_it_is_flushed_for_the_last_time_is_reported() {
    let recorder: Arc<Mutex<Option<Recorder>>> = Arc::default();
    let heard = Arc::clone(&recorder);
    let probe = Probe::doing(Gate::opened(), move |method| {
        if method == "flush" {
            heard
                .lock()
                .unwrap()
                .take()
                .iter()
                .for_each(|it| it.record_lost_data(&Event::default(), LossReason::SendError));
        }
    });
    let factory = Recording { probe: Arc::clone(&probe), recorder };
    let client = client(ClientOptions::new().transport(factory));
    assert!(capture(&hub(&client), "event") && client.close(Some(PATIENCE)));
    assert_eq!(reported(&probe.take()), [(Category::Error, Some(Reason::SendError), 1)]);
}

#[test]
fn a_transport_that_says_it_lost_more_than_it_had_does_not_upset_the_books() {
    let recorder = Arc::new(Mutex::new(None));
    let factory = Recording { probe: Probe::new(Gate::opened()), recorder: Arc::clone(&recorder) };
    let client = client(ClientOptions::new().transport(factory));
    assert!(capture(&hub(&client), "event") && client.flush(Some(PATIENCE)));
    let recorder = recorder.lock().unwrap().take().unwrap();
    (0..3).for_each(|_| recorder.record_lost_data(&Event::default(), LossReason::SendError));
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!((stats.handed_over(Category::Error), discarded(&stats, Reason::SendError)), (0, 1));
}

#[test]
fn a_transport_that_panics_loses_the_item_and_is_asked_again() {
    let probe = Probe::doing(Gate::opened(), |method| assert_eq!(method, "drop", "on purpose"));
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let hub = hub(&client);
    for _ in 0..3 {
        assert!(capture(&hub, "event"));
        assert!(!client.flush(Some(PATIENCE)), "the transport did not say that it flushed");
    }
    assert!(!client.close(Some(PATIENCE)));
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!((stats.captured(Category::Error), discarded(&stats, Reason::InternalSdkError)), (3, 3));
    assert!(probe.take().is_empty());
}

#[test]
fn a_client_whose_factory_panics_is_disabled() {
    struct Panicking;
    impl vidette::TransportFactory for Panicking {
        fn create_transport_with_options(&self, _: vidette::TransportOptions) -> Arc<dyn vidette::Transport> {
            panic!("on purpose");
        }
    }
    let client = client(ClientOptions::new().transport(Panicking));
    assert!(!client.is_enabled() && !capture(&hub(&client), "event"));
    assert!(client.close(None));
}

#[test]
fn the_books_of_many_threads_are_balanced_while_the_queue_overflows() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client =
        client(ClientOptions::new().transport(Arc::clone(&probe)).transport_channel_capacity(50).sample_rate(0.9));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|n| _ = capture(&hub, &n.to_string())));
        }
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(5));
            gate.open();
        });
    });
    assert!(client.flush(Some(PATIENCE)));
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.captured(Category::Error), 2_000);
    assert_eq!(stats.discarded(Category::Error) + stats.handed_over(Category::Error), 2_000);
    assert_eq!(probe.messages().len() as u64, stats.handed_over(Category::Error));
}

#[test]
fn what_comes_to_the_queue_after_the_sender_has_ended_is_counted() {
    let gate = Gate::closed();
    let stop = gate.clone();
    let options = ClientOptions::new().transport(Probe::new(Gate::opened())).before_send(move |event| {
        stop.pass();
        Some(event)
    });
    let client = client(options);
    let _open = OpenAtEnd(&gate);
    std::thread::scope(|scope| {
        let captured = scope.spawn(|| capture(&hub(&client), "late"));
        gate.wait_for_arrival();
        assert!(client.close(Some(PATIENCE)), "nothing is queued yet");
        gate.open();
        captured.join().unwrap();
    });
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!((discarded(&stats, Reason::NetworkError), stats.queued()), (1, 0));
}

#[test]
fn what_is_captured_while_another_thread_closes_is_sent_or_counted() {
    for _ in 0..100 {
        let probe = Probe::new(Gate::opened());
        let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
        let start = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let hub = Hub::new(Some(Arc::clone(&client)), Arc::default());
                    start.wait();
                    (0..30).for_each(|n| _ = capture(&hub, &n.to_string()));
                });
            }
            start.wait();
            client.close(Some(PATIENCE));
        });
        eventually("all is settled", || client.stats().held(Category::Error) == 0);
        let stats = client.stats();
        assert_settled(&stats);
        assert_eq!(probe.messages().len() as u64, stats.handed_over(Category::Error));
        assert_eq!(stats.queued(), 0);
    }
}
