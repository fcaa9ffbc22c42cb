//! Checks that the crate has every public item of `sentry-core` and `sentry-types` that `compat/api` lists.
//!
//! ```text
//! cargo run --manifest-path tools/api/Cargo.toml              check, in the full build and in the minimal one
//! cargo run --manifest-path tools/api/Cargo.toml -- facts     write the lists again, from the peer's own sources
//! ```

mod check;
mod facts;
mod list;
mod render;
mod rustdoc;
mod tree;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check::check().and_then(|found| Ok(found + tree::check()?)),
        ["facts"] => facts::write().map(|()| 0),
        _ => Err("usage: api [facts]".to_owned()),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(found) => {
            println!("\n{found} found");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
