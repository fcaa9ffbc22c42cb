//! As the peer's published transports: envelopes go to a thread of the transport's own, and become bytes there.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use sentry_core::{Envelope, Transport};

#[expect(clippy::large_enum_variant, reason = "as it is sent in those transports")]
enum Task {
    Write(Envelope),
    Answer(SyncSender<()>),
}

pub struct Writer {
    tasks: SyncSender<Task>,
    pub written: Arc<AtomicU64>,
}

impl Default for Writer {
    fn default() -> Self {
        let (tasks, todo) = sync_channel(ROOM);
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut buffer = Vec::new();
            for task in todo {
                match task {
                    Task::Write(envelope) => {
                        buffer.clear();
                        envelope.to_writer(&mut buffer).expect("memory takes everything");
                        black_box(&buffer);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Task::Answer(done) => done.send(()).expect("somebody waits"),
                }
            }
        });
        Self { tasks, written }
    }
}

impl Transport for Writer {
    fn send_envelope(&self, envelope: Envelope) {
        self.tasks.send(Task::Write(envelope)).expect("the thread lives as long");
    }

    fn flush(&self, timeout: Duration) -> bool {
        let (done, written) = sync_channel(1);
        self.tasks.send(Task::Answer(done)).expect("the thread lives as long");
        written.recv_timeout(timeout).is_ok()
    }
}

/// More than a burst.
const ROOM: usize = 1_000;
