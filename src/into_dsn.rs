//! What may be given where a DSN is wanted.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use crate::types::{Dsn, ParseDsnError};

/// What may be given where a DSN is wanted: text, a [`Dsn`], `()` and options of them. Empty text is no DSN, and no error.
///
/// ```
/// use vidette::IntoDsn;
///
/// assert!("https://key@sentry.example/1".into_dsn().unwrap().is_some());
/// assert!("".into_dsn().unwrap().is_none());
/// assert!("nonsense".into_dsn().is_err());
/// ```
pub trait IntoDsn {
    /// Turns itself into a DSN, or into none.
    ///
    /// # Errors
    /// If it is neither empty nor a DSN.
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError>;
}

impl<I: IntoDsn> IntoDsn for Option<I> {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        self.map_or(Ok(None), IntoDsn::into_dsn)
    }
}

impl IntoDsn for () {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        Ok(None)
    }
}

impl IntoDsn for &str {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        if self.is_empty() { Ok(None) } else { self.parse().map(Some) }
    }
}

impl IntoDsn for Cow<'_, str> {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        (*self).into_dsn()
    }
}

impl IntoDsn for String {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        self.as_str().into_dsn()
    }
}

impl IntoDsn for &OsStr {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        self.to_string_lossy().into_dsn()
    }
}

impl IntoDsn for OsString {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        self.as_os_str().into_dsn()
    }
}

impl IntoDsn for Dsn {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        Ok(Some(self))
    }
}

impl IntoDsn for &Dsn {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        Ok(Some(self.clone()))
    }
}
