//! What the name of a function says about where it belongs.

/// The path a function belongs to, without generic arguments and closures.
///
/// For a method of a trait that is the path of the type it is implemented for, or that of the trait where the type has
/// no path (`T`, `[u8]`).
pub(super) fn owner(function: &str) -> &str {
    let function = function.strip_prefix("_<").unwrap_or(function);
    let is_qualified = function.starts_with('<');
    let function = function.trim_start_matches('<');
    if !is_qualified {
        return path(function);
    }
    let implementor = match function.strip_prefix("impl ") {
        Some(implementation) => {
            implementation.split_once(" for ").map_or(implementation, |(_, implementor)| implementor)
        }
        None => function,
    };
    let owner = path(without_sigils(implementor));
    if owner.contains("::") {
        return owner;
    }
    match function.split_once(" as ") {
        Some((_, implemented)) => path(implemented),
        None => owner,
    }
}

/// The module a function is in: its owner, without the function's own name.
pub(super) fn module(function: &str) -> Option<&str> {
    let owner = owner(function);
    let names_the_function = function.strip_prefix(owner).is_some_and(|rest| !rest.starts_with("::<impl "));
    if names_the_function {
        return owner.rsplit_once("::").map(|(module, _)| module);
    }
    Some(owner).filter(|owner| owner.contains("::"))
}

/// The crate a path starts in.
pub(super) fn krate(path: &str) -> Option<&str> {
    path.split_once("::").map(|(krate, _)| krate)
}

/// Whether `path` is `prefix` or lies under it. The prefix may end in `::`.
pub(super) fn lies_in(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix("::").unwrap_or(prefix);
    !prefix.is_empty() && path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The identifiers at the start of `text`, as far as they are joined by `::`.
fn path(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | ':' | '.' | '$')).unwrap_or(text.len());
    text[..end].trim_end_matches(':')
}

/// Strips what stands before the path of a type: references, pointers, `dyn`, tuples, slices.
fn without_sigils(mut ty: &str) -> &str {
    loop {
        let stripped =
            ["&", "*const ", "*mut ", "mut ", "dyn ", "(", "["].iter().find_map(|sigil| ty.strip_prefix(sigil));
        match stripped {
            Some(rest) => ty = rest,
            None => return ty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_belong_to_paths_and_modules() {
        for (function, expected_owner, expected_module) in [
            ("app::main", "app::main", Some("app")),
            ("app::db::open::{{closure}}", "app::db::open", Some("app::db")),
            ("app::db::open::{closure#0}::{closure#1}", "app::db::open", Some("app::db")),
            ("app::db::open<app::db::File>", "app::db::open", Some("app::db")),
            ("app::db::open::<app::db::File>::{closure#0}", "app::db::open", Some("app::db")),
            ("<app::Foo as core::fmt::Debug>::fmt", "app::Foo", Some("app::Foo")),
            ("<&mut app::Foo as core::fmt::Debug>::fmt", "app::Foo", Some("app::Foo")),
            ("<(app::Foo, u8) as app::Bar>::bar", "app::Foo", Some("app::Foo")),
            ("<[app::Foo] as app::Bar>::bar", "app::Foo", Some("app::Foo")),
            ("<dyn app::Bar>::bar", "app::Bar", Some("app::Bar")),
            ("<app::Foo<T>>::new", "app::Foo", Some("app::Foo")),
            ("_<app::Foo as app::Bar>::bar", "app::Foo", Some("app::Foo")),
            ("<impl app::Bar for app::Foo>::bar", "app::Foo", Some("app::Foo")),
            ("app::db::<impl core::fmt::Debug for app::Foo>::fmt", "app::db", Some("app::db")),
            (
                "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
                "alloc::boxed::Box",
                Some("alloc::boxed::Box"),
            ),
            ("<T as core::convert::Into<U>>::into", "core::convert::Into", Some("core::convert::Into")),
            ("<[u8] as app::Bar>::bar", "app::Bar", Some("app::Bar")),
            ("<<app::Foo as app::Bar>::Out as app::Baz>::baz", "app::Foo", Some("app::Foo")),
            ("__libc_start_main", "__libc_start_main", None),
            ("std::sys::pal::unix::thread_start", "std::sys::pal::unix::thread_start", Some("std::sys::pal::unix")),
            ("", "", None),
            ("<", "", None),
            ("::", "", None),
            ("<impl >", "", None),
            ("éé::ü", "éé::ü", Some("éé")),
        ] {
            assert_eq!(owner(function), expected_owner, "owner of {function:?}");
            assert_eq!(module(function), expected_module, "module of {function:?}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        assert!(lies_in("app::db::open", "app"));
        assert!(lies_in("app::db::open", "app::"));
        assert!(lies_in("app::db::open", "app::db"));
        assert!(lies_in("app", "app"));
        assert!(!lies_in("apple::db", "app"));
        assert!(!lies_in("app", "app::db"));
        assert!(!lies_in("app::db", ""));
        assert!(!lies_in("app::db", "::"));
    }

    #[test]
    fn only_paths_have_a_crate() {
        assert_eq!(krate("app::db::open"), Some("app"));
        assert_eq!(krate("main"), None);
    }
}
