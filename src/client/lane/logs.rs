//! The lane of logs: from a capture to the queue, and from the queue into an envelope.

use std::sync::Arc;

use crate::attributes::Context;
use crate::callback;
use crate::client::batch::{Batched, bytes_of};
use crate::client::{Client, Core};
use crate::diag;
use crate::logs::record::{Filled, Record};
use crate::offer::Left;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::protocol::{Level, Log};
use crate::scope::Scope;
use crate::wire::EnvelopeItem;
use crate::wire::write::EnvelopeWriter;

impl Client {
    /// Captures a structured log, filled from `scope`.
    ///
    /// It is sent with others: when there are a hundred, or after five seconds.
    pub fn capture_log(&self, log: Log, scope: &Scope) {
        let mut record = Record::of_log(log);
        record.take_along(Context::of(scope, self.options()));
        self.core().capture_log(record);
    }
}

impl Core {
    fn capture_log(self: &Arc<Self>, record: Record) {
        let mut record = Some(record);
        if let Some(left) = self.offer_log(&mut record) {
            self.finish_log(left, record);
        }
    }

    /// Takes a log on its way, as far as that runs no code of the host.
    #[inline]
    pub(crate) fn offer_log(&self, record: &mut Option<Record>) -> Option<Left> {
        if !self.is_open() || !callback::may_capture() {
            return None;
        }
        self.ledger.capture(&[ItemLoss::new(Category::LogItem, 1)]);
        if self.options.debug || self.options.before_send_log.is_some() {
            return Some(Left::Examined);
        }
        self.offer(&self.lanes.logs, record)
    }

    /// Does what [`offer_log`](Self::offer_log) left.
    #[cold]
    pub(crate) fn finish_log(self: &Arc<Self>, left: Left, record: Option<Record>) {
        match (left, record) {
            (Left::Examined, Some(record)) => self.examine_log(record),
            (left, record) => self.finish(left, record),
        }
    }

    fn examine_log(self: &Arc<Self>, record: Record) {
        if self.options.debug {
            diag::say(&self.options, Level::Debug, format_args!("log, {:?}: {}", record.level(), record.body()));
        }
        let record = match &self.options.before_send_log {
            None => record,
            Some(before_send_log) => {
                let log = record.into_log(self.defaults());
                let bytes = bytes_of(&log, Category::LogByte);
                let seen = callback::guarded("before_send_log", || before_send_log(log));
                match self.unless_panicked(seen).flatten() {
                    Some(log) => Record::of_complete_log(log),
                    None => {
                        return self.lose_bytes(Category::LogItem, Category::LogByte, bytes, Reason::BeforeSend);
                    }
                }
            }
        };
        self.ship(&self.lanes.logs, record);
    }
}

impl Batched for Record {
    const PIECES: Category = Category::LogItem;
    const BYTES: Category = Category::LogByte;

    fn bytes(&self, core: &Core) -> u64 {
        Record::bytes(self, core.defaults())
    }

    fn weight(&self) -> usize {
        Record::weight(self)
    }

    fn into_item(batch: Vec<Self>, core: &Core) -> EnvelopeItem {
        let logs: Vec<Log> = batch.into_iter().map(|record| record.into_log(core.defaults())).collect();
        logs.into()
    }

    fn write(batch: &[Self], core: &Core, writer: &mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error> {
        let defaults = core.defaults();
        let filled: Vec<_> = batch.iter().map(|record| Filled { record, defaults }).collect();
        writer.logs(&filled)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant, SystemTime};

    use crate::client::Client;
    use crate::options::ClientOptions;
    use crate::protocol::client_report::Category;
    use crate::protocol::{Log, LogLevel, Map};
    use crate::scope::Scope;
    use crate::transport::Transport;
    use crate::wire::Envelope;

    /// Items that make a batch.
    const FULL: usize = 100;

    /// Takes everything.
    struct Sink;

    impl Transport for Sink {
        fn send_envelope(&self, _: Envelope) {}
    }

    fn eventually(what: &str, is_so: impl Fn() -> bool) {
        let patience = Instant::now() + Duration::from_secs(10);
        while !is_so() {
            assert!(Instant::now() < patience, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_sender_that_has_sent_a_batch_is_woken_by_the_next_full_one_alone() {
        let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::new(Arc::new(Sink)));
        let client = Arc::new(Client::with_options(options));
        let sent = || client.stats().handed_over(Category::LogItem) as usize;
        let scope = Scope::default();
        let one = Log {
            level: LogLevel::Info,
            body: "one of many".to_owned(),
            trace_id: None,
            timestamp: SystemTime::UNIX_EPOCH,
            severity_number: None,
            attributes: Map::new(),
        };
        let log = || client.capture_log(one.clone(), &scope);
        log();
        assert!(client.flush(None));
        // Longer than its nap.
        thread::sleep(Duration::from_millis(100));
        eventually("it sleeps", || client.core.parker.is_parked());
        let slept_on = (1..FULL).filter(|_| {
            log();
            client.core.parker.is_parked()
        });
        // Systems wake threads for no reason now and then.
        assert!(slept_on.count() > 90);
        assert_eq!(sent(), 1);
        log();
        eventually("a full batch is sent", || sent() == 1 + FULL);
        // Now it naps, or has looked again: so many are sent soon, either way, and none too many is left.
        (0..250).for_each(|_| log());
        eventually("more of them are sent", || sent() >= 1 + FULL + 200);
        assert!(client.flush(None));
        assert_eq!(sent(), 1 + FULL + 250);
    }
}
