//! Rate limits of what travels in batches: nothing of a limited kind is queued or sent, and everything is counted.

use std::sync::Arc;

use vidette::protocol::client_report::{Category, Reason};
use vidette::{ClientOptions, Hub, logger_info, metrics};

use crate::rig::{PATIENCE, assert_settled, discarded_of};
use crate::wiretap::Wiretap;

fn both() {
    logger_info!("log");
    metrics::counter("metric", 1).capture();
}

#[test]
fn a_limit_on_pieces_or_on_bytes_holds_back_the_kind_and_no_other() {
    for (limit, limited, free) in [
        ("60:log_item:key", Category::LogItem, Category::TraceMetric),
        ("60:log_byte", Category::LogItem, Category::TraceMetric),
        ("60:trace_metric", Category::TraceMetric, Category::LogItem),
        ("60:trace_metric_byte", Category::TraceMetric, Category::LogItem),
    ] {
        let (wiretap, client) = Wiretap::client(ClientOptions::new());
        wiretap.limit(limit);
        Hub::run(Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default())), || {
            vidette::capture_message("brings the limit back", vidette::Level::Info);
            assert!(client.flush(Some(PATIENCE)));
            both();
            assert_eq!(client.stats().queued(), 1, "{limit}: what can't be sent is not queued");
            assert!(client.flush(Some(PATIENCE)));
            both();
        });
        assert!(client.close(Some(PATIENCE)));
        let stats = client.stats();
        assert_settled(&stats);
        assert_eq!((stats.delivered(free), stats.delivered(limited)), (2, 0), "{limit}");
        assert_eq!(discarded_of(&stats, limited, Reason::RatelimitBackoff), 2, "{limit}");
        let sent = wiretap.take().concat();
        assert!(sent.contains(r#""reason":"ratelimit_backoff","category":"#), "{limit}: it is reported: {sent}");
    }
}

#[test]
fn what_was_queued_before_the_limit_is_dropped_when_it_is_its_turn() {
    let (wiretap, client) = Wiretap::client(ClientOptions::new());
    Hub::run(Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default())), || {
        both();
        wiretap.limit("60:log_item,60:trace_metric_byte");
        vidette::capture_message("brings the limit back", vidette::Level::Info);
        assert!(client.flush(Some(PATIENCE)));
    });
    let stats = client.stats();
    assert_settled(&stats);
    for category in [Category::LogItem, Category::LogByte, Category::TraceMetric, Category::TraceMetricByte] {
        assert_eq!(stats.delivered(category), 0);
        assert!(discarded_of(&stats, category, Reason::RatelimitBackoff) > 0, "{category:?}");
    }
}
