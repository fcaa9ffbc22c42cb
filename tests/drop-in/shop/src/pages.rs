//! What the shop serves.

use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use sentry::protocol::{Attachment, Context, Map, SpanStatus, Value};
use sentry::{Breadcrumb, Hub, Level, SentryFutureExt, TransactionContext, User};

pub(crate) fn app() -> Router {
    Router::new()
        .route("/health", get(|| async { "well" }))
        .route("/item/{id}", get(item))
        .route("/cart/{user}", get(cart))
        .route("/order", post(order))
        .route("/closed", get(closed))
        .route("/crash", get(crash))
        .route("/telemetry", get(telemetry))
}

/// What can go wrong with an order, and why.
#[derive(Debug)]
struct OrderError {
    item: u32,
    cause: std::num::ParseIntError,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} has no price", self.item)
    }
}

impl std::error::Error for OrderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[tracing::instrument(fields(tags.shelf = "top", colour = "blue"))]
async fn look_up(id: u32) -> Option<u32> {
    tracing::debug!("too quiet to be kept");
    tracing::info!(id, "looking up");
    tokio::time::sleep(Duration::from_millis(2)).await;
    price(id).await
}

#[tracing::instrument(level = "info", skip_all, fields(sentry.op = "db.query", sentry.name = "SELECT price", rows))]
async fn price(id: u32) -> Option<u32> {
    tokio::task::yield_now().await;
    tracing::Span::current().record("rows", 1);
    if id % 2 == 1 {
        tracing::warn!(id, "out of stock");
    }
    id.is_multiple_of(2).then_some(id * 100)
}

async fn item(Path(id): Path<u32>) -> Result<String, StatusCode> {
    tracing::info!(id, visitor.kind = "human", "asked for an item");
    sentry::configure_scope(|scope| scope.set_tag("item", id));
    match look_up(id).await {
        Some(price) => Ok(price.to_string()),
        None => {
            let error = std::io::Error::other("no such row");
            tracing::error!(id, tags.missing = true, error = &error as &dyn std::error::Error, "no item {id}");
            Err(StatusCode::NOT_FOUND)
        }
    }
}

async fn cart(Path(user): Path<String>) -> String {
    sentry::configure_scope(|scope| {
        scope.set_user(Some(User { username: Some(user.clone()), id: Some("7".to_owned()), ..Default::default() }));
        let size = Map::from([("items".to_owned(), Value::from(3)), ("full".to_owned(), false.into())]);
        scope.set_context("cart", Context::Other(size));
        scope.set_transaction(Some("a cart"));
    });
    for step in 0..8 {
        let category = if step % 4 == 3 { "noise" } else { "cart" };
        sentry::add_breadcrumb(|| Breadcrumb {
            category: Some(category.to_owned()),
            message: Some(format!("step {step}")),
            level: Level::Debug,
            data: Map::from([("step".to_owned(), step.into())]),
            ..Default::default()
        });
    }
    sentry::with_scope(
        |scope| {
            scope.set_tag("inner", "yes");
            scope.add_attachment(Attachment {
                buffer: b"three items".to_vec(),
                filename: "cart.txt".to_owned(),
                content_type: Some("text/plain".to_owned()),
                ..Default::default()
            });
        },
        || sentry::capture_message("an odd cart", Level::Warning),
    );
    sentry::capture_message("an ordinary cart", Level::Info);
    user
}

async fn order(body: String) -> Result<String, StatusCode> {
    let span = sentry::configure_scope(|scope| scope.get_span());
    if let Some(span) = &span {
        span.set_tag("paid", "cash");
        span.set_data("body.length", body.len().into());
        let child = span.start_child("queue", "send the order");
        child.set_status(SpanStatus::DeadlineExceeded);
        child.set_data("attempts", 3.into());
        child.start_child("queue.retry", "again").finish();
        child.finish();
    }
    // Work that goes on by itself, with a hub and a transaction of its own.
    let hub = Hub::new_from_top(Hub::current());
    let background = async {
        let transaction = sentry::start_transaction(TransactionContext::new("pack", "queue.process"));
        sentry::configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
        tokio::task::yield_now().await;
        sentry::capture_message("packed", Level::Info);
        transaction.set_status(SpanStatus::Ok);
        transaction.finish();
    };
    _ = tokio::spawn(background.bind_hub(hub)).await;
    match "eight".parse::<u32>() {
        Ok(price) => Ok(price.to_string()),
        Err(cause) => {
            sentry::capture_error(&OrderError { item: 8, cause });
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn closed() -> StatusCode {
    sentry::add_breadcrumb(vec![
        Breadcrumb { message: Some("rang".into()), ..Default::default() },
        Breadcrumb { message: Some("waited".into()), ty: "user".into(), ..Default::default() },
    ]);
    sentry::capture_event(sentry::protocol::Event {
        message: Some("closed".into()),
        level: Level::Fatal,
        logger: Some("door".into()),
        culprit: Some("night".into()),
        fingerprint: vec!["{{ default }}".into(), "door".into()].into(),
        ..Default::default()
    });
    StatusCode::SERVICE_UNAVAILABLE
}

async fn crash() -> &'static str {
    sentry::configure_scope(|scope| scope.set_tag("shelf", "top"));
    let fallen = 3;
    panic!("{fallen} shelves fell over");
}

async fn telemetry() -> &'static str {
    sentry::configure_scope(|scope| {
        scope.set_user(Some(User { email: Some("ada@shop.example".to_owned()), ..Default::default() }));
    });
    sentry::logger_info!("opened");
    sentry::logger_warn!(shelf = "top", items = 3, "only {} of {} left", 3, "blue");
    sentry::logger_error!("temperature is {}", 31.5);
    sentry::metrics::counter("items.sold", 3).attribute("shelf", "top").capture();
    sentry::metrics::gauge("queue.depth", 7).unit("item").capture();
    sentry::metrics::distribution("wait", 12.5).unit("millisecond").attribute("till", 1).capture();
    "told"
}
