//! The data types of the Sentry protocol, under the names the mirrored API gives them.

pub use uuid::{Uuid, Variant as UuidVariant, Version as UuidVersion};

pub use crate::auth::*;
pub use crate::dsn::*;
pub use crate::protocol;
pub use crate::protocol::debugid::*;
pub use crate::protocol::ids::random_uuid;
