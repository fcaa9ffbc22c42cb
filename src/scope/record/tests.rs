//! What is written comes back, in whichever way it is stored.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Addition, CallSite, Recorder};
use crate::protocol::{Breadcrumb, Level};
use crate::scope::{Crumbs, Trail};

static SITE: CallSite =
    CallSite { ty: "http", category: Some("client"), keys: &["status", "host", "took", "ok", "none", "letter"] };

fn written(host: &str, message: std::fmt::Arguments<'_>) -> (Breadcrumb, bool) {
    let mut recorder = Recorder::new(&SITE);
    recorder.field(&-404_i16);
    recorder.field(host);
    recorder.field(&1.5_f32);
    recorder.field(&true);
    recorder.field(&None::<u8>);
    recorder.field(&'ß');
    recorder.message(message);
    alike(&mut recorder, Level::Warning, 1_700_000_000_123_456_789)
}

/// Builds the breadcrumb, and checks that the JSON written without it says the same. Also says whether it spilled.
fn alike(recorder: &mut Recorder, level: Level, time: u64) -> (Breadcrumb, bool) {
    let mut trail = Trail::Inherited(Crumbs::default()).next(1);
    let spilled = if let Some(brief) = recorder.finish(level, time) {
        assert!(trail.push(brief));
        assert_eq!(shown(&trail), brief.take_breadcrumb().unwrap());
        false
    } else {
        let mut record = recorder.take_spilled();
        assert!(trail.push(&mut record.clone()));
        assert_eq!(shown(&trail), record.take_breadcrumb().unwrap());
        assert!(record.is_none());
        true
    };
    let breadcrumb = shown(&trail);
    let text = serde_json::to_string(&trail.freeze(1).before(&[])).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value, serde_json::to_value([&breadcrumb]).unwrap());
    // Reading alone would not show a key that comes twice.
    assert_eq!(text.len(), serde_json::to_string(&[&breadcrumb]).unwrap().len(), "{text}");
    // Room is made by copying what is there.
    trail = trail.next(1);
    assert_eq!(shown(&trail), breadcrumb);
    (breadcrumb, spilled)
}

fn shown(trail: &Trail) -> Breadcrumb {
    let mut shown = Vec::new();
    trail.freeze(1).for_each(|breadcrumb| shown.push(breadcrumb));
    let [breadcrumb] = <[_; 1]>::try_from(shown).unwrap();
    breadcrumb
}

#[test]
fn fields_and_message_come_back_as_they_were() {
    let (breadcrumb, spilled) = written("a.invalid", format_args!("GET {}", "/cart"));
    assert!(!spilled);
    assert_eq!(breadcrumb.ty, "http");
    assert_eq!(breadcrumb.category.as_deref(), Some("client"));
    assert_eq!(breadcrumb.level, Level::Warning);
    assert_eq!(breadcrumb.message.as_deref(), Some("GET /cart"));
    let time = breadcrumb.timestamp.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(time.as_nanos(), 1_700_000_000_123_456_789);
    let data = json!({"status": -404, "host": "a.invalid", "took": 1.5, "ok": true, "none": null, "letter": "ß"});
    assert_eq!(serde_json::to_value(&breadcrumb.data).unwrap(), data);
}

#[test]
fn what_does_not_fit_spills_whole() {
    let host = "h".repeat(100);
    let tail = "m".repeat(5_000);
    let (breadcrumb, spilled) = written(&host, format_args!("{tail}!"));
    assert!(spilled);
    assert_eq!(breadcrumb.data["host"], json!(host));
    assert_eq!(breadcrumb.message, Some(tail + "!"));
}

#[test]
fn every_length_around_the_limit_is_kept() {
    for length in 0..300 {
        let text = "x".repeat(length);
        let (breadcrumb, _) = written("", format_args!("{text}"));
        assert_eq!(breadcrumb.message.as_deref(), Some(text.as_str()), "length {length}");
    }
}

#[test]
fn a_breadcrumb_without_a_message_has_none() {
    static BARE: CallSite = CallSite { ty: "default", category: None, keys: &[] };
    let breadcrumb = alike(&mut Recorder::new(&BARE), Level::Info, 0).0;
    assert_eq!(breadcrumb.message, None);
    assert!(breadcrumb.data.is_empty());
}

#[test]
fn numbers_that_json_has_no_word_for_become_text() {
    static ONE: CallSite = CallSite { ty: "default", category: None, keys: &["n"] };
    let mut recorder = Recorder::new(&ONE);
    recorder.field(&f64::NAN);
    assert_eq!(alike(&mut recorder, Level::Info, 0).0.data["n"], json!("NaN"));
}

#[test]
fn a_key_that_comes_twice_has_its_last_value() {
    static TWICE: CallSite = CallSite { ty: "default", category: None, keys: &["a", "b", "a"] };
    let mut recorder = Recorder::new(&TWICE);
    [1_u64, 2, 3].iter().for_each(|number| recorder.field(number));
    let data = alike(&mut recorder, Level::Info, 0).0.data;
    assert_eq!(serde_json::to_value(data).unwrap(), json!({"a": 3, "b": 2}));
}
