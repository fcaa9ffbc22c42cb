//! Programs with a transport of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sentry::transports::{StdTransportThreadOptions, UreqHttpTransportOptions};
use sentry::{ClientOptions, Envelope, Hub, Level, Transport, TransportFactory, TransportOptions};

/// Keeps what it is given, and how it is treated.
#[derive(Default)]
struct Drawer {
    envelopes: Mutex<Vec<Envelope>>,
    flushed: AtomicUsize,
    shut_down: AtomicUsize,
}

impl Transport for Drawer {
    fn send_envelope(&self, envelope: Envelope) {
        self.envelopes.lock().unwrap().push(envelope);
    }

    fn flush(&self, _: Duration) -> bool {
        self.flushed.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn shutdown(&self, _: Duration) -> bool {
        self.shut_down.fetch_add(1, Ordering::SeqCst);
        true
    }
}

impl Drawer {
    fn messages(&self) -> Vec<String> {
        let envelopes = self.envelopes.lock().unwrap();
        let events = envelopes.iter().filter_map(Envelope::event);
        events.filter_map(|event| event.message.clone()).collect()
    }
}

/// Hands envelopes to a thread of its own, which says it has them all when it is flushed.
struct Courier {
    orders: mpsc::Sender<Order>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

enum Order {
    Send(Box<Envelope>),
    Flush(mpsc::Sender<()>),
    Stop,
}

impl Courier {
    fn new(sent: Arc<Mutex<Vec<Vec<u8>>>>) -> Self {
        let (orders, received) = mpsc::channel();
        let worker = thread::spawn(move || {
            for order in received {
                match order {
                    Order::Send(envelope) => {
                        let mut bytes = Vec::new();
                        envelope.to_writer(&mut bytes).unwrap();
                        thread::sleep(Duration::from_millis(5));
                        sent.lock().unwrap().push(bytes);
                    }
                    Order::Flush(done) => drop(done.send(())),
                    Order::Stop => return,
                }
            }
        });
        Self { orders, worker: Mutex::new(Some(worker)) }
    }
}

impl Transport for Courier {
    fn send_envelope(&self, envelope: Envelope) {
        self.orders.send(Order::Send(envelope.into())).unwrap();
    }

    fn flush(&self, timeout: Duration) -> bool {
        let (done, flushed) = mpsc::channel();
        self.orders.send(Order::Flush(done)).is_ok() && flushed.recv_timeout(timeout).is_ok()
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        let flushed = self.flush(timeout);
        drop(self.orders.send(Order::Stop));
        if let Some(worker) = self.worker.lock().unwrap().take() {
            worker.join().unwrap();
        }
        flushed
    }
}

fn hub(options: ClientOptions) -> Arc<Hub> {
    let client = sentry::Client::from(options.dsn("https://public@sentry.invalid/1"));
    Arc::new(Hub::new(Some(Arc::new(client)), Default::default()))
}

#[test]
fn an_arc_of_a_transport_is_its_own_factory() {
    let drawer = Arc::new(Drawer::default());
    let hub = hub(ClientOptions::new().transport(Arc::clone(&drawer)));
    hub.capture_message("one", Level::Info);
    hub.capture_message("two", Level::Info);
    let client = hub.client().unwrap();
    assert!(client.flush(Some(Duration::from_secs(5))));
    assert_eq!(drawer.messages(), ["one", "two"]);
    assert!(client.close(Some(Duration::from_secs(5))));
    assert!(drawer.shut_down.load(Ordering::SeqCst) == 1);
    assert!(hub.capture_message("three", Level::Info).is_nil());
    assert_eq!(drawer.messages().len(), 2);
}

#[test]
fn any_thread_may_capture_for_one_transport() {
    let drawer = Arc::new(Drawer::default());
    let hub = hub(ClientOptions::new().transport(Arc::clone(&drawer)));
    let captured = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let own = Arc::new(Hub::new_from_top(&hub));
                let capture = move |round: u32| own.capture_message(&format!("{number}/{round}"), Level::Info);
                scope.spawn(move || (0..25).filter(|round| !capture(*round).is_nil()).count())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(captured, 100);
    assert!(hub.client().unwrap().close(Some(Duration::from_secs(5))));
    let mut messages = drawer.messages();
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), 100);
}

