//! What a client costs while nothing happens: memory and threads.
//!
//! One test in a process of its own, so that no other test allocates or starts threads meanwhile.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "shared with others that use the rest")]
#[path = "../benches/support/counting.rs"]
mod counting;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use vidette::{Client, ClientOptions, Envelope, Hub, Level, Scope, Transport};

#[global_allocator]
static ALLOCATOR: counting::Counting<true> = counting::Counting;

/// Counts envelopes and forgets them.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Transport for Counter {
    fn send_envelope(&self, _: Envelope) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn client(sent: &Arc<Counter>) -> Arc<Client> {
    let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::new(Arc::clone(sent)));
    Arc::new(Client::from(options))
}

fn capture(client: &Arc<Client>) {
    let hub = Hub::new(Some(Arc::clone(client)), Arc::new(Scope::default()));
    assert!(!hub.capture_message("first", Level::Info).is_nil(), "it is on its way");
    assert!(client.flush(Some(Duration::from_secs(60))), "it arrives");
}

#[test]
fn a_client_idles_below_a_mebibyte_and_on_one_thread() {
    let sent = Arc::new(Counter::default());
    let (bytes, threads) = (counting::live_bytes(), count_threads());

    let one = client(&sent);
    assert_eq!(count_threads(), threads, "a client that captured nothing has no thread");
    capture(&one);
    let idle = counting::live_bytes() - bytes;
    assert!((1..1 << 20).contains(&idle), "{idle} bytes");
    println!("an idle client: {idle} bytes");
    assert_eq!(count_threads(), threads.map(|threads| threads + 1));

    let two = client(&sent);
    capture(&two);
    println!("a second one: {} bytes", counting::live_bytes() - bytes - idle);
    assert_eq!(count_threads(), threads.map(|threads| threads + 2), "each client has one");

    assert!(one.close(None) && two.close(None), "there is nothing to wait for");
    assert_eq!(sent.0.load(Relaxed), 2);
    drop((one, two));
    let left = counting::live_bytes() - bytes;
    println!("after both have gone: {left} bytes");
    assert!(left < idle, "{left} bytes are left of two clients");
}

/// The threads of this process, where the system tells.
fn count_threads() -> Option<usize> {
    cfg!(target_os = "linux").then(|| std::fs::read_dir("/proc/self/task").unwrap().count())
}
