//! The mirrored functions as types, so that drift does not compile: those of every build, and those of builds with clients.
//!
//! Where the names and the traits are compared item by item, in `tools/api`, rustdoc is the judge; here it is the compiler.
#![allow(clippy::type_complexity, reason = "that is what is compared")]

#[cfg(feature = "client")]
mod client;
mod everywhere;
mod implementors;
mod telemetry;
mod tracing;
mod traits;
mod wire;
