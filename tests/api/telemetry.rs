//! Sessions, logs and metrics, each in the builds that have them.

#[cfg(feature = "release-health")]
mod sessions {
    use vidette::Hub;
    use vidette::protocol::SessionStatus;

    const _: fn() = vidette::start_session;
    const _: fn() = vidette::end_session;
    const _: fn(SessionStatus) = vidette::end_session_with_status;
    const _: fn(&Hub) = Hub::start_session;
    const _: fn(&Hub) = Hub::end_session;
    const _: fn(&Hub, SessionStatus) = Hub::end_session_with_status;
}

#[cfg(feature = "logs")]
mod logs {
    use vidette::protocol::Log;
    use vidette::{Hub, Scope, logger_debug, logger_error, logger_fatal, logger_info, logger_trace, logger_warn};

    const _: fn(&Hub, Log) = Hub::capture_log;
    const _: fn(&Scope, &mut Log) = Scope::apply_to_log;
    #[cfg(feature = "client")]
    const _: fn(&vidette::Client, Log, &Scope) = vidette::Client::capture_log;

    #[test]
    fn log_macros_take_what_they_took() {
        let shade = "green";
        logger_trace!("a message");
        logger_debug!("a {} message", shade);
        logger_info!("a {shade} message");
        logger_warn!(tenant = 7, "a message");
        logger_error!(tenant = 7, shade = shade, "a {} message", shade);
        logger_fatal!(user.id = "7", hash = 1.5, ok = true, "a {0} message of {1}", shade, 2);
    }
}

#[cfg(feature = "metrics")]
mod metrics {
    use vidette::Hub;
    use vidette::metrics::{CounterMetric, DistributionMetric, GaugeMetric, counter, distribution, gauge};
    use vidette::protocol::Unit;

    const _: fn(&'static str, u32) -> CounterMetric = counter::<&'static str, u32>;
    const _: fn(String, f64) -> GaugeMetric = gauge::<String, f64>;
    const _: fn(&'static str, f32) -> DistributionMetric = distribution::<&'static str, f32>;
    const _: fn(CounterMetric, &'static str, bool) -> CounterMetric = CounterMetric::attribute::<&'static str, bool>;
    const _: fn(GaugeMetric, Unit) -> GaugeMetric = GaugeMetric::unit::<Unit>;
    const _: fn(DistributionMetric, &'static str) -> DistributionMetric = DistributionMetric::unit::<&'static str>;
    const _: fn(CounterMetric) = CounterMetric::capture;
    const _: fn(&Hub, CounterMetric) = Hub::capture_metric::<CounterMetric>;
    #[cfg(feature = "client")]
    const _: fn(&vidette::Client, GaugeMetric, &vidette::Scope) = vidette::Client::capture_metric::<GaugeMetric>;

    #[test]
    fn a_metric_is_captured_or_forgotten() {
        counter("calls", 1).attribute("route", "/").capture();
        Hub::current().capture_metric(distribution("time", 1.5).unit(Unit::Millisecond));
        gauge("queue", 3).unit("items").capture();
    }
}
