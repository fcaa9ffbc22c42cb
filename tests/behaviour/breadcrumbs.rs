//! Breadcrumbs: all forms of the macro, the length of the ring, and what runs when.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::json;
use vidette::{Breadcrumb, ClientOptions, Hub, Level, add_breadcrumb, breadcrumb};

use crate::rig::{Rig, crumbs};

/// The breadcrumbs that `body` leaves.
fn left_by(body: impl FnOnce()) -> Vec<Breadcrumb> {
    let rig = Rig::new();
    rig.run(body);
    rig.event().breadcrumbs.values
}

fn header(crumb: &Breadcrumb) -> (&str, Option<&str>, Level) {
    (&crumb.ty, crumb.category.as_deref(), crumb.level)
}

#[test]
fn a_header_may_have_any_of_its_parts_in_any_order() {
    let left = left_by(|| {
        breadcrumb!("m");
        breadcrumb!(ty: "http", "m");
        breadcrumb!(category: "net", "m");
        breadcrumb!(level: Level::Error, "m");
        breadcrumb!(ty: "http", category: "net", "m");
        breadcrumb!(category: "net", ty: "http", "m");
        breadcrumb!(ty: "http", level: Level::Error, "m");
        breadcrumb!(category: "net", level: Level::Error, "m");
        breadcrumb!(ty: "http", category: "net", level: Level::Error, "m");
        breadcrumb!(level: Level::Error, category: "net", ty: "http", "m");
    });
    let (net, plain) = (Some("net"), "default");
    let expected = [
        (plain, None, Level::Info),
        ("http", None, Level::Info),
        (plain, net, Level::Info),
        (plain, None, Level::Error),
        ("http", net, Level::Info),
        ("http", net, Level::Info),
        ("http", None, Level::Error),
        (plain, net, Level::Error),
        ("http", net, Level::Error),
        ("http", net, Level::Error),
    ];
    assert_eq!(left.iter().map(header).collect::<Vec<_>>(), expected);
    assert!(left.iter().all(|crumb| crumb.message.as_deref() == Some("m") && crumb.data.is_empty()));
}

#[test]
fn nothing_needs_a_message_and_everything_may_end_with_a_comma() {
    let left = left_by(|| {
        breadcrumb!(category: "only");
        breadcrumb!(category: "only",);
        breadcrumb!(n = 1);
        breadcrumb!(n = 1,);
        breadcrumb!(level: Level::Debug, n = 1);
        breadcrumb!("plain",);
        breadcrumb!("{}", 1,);
        breadcrumb!(ty: "t", n = 1, "{x}", x = 2,);
    });
    let messages: Vec<_> = left.iter().map(|crumb| crumb.message.as_deref()).collect();
    assert_eq!(messages, [None, None, None, None, None, Some("plain"), Some("1"), Some("2")]);
    let fields: Vec<_> = left.iter().map(|crumb| crumb.data.len()).collect();
    assert_eq!(fields, [0, 0, 1, 1, 1, 0, 0, 1]);
}

#[test]
fn a_message_takes_what_format_takes() {
    let (inline, width) = ("inline", 6);
    let left = left_by(|| {
        breadcrumb!("{} {}", 1, "two");
        breadcrumb!("{1} {0}", 1, "two");
        breadcrumb!("{inline:>width$}|{inline:?}");
        breadcrumb!("{named} {0:.1}", 2.25, named = 'n');
        breadcrumb!("{{}}");
        breadcrumb!("");
        breadcrumb!(n = 7, "{n}", n = "the message's own");
    });
    assert_eq!(
        left.iter().map(|crumb| crumb.message.clone().unwrap()).collect::<Vec<_>>(),
        ["1 two", "two 1", "inline|\"inline\"", "n 2.2", "{}", "", "the message's own"],
    );
}

