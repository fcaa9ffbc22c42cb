//! Tells the crate which compiler builds it. Never fails: what is unknown stays unset.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo through its output")]

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(version) = rustc_version() else {
        return;
    };
    println!("cargo:rustc-env=VIDETTE_RUSTC_CHANNEL={}", channel(&version));
    println!("cargo:rustc-env=VIDETTE_RUSTC_VERSION={version}");
}

/// The version of the compiler, as `1.89.0` or `1.91.0-nightly`.
fn rustc_version() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?).arg("-V").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let version = line.strip_prefix("rustc ")?.split_whitespace().next()?;
    Some(version.to_owned())
}

/// The release channel that a version names; stable ones name none.
fn channel(version: &str) -> &str {
    match version.split_once('-') {
        Some((_, suffix)) => suffix.split('.').next().unwrap_or(suffix),
        None => "stable",
    }
}
