//! The data types of the Sentry protocol, under the names the mirrored API gives them.

pub use debugid::*;
pub use uuid::{Uuid, Variant as UuidVariant, Version as UuidVersion};

pub use crate::auth::{Auth, ParseAuthError};
pub use crate::dsn::{Dsn, ParseDsnError, ParseProjectIdError, ProjectId, Scheme};
pub use crate::protocol;
pub use crate::protocol::ids::random_uuid;

/// An enum whose variants can be counted off and used as indices.
pub trait IndexedEnum: indexed_enum::Sealed + Sized + 'static {
    /// All variants, each at its index.
    const VARIANTS: &'static [Self];

    /// Returns the place of this variant among [`VARIANTS`](Self::VARIANTS).
    fn as_index(&self) -> usize;
}

pub(crate) mod indexed_enum {
    /// Keeps the list of such enums in this crate.
    pub trait Sealed {}
}
