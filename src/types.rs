//! The data types of the Sentry protocol, under the names the mirrored API gives them.

pub use crate::auth::{Auth, ParseAuthError};
pub use crate::dsn::{Dsn, ParseDsnError, ParseProjectIdError, ProjectId, Scheme};
