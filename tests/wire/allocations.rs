//! What bytes in and out cost in allocations.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use vidette::protocol::{
    Attachment, Breadcrumb, Envelope, EnvelopeHeaders, Event, Exception, Frame, Log, LogLevel, Stacktrace,
};
use vidette::wire::EnvelopeView;

use super::bytes;

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_296)
}

fn envelope() -> Envelope {
    let stacktrace = Stacktrace {
        frames: vec![Frame { function: Some("main".into()), lineno: Some(7), ..Frame::default() }],
        ..Stacktrace::default()
    };
    let breadcrumb = Breadcrumb {
        timestamp: time(),
        message: Some("before".into()),
        data: [("status".into(), 200.into())].into(),
        ..Breadcrumb::default()
    };
    let mut envelope = Envelope::from(Event {
        timestamp: time(),
        breadcrumbs: vec![breadcrumb; 100].into(),
        exception: vec![Exception { ty: "E".into(), stacktrace: Some(stacktrace), ..Exception::default() }].into(),
        tags: [("a".into(), "b".into())].into(),
        ..Event::default()
    });
    envelope.add_item(Attachment { buffer: vec![7; 100], ..Attachment::default() });
    envelope.add_item(vec![Log {
        level: LogLevel::Info,
        body: "body".into(),
        trace_id: None,
        timestamp: time(),
        severity_number: None,
        attributes: [("a".into(), 1.into())].into(),
    }]);
    let headers = EnvelopeHeaders::new()
        .with_dsn("https://public:secret@example.com/1".parse().unwrap())
        .with_event_id(*envelope.uuid().unwrap())
        .with_sent_at(time())
        .with_trace(Default::default());
    envelope.with_headers(headers)
}

#[test]
fn writing_into_a_warm_buffer_allocates_nothing() {
    let envelope = envelope();
    let mut buffer = Vec::with_capacity(2 * bytes(&envelope).len());
    let cost = measure(|| envelope.append_to(&mut buffer).unwrap());
    assert_eq!(cost.count_total, 0);
}

#[test]
fn writing_parsed_bytes_into_a_warm_buffer_allocates_nothing() {
    let bytes = bytes(&envelope());
    let envelope = Envelope::from_slice(&bytes).unwrap();
    let mut buffer = Vec::with_capacity(bytes.len());
    let cost = measure(|| envelope.append_to(&mut buffer).unwrap());
    assert_eq!((cost.count_total, buffer), (0, bytes));
}

#[test]
fn the_view_of_an_envelope_allocates_at_most_four_times() {
    let bytes = bytes(&envelope());
    let cost = measure(|| {
        let view = EnvelopeView::new(&bytes).unwrap();
        assert_eq!(view.items().filter(|item| item.is_ok()).count(), 3);
    });
    assert!(cost.count_total <= 4, "{}", cost.count_total);
}

#[test]
fn what_a_parser_allocates_is_linear_in_its_input() {
    for payload in ["[1,", "{\"a\":", "[[],"] {
        let text = format!("{{}}\n{{\"type\":\"event\"}}\n{{\"extra\":{}", payload.repeat(50_000));
        let cost = measure(|| assert!(Envelope::from_slice(text.as_bytes()).is_err()));
        let limit = 64 * text.len() as u64;
        assert!(cost.bytes_max < limit, "{payload} took {} of {limit}", cost.bytes_max);
    }
    let empty = "{}\n".to_owned() + &"{\"type\":\"\"}\n\n".repeat(10_000);
    let cost =
        measure(|| assert!(Envelope::from_slice(empty.as_bytes()).is_ok_and(|read| read.items().count() == 10_000)));
    assert!(cost.bytes_max < 64 * empty.len() as u64, "{}", cost.bytes_max);
}
