//! Envelopes: bytes per second in and out, for one event of about 23 KB.

#[path = "support/large_event.rs"]
mod large_event;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vidette::protocol::Envelope;
use vidette::wire::EnvelopeView;

fn wire(criterion: &mut Criterion) {
    let envelope = Envelope::from(large_event::event());
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
