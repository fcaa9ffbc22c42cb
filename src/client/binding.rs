//! Binding clients to hubs.

use std::sync::Arc;

use super::Client;
use crate::hub::Hub;
use crate::integration::Integration;
use crate::scope::Scope;

impl Hub {
    /// Makes a hub of a client and a scope.
    #[must_use]
    pub fn new(client: Option<Arc<Client>>, scope: Arc<Scope>) -> Hub {
        Hub::with_root(client, (*scope).clone())
    }

    /// The client that is bound, open or not.
    #[must_use]
    pub fn client(&self) -> Option<Arc<Client>> {
        self.bound()
    }

    /// Binds a client to the scope on top, and to those pushed on it later; `None` unbinds.
    pub fn bind_client(&self, client: Option<Arc<Client>>) {
        self.bind(client);
    }

    /// Calls `callback` with an integration of the bound client, found by its type.
    pub fn with_integration<I, F, R>(&self, callback: F) -> R
    where
        I: Integration,
        F: FnOnce(&I) -> R,
        R: Default,
    {
        match self.client() {
            Some(client) => client.integration().map(callback).unwrap_or_default(),
            None => R::default(),
        }
    }
}
