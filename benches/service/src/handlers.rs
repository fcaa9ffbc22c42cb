//! The handler: bare, and watched; the watched one is one source, compiled against both crates.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;

use crate::shop::{self, CouponError, Shop};

pub type Answer = (StatusCode, Vec<u8>);

/// The handler without a watcher.
pub mod bare {
    use super::*;

    pub async fn checkout(shop: Arc<Shop>, body: Bytes) -> Answer {
        let Ok(cart) = shop::parse(&body) else { return (StatusCode::BAD_REQUEST, Vec::new()) };
        tokio::task::yield_now().await;
        let found = shop.look_up(&cart);
        let receipt = match shop::price(&cart, &found) {
            Ok(receipt) => receipt,
            Err(error) => return refused(&error),
        };
        tokio::task::yield_now().await;
        let receipt = receipt.recommending(shop.recommend(&cart, &found));
        (StatusCode::OK, shop::render(&receipt))
    }
}

fn refused(error: &CouponError) -> Answer {
    (StatusCode::UNPROCESSABLE_ENTITY, error.to_string().into_bytes())
}

macro_rules! watched {
    ($krate:ident, $begins:expr, $ends:expr) => {
        use std::cell::RefCell;
        use std::future::Future;
        use std::sync::Arc;

        use axum::body::Bytes;
        use axum::http::{HeaderMap, StatusCode};
        use $krate::protocol::SpanStatus;
        use $krate::{
            Client, ClientOptions, Envelope, Hub, SentryFutureExt, Transaction, TransactionContext, Transport,
        };

        use super::{Answer, refused};
        use crate::sent;
        use crate::shop::{self, Shop};

        /// Serializes each envelope on the thread that it is called on, and forgets it.
        struct Serializing;

        impl Transport for Serializing {
            fn send_envelope(&self, envelope: Envelope) {
                BUFFER.with_borrow_mut(|buffer| {
                    buffer.clear();
                    envelope.to_writer(&mut *buffer).expect("memory takes everything");
                    sent::count(buffer.len());
                });
            }
        }

        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }

        /// Makes a client, and binds it to the process's hub.
        pub fn begin() {
            let options = ClientOptions::new()
                .dsn("https://public@sentry.invalid/1")
                .release("shop@1.4.2")
                .environment("production")
                .traces_sample_rate(0.1)
                .transport(Arc::new(Arc::new(Serializing)));
            Hub::main().bind_client(Some(Arc::new(Client::from(options))));
        }

        /// What a layer around all handlers does: a hub for each request, and a transaction.
        async fn observe<F: Future<Output = Answer>>(
            headers: HeaderMap,
            request: impl FnOnce(Transaction) -> F,
        ) -> Answer {
            let hub = Arc::new(Hub::new_from_top(Hub::current()));
            let pairs = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
            let context = TransactionContext::continue_from_headers("POST /checkout", "http.server", pairs);
            let transaction = hub.start_transaction(context);
            hub.configure_scope(|scope| {
                scope.set_span(Some(transaction.clone().into()));
                scope.set_tag("route", "/checkout");
                scope.set_tag("method", "POST");
            });
            let answer = request(transaction.clone()).bind_hub(hub).await;
            let went_well = answer.0 == StatusCode::OK;
            transaction.set_status(if went_well { SpanStatus::Ok } else { SpanStatus::InvalidArgument });
            transaction.finish();
            answer
        }

        pub async fn checkout(shop: Arc<Shop>, headers: HeaderMap, body: Bytes) -> Answer {
            observe(headers, |transaction| work(shop, body, transaction)).await
        }

        /// The handler, with a span and two breadcrumbs for each of its five steps.
        async fn work(shop: Arc<Shop>, body: Bytes, request: Transaction) -> Answer {
            let length = body.len() as u64;
            let parsed = step(&request, "serialize", "parse the cart", length, || shop::parse(&body));
            let Ok(cart) = parsed else { return (StatusCode::BAD_REQUEST, Vec::new()) };
            $krate::configure_scope(|scope| scope.set_tag("tier", cart.tier()));
            tokio::task::yield_now().await;
            let found = step(&request, "db.query", "SELECT * FROM products", cart.len() as u64, || shop.look_up(&cart));
            let priced = step(&request, "price", "add it all up", found.len() as u64, || shop::price(&cart, &found));
            let receipt = match priced {
                Ok(receipt) => receipt,
                Err(error) => {
                    $krate::capture_error(&error);
                    return refused(&error);
                }
            };
            tokio::task::yield_now().await;
            let recommended =
                step(&request, "recommend", "what goes with it", found.len() as u64, || shop.recommend(&cart, &found));
            let receipt = receipt.recommending(recommended);
            let total = receipt.total();
            (StatusCode::OK, step(&request, "serialize", "render the receipt", total, || shop::render(&receipt)))
        }

        /// Runs one step of the work in a span, between two breadcrumbs.
        fn step<T>(request: &Transaction, op: &str, what: &'static str, amount: u64, work: impl FnOnce() -> T) -> T {
            $begins(what, amount);
            let span = request.start_child(op, what);
            let done = work();
            span.finish();
            $ends(what);
            done
        }
    };
}

/// The closures that build the breadcrumbs around a step; the same for both crates.
macro_rules! by_closures {
    ($krate:ident) => {
        watched!(
            $krate,
            |what: &'static str, amount: u64| $krate::add_breadcrumb(|| {
                let mut breadcrumb = $krate::Breadcrumb {
                    category: Some("step".into()),
                    message: Some(format!("{what} begins")),
                    ..Default::default()
                };
                breadcrumb.data.insert("amount".into(), amount.into());
                breadcrumb
            }),
            |what: &'static str| $krate::add_breadcrumb(|| $krate::Breadcrumb {
                category: Some("step".into()),
                message: Some(what.into()),
                ..Default::default()
            })
        );
    };
}

/// On `sentry-core`.
pub mod peer {
    by_closures!(sentry_core);
}

/// On vidette in the place of `sentry-core`: not a word of the service changes.
pub mod drop_in {
    by_closures!(vidette);
}

/// On vidette, with its own macro for breadcrumbs.
pub mod ours {
    watched!(
        vidette,
        |what: &'static str, amount: u64| vidette::breadcrumb!(category: "step", amount = amount, "{what} begins"),
        |what: &'static str| vidette::breadcrumb!(category: "step", "{what}")
    );
}
