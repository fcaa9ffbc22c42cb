//! The bytes of every item kind.

use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use vidette::protocol::client_report::{Category, Item, Reason};
use vidette::protocol::{
    Attachment, AttachmentType, Breadcrumb, ClientReport, ClientSdkInfo, DynamicSamplingContext, Envelope,
    EnvelopeHeaders, EnvelopeItem, Event, Exception, Log, LogAttribute, LogLevel, Metric, MetricType, MonitorCheckIn,
    MonitorCheckInStatus, MonitorConfig, MonitorSchedule, SessionAggregateItem, SessionAggregates, SessionAttributes,
    SessionStatus, SessionUpdate, Span, SpanId, SpanStatus, TraceId, Transaction, Unit, Uuid,
};

use super::text;

const ID: Uuid = Uuid::from_u128(0x22d0_0b3f_d1b1_4b5d_8d20_49d1_38cd_8a9c);

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_296)
}

fn trace_id() -> TraceId {
    TraceId::from([7; 16])
}

fn span_id() -> SpanId {
    SpanId::from([9; 8])
}

fn attributes() -> SessionAttributes<'static> {
    SessionAttributes {
        release: "app@1.0.0".into(),
        environment: Some("test".into()),
        ip_address: None,
        user_agent: None,
    }
}

/// Writes an item in an envelope of its own, and checks that it reads as it was.
fn written(item: impl Into<EnvelopeItem>) -> String {
    let envelope = Envelope::from(item);
    let text = text(&envelope);
    let read = Envelope::from_slice(text.as_bytes()).unwrap();
    assert_eq!(read, envelope);
    text
}

#[test]
fn headers() {
    let headers = EnvelopeHeaders::new()
        .with_event_id(ID)
        .with_dsn("https://public:secret@o1.ingest.sentry.io/2".parse().unwrap())
        .with_sdk(ClientSdkInfo {
            name: "sentry.rust".into(),
            version: "1.0.0".into(),
            integrations: vec!["panic".into()],
            packages: Vec::new(),
        })
        .with_sent_at(time())
        .with_trace(
            DynamicSamplingContext::new()
                .with_trace_id(trace_id())
                .with_public_key("public".into())
                .with_sample_rate(0.25)
                .with_sample_rand(0.125.try_into().unwrap())
                .with_sampled(true)
                .with_release("app@1.0.0".into())
                .with_environment("test".into())
                .with_transaction("GET /".into())
                .with_org_id(1.into()),
        );
    let envelope = Envelope::new().with_headers(headers);
    assert_snapshot!(text(&envelope));
    let read = Envelope::from_slice(text(&envelope).as_bytes()).unwrap();
    assert_eq!(read.headers().clone().with_event_id(ID), *read.headers());
}

#[test]
fn event() {
    assert_snapshot!(written(Event {
        event_id: ID,
        message: Some("it broke".into()),
        timestamp: time(),
        exception: vec![Exception { ty: "Error".into(), value: Some("v".into()), ..Exception::default() }].into(),
        breadcrumbs: vec![Breadcrumb { timestamp: time(), message: Some("before".into()), ..Breadcrumb::default() }]
            .into(),
        ..Event::default()
    }));
}

#[test]
fn transaction() {
    assert_snapshot!(written(Transaction {
        event_id: ID,
        name: Some("GET /".into()),
        start_timestamp: time(),
        timestamp: Some(time() + Duration::from_millis(1)),
        spans: vec![Span {
            span_id: span_id(),
            trace_id: trace_id(),
            op: Some("db".into()),
            start_timestamp: time(),
            timestamp: Some(time()),
            status: Some(SpanStatus::Ok),
            ..Span::default()
        }],
        ..Transaction::default()
    }));
}

#[test]
fn session() {
    assert_snapshot!(written(SessionUpdate {
        session_id: ID,
        distinct_id: Some("me".into()),
        sequence: Some(3),
        timestamp: Some(time()),
        started: time(),
        init: true,
        duration: Some(1.5),
        status: SessionStatus::Exited,
        errors: 2,
        attributes: attributes(),
    }));
}

#[test]
fn sessions() {
    assert_snapshot!(written(SessionAggregates {
        aggregates: vec![SessionAggregateItem {
            started: time(),
            distinct_id: None,
            exited: 1,
            errored: 0,
            abnormal: 0,
            crashed: 2,
        }],
        attributes: attributes(),
    }));
}

#[test]
fn attachment() {
    assert_snapshot!(written(Attachment {
        buffer: b"one\ntwo\n".to_vec(),
        filename: "a \"b\".txt".into(),
        content_type: Some("text/plain".into()),
        ty: Some(AttachmentType::Custom("my.type".into())),
    }));
}

#[test]
fn check_in() {
    assert_snapshot!(written(MonitorCheckIn {
        check_in_id: ID,
        monitor_slug: "job".into(),
        status: MonitorCheckInStatus::InProgress,
        environment: Some("test".into()),
        duration: Some(1.5),
        monitor_config: Some(MonitorConfig {
            schedule: MonitorSchedule::from_crontab("0 * * * *").unwrap(),
            checkin_margin: Some(5),
            max_runtime: Some(30),
            timezone: Some("UTC".into()),
            failure_issue_threshold: None,
            recovery_threshold: None,
        }),
    }));
}

#[test]
fn logs() {
    assert_snapshot!(written(vec![Log {
        level: LogLevel::Warn,
        body: "hello".into(),
        trace_id: Some(trace_id()),
        timestamp: time(),
        severity_number: Some(13.try_into().unwrap()),
        attributes: [("a".to_owned(), LogAttribute::from(1)), ("b".to_owned(), "x".into())].into(),
    }]));
}

#[test]
fn metrics() {
    assert_snapshot!(written(vec![Metric {
        r#type: MetricType::Distribution,
        name: "http.time".into(),
        value: 12.5,
        timestamp: time(),
        trace_id: trace_id(),
        span_id: Some(span_id()),
        unit: Some(Unit::Millisecond),
        attributes: [("a".into(), true.into())].into(),
    }]));
}

#[test]
fn client_report() {
    let report = ClientReport::new([Item::new(Category::LogByte, Reason::BeforeSend, 3)]);
    let text = text(&Envelope::from(report));
    assert!(Envelope::from_slice(text.as_bytes()).is_ok());
    // The time is that of the report's making.
    let (_, rest) = text.split_once("discarded_events").unwrap();
    assert_snapshot!(rest, @r#"":[{"reason":"before_send","category":"log_byte","quantity":3}]}"#);
}
