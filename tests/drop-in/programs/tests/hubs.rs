//! Programs with hubs of their own: threads, futures, scopes.

use std::sync::Arc;
use std::thread;

use futures::executor::block_on;
use futures::future::join_all;
use sentry::{Breadcrumb, ClientOptions, Hub, Level, SentryFutureExt, User};
use serde_json::Value;

use crate::stage::{each, level, values};

fn breadcrumb(message: &str) -> Breadcrumb {
    Breadcrumb { message: Some(message.into()), ..Default::default() }
}

/// The event with a message, and the messages of its breadcrumbs.
fn find<'a>(events: &'a [Value], message: &str) -> (&'a Value, Vec<&'a Value>) {
    let event = events.iter().find(|event| event["message"] == message);
    let event = event.unwrap_or_else(|| panic!("{message}: {events:#?}"));
    (event, each(values(&event["breadcrumbs"]), "message"))
}

#[test]
fn threads_work_on_hubs_of_their_own() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        sentry::configure_scope(|scope| scope.set_tag("everywhere", "yes"));
        sentry::add_breadcrumb(breadcrumb("at first"));
        let workers: Vec<_> = (0..4)
            .map(|number| {
                let hub = Arc::new(Hub::new_from_top(Hub::current()));
                thread::spawn(move || {
                    Hub::run(hub, || {
                        sentry::configure_scope(|scope| scope.set_tag("worker", number));
                        sentry::add_breadcrumb(breadcrumb(&format!("by {number}")));
                        sentry::capture_message(&format!("worker {number}"), Level::Info);
                    });
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        thread::spawn(|| sentry::capture_message("on a thread's own hub", Level::Info)).join().unwrap();
        sentry::capture_message("at last", Level::Info);
    });
    let Some(run) = run else { return };
    let events = run.events();
    for number in 0..4 {
        let (event, breadcrumbs) = find(&events, &format!("worker {number}"));
        assert_eq!(
            (&event["tags"]["worker"], &event["tags"]["everywhere"]),
            (&number.to_string().into(), &"yes".into())
        );
        assert_eq!(breadcrumbs, [&Value::from("at first"), &format!("by {number}").into()]);
    }
    for message in ["at last", "on a thread's own hub"] {
        let (event, breadcrumbs) = find(&events, message);
        assert!(event["tags"]["worker"].is_null() && event["tags"]["everywhere"] == "yes");
        assert_eq!(breadcrumbs, ["at first"]);
    }
}

/// Lets others have their turn.
async fn turn() {
    let mut waited = false;
    futures::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[test]
fn futures_that_take_turns_keep_apart() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let task = |number: u32| async move {
            sentry::configure_scope(|scope| {
                scope.set_user(Some(User { id: Some(number.to_string()), ..Default::default() }))
            });
            sentry::add_breadcrumb(breadcrumb(&format!("begun {number}")));
            turn().await;
            sentry::add_breadcrumb(breadcrumb(&format!("done {number}")));
            turn().await;
            sentry::capture_message(&format!("task {number}"), Level::Info);
        };
        let tasks = (0..3).map(|number| task(number).bind_hub(Hub::new_from_top(Hub::current())));
        block_on(join_all(tasks));
        let shared = async { sentry::add_breadcrumb(breadcrumb("on the same hub")) }.bind_hub(Hub::current());
        block_on(shared);
        sentry::capture_message("afterwards", Level::Info);
    });
    let Some(run) = run else { return };
    let events = run.events();
    for number in 0..3 {
        let (event, breadcrumbs) = find(&events, &format!("task {number}"));
        assert_eq!(event["user"]["id"], number.to_string());
        assert_eq!(breadcrumbs, [&Value::from(format!("begun {number}")), &format!("done {number}").into()]);
    }
    let (event, breadcrumbs) = find(&events, "afterwards");
    assert!(event["user"].is_null());
    assert_eq!(breadcrumbs, ["on the same hub"]);
}

