//! Envelopes: bytes per second in and out, for one event of about 23 KB.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vidette::protocol::{Breadcrumb, Envelope, Event, Exception, Frame, Stacktrace};
use vidette::wire::EnvelopeView;

fn event() -> Event<'static> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_296);
    let breadcrumb = |number: usize| Breadcrumb {
        timestamp: time + Duration::from_millis(number as u64),
        category: Some("http.client".into()),
        message: Some(format!("GET https://example.com/items/{number} answered 200 OK")),
        data: [("status".into(), 200.into()), ("attempt".into(), number.into())].into(),
        ..Breadcrumb::default()
    };
    let frame = |number: u64| Frame {
        function: Some(format!("service::handler::step_{number}::{{{{closure}}}}")),
        module: Some("service::handler".into()),
        filename: Some("handler.rs".into()),
        lineno: Some(number),
        in_app: Some(true),
        ..Frame::default()
    };
    let stacktrace = Stacktrace { frames: (0..40).map(frame).collect(), ..Stacktrace::default() };
    Event {
        timestamp: time,
        breadcrumbs: (0..100).map(breadcrumb).collect::<Vec<_>>().into(),
        exception: vec![Exception {
            ty: "Error".into(),
            value: Some("it broke".into()),
            stacktrace: Some(stacktrace),
            ..Exception::default()
        }]
        .into(),
        release: Some("service@1.2.3".into()),
        environment: Some("production".into()),
        tags: (0..10).map(|number| (format!("tag-{number}"), format!("value-{number}"))).collect(),
        ..Event::default()
    }
}

fn wire(criterion: &mut Criterion) {
    let envelope = Envelope::from(event());
    let mut bytes = Vec::new();
    assert!(envelope.append_to(&mut bytes).is_ok());
    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    let mut buffer = Vec::with_capacity(2 * bytes.len());
    group.bench_function("write into a warm buffer", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            black_box(envelope.append_to(&mut buffer)).is_ok()
        });
    });
    group.bench_function("parse into types", |bencher| {
        bencher.iter(|| black_box(Envelope::from_slice(black_box(&bytes))).is_ok());
    });
    group.bench_function("raw view", |bencher| {
        bencher.iter(|| EnvelopeView::new(black_box(&bytes)).map(|view| view.items().count()).is_ok());
    });
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
