//! Futures that carry their hub.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::hub::{Hub, Stay};

pin_project! {
    /// A future that runs with a hub of its own as the current one.
    ///
    /// Each poll switches to the hub and back. A future that moves from thread to thread keeps its scope.
    ///
    /// A task that is spawned starts without the scope of the code that spawns it. Hand it a fork of the hub to take that
    /// along:
    ///
    /// ```
    /// use vidette::{Hub, SentryFutureExt, configure_scope};
    /// # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(async {
    /// configure_scope(|scope| scope.set_tag("request", 7));
    ///
    /// let task = async {
    ///     configure_scope(|scope| scope.set_tag("task", "resize"));
    ///     // …
    /// };
    /// tokio::spawn(task.bind_hub(Hub::new_from_top(Hub::current()))).await.unwrap();
    /// # });
    /// ```
    #[derive(Debug)]
    pub struct SentryFuture<F> {
        hub: Arc<Hub>,
        // Another handle to the hub, once it was polled: see `Stay`.
        second: Option<Arc<Hub>>,
        #[pin]
        future: F,
    }
}

impl<F> SentryFuture<F> {
    /// Binds a hub to a future.
    pub fn new(hub: Arc<Hub>, future: F) -> Self {
        Self { hub, second: None, future }
    }
}

impl<F: Future> Future for SentryFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _stay = Stay::new(this.hub, this.second);
        this.future.poll(context)
    }
}

/// Binds hubs to futures.
pub trait SentryFutureExt: Sized {
    /// Makes `hub` the current hub of this future.
    ///
    /// Give each task a hub of its own, or tasks that run at the same time share tags and breadcrumbs:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use vidette::{Hub, SentryFutureExt};
    ///
    /// # async fn handle(request: u32) {}
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let requests = (0..3).map(|n| handle(n).bind_hub(Hub::new_from_top(Hub::current())));
    /// futures::future::join_all(requests).await;
    /// # });
    /// ```
    fn bind_hub<H>(self, hub: H) -> SentryFuture<Self>
    where
        H: Into<Arc<Hub>>,
    {
        SentryFuture::new(hub.into(), self)
    }
}

impl<F: Future> SentryFutureExt for F {}
