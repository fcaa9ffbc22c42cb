//! Envelopes to bytes and back; no hub has a part in it.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use super::sdk::protocol::{Addr, Event, Exception, Frame, Stacktrace};
use super::sdk::{Breadcrumb, Envelope};
use super::stage::rich;
use crate::measure::{Run, timed};

/// About 23 KB: an error with 30 frames and 100 breadcrumbs of an HTTP client.
fn large_event() -> Event<'static> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_296);
    let breadcrumb = |number| Breadcrumb { timestamp: time + Duration::from_micros(4_321 * number), ..rich(number) };
    let frame = |number: u64| Frame {
        function: Some(format!("service::handler::step_{number}::{{{{closure}}}}")),
        module: Some("service::handler".into()),
        filename: Some("handler.rs".into()),
        abs_path: Some("/build/service/src/handler.rs".into()),
        lineno: Some(number),
        in_app: Some(true),
        instruction_addr: Some(Addr(0x5555_5565_0000 + 97 * number)),
        ..Default::default()
    };
    let stacktrace = Stacktrace { frames: (0..30).map(frame).collect(), ..Default::default() };
    let exception = Exception {
        ty: "Error".into(),
        value: Some("it broke".into()),
        stacktrace: Some(stacktrace),
        ..Default::default()
    };
    Event {
        timestamp: time,
        breadcrumbs: (0..100).map(breadcrumb).collect::<Vec<_>>().into(),
        exception: vec![exception].into(),
        release: Some("service@1.2.3".into()),
        environment: Some("production".into()),
        tags: (0..10).map(|number| (format!("tag-{number}"), format!("value-{number}"))).collect(),
        ..Default::default()
    }
}

fn large_envelope() -> Vec<u8> {
    let mut bytes = Vec::new();
    Envelope::from(large_event()).to_writer(&mut bytes).expect("memory takes everything");
    bytes
}

/// Into a warm buffer.
pub fn write() -> Run {
    let envelope = Envelope::from(large_event());
    let mut buffer = Vec::with_capacity(1 << 16);
    let batch = move |calls| {
        timed(calls, |_| {
            buffer.clear();
            super::append(black_box(&envelope), &mut buffer);
            black_box(&*buffer);
        })
    };
    Run::new(batch, |_| reads_back())
}

/// Into a new buffer, with the call that both have.
pub fn write_anew() -> Run {
    let envelope = Envelope::from(large_event());
    let batch = move |calls| {
        timed(calls, |_| {
            let mut buffer = Vec::new();
            black_box(&envelope).to_writer(&mut buffer).expect("memory takes everything");
            black_box(buffer);
        })
    };
    Run::new(batch, |_| reads_back())
}

pub fn parse() -> Run {
    let bytes = large_envelope();
    let parse = move |calls| timed(calls, |_| drop(black_box(Envelope::from_slice(black_box(&bytes)))));
    Run::new(parse, |_| reads_back())
}

/// How many items there are; the peer has to parse for that.
pub fn view() -> Run {
    let bytes = large_envelope();
    let view = move |calls| timed(calls, |_| assert_eq!(super::items_of(black_box(&bytes)), 1));
    Run::new(view, |_| reads_back())
}

fn reads_back() {
    let mut bytes = Vec::new();
    super::append(&Envelope::from(large_event()), &mut bytes);
    let envelope = Envelope::from_slice(&bytes).expect("what was written");
    let event = envelope.event().expect("it holds an event");
    assert_eq!((event.breadcrumbs.len(), event.tags.len(), super::items_of(&bytes)), (100, 10, 1));
}
