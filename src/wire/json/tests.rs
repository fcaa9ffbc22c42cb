//! The serializer against the one it stands for, corner by corner.

use std::collections::BTreeMap;
use std::fmt;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::append;

fn ours<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut out = b"before".to_vec();
    append(&mut out, value)?;
    Ok(String::from_utf8(out).unwrap().split_off(6))
}

/// Checks that a value is written as `serde_json` writes it.
#[track_caller]
fn same<T: Serialize + ?Sized>(value: &T) {
    assert_eq!(ours(value).unwrap(), serde_json::to_string(value).unwrap());
}

#[test]
fn every_byte_is_escaped_or_not_wherever_it_stands() {
    for byte in 0..=0x7f_u8 {
        for length in 0..50 {
            for place in 0..=length {
                let mut text = "x".repeat(length);
                text.insert(place, byte.into());
                same(&text);
            }
        }
    }
}

#[test]
fn texts_with_much_to_escape_are_written_whole() {
    for text in ["", "\u{0}", "\u{7f}\u{80}", "äöü€𝄞 \u{2028}", "a\"b\\c/d\u{8}\t\n\u{c}\r\u{1f}"] {
        for times in [1, 2, 3, 7, 40] {
            same(&text.repeat(times));
        }
    }
    // Bytes above 0x7f whose lower bits look special.
    same(&"\u{a2}\u{dc}\u{81}\u{9f}\u{a2}\u{dc}".repeat(4));
}

#[test]
fn integers_are_written_up_to_their_limits() {
    same(&(u8::MAX, i8::MIN, u16::MAX, i16::MIN, u32::MAX, i32::MIN));
    same(&(u64::MAX, i64::MIN, i64::MAX, u128::MAX, i128::MIN, 0, -1));
}

#[test]
fn floats_are_written_so_that_they_read_back() {
    for float in [0.0, -0.0, 1.0, 0.1, -2.5e-7, 1e15, 1e16, 1e21, f64::MAX, f64::MIN_POSITIVE, 1_595_256_674.296] {
        same(&float);
        same(&(float as f32));
    }
    assert_eq!(ours(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).unwrap(), "[null,null,null]");
    assert_eq!(ours(&[f32::NAN, f32::INFINITY]).unwrap(), "[null,null]");
}

#[derive(Serialize)]
enum Forms {
    Unit,
    Newtype(u8),
    Tuple(u8, &'static str),
    Empty(),
    Struct { a: u8, b: Option<bool> },
    Nothing {},
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(f32);

#[derive(Serialize)]
struct Pair(char, ());

#[derive(Serialize)]
struct Hollow {}

#[derive(Serialize)]
struct Flat {
    before: u8,
    #[serde(flatten)]
    middle: BTreeMap<String, Value>,
    a_name_that_is_longer_than_most_names_are: Option<u8>,
}

#[test]
fn all_forms_of_rust_types_have_the_json_of_serde_json() {
    same(&[Forms::Unit, Forms::Newtype(1), Forms::Tuple(1, "\n"), Forms::Empty()]);
    same(&[Forms::Struct { a: 1, b: None }, Forms::Nothing {}]);
    same(&(Unit, Newtype(0.5), Pair('"', ()), Hollow {}, Some(()), None::<u8>));
    same(&(true, false, 'ä', '\u{1}', [0_u8; 0], Vec::<Value>::new(), BTreeMap::<String, u8>::new()));
    same(&Flat {
        before: 1,
        middle: [("m".into(), json!([1])), ("\"".into(), json!({}))].into(),
        a_name_that_is_longer_than_most_names_are: Some(1),
    });
    same(&Flat { before: 1, middle: BTreeMap::new(), a_name_that_is_longer_than_most_names_are: None });
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner, { "in": [] }]));
    same(&nested);
}

struct Bytes;

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(b"ab\0")
    }
}

/// Displays what it holds, in pieces.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Shown(&'static str);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.split_inclusive('-').try_for_each(|piece| f.write_str(piece))
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[test]
fn bytes_and_what_displays_are_written_as_serde_json_does() {
    same(&Bytes);
    same(&Shown("a-\"-\n"));
}

