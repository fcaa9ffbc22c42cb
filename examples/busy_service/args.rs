//! The command line.

use std::num::NonZeroUsize;
use std::thread;

pub const HELP: &str = "\
A busy service: the same requests without and with vidette, and what that costs.

Usage: busy_service [--threads N] [--requests N] [--stop-receiver-halfway]

  --threads N               worker threads; as many as there are cores by default
  --requests N              requests in each of the two runs; 200000 by default
  --stop-receiver-halfway   stops the embedded receiver in the middle of the run

SENTRY_DSN names a server to send to; without it a receiver in this process takes the events.";

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Args {
    pub threads: usize,
    pub requests: usize,
    pub stop_receiver_halfway: bool,
}

impl Args {
    /// Reads the arguments; nothing if help was asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut args = Self { threads, requests: 200_000, stop_receiver_halfway: false };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--threads" => args.threads = number(&word, words.next())?,
                "--requests" => args.requests = number(&word, words.next())?,
                "--stop-receiver-halfway" => args.stop_receiver_halfway = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(Some(args))
    }
}

fn number(name: &str, text: Option<String>) -> Result<usize, String> {
    let text = text.ok_or_else(|| format!("{name} wants a number"))?;
    let number = text.replace('_', "").parse::<NonZeroUsize>();
    number.map(usize::from).map_err(|error| format!("{name} {text}: {error}"))
}
