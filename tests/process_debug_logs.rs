//! What the SDK says about itself through the `log` crate, in a process whose logger feeds the SDK in turn.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};
use vidette::protocol::client_report::{Category, Reason};
use vidette::{Breadcrumb, Client, ClientOptions, Envelope, Hub, Level, Scope, Transport};

/// Keeps what it is told, and makes a breadcrumb and an event of it, as loggers of this kind do.
struct Feeding;

static TOLD: Mutex<Vec<(log::Level, String)>> = Mutex::new(Vec::new());

impl Log for Feeding {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "vidette"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            vidette::add_breadcrumb(Breadcrumb { message: Some(text.clone()), ..Breadcrumb::default() });
            vidette::capture_message(&text, Level::Error);
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).push((record.level(), text));
        }
    }

    fn flush(&self) {}
}

/// Panics over each envelope.
struct Broken;

impl Transport for Broken {
    fn send_envelope(&self, _: Envelope) {
        panic!("no line");
    }
}

#[test]
fn a_logger_that_captures_what_it_is_told_neither_recurses_nor_stands_still() {
    log::set_logger(&Feeding).unwrap();
    log::set_max_level(LevelFilter::Trace);
    std::panic::set_hook(Box::new(|_| {}));
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let options = ClientOptions::new()
            .dsn("https://key@sentry.example/1")
            .debug(true)
            .before_breadcrumb(|_| panic!("no breadcrumbs"))
            .before_send(|event| match event.message.as_deref() {
                Some("fails on the way") => Some(event),
                _ => panic!("no events"),
            })
            .transport(|_: &ClientOptions| -> Arc<dyn Transport> { Arc::new(Broken) });
        let client = Arc::new(Client::with_options(options));
        Hub::run(Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::new(Scope::default()))), || {
            vidette::add_breadcrumb(Breadcrumb::default());
            assert!(vidette::capture_message("dropped by its callback", Level::Info).is_nil());
            vidette::capture_message("fails on the way", Level::Info);
        });
        client.close(None);
        done.send(client.stats()).unwrap();
    });
    let stats = finished.recv_timeout(Duration::from_secs(5)).expect("a deadlock, or a recursion without end");
    assert!(stats.is_balanced(Category::Error), "{stats}");
    assert_eq!(stats.captured(Category::Error), 2, "what the logger captures of it is ignored: {stats}");
    assert!(stats.discards().iter().any(|discarded| discarded.reason == Reason::BeforeSend));
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for culprit in ["before_breadcrumb", "before_send", "transport"] {
        let said = |(level, text): &(log::Level, String)| *level == log::Level::Error && text.starts_with(culprit);
        assert!(told.iter().any(said), "{culprit} in {told:?}");
    }
}
