//! What is measured: one source, compiled against both crates.

macro_rules! operations {
    ($krate:ident, $rich:expr, $plain:expr, $write:expr, $view:expr) => {
        use std::future::Future;
        use std::hint::black_box;
        use std::pin::pin;
        use std::sync::{Arc, Barrier, Mutex};
        use std::task::{Context, Poll, Waker};
        use std::time::{Duration, Instant, SystemTime};

        use $krate::protocol::{Event, Exception, Frame, SessionStatus, Stacktrace};
        use $krate::{
            Breadcrumb, Client, ClientOptions, Envelope, Hub, HubSwitchGuard, Level, Scope, SentryFutureExt,
            SessionMode, TransactionContext, Transport,
        };

        use crate::measure::{Run, timed};
        use crate::operations::{Deepest, MOST_CAPTURES};

        /// Takes envelopes at once; they are dropped after the clock was stopped.
        #[derive(Default)]
        struct Sink(Mutex<Vec<Envelope>>);

        impl Transport for Sink {
            fn send_envelope(&self, envelope: Envelope) {
                self.0.lock().expect("nobody panics with it").push(envelope);
            }

            fn flush(&self, _: Duration) -> bool {
                true
            }
        }

        /// A breadcrumb as an HTTP client would add it.
        fn rich(n: u64) -> Breadcrumb {
            let mut breadcrumb = Breadcrumb {
                ty: "http".into(),
                category: Some("http.client".into()),
                message: Some(format!("GET /cart/{n}")),
                ..Default::default()
            };
            breadcrumb.data.insert("status_code".into(), 200.into());
            breadcrumb.data.insert("url".into(), (*black_box(&"http://shop.invalid/cart")).into());
            breadcrumb.data.insert("bytes".into(), n.into());
            breadcrumb
        }

        fn small() -> Breadcrumb {
            Breadcrumb {
                category: Some("cache".into()),
                message: Some((*black_box(&"the cache was cold")).into()),
                ..Default::default()
            }
        }

        fn hub_with(breadcrumbs: u64) -> (Arc<Hub>, Arc<Sink>) {
            let sink = Arc::new(Sink::default());
            let options =
                ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::new(Arc::clone(&sink)));
            let client = Arc::new(Client::from(options));
            let hub = Arc::new(Hub::new(Some(client), Arc::new(Scope::default())));
            (0..breadcrumbs).for_each(|n| hub.add_breadcrumb(|| rich(n)));
            (hub, sink)
        }

        fn hub_without_transport() -> Arc<Hub> {
            let client = Arc::new(Client::from(ClientOptions::new()));
            Arc::new(Hub::new(Some(client), Arc::new(Scope::default())))
        }

        /// Times `call` with `hub` as the current one.
        fn under(hub: Arc<Hub>, mut call: impl FnMut(u64) + 'static) -> Run {
            Run::new(move |calls| Hub::run(Arc::clone(&hub), || timed(calls, &mut call)))
        }

        /// What each of the other threads does once.
        pub fn touch() {
            let (hub, _) = hub_with(0);
            Hub::run(hub, || $krate::add_breadcrumb(small));
            $krate::configure_scope(|scope| scope.set_tag("thread", "other"));
            black_box(Hub::current());
        }

        pub fn idle_add_breadcrumb() -> Run {
            Run::new(|calls| timed(calls, |n| $krate::add_breadcrumb(|| rich(black_box(n)))))
        }

        pub fn idle_breadcrumb() -> Run {
            Run::new(|calls| timed(calls, |n| $rich(black_box(n))))
        }

        pub fn idle_configure_scope() -> Run {
            let set = |_| $krate::configure_scope(|scope| scope.set_tag("region", *black_box(&"eu-west-1")));
            Run::new(move |calls| timed(calls, set))
        }

        pub fn idle_capture() -> Run {
            Run::new(|calls| {
                timed(calls, |_| _ = black_box($krate::capture_message(*black_box(&"cold"), Level::Info).is_nil()))
            })
        }

        pub fn disabled_add_breadcrumb() -> Run {
            under(hub_without_transport(), |n| $krate::add_breadcrumb(|| rich(black_box(n))))
        }

        pub fn disabled_breadcrumb() -> Run {
            under(hub_without_transport(), |n| $rich(black_box(n)))
        }

        pub fn breadcrumb() -> Run {
            under(hub_with(100).0, |n| $rich(black_box(n)))
        }

        pub fn plain_breadcrumb() -> Run {
            under(hub_with(100).0, |_| $plain())
        }

        pub fn add_breadcrumb() -> Run {
            under(hub_with(100).0, |_| $krate::add_breadcrumb(small))
        }

        pub fn configure_scope() -> Run {
            under(hub_with(0).0, |_| $krate::configure_scope(|scope| scope.set_tag("region", *black_box(&"eu-west-1"))))
        }

        pub fn push_scope() -> Run {
            let (hub, _) = hub_with(0);
            Run::new(move |calls| timed(calls, |_| drop(black_box(hub.push_scope()))))
        }

        pub fn with_scope() -> Run {
            under(hub_with(100).0, |_| {
                $krate::with_scope(
                    |scope| scope.set_tag("step", *black_box(&"parse")),
                    || $krate::add_breadcrumb(small),
                );
            })
        }

        pub fn with_scope_by_macro() -> Run {
            let (hub, _) = hub_with(0);
            Hub::run(Arc::clone(&hub), || (0..100).for_each($rich));
            under(hub, |_| $krate::with_scope(|scope| scope.set_tag("step", *black_box(&"parse")), $plain))
        }

        fn fork_once(parent: &Arc<Hub>, breadcrumbs: impl FnOnce()) {
            let hub = Arc::new(Hub::new_from_top(black_box(parent)));
            Hub::run(hub, breadcrumbs);
        }

        pub fn fork() -> Run {
            let (hub, _) = hub_with(100);
            Run::new(move |calls| {
                timed(calls, |_| fork_once(&hub, || (0..10).for_each(|_| $krate::add_breadcrumb(small))))
            })
        }

        pub fn fork_by_macro() -> Run {
            let (hub, _) = hub_with(0);
            Hub::run(Arc::clone(&hub), || (0..100).for_each($rich));
            Run::new(move |calls| timed(calls, |_| fork_once(&hub, || (0..10).for_each(|_| $plain()))))
        }

        pub fn switch() -> Run {
            let (hub, _) = hub_with(0);
            under(hub_with(0).0, move |_| drop(black_box(HubSwitchGuard::new(Arc::clone(&hub)))))
        }

        pub fn poll() -> Run {
            let (hub, _) = hub_with(0);
            Run::new(move |calls| {
                let pending = std::future::poll_fn(|_| black_box(Poll::<()>::Pending));
                let mut future = pin!(pending.bind_hub(Arc::clone(&hub)));
                let mut context = Context::from_waker(Waker::noop());
                timed(calls, |_| _ = black_box(future.as_mut().poll(&mut context)))
            })
        }

        /// Times `call` in bursts that fit any queue, each sent and forgotten before the next.
        fn burst(breadcrumbs: u64, mut call: impl FnMut(&Hub) + 'static) -> Run {
            let (hub, sink) = hub_with(breadcrumbs);
            let batch = move |calls| {
                let took = timed(calls, |_| call(&hub));
                assert!(hub.client().expect("it is bound").flush(Some(Duration::from_secs(60))), "it is all sent");
                let sent = std::mem::take(&mut *sink.0.lock().expect("nobody panics with it"));
                assert_eq!(sent.len() as u64, calls, "nothing is dropped");
                took
            };
            Run::new(batch).at_most(MOST_CAPTURES)
        }

        pub fn capture(breadcrumbs: u64) -> Run {
            burst(breadcrumbs, |hub| _ = black_box(hub.capture_message(*black_box(&"the cache is cold"), Level::Info)))
        }

        pub fn capture_error() -> Run {
            let error = Deepest::chain();
            burst(0, move |hub| _ = black_box(hub.capture_error(black_box(&error))))
        }

        fn hub_of(options: ClientOptions) -> Arc<Hub> {
            let options = options
                .dsn("https://public@sentry.invalid/1")
                .release("service@1.2.3")
                .transport(Arc::new(Arc::new(Sink::default())));
            Arc::new(Hub::new(Some(Arc::new(Client::from(options))), Arc::new(Scope::default())))
        }

        /// Times `call` in bursts, each sent before the next.
        fn flushed(hub: Arc<Hub>, mut call: impl FnMut(&Hub) + 'static) -> Run {
            let batch = move |calls| {
                let took = Hub::run(Arc::clone(&hub), || timed(calls, |_| call(&hub)));
                assert!(hub.client().expect("it is bound").flush(Some(Duration::from_secs(60))), "it is all sent");
                took
            };
            Run::new(batch).at_most(MOST_CAPTURES)
        }

        pub fn transaction(rate: f32, spans: u64) -> Run {
            flushed(hub_of(ClientOptions::new().traces_sample_rate(rate)), move |hub| {
                let context = TransactionContext::new(*black_box(&"GET /cart"), "http.server");
                let transaction = hub.start_transaction(context);
                (0..spans).for_each(|_| transaction.start_child("db.query", *black_box(&"SELECT 1")).finish());
                transaction.finish();
            })
        }

        pub fn log() -> Run {
            flushed(hub_of(ClientOptions::new()), |_| $krate::logger_info!(rows = *black_box(&3), "loaded the cart"))
        }

        pub fn metric() -> Run {
            flushed(hub_of(ClientOptions::new()), |_| {
                $krate::metrics::counter("carts", *black_box(&1)).attribute("cold", false).capture();
            })
        }

        pub fn session() -> Run {
            flushed(hub_of(ClientOptions::new().session_mode(SessionMode::Request)), |hub| {
                hub.start_session();
                hub.end_session_with_status(black_box(SessionStatus::Exited));
            })
        }

        /// About 20 KB: an error with 40 frames and 100 breadcrumbs.
        fn large_event() -> Event<'static> {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_296);
            let breadcrumb = |number: u64| Breadcrumb {
                timestamp: time + Duration::from_millis(number),
                category: Some("http.client".into()),
                message: Some(format!("GET https://example.com/items/{number} answered 200 OK")),
                data: [("status".into(), 200.into()), ("attempt".into(), number.into())].into(),
                ..Default::default()
            };
            let frame = |number: u64| Frame {
                function: Some(format!("service::handler::step_{number}::{{{{closure}}}}")),
                module: Some("service::handler".into()),
                filename: Some("handler.rs".into()),
                lineno: Some(number),
                in_app: Some(true),
                ..Default::default()
            };
            let stacktrace = Stacktrace { frames: (0..40).map(frame).collect(), ..Default::default() };
            Event {
                timestamp: time,
                breadcrumbs: (0..100).map(breadcrumb).collect::<Vec<_>>().into(),
                exception: vec![Exception {
                    ty: "Error".into(),
                    value: Some("it broke".into()),
                    stacktrace: Some(stacktrace),
                    ..Default::default()
                }]
                .into(),
                release: Some("service@1.2.3".into()),
                environment: Some("production".into()),
                tags: (0..10).map(|number| (format!("tag-{number}"), format!("value-{number}"))).collect(),
                ..Default::default()
            }
        }

        fn large_envelope() -> Vec<u8> {
            let mut bytes = Vec::new();
            Envelope::from(large_event()).to_writer(&mut bytes).expect("memory takes everything");
            bytes
        }

        pub fn write() -> Run {
            let envelope = Envelope::from(large_event());
            let mut buffer = Vec::with_capacity(1 << 16);
            Run::new(move |calls| {
                timed(calls, |_| {
                    buffer.clear();
                    $write(black_box(&envelope), &mut buffer);
                })
            })
        }

        pub fn write_anew() -> Run {
            let envelope = Envelope::from(large_event());
            Run::new(move |calls| {
                timed(calls, |_| {
                    let mut buffer = Vec::new();
                    black_box(&envelope).to_writer(&mut buffer).expect("memory takes everything");
                    black_box(buffer);
                })
            })
        }

        pub fn parse() -> Run {
            let bytes = large_envelope();
            Run::new(move |calls| timed(calls, |_| drop(black_box(Envelope::from_slice(black_box(&bytes))))))
        }

        pub fn view() -> Run {
            let bytes = large_envelope();
            Run::new(move |calls| timed(calls, |_| assert_eq!($view(black_box(&bytes)), 1)))
        }

        /// Wall time of calls that `threads` threads share between them, on one hub.
        pub fn shared(threads: u64) -> Run {
            let (hub, _) = hub_with(100);
            Run::new(move |calls| {
                let (start, end) = (Barrier::new(threads as usize + 1), Barrier::new(threads as usize + 1));
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| {
                            Hub::run(Arc::clone(&hub), || {
                                start.wait();
                                (0..calls / threads).for_each(|n| $rich(black_box(n)));
                                end.wait();
                            });
                        });
                    }
                    start.wait();
                    let started = Instant::now();
                    end.wait();
                    started.elapsed()
                })
            })
        }
    };
}

