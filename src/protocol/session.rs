//! The health of a release.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::random_uuid;
use super::time::{rfc3339, rfc3339_opt};

/// How a session stands, or ended.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    /// It is running.
    #[default]
    Ok,
    /// It ended as it should.
    Exited,
    /// It ended in a crash.
    Crashed,
    /// It ended, but nobody saw how.
    Abnormal,
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Exited => "exited",
            Self::Crashed => "crashed",
            Self::Abnormal => "abnormal",
        })
    }
}

impl FromStr for SessionStatus {
    type Err = ParseSessionStatusError;

    fn from_str(text: &str) -> Result<Self, ParseSessionStatusError> {
        match text {
            "ok" => Ok(Self::Ok),
            "exited" => Ok(Self::Exited),
            "crashed" => Ok(Self::Crashed),
            "abnormal" => Ok(Self::Abnormal),
            _ => Err(ParseSessionStatusError),
        }
    }
}

/// The text is not a [`SessionStatus`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParseSessionStatusError;

impl fmt::Display for ParseSessionStatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session status is unknown")
    }
}

impl Error for ParseSessionStatusError {}

/// What stays the same for all of a session.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SessionAttributes<'a> {
    /// The release whose health is measured.
    pub release: Cow<'a, str>,
    /// The environment, such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Cow<'a, str>>,
    /// The address of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddr>,
    /// The user agent of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// How one session stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SessionUpdate<'a> {
    /// The id of the session, made by the client.
    #[serde(default = "random_uuid", rename = "sid")]
    pub session_id: Uuid,
    /// The user, under a name that is distinct and need not be the true one.
    #[serde(default, rename = "did", skip_serializing_if = "Option::is_none")]
    pub distinct_id: Option<String>,
    /// A number that grows with each update; milliseconds since 1970 when missing.
    #[serde(default, rename = "seq", skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// When this update was made.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339_opt")]
    pub timestamp: Option<SystemTime>,
    /// When the session started.
    #[serde(with = "rfc3339")]
    pub started: SystemTime,
    /// Whether this is the session's first update.
    #[serde(default)]
    pub init: bool,
    /// How long the session lasted, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// How the session stands.
    #[serde(default)]
    pub status: SessionStatus,
    /// How many errors it has seen so far.
    #[serde(default)]
    pub errors: u64,
    /// What stays the same for all of it.
    #[serde(rename = "attrs")]
    pub attributes: SessionAttributes<'a>,
}

/// How many sessions of one minute and user ended in which way.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionAggregateItem {
    /// When the sessions started, rounded down to the minute.
    #[serde(with = "rfc3339")]
    pub started: SystemTime,
    /// The user, under a name that is distinct and need not be the true one.
    #[serde(default, rename = "did", skip_serializing_if = "Option::is_none")]
    pub distinct_id: Option<String>,
    /// How many ended without an error.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exited: u32,
    /// How many ended with an error that did not end them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub errored: u32,
    /// How many ended, but nobody saw how.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub abnormal: u32,
    /// How many ended in a crash.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crashed: u32,
}

/// Many short sessions, counted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionAggregates<'a> {
    /// The counts, one entry for each minute and user.
    #[serde(default)]
    pub aggregates: Vec<SessionAggregateItem>,
    /// What is the same for all of them.
    #[serde(rename = "attrs")]
    pub attributes: SessionAttributes<'a>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::{SessionAggregates, SessionStatus, SessionUpdate};

    #[test]
    fn an_update_needs_no_more_than_a_start_and_a_release() {
        let json = r#"{"sid":"7c7b6585-f901-4351-bf8d-02711b721929","started":"2020-02-07T14:16:00Z","attrs":{"release":"app@1.0.0"}}"#;
        let update: SessionUpdate<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(update.status, SessionStatus::Ok);
        assert_eq!((update.errors, update.init, update.sequence), (0, false, None));
        assert_eq!(update.attributes.release, "app@1.0.0");
    }

    #[test]
    fn counts_of_zero_are_left_out() {
        let json = r#"{"aggregates":[{"started":"2020-02-07T14:16:00Z","did":"me","crashed":2}],"attrs":{"release":"app@1.0.0","ip_address":"::1"}}"#;
        let aggregates: SessionAggregates<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(aggregates.aggregates[0].exited, 0);
        assert_eq!(serde_json::to_string(&aggregates).unwrap(), json);
    }

    #[test]
    fn a_status_reads_as_it_is_displayed() {
        for status in [SessionStatus::Ok, SessionStatus::Exited, SessionStatus::Crashed, SessionStatus::Abnormal] {
            assert_eq!(status.to_string().parse(), Ok(status));
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
        assert!("fine".parse::<SessionStatus>().is_err());
    }
}
