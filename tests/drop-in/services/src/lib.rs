//! Services written against `sentry`, each in the way its framework wants it. Here: what their tests share.

mod arrived;
mod ask;

pub use self::arrived::Arrived;
pub use self::ask::{Reply, ask, send};
