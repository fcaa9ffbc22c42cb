//! The borrowed view.

use vidette::wire::{EnvelopeError, EnvelopeView};

#[test]
fn items_are_found_and_not_opened() {
    let bytes = b"{\"x\":1}\n{\"type\":\"event\",\"length\":7}\nnot\njso\n{\"type\":\"p\\u006fem\"}\nabc\n";
    let view = EnvelopeView::new(bytes).unwrap();
    assert_eq!(view.header(), b"{\"x\":1}");
    let items: Vec<_> = view.items().map(Result::unwrap).collect();
    assert_eq!(items[0].ty(), "event");
    assert_eq!(items[0].header(), b"{\"type\":\"event\",\"length\":7}");
    assert_eq!(items[0].payload(), b"not\njso");
    assert_eq!((items[1].ty(), items[1].payload()), ("poem", &b"abc"[..]));
    assert_eq!(items.len(), 2);
}

#[test]
fn an_error_ends_the_items() {
    let view = EnvelopeView::new(b"{}\n{\"type\":\"x\"}\nabc\nnothing\n{\"type\":\"x\"}\n").unwrap();
    let mut items = view.items();
    assert!(items.next().is_some_and(|item| item.is_ok()));
    assert!(matches!(items.next(), Some(Err(EnvelopeError::InvalidItemHeader(_)))));
    assert!(items.next().is_none());
}

#[test]
fn headers_must_be_an_object() {
    assert!(matches!(EnvelopeView::new(b""), Err(EnvelopeError::MissingHeader)));
    assert!(matches!(EnvelopeView::new(b"[]"), Err(EnvelopeError::InvalidHeader(_))));
    assert!(matches!(EnvelopeView::new(b"{\"a\":}"), Err(EnvelopeError::InvalidHeader(_))));
}
