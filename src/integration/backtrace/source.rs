//! What the path of a source file says about where its functions belong.
//!
//! Debug information that holds line tables only (what release builds usually have) names functions without their
//! module. The path of the file makes up for it where its folders have a fixed form: in the toolchain, in the crates
//! that cargo downloaded, and in this crate.

use std::ffi::c_void;
use std::sync::OnceLock;

use super::capture::current_stacktrace;

/// The module that a source file holds, where the file's path tells.
pub(super) fn module(file: &str) -> Option<String> {
    let file = file.replace('\\', "/");
    if let Some(own) = own_root().and_then(|root| file.strip_prefix(root)) {
        return Some(joined("vidette", own));
    }
    let (folder, rest) = in_toolchain(&file).or_else(|| in_registry(&file))?.split_once("/src/")?;
    Some(joined(&without_version(folder).replace('-', "_"), rest))
}

/// Whether a source file came with the compiler.
pub(super) fn is_of_the_toolchain(file: &str) -> bool {
    in_toolchain(file).is_some() || file.starts_with("/rustc/") || file.starts_with("/rust/deps/")
}

/// Whether cargo downloaded a source file.
pub(super) fn is_downloaded(file: &str) -> bool {
    DOWNLOADS.iter().any(|folder| file.contains(folder))
}

/// What follows the folder of the standard library's crates.
fn in_toolchain(file: &str) -> Option<&str> {
    if let Some((_, rest)) = file.split_once("/rustlib/src/rust/library/") {
        return Some(rest);
    }
    let (_hash, rest) = file.strip_prefix("/rustc/")?.split_once('/')?;
    rest.strip_prefix("library/")
}

/// What follows the folder of a registry's crates.
fn in_registry(file: &str) -> Option<&str> {
    let (_, registry) = file.split_once("/registry/src/")?;
    registry.split_once('/').map(|(_name, rest)| rest)
}

/// Strips the version from the name of a folder in a registry: `serde_json-1.0.140`.
fn without_version(folder: &str) -> &str {
    let is_version = |text: &str| {
        text.split_once('.').is_some_and(|(major, _)| !major.is_empty() && major.bytes().all(|it| it.is_ascii_digit()))
    };
    let mut dashes = folder.match_indices('-').map(|(at, _)| at);
    dashes.find(|at| is_version(&folder[at + 1..])).map_or(folder, |at| &folder[..at])
}

/// The module of `file`, a path below the folder `src` of `krate`.
fn joined(krate: &str, file: &str) -> String {
    let mut module = krate.to_owned();
    let file = file.strip_suffix(".rs").unwrap_or(file);
    for segment in file.split('/') {
        if !matches!(segment, "" | "." | ".." | "lib" | "main" | "mod") {
            module.push_str("::");
            module.push_str(segment);
        }
    }
    module
}

/// The folder of this crate's sources, as the debug information has it.
///
/// Resolves a symbol the first time, so it must not be called while one is being resolved.
fn own_root() -> Option<&'static str> {
    static ROOT: OnceLock<Option<String>> = OnceLock::new();
    ROOT.get_or_init(|| {
        let mut root = None;
        let own = current_stacktrace as fn() -> _ as *mut c_void;
        ::backtrace::resolve(own.wrapping_byte_add(1), |found| {
            let file = found.filename().map(|path| path.to_string_lossy().replace('\\', "/"));
            if let Some(folder) = file.as_deref().and_then(|it| it.strip_suffix(OWN_FILE)) {
                root = Some(folder.to_owned());
            }
        });
        root
    })
    .as_deref()
}

/// Where [`current_stacktrace`] is, below the folder of this crate's sources.
const OWN_FILE: &str = "integration/backtrace/capture.rs";

/// Folders in which cargo unpacks crates.
const DOWNLOADS: &[&str] = &["/registry/src/", "/git/checkouts/", r"\registry\src\", r"\git\checkouts\"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_known_folders_name_their_modules() {
        for (file, expected) in [
            ("/rustc/59807616/library/core/src/option.rs", Some("core::option")),
            ("/rustc/59807616/library/core/src/slice/mod.rs", Some("core::slice")),
            ("/rustc/59807616/library/std/src/../../backtrace/src/lib.rs", Some("std::backtrace::src")),
            (
                "/home/me/.rustup/toolchains/stable/lib/rustlib/src/rust/library/alloc/src/boxed.rs",
                Some("alloc::boxed"),
            ),
            ("/home/me/.cargo/registry/src/index-1949/serde_json-1.0.140/src/de.rs", Some("serde_json::de")),
            ("/home/me/.cargo/registry/src/index-1949/tracing-core-0.1.33-rc.1/src/lib.rs", Some("tracing_core")),
            ("/home/me/.cargo/registry/src/index-1949/x-9-lives-1.0.0/src/lib.rs", Some("x_9_lives")),
            (r"C:\Users\me\.cargo\registry\src\index-1949\serde-1.0.0\src\de\mod.rs", Some("serde::de")),
            ("/build/app/src/db/mod.rs", None),
            ("src/main.rs", None),
            ("/home/me/.cargo/git/checkouts/repo-1949/abcdef/src/lib.rs", None),
            ("/home/me/.cargo/registry/src/index-1949/odd/build.rs", None),
            ("/rustc/59807616/compiler/rustc_span/src/lib.rs", None),
            ("", None),
        ] {
            assert_eq!(module(file).as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn this_file_is_known_as_ours() {
        let root = own_root().unwrap();
        assert!(root.ends_with("/src/"), "{root}");
        let here = format!("{root}integration/backtrace/source.rs");
        assert_eq!(module(&here).as_deref(), Some("vidette::integration::backtrace::source"));
    }

    #[test]
    fn the_toolchain_and_downloads_are_told_from_local_files() {
        for file in ["/rustc/59807616/library/core/src/option.rs", "/rust/deps/hashbrown-0.15.2/src/raw.rs"] {
            assert!(is_of_the_toolchain(file), "{file}");
        }
        for file in ["/home/me/.cargo/registry/src/i/a-1.0.0/src/lib.rs", r"C:\.cargo\git\checkouts\a\src\lib.rs"] {
            assert!(is_downloaded(file) && !is_of_the_toolchain(file), "{file}");
        }
        assert!(!is_downloaded("/build/app/src/main.rs") && !is_of_the_toolchain("/build/app/src/main.rs"));
    }
}
