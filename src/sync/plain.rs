//! What a value of any type is, if that is plain: a text, a number, a truth value or a character.
//!
//! Generic code may not ask for the type of what borrows: `TypeId` is for `'static` alone, and methods that differ by type
//! would have to know the type where they are called. Here it is asked for in the type's own instance of a function, where
//! lifetimes are gone, so an optimised build has the answer and nothing of the question.
//!
//! # Invariants
//! - **I1** Types with the same id differ at most in lifetimes.
//! - **I2** No [`Lasting`] type has a lifetime.

use std::any::TypeId;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::mem::{transmute, transmute_copy};
use std::sync::Arc;

/// A plain value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plain<'a> {
    Bool(bool),
    Char(char),
    Signed(i64),
    Text(&'a str),
    Unsigned(u64),
}

impl<'a> Plain<'a> {
    /// Tells what a value is. `None`: it is none of these, nor a reference to one.
    #[cfg_attr(debug_assertions, inline)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn of<T: ?Sized>(value: &'a T) -> Option<Self> {
        let id = id_of::<T>();
        macro_rules! first {
            ($($ty:ty),+) => {
                $(if let Some(seen) = see::<T, $ty>(id, value) {
                    return Some(seen.to_plain());
                })+
            };
        }
        first!(str, String, u64, i32, u32, usize, i64, u8, u16, i8, i16, isize, bool, char, Box<str>, Arc<str>);
        if id == TypeId::of::<&&str>() {
            // SAFETY: by I1 the type is that of references to references to texts, which live as long as the borrow at least.
            return Some(Self::Text(unsafe { transmute_copy::<&'a T, &'a &'a &'a str>(&value) }));
        }
        if id == TypeId::of::<Cow<'static, str>>() {
            // SAFETY: as above, with the text of a `Cow`, whose lifetime may be shortened too.
            return Some(Self::Text(unsafe { transmute_copy::<&'a T, &'a Cow<'a, str>>(&value) }));
        }
        None
    }
}

/// The value, if its type is the wanted one, or a reference to that.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
fn see<'a, T: ?Sized, U: Lasting + ?Sized>(id: TypeId, value: &'a T) -> Option<&'a U> {
    if id == TypeId::of::<U>() {
        // SAFETY: by I1 and I2, `T` is `U`.
        Some(unsafe { transmute_copy::<&'a T, &'a U>(&value) })
    } else if id == TypeId::of::<&'static U>() {
        // SAFETY: by I1 and I2, `T` is a reference to `U`, which lives as long as the borrow at least.
        Some(unsafe { transmute_copy::<&'a T, &'a &'a U>(&value) })
    } else {
        None
    }
}

/// The id of a type, without its lifetimes.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
fn id_of<T: ?Sized>() -> TypeId {
    trait Typed {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T: ?Sized> Typed for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let typed: &dyn Typed = &PhantomData::<T>;
    // SAFETY: `'static` is only asked for so that nobody takes types with one id for the same; nothing that is behind the
    // reference has a lifetime, or is there at all.
    unsafe { transmute::<&(dyn Typed + '_), &(dyn Typed + 'static)>(typed) }.id()
}

/// A plain type.
///
/// # Safety
/// It has no lifetime (I2).
unsafe trait Lasting: 'static {
    fn to_plain(&self) -> Plain<'_>;
}

macro_rules! lasting {
    ($($value:ident: $($ty:ty),+ => $plain:expr;)+) => {$($(
        // SAFETY: I2 can be seen.
        unsafe impl Lasting for $ty {
            #[allow(clippy::unnecessary_cast, reason = "one of the types is wide already")]
            #[inline]
            fn to_plain(&self) -> Plain<'_> {
                let $value = self;
                $plain
            }
        }
    )+)+};
}

lasting! {
    it: bool => Plain::Bool(*it);
    it: char => Plain::Char(*it);
    it: i8, i16, i32, i64, isize => Plain::Signed(*it as i64);
    it: u8, u16, u32, u64, usize => Plain::Unsigned(*it as u64);
    it: str, String, Box<str>, Arc<str> => Plain::Text(it);
}

#[cfg(all(test, not(vidette_loom)))]
mod tests {
    use std::fmt::Display;

    use super::*;

    #[test]
    fn plain_values_are_seen_as_what_they_are_through_references_too() {
        let (text, letter) = (String::from("text"), 'ß');
        let borrowed: &str = &text;
        assert_eq!(Plain::of(borrowed), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&borrowed), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&&borrowed), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&text), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&&text), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&Cow::Borrowed(borrowed)), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&Cow::<str>::Owned(text.clone())), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&Box::<str>::from(borrowed)), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&&Arc::<str>::from(borrowed)), Some(Plain::Text("text")));
        assert_eq!(Plain::of(&letter), Some(Plain::Char('ß')));
        assert_eq!(Plain::of(&&true), Some(Plain::Bool(true)));
        assert_eq!(Plain::of(&i8::MIN), Some(Plain::Signed(-128)));
        assert_eq!(Plain::of(&&isize::MAX), Some(Plain::Signed(isize::MAX as i64)));
        assert_eq!(Plain::of(&u64::MAX), Some(Plain::Unsigned(u64::MAX)));
        assert_eq!(Plain::of(&&7_u16), Some(Plain::Unsigned(7)));
    }

    #[test]
    fn others_are_not_whatever_they_look_like() {
        struct Own<'a>(&'a str);
        #[repr(transparent)]
        struct Number(u64);
        let text = String::from("text");
        assert_eq!(Plain::of(&Own(&text)), None);
        assert_eq!(Own(&text).0, "text");
        assert_eq!(Plain::of(&Number(1)).is_none(), Number(1).0 == 1);
        assert_eq!(Plain::of(&1.0), None);
        assert_eq!(Plain::of(&1_u128), None);
        assert_eq!(Plain::of(&[1_u8]), None);
        assert_eq!(Plain::of(&Some(1)), None);
        assert_eq!(Plain::of::<dyn Display>(&1), None);
        assert_eq!(Plain::of::<dyn Display + '_>(&text.as_str()), None);
        assert_eq!(Plain::of::<[&str]>(&[&text]), None);
    }
}
