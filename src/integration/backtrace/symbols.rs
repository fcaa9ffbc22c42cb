//! What stands at an address: names and lines, remembered for the process.
//!
//! Resolving an address searches the debug information: some microseconds, after the executable's has been read.
//! A service fails at few places, so the answers are kept.
//!
//! # Guarantees
//! At most [`CAPACITY`] addresses are remembered. The lock guards two maps of plain data: nothing is resolved,
//! formatted or freed under it.
//!
//! # Not here
//! A library that is unloaded, and another one loaded at its addresses, may be shown with the names of the first.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{name, source};
use crate::protocol::{Addr, Frame};

/// A function at an address; several are at one when some were inlined.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Symbol {
    pub(super) function: Option<Box<str>>,
    file: Option<Box<str>>,
    line: Option<u32>,
    column: Option<u32>,
}

/// The functions at one address, the innermost first.
pub(super) type Symbols = Arc<[Arc<Symbol>]>;

/// Resolves return addresses, as a stack trace has them, in their order.
pub(super) fn resolve(addresses: &[usize]) -> Vec<Symbols> {
    let mut found = locked(&CACHE).get(addresses);
    let mut fresh = BTreeMap::new();
    let resolved = addresses.iter().zip(&mut found).map(|(&address, known)| {
        known.take().unwrap_or_else(|| fresh.entry(address).or_insert_with(|| look_up(address)).clone())
    });
    let resolved = resolved.collect();
    if !fresh.is_empty() {
        let outdated = locked(&CACHE).put(fresh);
        drop(outdated);
    }
    resolved
}

/// Describes a frame at `address` in the protocol's terms.
pub(super) fn frame(address: usize, symbol: &Symbol) -> Frame {
    let function = symbol.function.as_deref();
    let owner = function.map(name::owner);
    Frame {
        abs_path: symbol.file.as_deref().map(str::to_owned),
        colno: symbol.column.map(u64::from),
        filename: symbol.file.as_deref().map(|path| basename(path).to_owned()),
        function: function.map(str::to_owned),
        instruction_addr: Some(Addr(address as u64)),
        lineno: symbol.line.map(u64::from),
        module: function.and_then(name::module).map(str::to_owned),
        package: owner.and_then(name::krate).map(str::to_owned),
        ..Default::default()
    }
}

fn look_up(address: usize) -> Symbols {
    let mut symbols = Vec::new();
    // The callback runs under the resolver's own lock, so it only takes down what is there.
    ::backtrace::resolve(ptr::without_provenance_mut::<c_void>(address), |found| {
        symbols.push(Symbol {
            // The alternate form leaves out hashes.
            function: found.name().map(|name| format!("{name:#}").into()),
            file: found.filename().map(|path| path.to_string_lossy().into()),
            line: found.lineno(),
            column: found.colno(),
        });
    });
    let symbols = symbols.into_iter().map(|symbol| {
        let file = symbol.file.as_deref();
        Arc::new(Symbol { function: symbol.function.map(|name| qualified(name.into(), file)), ..symbol })
    });
    symbols.collect()
}

/// Puts the module before a function's name, where the debug information leaves it out and the file tells it.
fn qualified(name: String, file: Option<&str>) -> Box<str> {
    if !name::owner(&name).contains("::")
        && let Some(module) = file.and_then(source::module)
    {
        return bounded(format!("{module}::{name}"));
    }
    bounded(name)
}

/// Cuts the names that nested generic types grow to.
fn bounded(mut name: String) -> Box<str> {
    if name.len() > MAX_NAME {
        let mut end = MAX_NAME;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name.push('…');
    }
    name.into_boxed_str()
}

