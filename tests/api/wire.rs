//! Envelopes and client reports, as those use them who filter or forward what others wrote.

use std::io;
use std::path::Path;

use vidette::protocol::client_report::{Category, Item, ItemLoss, LossSource, Reason};
use vidette::protocol::{
    Attachment, ClientReport, Envelope, EnvelopeError, EnvelopeFilter, EnvelopeFilterCallbacks, EnvelopeHeaders,
    EnvelopeItem, EnvelopeItemIter, Event,
};
use vidette::types::{IndexedEnum, Uuid};

const _: fn() -> Envelope = Envelope::new;
const _: fn(Vec<u8>) -> Result<Envelope, EnvelopeError> = Envelope::from_bytes_raw;
const _: fn(&[u8]) -> Result<Envelope, EnvelopeError> = Envelope::from_slice;
const _: fn(&'static Path) -> Result<Envelope, EnvelopeError> = Envelope::from_path::<&'static Path>;
const _: fn(&'static str) -> Result<Envelope, EnvelopeError> = Envelope::from_path_raw::<&'static str>;
const _: fn(&mut Envelope, Event<'static>) = Envelope::add_item::<Event<'static>>;
const _: fn(&Envelope) -> EnvelopeItemIter<'_> = Envelope::items;
const _: fn(&Envelope) -> Option<&Uuid> = Envelope::uuid;
const _: fn(&Envelope) -> Option<&Event<'static>> = Envelope::event;
const _: fn(&Envelope) -> &EnvelopeHeaders = Envelope::headers;
const _: fn(Envelope, EnvelopeHeaders) -> Envelope = Envelope::with_headers;
const _: fn(Envelope, Keep) -> Option<Envelope> = Envelope::filter::<Keep>;
const _: fn(&Envelope, &'static mut Vec<u8>) -> io::Result<()> = Envelope::to_writer::<&'static mut Vec<u8>>;
const _: fn([Item; 2]) -> ClientReport = ClientReport::new::<[Item; 2]>;
const _: &[Category] = Category::VARIANTS;
const _: fn(&Reason) -> usize = Reason::as_index;

type Keep = fn(&EnvelopeItem) -> bool;

#[test]
fn what_a_filter_removes_is_handed_over() {
    let mut envelope = Envelope::from(Event::default());
    envelope.add_item(Attachment::default());
    let mut removed = Vec::new();
    let keep_attachments = |item: &EnvelopeItem| matches!(item, EnvelopeItem::Attachment(_));
    let left = envelope.filter(EnvelopeFilterCallbacks::new(keep_attachments, |item| removed.push(item)));
    assert!(left.is_none(), "an attachment goes with its event");
    assert!(matches!(removed[..], [EnvelopeItem::Event(_), EnvelopeItem::Attachment(_)]), "{removed:?}");
}

#[test]
fn a_closure_as_a_filter_drops_what_it_removes() {
    let mut calls = 0;
    let mut filter = |_: &EnvelopeItem| {
        calls += 1;
        false
    };
    assert!(!filter.filter(&EnvelopeItem::Raw));
    filter.on_filtered(EnvelopeItem::Raw);
    assert_eq!(calls, 1);
}

#[test]
fn an_entry_of_a_report_is_copied_and_tells_its_loss() {
    let item = Item::new(Category::Error, Reason::SampleRate, 3);
    let copy = item;
    let loss = ItemLoss::from(item);
    assert_eq!((loss.category, loss.quantity, loss.reason), (Category::Error, 3, Some(Reason::SampleRate)));
    let report = ClientReport::new([copy]);
    assert_eq!(report.losses().collect::<Vec<_>>(), [loss]);
    let text = serde_json::to_string(&copy).unwrap();
    assert_eq!(text, r#"{"reason":"sample_rate","category":"error","quantity":3}"#);
    assert!(serde_json::from_str::<Item>(&text).is_ok_and(|read| ItemLoss::from(read) == loss));
}

#[test]
fn a_missing_file_is_no_unexpected_end() {
    let nowhere = Path::new("no such folder").join("no such file");
    assert!(matches!(Envelope::from_path(&nowhere), Err(EnvelopeError::Io(_))));
    assert!(Envelope::from_path_raw(&nowhere).is_err());
}
