//! Whatever a breadcrumb says, it comes back and is written as if it had been kept as it was.

use std::time::{Duration, SystemTime};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::protocol::{Breadcrumb, Level};
use crate::scope::record::tests::{over_all_kinds, push_owned, shown};
use crate::scope::{Crumbs, Trail};
use crate::wire::json;

/// Checks that a breadcrumb comes back as it was, in all ways. True: it was packed.
#[track_caller]
fn comes_back(breadcrumb: &Breadcrumb) -> bool {
    let trail = Trail::Inherited(Crumbs::default()).next(1);
    let is_packed = push_owned(&trail, breadcrumb);
    let back = shown(&trail);
    assert_eq!(back, *breadcrumb);
    let expected = serde_json::to_string(&[breadcrumb]).unwrap();
    assert_eq!(serde_json::to_string(&[&back]).unwrap(), expected, "zero is not minus zero");
    let crumbs = trail.freeze(1);
    assert!(crumbs.are_built_in(std::slice::from_ref(breadcrumb)).is_some(), "to the last bit");
    assert_eq!(serde_json::to_string(&crumbs.before(&[])).unwrap(), expected);
    let mut ours = Vec::new();
    json::append(&mut ours, &crumbs.before(&[])).unwrap();
    assert_eq!(String::from_utf8(ours).unwrap(), expected);
    over_all_kinds(&trail, breadcrumb, false);
    is_packed
}

fn bare() -> Breadcrumb {
    Breadcrumb { timestamp: SystemTime::UNIX_EPOCH, ..Breadcrumb::default() }
}

#[test]
fn any_breadcrumb_comes_back_as_it_was() {
    let mut random = SmallRng::seed_from_u64(3);
    let packed = (0..3_000).filter(|_| comes_back(&any(&mut random))).count();
    assert!((500..2_500).contains(&packed), "{packed} were packed");
}

fn any(random: &mut SmallRng) -> Breadcrumb {
    // Of some the texts are short, so that they fit with their data.
    let limit = [4, 12, 70][random.next_u32() as usize % 3];
    let levels = [Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Fatal];
    Breadcrumb {
        timestamp: SystemTime::UNIX_EPOCH + Duration::from_nanos(random.next_u64() >> (random.next_u32() % 64)),
        ty: text(random, limit),
        category: random.next_u32().is_multiple_of(2).then(|| text(random, limit)),
        level: levels[random.next_u32() as usize % levels.len()],
        message: random.next_u32().is_multiple_of(2).then(|| text(random, limit)),
        data: (0..random.next_u32() % 5).map(|_| (text(random, limit), value(random, limit))).collect(),
    }
}

fn text(random: &mut SmallRng, limit: u32) -> String {
    let length = random.next_u32() % (limit + 1);
    let letters = ["a", "b", " ", "\"", "\\", "\n", "\u{0}", "é", "€", "𝄞", "/", "\u{7f}"];
    let known = if random.next_u32().is_multiple_of(2) { 3 } else { letters.len() };
    (0..length).map(|_| letters[random.next_u32() as usize % known]).collect()
}

fn value(random: &mut SmallRng, limit: u32) -> Value {
    match random.next_u32() % 25 {
        0..5 => text(random, limit).into(),
        5..8 => random.next_u32().is_multiple_of(2).into(),
        8..12 => (random.next_u64() >> (random.next_u32() % 64)).into(),
        12..16 => (random.next_u64() as i64 >> (random.next_u32() % 64)).into(),
        16..20 => f64::from_bits(random.next_u64()).into(),
        20..22 => [0.0, -0.0, 1.0, -1.0, 1e300][random.next_u32() as usize % 5].into(),
        22 => json!([text(random, limit)]),
        23 => json!({ text(random, limit): 1 }),
        _ => Value::Null,
    }
}

#[test]
fn what_fits_is_packed_and_one_byte_more_is_not() {
    // Three lengths stand beside the texts.
    let of = |length: usize| Breadcrumb { ty: String::new(), message: Some("m".repeat(length)), ..bare() };
    assert!((0..=133).all(|length| comes_back(&of(length))));
    assert!(!(134..300).any(|length| comes_back(&of(length))));
    let of = |length: usize| Breadcrumb { data: [("k".repeat(length), json!(-1))].into(), ..of(10) };
    assert!((0..=113).all(|length| comes_back(&of(length))));
    assert!(!(114..140).any(|length| comes_back(&of(length))));
    let of = |length: usize| Breadcrumb { data: [("key".to_owned(), "ß".repeat(length).into())].into(), ..bare() };
    assert!((0..=60).all(|length| comes_back(&of(length))));
    assert!(!(61..140).any(|length| comes_back(&of(length))));
}

#[test]
fn no_text_is_not_an_empty_one() {
    for texts in [(None, None), (Some(""), None), (None, Some("")), (Some(""), Some(""))] {
        let (category, message) = (texts.0.map(str::to_owned), texts.1.map(str::to_owned));
        assert!(comes_back(&Breadcrumb { category, message, ..bare() }));
    }
}

#[test]
fn times_are_kept_whenever_they_are() {
    let epoch = SystemTime::UNIX_EPOCH;
    let nano = Duration::from_nanos(1);
    let last = epoch + Duration::from_nanos(u64::MAX);
    for timestamp in [epoch, epoch - nano, epoch + nano, last + nano, SystemTime::now()] {
        assert!(comes_back(&Breadcrumb { timestamp, ..bare() }));
    }
    assert!(comes_back(&Breadcrumb { timestamp: epoch - Duration::from_secs(1 << 32), ..bare() }));
    assert!(comes_back(&Breadcrumb { timestamp: epoch + Duration::from_secs(1 << 40), ..bare() }));
}
