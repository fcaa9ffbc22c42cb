//! Sessions: whether the runs of an application, or the requests of a server, went well.
//!
//! The free functions work on the current hub. What a session stands for is said by
//! [`session_mode`](crate::ClientOptions::session_mode).

use crate::hub::Hub;
use crate::protocol::SessionStatus;

/// Starts a session on the current hub.
///
/// The server measures by sessions how well a release does. They need a [`release`](crate::ClientOptions::release): without
/// one, or without an open client, nothing happens. The session is that of the user whom the scope names now, and keeps
/// being so.
///
/// It stands on the scope on top, and those that are pushed or forked from it share it. A session that was there ends,
/// unless other scopes still hold it. Errors of level [`Error`](crate::Level::Error) and above that are captured under it
/// count as its errors, messages do not; an error that nobody handled makes it crash.
///
/// ```
/// use vidette::{ClientOptions, SessionMode};
///
/// let options = ClientOptions::new().release("shop@1.4.2").session_mode(SessionMode::Request);
/// let _guard = vidette::init(("https://key@sentry.example/1", options));
///
/// fn handle_request() {
///     vidette::start_session();
///     // …
///     vidette::end_session();
/// }
/// # handle_request();
/// ```
#[inline]
pub fn start_session() {
    Hub::with_active(|hub| hub.start_session());
}

/// Ends the session of the current hub as [`Exited`](SessionStatus::Exited).
#[inline]
pub fn end_session() {
    end_session_with_status(SessionStatus::Exited);
}

/// Ends the session of the current hub, for all scopes that share it.
///
/// A session that has crashed stays so. One that nobody ends is ended as exited when the last scope lets go of it.
#[inline]
pub fn end_session_with_status(status: SessionStatus) {
    Hub::with_active(|hub| hub.end_session_with_status(status));
}

impl Hub {
    /// Starts a session on the scope on top. See [`start_session`].
    pub fn start_session(&self) {
        self.begin_session();
    }

    /// Ends the session of the scope on top as [`Exited`](SessionStatus::Exited).
    pub fn end_session(&self) {
        self.finish_session(SessionStatus::Exited);
    }

    /// Ends the session of the scope on top. See [`end_session_with_status`].
    pub fn end_session_with_status(&self, status: SessionStatus) {
        self.finish_session(status);
    }
}