#[test]
fn a_transport_with_a_thread_of_its_own_is_flushed_and_shut_down() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let hub = hub(ClientOptions::new().transport(Arc::new(Courier::new(Arc::clone(&sent)))));
    for _ in 0..10 {
        hub.capture_message("by courier", Level::Info);
    }
    let client = hub.client().unwrap();
    assert!(client.flush(Some(Duration::from_secs(5))));
    assert_eq!(sent.lock().unwrap().len(), 10);
    hub.capture_message("the last", Level::Info);
    assert!(client.close(Some(Duration::from_secs(5))));
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 11);
    let last = Envelope::from_slice(&sent[10]).unwrap();
    assert_eq!(last.event().unwrap().message.as_deref(), Some("the last"));
}

#[test]
fn factories_of_every_age_are_asked_for_a_transport() {
    /// From before there were `TransportOptions`.
    struct Old(Arc<Drawer>);
    impl TransportFactory for Old {
        fn create_transport(&self, options: &ClientOptions) -> Arc<dyn Transport> {
            assert_eq!(options.dsn.as_ref().unwrap().host(), "sentry.invalid");
            self.0.clone()
        }
    }
    /// From after.
    struct New(Arc<Drawer>);
    impl TransportFactory for New {
        fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
            assert_eq!(options.dsn.host(), "sentry.invalid");
            assert_eq!(options.user_agent, "till/4");
            assert_eq!(options.transport_channel_capacity.map(usize::from), Some(8));
            assert_eq!(options.http_proxy.as_deref(), Some("http://proxy.invalid"));
            self.0.clone()
        }
    }
    let drawer = Arc::new(Drawer::default());
    let (old, new, kept) = (Arc::clone(&drawer), Arc::clone(&drawer), Arc::clone(&drawer));
    let closure = move |options: &ClientOptions| -> Arc<dyn Transport> {
        assert!(options.dsn.is_some());
        kept.clone()
    };
    let smallest = ClientOptions::new().transport_channel_capacity(0).transport_channel_capacity;
    assert_eq!(smallest.map(usize::from), Some(1));
    let options = ClientOptions::new().transport_channel_capacity(8).http_proxy("http://proxy.invalid");
    for options in [
        ClientOptions::new().transport(Old(old)),
        options.user_agent("till/4").transport(New(new)),
        ClientOptions::new().transport(closure),
    ] {
        let hub = hub(options);
        hub.capture_message("sent", Level::Info);
        assert!(hub.client().unwrap().close(Some(Duration::from_secs(5))));
    }
    assert_eq!(drawer.messages(), ["sent"; 3]);
}

#[test]
fn a_transport_tells_what_it_lost() {
    /// Loses what says so.
    struct Leaky {
        recorder: sentry_core::client_report::Recorder,
        kept: Arc<Drawer>,
    }
    impl Transport for Leaky {
        fn send_envelope(&self, envelope: Envelope) {
            if envelope.event().is_some_and(|event| event.message.as_deref() == Some("lost")) {
                self.recorder.record_lost_data(&envelope, sentry_core::client_report::Reason::NetworkError);
            } else {
                self.kept.send_envelope(envelope);
            }
        }
    }
    struct Leaks(Arc<Drawer>);
    impl TransportFactory for Leaks {
        fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
            Arc::new(Leaky { recorder: options.client_report_recorder, kept: self.0.clone() })
        }
    }
    let drawer = Arc::new(Drawer::default());
    let hub = hub(ClientOptions::new().transport(Leaks(Arc::clone(&drawer))));
    let client = hub.client().unwrap();
    for message in ["lost", "kept"] {
        hub.capture_message(message, Level::Info);
        assert!(client.flush(Some(Duration::from_secs(5))));
    }
    assert_eq!(drawer.messages(), ["kept"]);
    let mut bytes = Vec::new();
    drawer.envelopes.lock().unwrap()[0].to_writer(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("client_report") && text.contains("network_error"), "{text}");
}

#[test]
fn the_parts_of_the_shipped_transports_can_be_used() {
    let run = program!().run(|| {
        struct Agent;
        impl TransportFactory for Agent {
            fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
                Arc::new(UreqHttpTransportOptions::from(options).build())
            }
        }
        let sentry = sentry::init(ClientOptions::new().transport(Agent));
        sentry::capture_message("by ureq", Level::Info);
        assert!(sentry.flush(None));
        let (sent, received) = mpsc::channel();
        let thread = StdTransportThreadOptions::new(move |envelope: Envelope, _: &mut _| drop(sent.send(envelope)));
        let thread = thread.with_channel_capacity(4).spawn_thread();
        thread.send(sentry::protocol::Event::new().into());
        assert!(thread.flush(Duration::from_secs(5)));
        assert!(received.try_recv().unwrap().event().is_some());
    });
    let Some(run) = run else { return };
    assert_eq!(run.event()["message"], "by ureq");
}
