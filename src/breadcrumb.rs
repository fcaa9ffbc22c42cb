//! `breadcrumb!`: the way in that allocates nothing.

/// Adds a breadcrumb to the current hub without allocating.
///
/// First come the parts of the header, each optional, then fields, then a message as for `format!`:
///
/// ```
/// use vidette::{Level, breadcrumb};
///
/// let (path, url) = ("/cart", "http://shop.invalid/cart");
/// breadcrumb!(ty: "http", category: "http.client", level: Level::Info, status_code = 200, url = url, "GET {}", path);
/// breadcrumb!(category: "cache", hit = true);
/// breadcrumb!("plain words");
/// ```
///
/// - `ty` (default `"default"`) and `category` are constants; `level` (default [`Level::Info`](crate::Level::Info)) is any
///   expression.
/// - Fields take integers, floats, `bool`, `char` and text, and options of them ([`Field`](crate::Field)). They are stored as
///   they are, and become the breadcrumb's `data` if an event is sent.
/// - The message is written to a buffer on the stack. Texts, integers up to 64 bits, `bool` and `char` need no formatter there.
///
/// # Cost
/// If no client is bound to the current hub, nothing is evaluated: a relaxed load and a branch while no client is open in
/// the whole process. Otherwise nothing is allocated as long as fields and message fit 136 bytes together; a longer
/// breadcrumb moves to the heap whole, and is never cut. With
/// [`before_breadcrumb`](crate::ClientOptions::before_breadcrumb) set, a [`Breadcrumb`](crate::Breadcrumb) is built each
/// time.
///
/// # Panics
/// Only if one of its arguments does; nothing is held then.
#[macro_export]
macro_rules! breadcrumb {
    ($($part:tt)+) => {
        $crate::__breadcrumb!({ty: "default", category: ::core::option::Option::None, level: $crate::Level::Info} $($part)+)
    };
}

/// The header of a `breadcrumb!`, one part at a time.
#[doc(hidden)]
#[macro_export]
macro_rules! __breadcrumb {
    ({ty: $_ty:expr, category: $category:expr, level: $level:expr} ty: $ty:expr $(, $($rest:tt)*)?) => {
        $crate::__breadcrumb!({ty: $ty, category: $category, level: $level} $($($rest)*)?)
    };
    ({ty: $ty:expr, category: $_category:expr, level: $level:expr} category: $category:expr $(, $($rest:tt)*)?) => {
        $crate::__breadcrumb!({ty: $ty, category: ::core::option::Option::Some($category), level: $level} $($($rest)*)?)
    };
    ({ty: $ty:expr, category: $category:expr, level: $_level:expr} level: $level:expr $(, $($rest:tt)*)?) => {
        $crate::__breadcrumb!({ty: $ty, category: $category, level: $level} $($($rest)*)?)
    };
    ({$($header:tt)*} $($rest:tt)*) => {
        $crate::__breadcrumb_fields!({$($header)*} [] $($rest)*)
    };
}

/// The fields of a `breadcrumb!`, one at a time, and then its message.
#[doc(hidden)]
#[macro_export]
macro_rules! __breadcrumb_fields {
    ({$($header:tt)*} [$($fields:tt)*] $key:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__breadcrumb_fields!({$($header)*} [$($fields)* {$key = $value}] $($($rest)*)?)
    };
    ({ty: $ty:expr, category: $category:expr, level: $level:expr} [$({$key:ident = $value:expr})*] $($message:tt)*) => {{
        static SITE: $crate::__private::CallSite = $crate::__private::CallSite {
            ty: $ty,
            category: $category,
            keys: &[$(::core::stringify!($key)),*],
        };
        $crate::__private::record(
            &SITE,
            || $level,
            |_recorder| {
                $(_recorder.field(&$value);)*
                $crate::__breadcrumb_message!(_recorder $($message)*);
            },
        );
    }};
}

/// The message of a `breadcrumb!`, if it has one.
#[doc(hidden)]
#[macro_export]
macro_rules! __breadcrumb_message {
    ($recorder:ident) => {};
    ($recorder:ident $format:literal $(, $($arguments:tt)*)?) => {
        $crate::__arguments!(__breadcrumb_format {$recorder $format} [] $($($arguments)*)?)
    };
    ($recorder:ident $($message:tt)+) => {
        $recorder.message().format(::core::format_args!($($message)+))
    };
}

/// The message of a `breadcrumb!` whose format string is a literal.
///
/// What is wrong with a message does not compile, whoever takes the format string apart:
///
/// ```
/// let n = 1;
/// vidette::breadcrumb!("{} {n} {x}", 2, x = 3);
/// ```
/// ```compile_fail
/// let n = 1;
/// vidette::breadcrumb!("{} {n} {x} {}", x = 3); // one is missing
/// ```
/// ```compile_fail
/// let n = 1;
/// vidette::breadcrumb!("{} {n} {x}", 2, 4, x = 3); // one is left over
/// ```
/// ```compile_fail
/// let n = 1;
/// vidette::breadcrumb!("{} {n} {x}", 2, x = 3, x = 4); // two have one name
/// ```
/// ```compile_fail
/// let n = 1;
/// vidette::breadcrumb!("{} {n} {x}", x = 3, 2); // a place behind a name
/// ```
/// ```compile_fail
/// let n = ();
/// vidette::breadcrumb!("{} {n} {x}", 2, x = 3); // one that cannot be written
/// ```
/// ```compile_fail
/// vidette::breadcrumb!("{} {n} {x}", 2, x = 3); // one that is not there
/// ```
/// ```compile_fail
/// let n = 1;
/// vidette::breadcrumb!("{} {n} {x", 2, x = 3); // a brace that stays open
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __breadcrumb_format {
    ({$recorder:ident $format:literal} $({[$($name:ident)?] $argument:ident {$value:expr}})*) => {
        // Evaluates all, in order, before anything is written.
        match ($(&$value,)*) {
            ($($argument,)*) => {
                $crate::__private::write_message!($recorder $format $({[$($name)?] $argument {$value}})*);
            }
        }
    };
}