#[test]
fn scopes_nest_and_end() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let answer = sentry::with_scope(
            |scope| {
                scope.set_level(Some(Level::Warning));
                scope.set_fingerprint(Some(["a-message"].as_ref()));
                scope.set_tag("foo", "bar");
                scope.set_transaction(Some("checkout"));
                scope.set_extra("cart", serde_json::json!({ "items": [1, 2] }));
            },
            || {
                sentry::capture_message("inside", Level::Error);
                7
            },
        );
        assert_eq!(answer, 7);
        let guard = Hub::current().push_scope();
        sentry::configure_scope(|scope| scope.set_tag("pushed", true));
        sentry::capture_message("pushed", Level::Error);
        drop(guard);
        let id = sentry::capture_message("outside", Level::Error);
        assert_eq!(sentry::last_event_id(), Some(id));
    });
    let Some(run) = run else { return };
    let events = run.events();
    let (inside, _) = find(&events, "inside");
    assert_eq!((&inside["level"], &inside["transaction"]), (&"warning".into(), &"checkout".into()));
    assert_eq!((&inside["tags"]["foo"], &inside["fingerprint"][0]), (&"bar".into(), &"a-message".into()));
    assert_eq!(inside["extra"]["cart"]["items"][1], 2);
    assert_eq!(find(&events, "pushed").0["tags"]["pushed"], "true");
    let (outside, _) = find(&events, "outside");
    assert!(
        values(&outside["tags"]).is_empty() && outside["tags"]["foo"].is_null() && outside["extra"]["cart"].is_null()
    );
    assert_eq!(level(outside), "error");
}

#[test]
fn processors_and_callbacks_change_what_is_sent() {
    let run = program!().run(|| {
        let options = ClientOptions::new().before_send(|mut event| {
            event.request = Some(sentry::protocol::Request {
                url: Some("https://example.com/".parse().unwrap()),
                method: Some("GET".into()),
                ..Default::default()
            });
            Some(event)
        });
        let options = options.before_breadcrumb(|mut breadcrumb| {
            breadcrumb.category = Some("seen".into());
            (breadcrumb.message.as_deref() != Some("secret")).then_some(breadcrumb)
        });
        let _sentry = sentry::init(options);
        sentry::configure_scope(|scope| {
            scope.add_event_processor(|mut event| {
                event.tags.insert("processed".into(), "yes".into());
                Some(event)
            });
        });
        sentry::add_breadcrumb(vec![breadcrumb("secret"), breadcrumb("public")]);
        sentry::add_breadcrumb(|| breadcrumb("lazy"));
        sentry::add_breadcrumb(None);
        sentry::capture_message("An HTTP request failed.", Level::Error);
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!(
        (&event["request"]["method"], &event["request"]["url"]),
        (&"GET".into(), &"https://example.com/".into())
    );
    assert_eq!(event["tags"]["processed"], "yes");
    let breadcrumbs = values(&event["breadcrumbs"]);
    assert_eq!(each(breadcrumbs, "message"), ["public", "lazy"]);
    assert_eq!(each(breadcrumbs, "category"), ["seen"; 2]);
}

#[test]
fn a_hub_may_have_a_client_of_its_own_or_none() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let other = Hub::new_from_top(Hub::main());
        other.bind_client(None);
        assert!(other.client().is_none());
        assert!(other.capture_message("to nobody", Level::Info).is_nil());
        let mut options = Hub::current().client().unwrap().options().clone();
        options.release = Some("other@1".into());
        other.bind_client(Some(Arc::new(options.into())));
        Hub::run(Arc::new(other), || {
            sentry::capture_message("to the other", Level::Info);
            assert!(Hub::with_active(|hub| hub.client().is_some()));
            assert!(Hub::current().client().unwrap().close(None));
        });
        sentry::capture_message("to the first", Level::Info);
    });
    let Some(run) = run else { return };
    let events = run.events();
    assert_eq!(each(&events, "message"), ["to the other", "to the first"]);
    assert_eq!((&events[0]["release"], events[1]["release"].is_null()), (&"other@1".into(), true));
}
