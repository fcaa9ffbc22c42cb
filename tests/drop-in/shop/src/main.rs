//! A shop that serves a few requests to itself and ends: an application written against `sentry`, with axum, tower,
//! tracing and sessions, as applications are. It knows nothing of what it is compared with.
//!
//! Where to send is in `SENTRY_DSN`; `SHOP_SESSIONS` says whether sessions are counted by `request` or for the whole
//! `application`.

mod pages;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use sentry::integrations::tower::{NewSentryLayer, SentryHttpLayer};
use sentry::protocol::SessionStatus;
use sentry::{ClientOptions, Hub, SessionMode};
use services::{ask, send};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> io::Result<()> {
    let by_request = std::env::var("SHOP_SESSIONS").is_ok_and(|mode| mode == "request");
    let mode = if by_request { SessionMode::Request } else { SessionMode::Application };
    let options = ClientOptions::new()
        .maybe_release(sentry::release_name!())
        .environment("acceptance")
        .server_name("till-1")
        .attach_stacktrace(true)
        .in_app_include(["shop"])
        .max_breadcrumbs(5)
        .traces_sampler(|context| if context.name() == "GET /health" { 0.0 } else { 1.0 })
        .session_mode(mode)
        .auto_session_tracking(true)
        .before_send(|mut event| {
            event.extra.insert("checked".to_owned(), true.into());
            (event.message.as_deref() != Some("not worth telling")).then_some(event)
        })
        .before_breadcrumb(|breadcrumb| (breadcrumb.category.as_deref() != Some("noise")).then_some(breadcrumb));
    let guard = sentry::init(options);
    #[expect(deprecated, reason = "the one layer for everything is what most applications have")]
    tracing_subscriber::registry().with(sentry::integrations::tracing::layer()).init();

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let mut app = pages::app();
    if by_request {
        app = app.layer(middleware::from_fn(count_session));
    }
    let app =
        app.layer(SentryHttpLayer::new().enable_transaction()).layer(NewSentryLayer::<Request<Body>>::new_from_top());
    runtime.spawn(async { axum::serve(listener, app).await });
    visit(address)?;
    drop(runtime);
    close_the_till();
    drop(guard);
    Ok(())
}

/// Makes each request a session.
async fn count_session(request: Request, next: Next) -> Response {
    let hub = Hub::current();
    hub.start_session();
    let response = next.run(request).await;
    if response.status().as_u16() == 503 {
        hub.end_session_with_status(SessionStatus::Abnormal);
    } else {
        hub.end_session();
    }
    response
}

/// Goes through the shop, one request after the other.
fn visit(address: SocketAddr) -> io::Result<()> {
    ask(address, "/health", &[])?;
    ask(address, "/item/7", &[("User-Agent", "visitor/1.0"), ("Authorization", "secret")])?;
    ask(address, "/item/8", &[])?;
    let caller = "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1";
    let baggage = "sentry-trace_id=09e04486820349518ac7b5d2adbf6ba5,sentry-public_key=public,sentry-sample_rate=1.0";
    ask(address, "/cart/ada?coupon=none", &[("sentry-trace", caller), ("baggage", baggage)])?;
    ask(address, "/cart/bob", &[("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-0")])?;
    send(address, "POST", "/order", &[("Content-Type", "application/json")], "{\"item\":8}")?;
    ask(address, "/closed", &[])?;
    ask(address, "/telemetry", &[])?;
    // The connection ends with the panic.
    _ = ask(address, "/crash", &[]);
    Ok(())
}

/// What happens outside of any request.
fn close_the_till() {
    sentry::configure_scope(|scope| {
        scope.set_tag("till", 1);
        scope.set_extra("cash", 12.5.into());
        scope.set_fingerprint(Some(&["till", "closing"]));
        scope.set_level(Some(sentry::Level::Info));
    });
    let hub = Hub::new_from_top(Hub::current());
    let counted = thread::spawn(move || {
        Hub::run(hub.into(), || {
            sentry::add_breadcrumb(sentry::Breadcrumb { message: Some("counted".into()), ..Default::default() });
            sentry::capture_message("the till is closed", sentry::Level::Warning)
        })
    });
    let id = counted.join().unwrap_or_default();
    assert!(!id.is_nil());
    sentry::capture_message("not worth telling", sentry::Level::Error);
}
