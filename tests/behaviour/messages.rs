//! The messages of macros: byte for byte what `format!` makes, whichever way they are written.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Debug, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use vidette::breadcrumb;

use crate::rig::Rig;

/// The messages of the breadcrumbs that `body` leaves.
fn messages(body: impl FnOnce()) -> Vec<String> {
    let rig = Rig::new();
    rig.run(body);
    rig.event().breadcrumbs.values.into_iter().map(|crumb| crumb.message.unwrap()).collect()
}

/// Leaves each message as a breadcrumb, and compares it with what `format!` makes.
macro_rules! assert_alike {
    ($(($($message:tt)+))+) => {{
        let mut expected = Vec::new();
        let left = messages(|| {
            $(
                breadcrumb!($($message)+);
                expected.push(format!($($message)+));
            )+
        });
        assert_eq!(left, expected);
    }};
}

#[test]
fn format_strings_mean_what_they_mean_to_format() {
    let (n, text, r#type, width, _under, müll) = (7, "text", "keyword", 9, '_', "ß");
    assert_alike! {
        ("")
        ("plain")
        ("plain",)
        ("{{}} {{{n}}} }}{{ {{n}}")
        ("{n}{n}{text}{n}")
        ("{} {} {}", 1, "two", 3.0)
        ("{}{0}{}{1}", text, n)
        ("{1} {0}", 1, "two")
        ("{2}{1}{0}", 'a', true, n)
        ("{:}{n:}{0:}", n)
        ("{x} {} {y} {x} {n}", 0, x = 1 + 1, y = text)
        ("{text}", text = "an argument wins")
        ("{type}{r}", r = r#type)
        ("{_under}{müll}")
        ("{n:>5}|{n:<5}|{n:^5}|{n:05}|{n:+}|{n:#x}|{n:#b}|{text:-^12}|{text:.2}")
        ("{n:?} {text} {text:?} {:.1} {n} {:e}", 1.25, 1e9)
        ("{text:?}{text:#?}")
        ("{n:width$} {n:>1$} {text:.*} {n}", 3, 5)
        ("{text:ä>6} {n}")
        ("{0:.1} {named} {0}", 2.25, named = 'n')
        ("{0:p}{n}", std::ptr::null::<u8>())
        ("a\tb\n\"c\" \\ \' \0{n}")
        ("\u{e4}{n}\x41 \x7bn\x7d")
        ("a \
            continued {n} \
            line")
        ("over
            lines {n}")
        (r"raw \n {n}")
        (r#"raw "{n}" {{"#)
        (r###"raw "##{n}"##"###)
        ("äöü{n}ß{text}€")
        ("{}", "a, b")
        ("{}{}", Vec::<(u8, u16)>::new().len(), n < 8 && 1 > 0)
        ("{}", if n == 7 { "seven" } else { "other" })
        ("{}", n == 7)
        ("{} {}", { let x = 2; x * x }, <u8 as From<bool>>::from(true))
        (concat!("a", "b"))
        (concat!("a {} ", "{}"), n, text)
    }
}

#[test]
fn values_of_every_type_are_written_as_format_writes_them() {
    struct Generic<T>(T);
    impl<T: Display> Display for Generic<T> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            write!(f, "<{}>", self.0)
        }
    }
    fn generic<T: Display + Debug + ?Sized>(value: &T, left: &mut Vec<String>) {
        breadcrumb!("{value} {value:?} {}", value);
        left.push(format!("{value} {value:?} {value}"));
    }
    let owned = String::from("owned");
    let (boxed, shared, counted): (Box<str>, Arc<str>, Rc<str>) = ("box".into(), "arc".into(), "rc".into());
    let (cow, cell): (Cow<'_, str>, RefCell<&str>) = (Cow::Borrowed(&owned), RefCell::new("cell"));
    let (dynamic, address): (&dyn Display, IpAddr) = (&1.5, Ipv4Addr::LOCALHOST.into());
    assert_alike! {
        ("{} {} {} {} {}", i8::MIN, i16::MIN, i32::MIN, i64::MIN, isize::MIN)
        ("{} {} {} {} {}", i8::MAX, i16::MAX, i32::MAX, i64::MAX, isize::MAX)
        ("{} {} {} {} {}", u8::MAX, u16::MAX, u32::MAX, u64::MAX, usize::MAX)
        ("{} {} {}", u128::MAX, i128::MIN, NonZeroU8::MAX)
        ("{} {} {} {} {} {}", 0, -0, -1, 9, 10, -100)
        ("{} {} {}", 99_999_999, 100_000_000, 10_000_000_000_000_000_u64)
        ("{} {} {} {}", 1.0, -0.0, f32::MAX, f64::NAN)
        ("{} {} {}", true, false, &false)
        ("{} {} {} {}", 'a', 'ß', '€', '😀')
        ("{} {} {} {}", "a", &"b", &&"c", &&&"d")
        ("{owned} {} {} {}", &owned, &&owned, &&&owned)
        ("{boxed} {shared} {counted} {cow} {} {} {}", &boxed, &shared, &cow)
        ("{} {}", &owned[1..3], owned[1..3].to_owned() + "x")
        ("{} {}", &&7_u8, &&&7_u8)
        ("{dynamic} {address} {}", cell.borrow())
        ("{} {}", Generic(1), Generic(Generic("two")))
        ("{}", format_args!("{owned} {}", 1))
        ("{}", "no such number".parse::<u8>().unwrap_err())
    }
    let mut expected = Vec::new();
    let left = messages(|| {
        generic(&-1, &mut expected);
        generic(&owned, &mut expected);
        generic("text", &mut expected);
        generic(&cow, &mut expected);
        generic(&cow.as_ref(), &mut expected);
        generic::<dyn Both>(&2.5, &mut expected);
    });
    assert_eq!(left, expected);
}

trait Both: Debug + Display {}
impl Both for f64 {}

#[test]
fn numbers_of_each_length_are_whole_wherever_they_stand() {
    for before in (0..150).step_by(3) {
        let filling = "x".repeat(before);
        for number in [0, 12, 12_345_678, 123_456_789, u64::MAX] {
            let left = messages(|| breadcrumb!("{filling}{number}/{}.", -1_i8));
            assert_eq!(left, [format!("{filling}{number}/-1.")]);
        }
    }
}

#[test]
fn names_are_those_where_the_format_string_stands() {
    macro_rules! through {
        ($format:literal $(, $value:expr)*) => {{
            let n = "the macro's own";
            breadcrumb!($format $(, $value)*);
            breadcrumb!("{n}");
        }};
    }
    macro_rules! doubled {
        ($value:expr) => {
            breadcrumb!("{} {x}", $value * 2, x = $value * 3)
        };
    }
    let n = 1;
    let left = messages(|| {
        through!("{n} {}", n + 1);
        through!(r#"{n:?}"#);
        doubled!(n + 2);
    });
    assert_eq!(left, ["1 2", "the macro's own", "1", "the macro's own", "6 9"]);
}

#[test]
fn what_the_compiler_has_yet_to_find_out_it_still_may() {
    let left = messages(|| {
        let address = Ipv4Addr::LOCALHOST.into();
        breadcrumb!("from {address}");
        let _: IpAddr = address;

        let mut list = Vec::new();
        if let Some(last) = list.last() {
            breadcrumb!("{last}");
        }
        list.push(1_u8);

        let total = [1, 2].into_iter().sum();
        breadcrumb!("{total}");
        let _: u64 = total;
    });
    assert_eq!(left, ["from 127.0.0.1", "3"]);
}

#[test]
fn methods_of_users_are_not_taken_for_ours() {
    #[allow(dead_code, reason = "that is what is tested")]
    trait Everywhere: Sized {
        fn message(&mut self) -> Self {
            unreachable!("the user's")
        }
        fn text(self, _: &str) -> Self {
            unreachable!("the user's")
        }
        fn value<T>(self, _: &T) -> Self {
            unreachable!("the user's")
        }
    }
    impl<T> Everywhere for T {}
    #[derive(Debug)]
    struct Own;
    impl Own {
        fn text(&self) -> &str {
            "its own"
        }
    }
    impl Display for Own {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str(self.text())
        }
    }
    assert_eq!(messages(|| breadcrumb!("{} is {Own:?}'s", Own)), ["its own is Own's"]);
}

/// No warning, and nothing that the prelude would have to bring.
#[deny(warnings, clippy::nursery, clippy::pedantic)]
#[forbid(unsafe_code)]
mod strict {
    #![no_implicit_prelude]

    pub(super) fn leave(text: &str, number: u32) {
        ::vidette::breadcrumb!("plain");
        ::vidette::breadcrumb!("{text} {} {number:?} {{", number);
        ::vidette::breadcrumb!(category: "c", number = number, "{text:>5} {x}", x = number);
    }
}

#[test]
fn strict_users_are_not_disturbed() {
    assert_eq!(messages(|| strict::leave("a", 1)), ["plain", "a 1 1 {", "    a 1"]);
}

#[test]
fn a_display_that_fails_ends_the_message_as_it_is() {
    struct Failing;
    impl Display for Failing {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }
    let left = messages(|| {
        breadcrumb!("a {} b {}", Failing, 1);
        breadcrumb!("{:5} b {:?}", Failing, 1);
        breadcrumb!("{0} {Failing:?} {Failing}", 1, Failing = 2);
        breadcrumb!("{} {:>2} {}", 1, Failing, 2);
    });
    assert_eq!(left, ["a half", "half", "1 2 2", "1 half"]);
}

#[test]
fn a_display_that_panics_leaves_no_breadcrumb_and_the_next_one_is_whole() {
    struct Panicking;
    impl Display for Panicking {
        fn fmt(&self, _: &mut Formatter<'_>) -> fmt::Result {
            panic!("a display")
        }
    }
    let left = messages(|| {
        assert!(catch_unwind(AssertUnwindSafe(|| breadcrumb!("{} {Panicking}", 1))).is_err());
        breadcrumb!("{} after", 2);
    });
    assert_eq!(left, ["2 after"]);
}

#[test]
fn a_display_may_leave_a_breadcrumb_of_its_own() {
    struct Leaving;
    impl Display for Leaving {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            breadcrumb!("inner {}", 1);
            f.write_str("outer")
        }
    }
    assert_eq!(messages(|| breadcrumb!("{} {Leaving} {}", 1, 2)), ["inner 1", "1 outer 2"]);
}

#[test]
fn all_arguments_are_evaluated_before_any_is_written() {
    struct Shown<'a>(&'a Cell<u32>);
    impl Display for Shown<'_> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            Display::fmt(&self.0.get(), f)
        }
    }
    let count = Cell::new(0);
    let shown = Shown(&count);
    let next = || count.replace(count.get() + 1);
    let left = messages(|| breadcrumb!("{shown} {} {} {shown} {x}", next(), next(), x = next()));
    assert_eq!(left, ["3 0 1 3 2"]);
}
