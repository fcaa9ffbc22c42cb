//! Check-ins of scheduled jobs.