#[test]
fn fields_of_every_type_keep_their_values() {
    let none: Option<u8> = None;
    let left = left_by(|| {
        breadcrumb!(
            i8 = i8::MIN,
            i16 = -2_i16,
            i32 = -3,
            i64 = i64::MIN,
            isize = -5_isize,
            u8 = u8::MAX,
            u16 = 2_u16,
            u32 = 3_u32,
            u64 = u64::MAX,
            usize = 5_usize
        );
        breadcrumb!(f32 = 0.5_f32, f64 = 1e300, nan = f64::NAN, yes = true, no = false, char = 'ß');
        breadcrumb!(
            str = "text",
            string = String::from("owned"),
            cow = Cow::Borrowed("cow"),
            some = Some(1),
            none = none,
            reference = &&7,
            expression = 1 + 2 * 3,
            option_text = Some("deep"),
            "with {}",
            "a message"
        );
    });
    assert_eq!(
        json!(left[0].data),
        json!({"i8": -128, "i16": -2, "i32": -3, "i64": i64::MIN, "isize": -5,
            "u8": 255, "u16": 2, "u32": 3, "u64": u64::MAX, "usize": 5})
    );
    assert_eq!(
        json!(left[1].data),
        json!({"f32": 0.5, "f64": 1e300, "nan": "NaN", "yes": true, "no": false, "char": "ß"})
    );
    assert_eq!(
        json!(left[2].data),
        json!({"str": "text", "string": "owned", "cow": "cow", "some": 1, "none": null, "reference": 7,
            "expression": 7, "option_text": "deep"})
    );
    assert_eq!(left[2].message.as_deref(), Some("with a message"));
}

#[test]
fn a_breadcrumb_of_any_length_stays_whole() {
    let long = "äöü".repeat(10_000);
    for length in (0..300).chain([long.len()]) {
        let text = long.get(..length).or_else(|| long.get(..length + 1)).unwrap();
        let left = left_by(|| breadcrumb!(before = 1, text = text, after = "after", "{text}{text}"));
        assert_eq!(json!(left[0].data), json!({"before": 1, "text": text, "after": "after"}));
        assert_eq!(left[0].message.as_deref(), Some(&*text.repeat(2)));
    }
}

#[test]
fn breadcrumbs_have_the_time_at_which_they_were_left() {
    let left = left_by(|| {
        breadcrumb!("first");
        thread::sleep(Duration::from_millis(30));
        breadcrumb!("second");
    });
    let apart = left[1].timestamp.duration_since(left[0].timestamp).unwrap();
    assert!((15..5_000).contains(&apart.as_millis()), "{apart:?}");
    assert!(SystemTime::now().duration_since(left[0].timestamp).unwrap() < Duration::from_secs(60));
}

#[test]
fn all_that_becomes_breadcrumbs_is_added_in_order() {
    let crumb = |message: &str| Breadcrumb { message: Some(message.to_owned()), ..Breadcrumb::default() };
    let rig = Rig::new();
    rig.run(|| {
        add_breadcrumb(crumb("one"));
        add_breadcrumb(vec![crumb("two"), crumb("three")]);
        add_breadcrumb(Some(crumb("four")));
        add_breadcrumb(None::<Breadcrumb>);
        add_breadcrumb(|| crumb("five"));
        add_breadcrumb(|| vec![crumb("six")]);
        breadcrumb!("seven");
    });
    assert_eq!(rig.crumbs(), ["one", "two", "three", "four", "five", "six", "seven"]);
}

#[test]
fn the_events_own_breadcrumbs_stand_behind_those_of_the_scope() {
    let rig = Rig::new();
    rig.run(|| breadcrumb!("scope"));
    let own = Breadcrumb { message: Some("event".to_owned()), ..Breadcrumb::default() };
    rig.hub.capture_event(vidette::protocol::Event { breadcrumbs: vec![own].into(), ..Default::default() });
    assert_eq!(crumbs(&rig.events()[0]), ["scope", "event"]);
}

#[test]
fn only_the_newest_are_remembered() {
    for most in [0, 1, 2, 31, 32, 33, 100, 1_000] {
        let rig = Rig::with(ClientOptions::new().max_breadcrumbs(most));
        for count in [0_usize, 1, 5, 40, 150, 1_200] {
            let hub = Arc::new(Hub::new_from_top(&*rig.hub));
            Hub::run(Arc::clone(&hub), || (0..count).for_each(|n| breadcrumb!("{n}")));
            let expected: Vec<_> = (count.saturating_sub(most)..count).map(|n| n.to_string()).collect();
            assert_eq!(crumbs(&rig.event_of(&hub)), expected, "{count} of at most {most}");
        }
    }
}

