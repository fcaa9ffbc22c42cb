//! What the server asked us to hold back, and until when.
//!
//! The sender alone reads and writes this. Times are monotonic, so that a clock that is set does not prolong a limit.

use std::time::{Duration, Instant, SystemTime};

use crate::protocol::client_report::Category;
use crate::transport::Reply;
use crate::types::IndexedEnum;

/// The limits in force, for one DSN.
#[derive(Debug)]
pub(crate) struct RateLimits {
    all: Option<Instant>,
    each: [Option<Instant>; Category::VARIANTS.len()],
    /// True once there was a limit.
    are_known: bool,
}

impl RateLimits {
    pub(crate) fn new() -> Self {
        Self { all: None, each: [None; Category::VARIANTS.len()], are_known: false }
    }

    /// True if there was a limit: without one, nobody needs to know what time it is.
    pub(crate) fn are_known(&self) -> bool {
        self.are_known
    }

    /// True if items of this category must not be sent now.
    pub(crate) fn is_limited(&self, category: Category, now: Instant) -> bool {
        self.limited_until(category, now).is_some()
    }

    /// Until when items of this category must not be sent. What counts in pieces and in bytes is limited by both.
    pub(crate) fn limited_until(&self, category: Category, now: Instant) -> Option<Instant> {
        let bytes = match category {
            Category::LogItem => Some(Category::LogByte),
            Category::TraceMetric => Some(Category::TraceMetricByte),
            _ => None,
        };
        let each = [Some(category), bytes].into_iter().flatten();
        let limits = each.filter_map(|category| self.each.get(category.as_index()).copied().flatten());
        limits.chain(self.all).max().filter(|until| now < *until)
    }

    /// True if nothing at all may be sent now.
    pub(crate) fn all_limited(&self, now: Instant) -> bool {
        self.all.is_some_and(|until| now < until)
    }

    /// True if a reply says anything of limits. Every reply may, whatever its status.
    pub(crate) fn are_in(reply: &Reply) -> bool {
        reply.rate_limits.is_some() || reply.status == 429
    }

    /// Takes over what a reply says.
    pub(crate) fn update(&mut self, reply: &Reply, now: Instant) {
        self.are_known |= Self::are_in(reply);
        if let Some(limits) = &reply.rate_limits {
            limits.split(',').for_each(|limit| self.add(limit, now));
        } else if reply.status == 429 {
            let pause = reply.retry_after.as_deref().and_then(retry_after).unwrap_or(DEFAULT_PAUSE);
            prolong(&mut self.all, now + pause.min(LONGEST_PAUSE));
        }
    }

    /// Reads one limit: `seconds:categories:scope:reason:namespaces`, of which all but the seconds may be missing.
    fn add(&mut self, limit: &str, now: Instant) {
        let mut parts = limit.split(':').map(str::trim);
        let Some(pause) = parts.next().and_then(seconds) else { return };
        let until = now + pause.min(LONGEST_PAUSE);
        let categories = parts.next().unwrap_or_default();
        if categories.is_empty() {
            return prolong(&mut self.all, until);
        }
        // A limit that names only categories we never send is void: it does not mean all.
        for category in categories.split(';').filter_map(|name| known(name.trim())) {
            if let Some(own) = self.each.get_mut(category.as_index()) {
                prolong(own, until);
            }
        }
    }
}

fn known(name: &str) -> Option<Category> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// Keeps the longer of two limits.
fn prolong(limit: &mut Option<Instant>, until: Instant) {
    *limit = Some(limit.map_or(until, |before| before.max(until)));
}

/// Seconds, which may have a fraction.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// Seconds, or the date at which the pause ends.
fn retry_after(text: &str) -> Option<Duration> {
    seconds(text.trim()).or_else(|| {
        let date = httpdate::parse_http_date(text.trim()).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default())
    })
}

/// The pause that a refusal asks for which does not say how long.
const DEFAULT_PAUSE: Duration = Duration::from_secs(60);
/// No server has a reason to ask for more; a broken one may.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, rate_limits: Option<&str>, retry_after: Option<&str>) -> Reply {
        let mut reply = Reply::from_status(status);
        reply.rate_limits = rate_limits.map(str::to_owned);
        reply.retry_after = retry_after.map(str::to_owned);
        reply
    }

    /// For how many seconds errors are held back after these replies.
    fn error_pause(replies: &[Reply]) -> u64 {
        let now = Instant::now();
        let mut limits = RateLimits::new();
        replies.iter().for_each(|reply| limits.update(reply, now));
        (0..=LONGEST_PAUSE.as_secs() + 10)
            .find(|seconds| !limits.is_limited(Category::Error, now + Duration::from_secs(*seconds)))
            .unwrap()
    }

    #[test]
    fn limits_are_read_as_the_specification_writes_them() {
        for (header, pause) in [
            ("60:error:key", 60),
            ("60:error", 60),
            ("60", 60),
            ("60::organization", 60),
            (" 60 : transaction ; error : key : quota_exceeded : x,y ", 60),
            ("2.5:error:key", 3),
            ("60:transaction:key", 0),
            ("60:novelty:key", 0),
            ("60:novelty;error:key", 60),
            ("10:error:key, 20:error:key, 5::key", 20),
            ("-5:error:key", 0),
            ("NaN:error:key,inf::key,1e300:error", 0),
            ("1e9:error", LONGEST_PAUSE.as_secs()),
            ("", 0),
            (",,;:::", 0),
        ] {
            assert_eq!(error_pause(&[reply(200, Some(header), None)]), pause, "{header:?}");
        }
    }

    #[test]
    fn what_counts_in_pieces_and_bytes_is_limited_by_both() {
        let (now, mut limits) = (Instant::now(), RateLimits::new());
        limits.update(&reply(200, Some("60:log_byte,60:trace_metric"), None), now);
        let limited = [Category::LogItem, Category::LogByte, Category::TraceMetric, Category::TraceMetricByte];
        assert_eq!(limited.map(|category| limits.is_limited(category, now)), [true, true, true, false]);
        assert!(!limits.is_limited(Category::Error, now));
    }

    #[test]
    fn the_longer_limit_stays() {
        assert_eq!(error_pause(&[reply(200, Some("2700:error"), None), reply(200, Some("1:error"), None)]), 2700);
    }

    #[test]
    fn a_refusal_without_limits_pauses_all() {
        assert_eq!(error_pause(&[reply(429, None, None)]), 60);
        assert_eq!(error_pause(&[reply(429, None, Some("7"))]), 7);
        assert_eq!(error_pause(&[reply(429, None, Some("nonsense"))]), 60);
        assert_eq!(error_pause(&[reply(200, None, Some("7"))]), 0, "only a refusal is one");
    }

    #[test]
    fn a_date_says_until_when() {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        assert!((28..=31).contains(&error_pause(&[reply(429, None, Some(&date))])));
        let past = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(30));
        assert_eq!(error_pause(&[reply(429, None, Some(&past))]), 0);
    }
}
