//! Names to addresses, remembered for a while.
//!
//! ureq asks for the addresses before every request, also where it then uses a connection it has, and the resolver that
//! comes with it starts a thread each time. This one starts a thread for a name, not for an address, and only when the
//! last answer is old or led to no connection. Where there is no new answer, the old one has to do.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks names up, and remembers the last one. Clones share what they remember.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookup {
    last: Arc<Mutex<Option<Answer>>>,
}

#[derive(Clone, Debug)]
struct Answer {
    name: String,
    addresses: Vec<SocketAddr>,
    /// Nothing where the addresses led to no connection.
    fresh_until: Option<Instant>,
}

impl Lookup {
    /// Asks anew next time.
    pub(super) fn expire(&self) {
        if let Some(last) = &mut *self.lock() {
            last.fresh_until = None;
        }
    }

    /// Never held while anything is looked up.
    fn lock(&self) -> MutexGuard<'_, Option<Answer>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn addresses(
        &self,
        name: &str,
        ask: impl FnOnce() -> Result<Vec<SocketAddr>, Error>,
    ) -> Result<Vec<SocketAddr>, Error> {
        let known = self.lock().clone().filter(|last| last.name == name);
        let is_fresh = |last: &Answer| last.fresh_until.is_some_and(|end| Instant::now() < end);
        if let Some(last) = known.as_ref().filter(|last| is_fresh(last)) {
            return Ok(last.addresses.clone());
        }
        match (ask(), known) {
            (Ok(addresses), _) if !addresses.is_empty() => {
                *self.lock() = Some(Answer {
                    name: name.to_owned(),
                    addresses: addresses.clone(),
                    fresh_until: Instant::now().checked_add(FRESH),
                });
                Ok(addresses)
            }
            (_, Some(last)) => Ok(last.addresses),
            (Ok(_), None) => Err(Error::HostNotFound),
            (Err(cause), None) => Err(cause),
        }
    }
}

impl Resolver for Lookup {
    fn resolve(&self, uri: &Uri, _config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let mut resolved = self.empty();
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            resolved.push(SocketAddr::new(address, port));
            return Ok(resolved);
        }
        let name = format!("{host}:{port}");
        for address in self.addresses(&name, || ask_system(name.clone(), timeout))? {
            if resolved.try_push(address).is_err() {
                break;
            }
        }
        Ok(resolved)
    }
}

/// Asks the system, which takes as long as it takes: a thread waits for it to the end, we do not.
fn ask_system(name: String, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new().name("vidette-dns".into()).spawn(move || {
        // Nobody listens any more where it took too long.
        let _ = answer.send(name.to_socket_addrs().map(Vec::from_iter));
    })?;
    match answered.recv_timeout(*timeout.after) {
        Ok(addresses) => addresses.map_err(Error::Io),
        Err(RecvTimeoutError::Timeout) => Err(Error::Timeout(timeout.reason)),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the resolver panicked").into()),
    }
}

const FRESH: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// The port of the first address, where the system would answer with `port`.
    fn port(lookup: &Lookup, name: &str, system: Option<u16>) -> Option<u16> {
        let ask = || system.map(|port| vec![address(port)]).ok_or(Error::HostNotFound);
        lookup.addresses(name, ask).ok().map(|found| found[0].port())
    }

    #[test]
    fn an_answer_is_remembered_until_it_leads_nowhere() {
        let lookup = Lookup::default();
        assert_eq!(port(&lookup, "a:1", Some(1)), Some(1));
        assert_eq!(port(&lookup, "a:1", Some(2)), Some(1));
        lookup.clone().expire();
        assert_eq!(port(&lookup, "a:1", Some(2)), Some(2));
    }

    #[test]
    fn an_old_answer_is_better_than_none() {
        let lookup = Lookup::default();
        assert_eq!(port(&lookup, "a:1", Some(1)), Some(1));
        lookup.expire();
        assert_eq!(port(&lookup, "a:1", None), Some(1));
        assert_eq!(port(&lookup, "b:1", None), None);
    }

    #[test]
    fn another_name_is_asked_for() {
        let lookup = Lookup::default();
        assert_eq!(port(&lookup, "a:1", Some(1)), Some(1));
        assert_eq!(port(&lookup, "b:1", Some(2)), Some(2));
    }

    #[test]
    fn an_answer_without_addresses_is_no_answer() {
        let lookup = Lookup::default();
        let nothing = lookup.addresses("a:1", || Ok(Vec::new()));
        assert!(matches!(nothing, Err(Error::HostNotFound)));
    }
}