fn basename(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Two generations: when the young one is full it becomes the old one, and what was old is forgotten.
struct Cache {
    old: BTreeMap<usize, Symbols>,
    young: BTreeMap<usize, Symbols>,
}

impl Cache {
    const fn new() -> Self {
        Self { old: BTreeMap::new(), young: BTreeMap::new() }
    }

    fn get(&self, addresses: &[usize]) -> Vec<Option<Symbols>> {
        let one = |address| self.young.get(address).or_else(|| self.old.get(address)).cloned();
        addresses.iter().map(one).collect()
    }

    /// Remembers `fresh`, and gives back what is forgotten for it.
    fn put(&mut self, mut fresh: BTreeMap<usize, Symbols>) -> BTreeMap<usize, Symbols> {
        if self.young.len() + fresh.len() <= CAPACITY / 2 {
            self.young.append(&mut fresh);
            return fresh;
        }
        mem::replace(&mut self.old, mem::replace(&mut self.young, fresh))
    }
}

/// Locks, whatever happened to others who did: the maps are whole between any two calls.
fn locked(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

static CACHE: Mutex<Cache> = Mutex::new(Cache::new());
/// Addresses remembered, in both generations together. One stack trace is shorter than one generation.
const CAPACITY: usize = 4096;
/// Bytes of a function's name.
const MAX_NAME: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(addresses: std::ops::Range<usize>) -> BTreeMap<usize, Symbols> {
        addresses.map(|address| (address, Symbols::default())).collect()
    }

    #[test]
    fn the_cache_is_bounded_and_forgets_the_oldest() {
        let mut cache = Cache::new();
        for start in (0..100_000).step_by(100) {
            cache.put(nothing(start..start + 100));
            assert!(cache.young.len() + cache.old.len() <= CAPACITY);
        }
        assert_eq!(cache.get(&[0]), [None]);
        assert!(cache.get(&[99_999])[0].is_some());
        assert!(cache.old.len() > CAPACITY / 4);
    }

    #[test]
    fn what_is_forgotten_is_given_back_to_be_freed_outside_the_lock() {
        let mut cache = Cache::new();
        assert!(cache.put(nothing(0..CAPACITY / 2)).is_empty());
        assert!(cache.put(nothing(5000..5001)).is_empty());
        let outdated = cache.put(nothing(6000..6000 + CAPACITY / 2));
        assert_eq!(outdated.len(), CAPACITY / 2);
        assert!(cache.get(&[5000])[0].is_some());
    }

    #[test]
    fn the_same_address_gives_the_same_symbols_without_looking_again() {
        let address = the_same_address_gives_the_same_symbols_without_looking_again as fn() as usize + 1;
        let [first, second] = &resolve(&[address, address])[..] else {
            panic!("two addresses give two answers");
        };
        assert!(Arc::ptr_eq(first, second));
        assert!(Arc::ptr_eq(first, &resolve(&[address])[0]));
        let function = first[0].function.as_deref().unwrap();
        assert!(function.ends_with("the_same_address_gives_the_same_symbols_without_looking_again"), "{function}");
    }

    #[test]
    fn an_address_outside_all_code_has_no_symbols() {
        assert!(resolve(&[1])[0].is_empty());
        assert!(resolve(&[]).is_empty());
    }

    #[test]
    fn a_frame_says_where_it_is_in_every_form() {
        let symbol = Symbol {
            function: Some("app::db::open::{{closure}}".into()),
            file: Some("/build/app/src/db.rs".into()),
            line: Some(7),
            column: Some(12),
        };
        let frame = frame(0x1234, &symbol);
        assert_eq!(frame.function.as_deref(), Some("app::db::open::{{closure}}"));
        assert_eq!(frame.module.as_deref(), Some("app::db"));
        assert_eq!(frame.package.as_deref(), Some("app"));
        assert_eq!(frame.filename.as_deref(), Some("db.rs"));
        assert_eq!(frame.abs_path.as_deref(), Some("/build/app/src/db.rs"));
        assert_eq!((frame.lineno, frame.colno), (Some(7), Some(12)));
        assert_eq!(frame.instruction_addr, Some(Addr(0x1234)));
        assert_eq!(frame.in_app, None);
    }

    #[test]
    fn a_frame_without_symbols_still_has_its_address() {
        let frame = frame(0x1234, &Symbol::default());
        let bare = Frame { instruction_addr: Some(Addr(0x1234)), ..Default::default() };
        assert_eq!(frame, bare);
    }

    #[test]
    fn a_name_without_a_module_gets_that_of_its_file() {
        let option = Some("/rustc/59807616/library/core/src/option.rs");
        for (name, file, expected) in [
            ("map<u8, app::Foo>", option, "core::option::map<u8, app::Foo>"),
            ("{closure#0}", option, "core::option::{closure#0}"),
            ("app::main", option, "app::main"),
            ("<T as app::Run>::run", option, "<T as app::Run>::run"),
            ("main", Some("/build/app/src/main.rs"), "main"),
            ("main", None, "main"),
        ] {
            assert_eq!(&*qualified(name.into(), file), expected);
        }
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        assert_eq!(&*bounded("short".into()), "short");
        let cut = bounded("é".repeat(1000) + "x");
        assert_eq!(&*cut, &*("é".repeat(256) + "…"));
        assert_eq!(bounded("x".to_owned() + &"é".repeat(1000)).len(), 511 + '…'.len_utf8());
    }

    #[test]
    fn files_are_named_after_the_last_separator() {
        assert_eq!(basename("/a/b.rs"), "b.rs");
        assert_eq!(basename(r"C:\a\b.rs"), "b.rs");
        assert_eq!(basename("b.rs"), "b.rs");
        assert_eq!(basename(""), "");
    }
}
