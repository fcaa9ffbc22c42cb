//! What must hold for any bytes. Each function states one property and panics where it breaks.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken property must stop the fuzzer")]

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::dsn::Dsn;
use crate::protocol::{self, Event, SessionUpdate};
use crate::trace::{TracePropagationContext, Transaction, TransactionContext};
use crate::wire::{Envelope, EnvelopeItem, EnvelopeView, json};

/// Any bytes are an envelope or an error; what was read is written byte for byte, and once more; the items found are
/// those the view finds; and what is written from types alone is a fixpoint after the first time.
pub fn envelope(bytes: &[u8]) {
    let view = EnvelopeView::new(bytes);
    let envelope = match Envelope::from_slice(bytes) {
        Ok(envelope) => envelope,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written = write(&envelope);
    let again = Envelope::from_slice(&written).expect("what was written can be read");
    // The values may differ: an event without an id or a time gets one each time it is read.
    assert_eq!(again.headers(), envelope.headers(), "the headers read the same");
    assert_eq!(write(&again), written, "what was read again is written the same");

    let view = view.expect("the view reads what the parser reads");
    let items: Vec<_> = view.items().collect::<Result<_, _>>().expect("the view finds items");
    assert_eq!(items.len(), envelope.items().count(), "the view finds as many items");
    let second = EnvelopeView::new(&written).expect("the view reads what was written");
    let same = second.items().collect::<Result<Vec<_>, _>>().expect("the view finds items");
    assert_eq!(second.header(), view.header(), "the headers are kept byte for byte");
    assert_eq!(items, same, "the items are kept byte for byte");
    for (typed, item) in envelope.items().zip(&items) {
        match typed {
            EnvelopeItem::Attachment(attachment) => {
                assert_eq!(attachment.buffer, item.payload(), "both find the same payload");
            }
            EnvelopeItem::Raw => {}
            _ => {
                serde_json::from_slice::<IgnoredAny>(item.payload()).expect("what was read is JSON");
            }
        }
    }

    let first = write(&anew(envelope));
    let second = Envelope::from_slice(&first).expect("what was written from types can be read");
    let second = write(&anew(second));
    assert_eq!(
        String::from_utf8_lossy(&first),
        String::from_utf8_lossy(&second),
        "what is written from types is a fixpoint"
    );
}

/// Any text, and any value and item that bytes can be read as, is written to the byte as `serde_json` writes it; and what
/// is read in one pass is what `serde_json` reads.
pub fn json(bytes: &[u8]) {
    let is_value = serde_json::from_slice::<Value>(bytes).is_ok();
    assert_eq!(json::read::<Value>(bytes).is_some(), is_value, "both take the same values");
    read_alike::<Value>(bytes);
    read_alike::<Event<'static>>(bytes);
    read_alike::<protocol::Transaction<'static>>(bytes);
    read_alike::<SessionUpdate<'static>>(bytes);
    written_alike(&String::from_utf8_lossy(bytes));
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        written_alike(&value);
    }
    if let Ok(event) = serde_json::from_slice::<Event<'static>>(bytes) {
        written_alike(&event);
    }
    if let Ok(transaction) = serde_json::from_slice::<protocol::Transaction<'static>>(bytes) {
        written_alike(&transaction);
    }
    if let Ok(session) = serde_json::from_slice::<SessionUpdate<'static>>(bytes) {
        written_alike(&session);
    }
}

/// What one pass takes, `serde_json` takes too, to the same value.
fn read_alike<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let written = |value: T| serde_json::to_string(&value).expect("what was read can be written");
    let theirs = || serde_json::from_slice::<T>(bytes).ok().map(written);
    let before = theirs();
    let Some(ours) = json::read::<T>(bytes).map(written) else { return };
    assert!(before.is_some(), "serde_json takes what one pass takes");
    // A value without an id or a time gets one each time it is read: no two ids are alike, and times only between ticks.
    if theirs() == before {
        assert_eq!(Some(ours), before);
    }
}

fn written_alike(value: &impl Serialize) {
    let mut ours = Vec::new();
    json::append(&mut ours, value).expect("what was read can be written");
    let theirs = serde_json::to_vec(value).expect("what was read can be written");
    assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
}

/// Any text is a DSN or an error, and what a DSN displays parses to the same.
pub fn dsn(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(dsn) = text.parse::<Dsn>() else { return };
    let shown = dsn.to_string();
    assert_eq!(shown.parse::<Dsn>().as_ref(), Ok(&dsn), "{shown}");
    let public: Dsn = dsn.without_secret().to_string().parse().expect("the public part is a dsn");
    assert_eq!((public.secret_key(), public.public_key()), (None, dsn.public_key()));
    assert_eq!((public.host(), public.port(), public.path()), (dsn.host(), dsn.port(), dsn.path()));
    assert_eq!(public.project_id(), dsn.project_id());
    assert_eq!(public.envelope_api_url(), dsn.envelope_api_url());
    assert!(dsn.envelope_api_url().username().is_empty());
}

/// Any headers, one a line, start a transaction. What it passes on fits a header, says what came in, and does not change
/// when it is passed on again.
pub fn headers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let incoming: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let read = TracePropagationContext::try_from_headers(incoming.iter().copied());
    let first = passed_on(&incoming);
    match &read {
        Ok(read) => {
            let same = read.sentry_trace_header();
            // All but the span is the caller's.
            assert_eq!((&first[0].1[..32], &first[0].1[49..]), (&same[..32], &same[49..]));
        }
        Err(error) => assert!(!error.to_string().is_empty() && first.len() == 1),
    }
    let borrowed: Vec<(&str, &str)> = first.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let second = passed_on(&borrowed);
    assert_eq!(first.get(1), second.get(1), "baggage that is passed on again stays");
    if let Some((name, baggage)) = first.get(1) {
        assert_eq!(*name, "baggage");
        assert!(!baggage.is_empty() && baggage.len() <= 8_192 && baggage.split(',').count() <= 64);
        assert!(baggage.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(baggage.split(',').all(|member| member.starts_with("sentry-") && member.contains('=')));
    }
}

/// What a transaction passes on that continues the trace of these headers.
fn passed_on(incoming: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let mut context = TransactionContext::continue_from_headers("name", "op", incoming.iter().copied());
    Transaction::start(&mut context, None, None).iter_headers().collect()
}

fn write(envelope: &Envelope) -> Vec<u8> {
    let mut bytes = Vec::new();
    envelope.append_to(&mut bytes).expect("an envelope can be written");
    bytes
}

/// Builds the envelope again from its types, without the bytes it was read from.
fn anew(envelope: Envelope) -> Envelope {
    let mut anew = Envelope::new().with_headers(envelope.headers().clone());
    for item in envelope.into_items() {
        anew.add_item(item);
    }
    anew
}
