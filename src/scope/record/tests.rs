//! What is written comes back, in whichever way it is stored.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{Addition, CallSite, Field, Packing, Record, Recorder};
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
    recorder.message().format(message);
    alike(&mut recorder, Level::Warning, 1_700_000_000_123_456_789)
}

/// Builds the breadcrumb, and checks that the JSON written without it says the same. Also says whether it spilled.
fn alike(recorder: &mut Recorder, level: Level, time: u64) -> (Breadcrumb, bool) {
    let mut trail = Trail::Inherited(Crumbs::default()).next(1);
    let spilled = if let Some(mut recorded) = recorder.finish(level, time) {
        assert!(trail.push(&mut recorded));
        assert_eq!(shown(&trail), recorded.take_breadcrumb().unwrap());
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
    over_all_kinds(&trail, &breadcrumb, breadcrumb.data.len() == 2);
    // Room is made by copying what is there.
    trail = trail.next(1);
    assert_eq!(shown(&trail), breadcrumb);
    (breadcrumb, spilled)
}

/// Builds the breadcrumb of a trail where others stood, and changes it in each way there is.
pub(super) fn over_all_kinds(trail: &Trail, breadcrumb: &Breadcrumb, has_twins: bool) {
    let crumbs = trail.freeze(1);
    let full = Breadcrumb {
        ty: "t".repeat(99),
        category: Some("c".repeat(99)),
        message: Some("m".repeat(9_999)),
        data: [("n", json!(1)), ("host", json!([1])), ("", json!("text")), ("b", json!({"k": 0.0}))]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        ..Breadcrumb::default()
    };
    let mut grown = breadcrumb.clone();
    grown.data.insert("more".to_owned(), json!(true));
    let mut shrunk = breadcrumb.clone();
    shrunk.data.pop_last();
    let mut odd = breadcrumb.clone();
    odd.data.values_mut().for_each(|value| *value = json!("odd"));
    for old in [Breadcrumb::default(), full, breadcrumb.clone(), grown, shrunk, odd] {
        for spent in [vec![old.clone()], vec![old; 3]] {
            assert_eq!(crumbs.build_over(spent), std::slice::from_ref(breadcrumb));
        }
    }
    assert_eq!(crumbs.build_over(Vec::new()), std::slice::from_ref(breadcrumb));

    // One whose keys are not all different counts as changed, and is sent as it was built.
    let is_told = crumbs.are_built_in(std::slice::from_ref(breadcrumb));
    assert_ne!(is_told.is_some(), has_twins, "{breadcrumb:?}");
    let Some(built) = is_told else { return };
    assert_eq!(built.count, 1);
    assert!((size_of::<Breadcrumb>()..20_000).contains(&built.bytes), "{}", built.bytes);
    assert_eq!(crumbs.are_built_in(&vec![breadcrumb.clone(); 2]).unwrap().count, 1, "the rest is the event's own");
    assert!(crumbs.are_built_in(&[]).is_none());
    let changes: [fn(&mut Breadcrumb); 8] = [
        |it| it.timestamp += Duration::from_nanos(1),
        |it| it.ty.push('y'),
        |it| it.category = it.category.take().xor(Some("c".to_owned())),
        |it| it.level = if it.level == Level::Debug { Level::Info } else { Level::Debug },
        |it| it.message = it.message.take().xor(Some("m".to_owned())),
        |it| _ = it.data.insert("more".to_owned(), json!(null)),
        |it| match it.data.values_mut().next_back() {
            Some(value) => *value = json!([]),
            None => it.ty.push('z'),
        },
        |it| match it.data.pop_last() {
            Some((key, value)) => _ = it.data.insert(key + "2", value),
            None => it.ty.push('z'),
        },
    ];
    for change in changes {
        let mut changed = breadcrumb.clone();
        change(&mut changed);
        assert!(crumbs.are_built_in(&[changed.clone()]).is_none(), "{changed:?}");
    }
}

#[test]
fn what_was_built_is_known_to_the_last_bit() {
    let values = [
        json!(0.0),
        json!(-0.0),
        json!(0),
        json!(1),
        json!(1.0),
        json!(-1),
        json!(u64::MAX),
        json!("1"),
        json!("NaN"),
        json!(null),
        json!(false),
        json!([1, 2]),
        json!([2, 1]),
        json!({"a": [0.0]}),
        json!({"a": [-0.0]}),
        json!({"b": [0.0]}),
    ];
    let of = |value: &Value| Breadcrumb {
        timestamp: SystemTime::UNIX_EPOCH,
        data: [("n".to_owned(), value.clone())].into(),
        ..Breadcrumb::default()
    };
    for (at, value) in values.iter().enumerate() {
        let trail = Trail::Inherited(Crumbs::default()).next(1);
        assert_eq!(push_owned(&trail, &of(value)), !value.is_array() && !value.is_object());
        for (other, old) in values.iter().enumerate() {
            let crumbs = trail.freeze(1);
            assert_eq!(crumbs.are_built_in(&[of(old)]).is_some(), at == other, "{value} and {old}");
            let built = crumbs.build_over(vec![of(old)]);
            assert!(crumbs.are_built_in(&built).is_some(), "{value} over {old}");
        }
    }
    static ONE: CallSite = CallSite { ty: "default", category: None, keys: &["n"] };
    let fields: [&dyn Field; 8] = [&0.0, &-0.0, &0_u8, &1_i64, &u64::MAX, &"NaN", &f64::NAN, &None::<u8>];
    for field in fields {
        let trail = Trail::Inherited(Crumbs::default()).next(1);
        let mut recorder = Recorder::new(&ONE);
        recorder.field(field);
        let Some(mut recorded) = recorder.finish(Level::Info, 0) else { panic!("it fits") };
        assert!(trail.push(&mut recorded));
        let crumbs = trail.freeze(1);
        for old in &values {
            let built = crumbs.build_over(vec![of(old)]);
            assert!(crumbs.are_built_in(&built).is_some(), "over {old}");
            let bits = |value: &Value| (value.to_string(), value.as_f64().map(f64::to_bits));
            let is_same = bits(old) == bits(&built[0].data["n"]);
            assert_eq!(crumbs.are_built_in(&[of(old)]).is_some(), is_same, "{old} and {:?}", built[0].data);
        }
    }
}

/// Pushes a breadcrumb that was built in full, as hubs do. True: it was packed.
pub(super) fn push_owned(trail: &Trail, breadcrumb: &Breadcrumb) -> bool {
    let mut owned = breadcrumb.clone();
    if let Some(mut packing) = Packing::of(&mut owned) {
        assert!(trail.push(&mut packing));
        assert_eq!(packing.take_breadcrumb().as_ref(), Some(breadcrumb));
        assert!(packing.take_breadcrumb().is_none());
        assert!(trail.push(&mut packing), "nothing is left, and nothing comes");
        true
    } else {
        assert!(trail.push(&mut Some(Record::Owned(owned))));
        false
    }
}

pub(super) fn shown(trail: &Trail) -> Breadcrumb {
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
