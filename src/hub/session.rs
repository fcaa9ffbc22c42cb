//! Starting and ending the session of a hub's scope on top.

use super::Hub;
use super::bound::Backend;
use crate::protocol::SessionStatus;
use crate::session::Session;

impl Hub {
    /// Starts a session on the scope on top, in the place of the one that is there.
    pub(crate) fn begin_session(&self) {
        let (layer, client, user) = {
            let top = self.stack.top();
            let Some(client) = top.bound().filter(|client| client.is_enabled()).cloned() else { return };
            (top.id, client, top.scope().shared_user())
        };
        if let Some(session) = Session::start(client.session_sink(), client.options(), user) {
            self.stack.edit(layer, |newer| newer.with_session(Some(session.clone())));
        }
    }

    /// Ends the session of the scope on top, for all scopes that share it.
    pub(crate) fn finish_session(&self, status: SessionStatus) {
        let (layer, session) = {
            let top = self.stack.top();
            let Some(session) = top.scope().session().cloned() else { return };
            (top.id, session)
        };
        session.end(status);
        self.stack.edit(layer, |newer| {
            // Another thread may have started the next one.
            let is_same = newer.scope().session().is_some_and(|other| std::sync::Arc::ptr_eq(other, &session));
            newer.with_session(newer.scope().session().filter(|_| !is_same).cloned())
        });
    }
}
