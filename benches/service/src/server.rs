//! The server: axum on tokio's runtime of several threads, one handler, and a page that says what it has cost.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::handlers::{Answer, bare, drop_in, ours, peer};
use crate::sent;
use crate::shop::Shop;

/// Who watches the handler.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Watcher {
    Nobody,
    Peer,
    DropIn,
    Ours,
}

/// What a server has cost since its start.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Usage {
    /// Processor time of all its threads, in the kernel too.
    pub nanos: u64,
    pub envelopes: u64,
    pub bytes: u64,
}

impl Watcher {
    pub const ALL: [Self; 4] = [Self::Nobody, Self::Peer, Self::DropIn, Self::Ours];

    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "bare",
            Self::Peer => "`sentry-core`",
            Self::DropIn => "vidette in its place",
            Self::Ours => "vidette, `breadcrumb!`",
        }
    }

    pub fn word(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|watcher| watcher.word() == word)
    }
}

/// Serves until the page `/stop` is asked for; says on standard output where.
pub fn serve(watcher: Watcher) -> Result<(), Failure> {
    match watcher {
        Watcher::Nobody => {}
        Watcher::Peer => peer::begin(),
        Watcher::DropIn => drop_in::begin(),
        Watcher::Ours => ours::begin(),
    }
    let app = match watcher {
        Watcher::Nobody => routed(|shop, _, body| bare::checkout(shop, body)),
        Watcher::Peer => routed(peer::checkout),
        Watcher::DropIn => routed(drop_in::checkout),
        Watcher::Ours => routed(ours::checkout),
    };
    tokio::runtime::Builder::new_multi_thread().enable_io().build()?.block_on(async {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stop = Arc::new(std::sync::Mutex::new(Some(stop)));
        let app = app.route("/usage", get(usage)).route(
            "/stop",
            get(move || async move {
                stop.lock().ok().and_then(|mut stop| stop.take()).map(|stop| stop.send(())).is_some().to_string()
            }),
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        tokio::select! {
            served = axum::serve(listener, app) => served?,
            _ = stopped => {}
        }
        Ok(())
    })
}

fn routed<F>(handler: impl Fn(Arc<Shop>, HeaderMap, Bytes) -> F + Clone + Send + Sync + 'static) -> Router
where
    F: Future<Output = Answer> + Send + 'static,
{
    let shop = Arc::new(Shop::open());
    Router::new()
        .route("/checkout", post(move |headers: HeaderMap, body: Bytes| handler(Arc::clone(&shop), headers, body)))
}

async fn usage() -> String {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (envelopes, bytes) = sent::so_far();
    let usage = Usage { nanos: time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64, envelopes, bytes };
    serde_json::to_string(&usage).expect("numbers")
}
