//! Where events go: the data source name of a project.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::auth::Auth;
use crate::protocol::OrganizationId;

/// The address of a project: `{scheme}://{public}[:{secret}]@{host}[:{port}]{/path}/{project}`.
///
/// All parts are text, the project id too; the secret is a relic that is accepted and kept. A query and a
/// fragment are dropped, and so are slashes at the end. What [`Display`](fmt::Display) writes parses to
/// an equal value.
///
/// # Examples
///
/// ```
/// use vidette::types::Dsn;
///
/// let dsn: Dsn = "https://public@o7.ingest.sentry.io/42".parse()?;
/// assert_eq!(dsn.public_key(), "public");
/// assert_eq!(dsn.org_id(), Some(7.into()));
/// assert_eq!(dsn.envelope_api_url().as_str(), "https://o7.ingest.sentry.io/api/42/envelope/");
/// # Ok::<(), vidette::types::ParseDsnError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Dsn {
    /// The whole, without query, fragment and slashes at the end.
    url: Url,
    scheme: Scheme,
    /// Starts and ends with a slash.
    path: Box<str>,
    project_id: ProjectId,
}

impl Dsn {
    /// Builds what proves to the server that we may send; `client_agent` is our name and version.
    pub fn to_auth(&self, client_agent: Option<&str>) -> Auth {
        Auth::of(self.public_key(), self.secret_key(), client_agent)
    }

    /// Returns the address of the outdated endpoint that takes single events.
    pub fn store_api_url(&self) -> Url {
        self.endpoint("store")
    }

    /// Returns the address that envelopes are posted to.
    pub fn envelope_api_url(&self) -> Url {
        self.endpoint("envelope")
    }

    /// Returns the scheme of the server's address.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the public key, in its percent-encoded form.
    pub fn public_key(&self) -> &str {
        self.url.username()
    }

    /// Returns the secret key, if the text had one.
    pub fn secret_key(&self) -> Option<&str> {
        self.url.password()
    }

    /// Returns the host; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns the port, or the scheme's default when the text had none.
    pub fn port(&self) -> u16 {
        self.url.port().unwrap_or_else(|| self.scheme.default_port())
    }

    /// Returns what stands between host and project id; starts and ends with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the project id.
    pub fn project_id(&self) -> &ProjectId {
        &self.project_id
    }

    /// Returns the organization that a host such as `o42.ingest.us.sentry.io` names.
    pub fn org_id(&self) -> Option<OrganizationId> {
        let (label, rest) = self.host().strip_prefix('o')?.split_once('.')?;
        let ingest = rest.strip_prefix("ingest.")?;
        let digits = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !ingest.is_empty()).then(|| label.parse().ok())?
    }

    /// Returns the address without the secret, as envelope headers carry it.
    pub(crate) fn without_secret(&self) -> impl fmt::Display + '_ {
        Public(self)
    }

    fn endpoint(&self, name: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}api/{}/{name}/", self.path, self.project_id));
        // The two setters refuse only addresses without a host, and a DSN has one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

impl FromStr for Dsn {
    type Err = ParseDsnError;

    fn from_str(text: &str) -> Result<Self, ParseDsnError> {
        let mut url = Url::parse(text).map_err(|_| ParseDsnError::InvalidUrl)?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(ParseDsnError::InvalidScheme),
        };
        if url.username().is_empty() {
            return Err(ParseDsnError::NoUsername);
        }
        let whole = url.path().trim_end_matches('/');
        let Some((path, project)) = whole.rsplit_once('/') else {
            return Err(ParseDsnError::NoProjectId);
        };
        let path = format!("{path}/").into_boxed_str();
        let project_id = project.parse()?;
        let whole = whole.to_owned();
        url.set_path(&whole);
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, scheme, path, project_id })
    }
}

impl<'de> Deserialize<'de> for Dsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Dsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.url.as_str())
    }
}

/// A DSN whose secret stays at home.
struct Public<'a>(&'a Dsn);

impl fmt::Display for Public<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dsn { scheme, path, project_id, .. } = self.0;
        write!(f, "{scheme}://{}@{}", self.0.public_key(), self.0.host())?;
        if let Some(port) = self.0.url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, "{path}{project_id}")
    }
}

/// How the server is spoken to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scheme {
    /// Unencrypted HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// Returns the port that an address without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// The id of a project: text that is mostly a number, but need not be.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ProjectId(Box<str>);

impl ProjectId {
    /// Wraps a project id as it is.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    pub fn value(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProjectId {
    type Err = ParseProjectIdError;

    fn from_str(text: &str) -> Result<Self, ParseProjectIdError> {
        if text.is_empty() {
            return Err(ParseProjectIdError::EmptyValue);
        }
        Ok(Self::new(text))
    }
}

/// Why a text is not a [`Dsn`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ParseDsnError {
    /// The text is not a URL.
    InvalidUrl,
    /// The scheme is neither `http` nor `https`.
    InvalidScheme,
    /// There is no public key.
    NoUsername,
    /// The path is empty, so there is no project id.
    NoProjectId,
    /// The project id is not one.
    InvalidProjectId(ParseProjectIdError),
}

impl fmt::Display for ParseDsnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidUrl => "the dsn is not a url",
            Self::InvalidScheme => "the scheme of the dsn is neither http nor https",
            Self::NoUsername => "the dsn has no public key",
            Self::NoProjectId => "the dsn has no project id",
            Self::InvalidProjectId(_) => "the project id of the dsn is invalid",
        })
    }
}

impl Error for ParseDsnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidProjectId(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<ParseProjectIdError> for ParseDsnError {
    fn from(cause: ParseProjectIdError) -> Self {
        Self::InvalidProjectId(cause)
    }
}

/// Why a text is not a [`ProjectId`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ParseProjectIdError {
    /// The text is empty.
    EmptyValue,
}

impl fmt::Display for ParseProjectIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyValue => f.write_str("the project id is empty"),
        }
    }
}

impl Error for ParseProjectIdError {}

#[cfg(test)]
mod tests;