#[test]
fn a_ring_of_any_length_carries_on_through_forks_and_scopes() {
    for most in [1, 3, 32, 70, 100] {
        let rig = Rig::with(ClientOptions::new().max_breadcrumbs(most));
        let mut hub = Arc::clone(&rig.hub);
        let mut expected = Vec::new();
        for round in 0..30 {
            for n in 0..7 {
                Hub::run(Arc::clone(&hub), || breadcrumb!("{round}.{n}"));
                expected.push(format!("{round}.{n}"));
            }
            let guard = hub.push_scope();
            Hub::run(Arc::clone(&hub), || (0..n_inside(round)).for_each(|_| breadcrumb!("inside")));
            drop(guard);
            let shown = &expected[expected.len().saturating_sub(most)..];
            assert_eq!(crumbs(&rig.event_of(&hub)), shown, "round {round} of at most {most}");
            hub = Arc::new(Hub::new_from_top(&hub));
        }
    }
}

/// Sometimes none, sometimes more than a ring holds.
fn n_inside(round: usize) -> usize {
    [0, 1, 33, 150][round % 4]
}

#[test]
fn breadcrumbs_of_many_threads_on_one_hub_are_all_there_each_threads_in_order() {
    let rig = Rig::with(ClientOptions::new().max_breadcrumbs(8_000));
    thread::scope(|scope| {
        for thread in 0..8 {
            let hub = Arc::clone(&rig.hub);
            scope.spawn(move || {
                Hub::run(hub, || (0..1_000).for_each(|n| breadcrumb!(n = n, "{thread}")));
            });
        }
    });
    let breadcrumbs = rig.event().breadcrumbs.values;
    assert_eq!(breadcrumbs.len(), 8_000);
    for thread in 0..8 {
        let own = breadcrumbs.iter().filter(|crumb| crumb.message.as_deref() == Some(&*thread.to_string()));
        assert!(own.map(|crumb| crumb.data["n"].as_u64().unwrap()).eq(0..1_000), "{thread} is out of order");
    }
}

#[test]
fn threads_that_fill_a_chunk_together_leave_no_slot_of_the_next_unused() {
    let rig = Rig::with(ClientOptions::new().max_breadcrumbs(128));
    for _ in 0..2_000 {
        let hub = Arc::new(Hub::new_from_top(&rig.hub));
        let ready = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    ready.wait();
                    Hub::run(Arc::clone(&hub), || (0..32).for_each(|n| breadcrumb!(n = n)));
                });
            }
        });
        assert_eq!(rig.event_of(&hub).breadcrumbs.len(), 128);
    }
}

#[test]
fn before_breadcrumb_sees_whole_breadcrumbs_and_may_change_or_drop_them() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let rig = Rig::with(ClientOptions::new().before_breadcrumb(move |mut crumb| {
        log.lock().unwrap().push(crumb.clone());
        crumb.message = crumb.message.map(|message| message.to_uppercase());
        (crumb.category.as_deref() != Some("secret")).then_some(crumb)
    }));
    rig.run(|| {
        breadcrumb!(ty: "http", category: "net", level: Level::Warning, status = 200, "get {}", "/");
        breadcrumb!(category: "secret", "key");
        add_breadcrumb(Breadcrumb { message: Some("added".into()), ..Breadcrumb::default() });
    });
    let seen = seen.lock().unwrap();
    assert_eq!(header(&seen[0]), ("http", Some("net"), Level::Warning));
    assert_eq!((seen[0].message.as_deref(), json!(seen[0].data)), (Some("get /"), json!({"status": 200})));
    assert_eq!(seen.len(), 3);
    assert_eq!(rig.crumbs(), ["GET /", "ADDED"]);
}

