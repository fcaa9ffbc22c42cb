//! What hubs, scopes and clients promise, each behaviour in a module of its own.

mod breadcrumbs;
mod callbacks;
mod capture;
mod dsn;
mod flush;
mod futures;
mod integrations;
mod losses;
mod sampling;
mod scopes;

#[path = "../support/rig.rs"]
mod rig;
