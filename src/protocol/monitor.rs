//! Check-ins of scheduled jobs.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How one run of a job went.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MonitorCheckInStatus {
    /// It is done, and well.
    Ok,
    /// It failed.
    Error,
    /// It is running.
    InProgress,
    /// It did not run; only the server says this.
    Missed,
    /// Something this version has no name for.
    #[serde(other)]
    Unknown,
}

/// The unit of a [`MonitorSchedule::Interval`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MonitorIntervalUnit {
    /// Years.
    Year,
    /// Months.
    Month,
    /// Weeks.
    Week,
    /// Days.
    Day,
    /// Hours.
    Hour,
    /// Minutes.
    Minute,
}

/// When a job should run.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum MonitorSchedule {
    /// At the times a line of a crontab names.
    Crontab {
        /// The line's five fields.
        value: String,
    },
    /// Every so often.
    Interval {
        /// How many units lie between two runs.
        value: u64,
        /// The unit.
        unit: MonitorIntervalUnit,
    },
}

impl MonitorSchedule {
    /// Builds a schedule from a line of a crontab, after a check that the line is one.
    ///
    /// Five fields: minute, hour, day of the month, month, day of the week, each a `*` or a list of values and
    /// ranges, with steps. Months and days of the week may have names. The nicknames `@yearly`, `@annually`,
    /// `@monthly`, `@weekly`, `@daily` and `@hourly` are lines too.
    ///
    /// # Errors
    ///
    /// When the line is not one of these.
    ///
    /// # Examples
    ///
    /// ```
    /// use vidette::protocol::MonitorSchedule;
    ///
    /// assert!(MonitorSchedule::from_crontab("*/15 8-18 * * mon-fri").is_ok());
    /// assert!(MonitorSchedule::from_crontab("61 * * * *").is_err());
    /// ```
    pub fn from_crontab(line: &str) -> Result<Self, CrontabParseError> {
        if is_crontab(line) { Ok(Self::Crontab { value: line.to_owned() }) } else { Err(CrontabParseError::new(line)) }
    }
}

/// The text is not a line of a crontab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CrontabParseError {
    line: String,
}

impl CrontabParseError {
    /// Builds the error for a line.
    pub fn new(line: &str) -> Self {
        Self { line: line.to_owned() }
    }
}

impl fmt::Display for CrontabParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a line of a crontab", self.line)
    }
}

impl Error for CrontabParseError {}

/// What the server should know about a job.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MonitorConfig {
    /// When it should run.
    pub schedule: MonitorSchedule,
    /// How late a check-in may be, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkin_margin: Option<u64>,
    /// How long a run may take, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runtime: Option<u64>,
    /// The time zone of the schedule, as the tz database names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How many failures in a row make an issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_issue_threshold: Option<u64>,
    /// How many good runs in a row resolve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_threshold: Option<u64>,
}

/// What a job says when it starts or ends.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MonitorCheckIn {
    /// The id of the run; nil closes the last one that is in progress.
    #[serde(serialize_with = "uuid::serde::simple::serialize")]
    pub check_in_id: Uuid,
    /// The name of the job.
    pub monitor_slug: String,
    /// How it went.
    pub status: MonitorCheckInStatus,
    /// The environment, such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How long the run took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// What the server should know about the job, made or updated with this check-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor_config: Option<MonitorConfig>,
}

/// One field of a crontab's line: the least value, the greatest, and names for them.
struct Field {
    least: u8,
    greatest: u8,
    names: &'static [&'static str],
}

impl Field {
    const fn numbers(least: u8, greatest: u8) -> Self {
        Self { least, greatest, names: &[] }
    }

    fn allows(&self, text: &str) -> bool {
        text.split(',').all(|part| {
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            self.allows_range(range) && step.is_none_or(|step| number(step).is_some_and(|step| step > 0))
        })
    }

    fn allows_range(&self, range: &str) -> bool {
        match range.split_once('-') {
            _ if range == "*" => true,
            None => self.value(range).is_some(),
            Some((from, to)) => match (self.value(from), self.value(to)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            },
        }
    }

    fn value(&self, text: &str) -> Option<u8> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(place) => u8::try_from(place).ok()?.checked_add(self.least)?,
            None => number(text)?,
        };
        (self.least..=self.greatest).contains(&value).then_some(value)
    }
}

/// Reads digits, and only digits: no sign.
fn number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_crontab(line: &str) -> bool {
    if NICKNAMES.contains(&line) {
        return true;
    }
    let mut words = line.split_ascii_whitespace();
    FIELDS.iter().all(|field| words.next().is_some_and(|word| field.allows(word))) && words.next().is_none()
}

const NICKNAMES: [&str; 6] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"];

const FIELDS: [Field; 5] = [
    Field::numbers(0, 59),
    Field::numbers(0, 23),
    Field::numbers(1, 31),
    Field {
        least: 1,
        greatest: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    // Sunday is 0, and 7.
    Field { least: 0, greatest: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

#[cfg(test)]
mod tests {
    use super::{MonitorCheckIn, MonitorCheckInStatus, MonitorIntervalUnit, MonitorSchedule};

    #[test]
    fn lines_of_a_crontab_are_schedules() {
        for line in [
            "* * * * *",
            "0 0 1 1 0",
            "59 23 31 12 7",
            "*/5 0-12/3 1,15 jan,MAR-jun/2 mon-fri",
            "0  0\t* * *",
            "@hourly",
        ] {
            let value = line.to_owned();
            assert_eq!(MonitorSchedule::from_crontab(line), Ok(MonitorSchedule::Crontab { value }));
        }
    }

    #[test]
    fn other_texts_are_not() {
        for line in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "*/ * * * *",
            "1, * * * *",
            "+1 * * * *",
            "-1 * * * *",
            "mon * * * *",
            "* * * * monday",
            "a * * * *",
            "999999 * * * *",
            "@never",
        ] {
            let error = MonitorSchedule::from_crontab(line).unwrap_err();
            assert!(error.to_string().contains(&format!("{line:?}")), "{line}");
        }
    }

    #[test]
    fn a_check_in_reads_as_it_is_written() {
        let json = r#"{"check_in_id":"22222222222222222222222222222222","monitor_slug":"job","status":"in_progress","duration":1.5,"monitor_config":{"schedule":{"type":"interval","value":2,"unit":"hour"},"checkin_margin":5,"timezone":"UTC"}}"#;
        let check_in: MonitorCheckIn = serde_json::from_str(json).unwrap();
        let schedule = &check_in.monitor_config.as_ref().unwrap().schedule;
        assert_eq!(schedule, &MonitorSchedule::Interval { value: 2, unit: MonitorIntervalUnit::Hour });
        assert_eq!(serde_json::to_string(&check_in).unwrap(), json);
    }

    #[test]
    fn a_status_from_the_future_is_unknown() {
        let status: MonitorCheckInStatus = serde_json::from_str("\"paused\"").unwrap();
        assert_eq!(status, MonitorCheckInStatus::Unknown);
    }
}