#[test]
fn nothing_is_evaluated_while_no_client_is_bound_though_another_hub_has_one() {
    let other = Rig::new();
    let unbound = Arc::new(Hub::new(None, Arc::default()));
    let ran = Cell::new(0);
    let touch = || {
        ran.set(ran.get() + 1);
        1
    };
    let level = || {
        touch();
        Level::Info
    };
    Hub::run(Arc::clone(&unbound), || {
        breadcrumb!(level: level(), n = touch(), "{}", touch());
        add_breadcrumb(|| {
            touch();
            Breadcrumb::default()
        });
        vidette::configure_scope(|_| assert_eq!(touch(), 1));
        assert!(vidette::capture_message("nobody", Level::Info).is_nil());
        assert_eq!(Hub::with_active(|_| touch()), 0);
    });
    unbound.add_breadcrumb(|| {
        touch();
        Breadcrumb::default()
    });
    assert_eq!(ran.get(), 0);
    other.run(|| breadcrumb!(level: level(), n = touch(), "{}", touch()));
    assert_eq!(ran.get(), 3, "each is evaluated once");
}

#[test]
fn arguments_are_evaluated_once_and_in_order() {
    let rig = Rig::new();
    let order = Mutex::new(Vec::new());
    let note = |what: &'static str| {
        order.lock().unwrap().push(what);
        what
    };
    rig.run(|| breadcrumb!(a = note("a"), b = note("b"), "{} {}", note("c"), note("d")));
    assert_eq!(*order.lock().unwrap(), ["a", "b", "c", "d"]);
}

/// Adds so many that the thread remembers where they go.
fn several(name: &str) -> Vec<String> {
    let names: Vec<_> = (0..5).map(|n| format!("{name}{n}")).collect();
    names.iter().for_each(|name| breadcrumb!("{name}"));
    names
}

#[test]
fn a_place_that_a_thread_remembers_is_forgotten_when_the_hub_changes() {
    let (rig, other) = (Rig::new(), Rig::new());
    let elsewhere = |change: &(dyn Fn(&Hub) + Sync)| thread::scope(|scope| _ = scope.spawn(|| change(&rig.hub)).join());
    rig.run(|| {
        let mut expected = several("a");
        let guard = rig.hub.push_scope();
        let pushed = several("pushed");
        assert_eq!(rig.crumbs(), [expected.clone(), pushed].concat());
        drop(guard);
        expected.extend(several("b"));
        assert_eq!(rig.crumbs(), expected);

        let guards = Mutex::new(Vec::new());
        elsewhere(&|hub| guards.lock().unwrap().push(hub.push_scope()));
        let pushed = several("pushed elsewhere");
        assert_eq!(rig.crumbs(), [expected.clone(), pushed].concat());
        elsewhere(&|_| guards.lock().unwrap().clear());
        expected.extend(several("c"));
        assert_eq!(rig.crumbs(), expected);

        let fork = Arc::new(Hub::new_from_top(&*rig.hub));
        Hub::run(fork, || several("fork"));
        expected.extend(several("d"));
        let others = other.run(|| several("other"));
        expected.extend(several("e"));
        assert_eq!(other.crumbs(), others);
        assert_eq!(rig.crumbs(), expected);

        elsewhere(&|hub| hub.configure_scope(vidette::Scope::clear_breadcrumbs));
        expected = several("f");
        assert_eq!(rig.crumbs(), expected);

        elsewhere(&|hub| hub.bind_client(None));
        several("nobody");
        elsewhere(&|hub| hub.bind_client(Some(Arc::clone(&rig.client))));
        expected.extend(several("g"));
        assert_eq!(rig.crumbs(), expected);
    });
}

#[test]
fn a_callback_that_is_bound_meanwhile_sees_what_comes_after() {
    let plain = Rig::new();
    let dropping = Rig::with(ClientOptions::new().before_breadcrumb(|_| None));
    plain.run(|| {
        let expected = several("a");
        plain.hub.bind_client(Some(Arc::clone(&dropping.client)));
        several("dropped");
        plain.hub.bind_client(Some(Arc::clone(&plain.client)));
        assert_eq!(plain.crumbs(), expected);
    });
}

#[test]
fn what_a_thread_remembers_keeps_no_hub_alive() {
    let rig = Rig::new();
    let before = Arc::strong_count(&rig.client);
    let fork = Arc::new(Hub::new_from_top(&*rig.hub));
    let guard = vidette::HubSwitchGuard::new(Arc::clone(&fork));
    {
        let _pushed = fork.push_scope();
        several("pushed");
    }
    fork.bind_client(None);
    assert_eq!(Arc::strong_count(&rig.client), before, "though the thread is still there");
    drop(guard);
}