#[test]
fn scalars_are_keys() {
    same(&BTreeMap::from([(1_u8, 1), (2, 2)]));
    same(&BTreeMap::from([(i128::MIN, 1), (0, 2)]));
    same(&BTreeMap::from([(true, 1), (false, 2)]));
    same(&BTreeMap::from([('"', 1), ('a', 2)]));
    same(&BTreeMap::from([(Some("a\n"), 1)]));
    same(&BTreeMap::from([(Shown("a-\""), 1)]));
    same(&Keys(|| Forms::Unit));
    same(&Keys(|| 1.5_f64));
    same(&Keys(|| 1e16_f32));
    same(&Keys(|| Newtype(0.5)));
}

/// A map with one entry, for keys that no map would take.
struct Keys<F>(F);

impl<K: Serialize, F: Fn() -> K> Serialize for Keys<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([((self.0)(), 1), ((self.0)(), 2)])
    }
}

#[test]
fn other_keys_are_errors() {
    #[track_caller]
    fn refused<K: Serialize>(key: impl Fn() -> K) {
        let keys = Keys(key);
        assert!(serde_json::to_string(&keys).is_err());
        assert!(ours(&keys).is_err());
    }
    refused(|| [1]);
    refused(|| (1, 2));
    refused(|| ());
    refused(|| None::<u8>);
    refused(|| Unit);
    refused(|| Bytes);
    refused(|| Pair('a', ()));
    refused(|| Hollow {});
    refused(|| Forms::Newtype(1));
    refused(|| Forms::Tuple(1, "a"));
    refused(|| Forms::Struct { a: 1, b: None });
    refused(|| BTreeMap::from([("a", 1)]));
    refused(|| f64::NAN);
    refused(|| f32::INFINITY);
}

struct Refuses;

impl fmt::Display for Refuses {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[test]
fn a_value_that_refuses_is_an_error() {
    assert!(ours(&("begun", Refuses)).is_err());
    assert!(ours(&BTreeMap::from([("a", Refuses)])).is_err());
}

#[test]
fn a_number_with_its_digits_kept_is_written_as_a_number() {
    struct Digits(&'static str);

    impl Serialize for Digits {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut number = serializer.serialize_struct(super::DIGITS, 1)?;
            number.serialize_field(super::DIGITS, self.0)?;
            number.end()
        }
    }

    assert_eq!(ours(&[Digits("1.000"), Digits("12e400")]).unwrap(), "[1.000,12e400]");
}

#[test]
fn any_value_is_written_as_serde_json_writes_it() {
    let mut random = SmallRng::seed_from_u64(7);
    for _ in 0..3_000 {
        same(&value(&mut random, 5));
    }
}

/// Makes some value, at most so many levels deep.
fn value(random: &mut SmallRng, depth: usize) -> Value {
    let kind = random.next_u32() % if depth == 0 { 6 } else { 8 };
    let length = random.next_u32() as usize % 6;
    match kind {
        0 => Value::Null,
        1 => (length > 2).into(),
        2 => (random.next_u64() >> (random.next_u32() % 64)).into(),
        3 => (random.next_u64() as i64 >> (random.next_u32() % 64)).into(),
        4 => f64::from_bits(random.next_u64()).into(),
        5 => text(random).into(),
        6 => (0..length).map(|_| value(random, depth - 1)).collect(),
        _ => (0..length).map(|_| (text(random), value(random, depth - 1))).collect(),
    }
}

fn text(random: &mut SmallRng) -> String {
    let length = random.next_u32() as usize % 40;
    let rare = random.next_u32().is_multiple_of(2);
    let mut letter = || match random.next_u32() {
        number if rare || number.is_multiple_of(30) => char::from_u32(number % 0x3000).unwrap_or('"'),
        number => char::from(b'a' + (number % 26) as u8),
    };
    (0..length).map(|_| letter()).collect()
}
