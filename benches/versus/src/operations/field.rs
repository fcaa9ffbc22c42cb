//! What others do at the same place: spans of `fastrace`, events of `tracing`.

use std::sync::Once;

use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;

use super::{BURST, opaque};
use crate::measure::{Run, timed};

/// A root with so many local spans. They are reported between batches; that is not timed.
pub fn fastrace(spans: u64) -> Run {
    static REPORTER: Once = Once::new();
    REPORTER.call_once(|| fastrace::set_reporter(Forget, Config::default()));
    let batch = move |calls| {
        let cost = timed(calls, |_| {
            let root = Span::root(opaque(&"GET /cart"), SpanContext::random());
            let _parent = root.set_local_parent();
            (0..spans).for_each(|_| drop(LocalSpan::enter_with_local_parent(opaque(&"db.query"))));
        });
        fastrace::flush();
        cost
    };
    Run::new(batch, |_| ()).at_most(BURST)
}

struct Forget;

impl Reporter for Forget {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(spans);
    }
}

/// An event with three fields that nobody subscribed to.
pub fn tracing() -> Run {
    let event = |n| {
        tracing::info!(
            method = opaque(&"GET"),
            url = opaque(&"http://shop.invalid/cart"),
            status_code = 200,
            "GET /cart/{n}"
        );
    };
    Run::new(move |calls| timed(calls, event), |_| ())
}
