//! The header that proves we may send events.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

/// What a client says of itself in the `X-Sentry-Auth` header or in the query of the address.
///
/// # Examples
///
/// ```
/// use vidette::types::Auth;
///
/// let auth: Auth = "Sentry sentry_key=public, sentry_version=7, sentry_client=me/1.0".parse()?;
/// assert_eq!(auth.public_key(), "public");
/// assert_eq!(auth.client_agent(), Some("me/1.0"));
/// # Ok::<(), vidette::types::ParseAuthError>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Auth {
    #[serde(skip)]
    timestamp: Option<SystemTime>,
    #[serde(default, rename = "sentry_client", skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(rename = "sentry_version")]
    version: u16,
    #[serde(rename = "sentry_key")]
    key: String,
    #[serde(default, rename = "sentry_secret", skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Auth {
    /// Builds what a DSN's owner says.
    pub(crate) fn of(key: &str, secret: Option<&str>, client: Option<&str>) -> Self {
        Self {
            timestamp: None,
            client: client.map(str::to_owned),
            version: CURRENT_VERSION,
            key: key.to_owned(),
            secret: secret.map(str::to_owned),
        }
    }

    /// Builds the value from names such as `sentry_key` and what they stand for; others are ignored.
    ///
    /// # Errors
    ///
    /// When there is no public key, or the version is not a number.
    pub fn from_pairs<'a, I, K, V>(pairs: I) -> Result<Self, ParseAuthError>
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<str>,
        V: Into<Cow<'a, str>>,
    {
        let mut auth = Self::of("", None, None);
        for (name, value) in pairs {
            let value = value.into();
            match name.as_ref() {
                "sentry_timestamp" => auth.timestamp = timestamp(&value),
                "sentry_client" => auth.client = Some(value.into_owned()),
                "sentry_version" => {
                    auth.version = value.parse().map_err(|_| ParseAuthError::InvalidVersion)?;
                }
                "sentry_key" => auth.key = value.into_owned(),
                "sentry_secret" => auth.secret = Some(value.into_owned()),
                _ => {}
            }
        }
        if auth.key.is_empty() {
            return Err(ParseAuthError::MissingPublicKey);
        }
        Ok(auth)
    }

    /// Builds the value from the query of a request's address.
    ///
    /// # Errors
    ///
    /// As [`from_pairs`](Self::from_pairs).
    pub fn from_querystring(query: &[u8]) -> Result<Self, ParseAuthError> {
        Self::from_pairs(form_urlencoded::parse(query))
    }

    /// Returns when the request was made, if the client said so; the protocol has given this up.
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.timestamp
    }

    /// Returns the version of the protocol.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Returns the public key.
    pub fn public_key(&self) -> &str {
        &self.key
    }

    /// Returns the secret key, if there is one.
    pub fn secret_key(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// Says whether there is no secret key in it.
    pub fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    /// Returns the name and version of the client.
    pub fn client_agent(&self) -> Option<&str> {
        self.client.as_deref()
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sentry sentry_key={}, sentry_version={}", self.key, self.version)?;
        if let Some(since) = self.timestamp.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()) {
            write!(f, ", sentry_timestamp={}", since.as_secs_f64())?;
        }
        if let Some(client) = &self.client {
            write!(f, ", sentry_client={client}")?;
        }
        if let Some(secret) = &self.secret {
            write!(f, ", sentry_secret={secret}")?;
        }
        Ok(())
    }
}

impl FromStr for Auth {
    type Err = ParseAuthError;

    fn from_str(text: &str) -> Result<Self, ParseAuthError> {
        let (scheme, pairs) = text.trim_start().split_once(' ').ok_or(ParseAuthError::NonSentryAuth)?;
        if !scheme.eq_ignore_ascii_case("sentry") {
            return Err(ParseAuthError::NonSentryAuth);
        }
        let pairs = pairs.split(',').filter_map(|pair| pair.trim().split_once('='));
        Self::from_pairs(pairs)
    }
}

/// Why a header or query is not an [`Auth`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ParseAuthError {
    /// The header does not start with `Sentry`.
    NonSentryAuth,
    /// The version is not a number.
    InvalidVersion,
    /// There is no public key, or an empty one.
    MissingPublicKey,
}

impl fmt::Display for ParseAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonSentryAuth => "the header is not of the scheme `Sentry`",
            Self::InvalidVersion => "the protocol version is not a number",
            Self::MissingPublicKey => "the public key is missing",
        })
    }
}

impl Error for ParseAuthError {}

/// Reads seconds since 1970; what is no such number is no time.
fn timestamp(text: &str) -> Option<SystemTime> {
    let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(seconds)
}

/// The version that this crate speaks, and that a header without one means.
const CURRENT_VERSION: u16 = 7;

#[cfg(test)]
mod tests;