/// The peer's operations. Where we have a macro, it has a closure that builds the same breadcrumb.
pub mod peer {
    operations!(
        sentry_core,
        |n| sentry_core::add_breadcrumb(|| rich(n)),
        || sentry_core::add_breadcrumb(small),
        |envelope: &Envelope, buffer: &mut Vec<u8>| envelope.to_writer(buffer).expect("memory takes everything"),
        |bytes: &[u8]| Envelope::from_slice(bytes).expect("what was written").items().count()
    );
}

/// Our operations.
pub mod ours {
    operations!(
        vidette,
        |n: u64| vidette::breadcrumb!(
            ty: "http",
            category: "http.client",
            status_code = 200,
            url = *black_box(&"http://shop.invalid/cart"),
            bytes = n,
            "GET /cart/{n}"
        ),
        || vidette::breadcrumb!(category: "cache", "{}", *black_box(&"the cache was cold")),
        |envelope: &Envelope, buffer: &mut Vec<u8>| envelope.append_to(buffer).expect("what can be written"),
        |bytes: &[u8]| vidette::wire::EnvelopeView::new(bytes).expect("what was written").items().count()
    );
}

/// An error with two causes.
#[derive(Debug)]
pub struct Deepest(Option<Box<Deepest>>);

impl Deepest {
    pub fn chain() -> Self {
        Self(Some(Box::new(Self(Some(Box::new(Self(None)))))))
    }
}

impl std::fmt::Display for Deepest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file is not there")
    }
}

impl std::error::Error for Deepest {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|deeper| deeper as _)
    }
}

/// Fits every queue, so that a burst shows what the caller pays and not how fast another thread is.
pub const MOST_CAPTURES: u64 = 200;
