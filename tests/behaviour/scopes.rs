//! Scopes: pushed, popped, changed at once by many, forked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use vidette::protocol::{Attachment, Event};
use vidette::{Breadcrumb, Hub, Level, Scope, User, breadcrumb};

use crate::rig::{Rig, capture, crumbs};

fn tags(event: &Event<'_>) -> Vec<String> {
    event.tags.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn crumb(message: &str) -> Breadcrumb {
    Breadcrumb { message: Some(message.to_owned()), ..Breadcrumb::default() }
}

#[test]
fn a_popped_scope_takes_its_tags_and_breadcrumbs_along() {
    let rig = Rig::new();
    rig.hub.add_breadcrumb(crumb("below"));
    let guard = rig.hub.push_scope();
    rig.hub.configure_scope(|scope| scope.set_tag("step", 1));
    rig.hub.add_breadcrumb(crumb("inside"));
    let event = rig.event();
    assert_eq!(
        (tags(&event), crumbs(&event)),
        (vec!["step=1".to_owned()], vec!["below".to_owned(), "inside".to_owned()])
    );
    drop(guard);
    let event = rig.event();
    assert_eq!((tags(&event), crumbs(&event)), (vec![], vec!["below".to_owned()]));
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let rig = Rig::new();
        rig.hub.configure_scope(|scope| scope.set_tag("base", "kept"));
        let mut guards: Vec<_> = (0..3)
            .map(|level| {
                let guard = rig.hub.push_scope();
                rig.hub.configure_scope(|scope| scope.set_tag(&format!("level{level}"), level));
                Some(guard)
            })
            .collect();
        let mut open = [true; 3];
        for level in order {
            drop(guards[level].take());
            open[level] = false;
            // The highest scope still there is on top, with all it had copied from those below it.
            let highest = open.iter().rposition(|open| *open);
            let mut expected = vec!["base=kept".to_owned()];
            expected.extend((0..highest.map_or(0, |highest| highest + 1)).map(|level| format!("level{level}={level}")));
            assert_eq!(tags(&rig.event()), expected, "{order:?} after {level}");
        }
    }
}

#[test]
fn a_guard_may_be_dropped_on_another_thread_and_after_its_hub() {
    let rig = Rig::new();
    let guard = rig.hub.push_scope();
    rig.hub.configure_scope(|scope| scope.set_tag("inside", true));
    thread::spawn(move || drop(guard)).join().unwrap();
    assert_eq!(tags(&rig.event()), Vec::<String>::new());

    let hub = Hub::new_from_top(&*rig.hub);
    let (low, high) = (hub.push_scope(), hub.push_scope());
    drop(hub);
    drop(low);
    drop(high);
}

#[test]
fn a_hundred_scopes_may_be_popped_from_below() {
    let rig = Rig::new();
    let guards: Vec<_> = (0..100).map(|_| rig.hub.push_scope()).collect();
    rig.hub.configure_scope(|scope| scope.set_tag("top", true));
    for guard in guards.into_iter() {
        assert_eq!(tags(&rig.event()), ["top=true"]);
        drop(guard);
    }
    assert!(tags(&rig.event()).is_empty());
}

#[test]
fn a_nested_change_stands_beside_the_outer_one() {
    let rig = Rig::new();
    rig.hub.configure_scope(|outer| {
        outer.set_tag("both", "outer");
        outer.set_tag("outer", 1);
        rig.hub.configure_scope(|inner| {
            inner.set_tag("both", "inner");
            inner.set_tag("inner", 1);
            inner.set_extra("extra", 7.into());
            inner.set_level(Some(Level::Fatal));
            inner.set_user(Some(User { id: Some("inner".into()), ..User::default() }));
        });
        outer.set_user(Some(User { id: Some("outer".into()), ..User::default() }));
    });
    let event = rig.event();
    assert_eq!(tags(&event), ["both=outer", "inner=1", "outer=1"]);
    assert_eq!(event.extra["extra"], 7);
    assert_eq!(event.level, Level::Fatal);
    assert_eq!(event.user.unwrap().id.as_deref(), Some("outer"));
}

#[test]
fn a_later_change_to_what_the_outer_did_not_touch_is_kept() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| {
        scope.set_tag("a", "before");
        scope.set_tag("b", "before");
    });
    rig.hub.configure_scope(|outer| {
        // Touched without a change to the value: it still wins.
        outer.set_tag("a", "before");
        rig.hub.configure_scope(|inner| {
            inner.set_tag("a", "inner");
            inner.set_tag("b", "inner");
        });
    });
    assert_eq!(tags(&rig.event()), ["a=before", "b=inner"]);
}

#[test]
fn what_the_outer_removed_or_cleared_stays_away_and_what_both_appended_stays_there() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| {
        scope.set_tag("old", 0);
        scope.set_extra("old", 0.into());
    });
    rig.hub.configure_scope(|outer| {
        outer.remove_tag("old");
        outer.remove_extra("old");
        rig.hub.configure_scope(|inner| {
            inner.set_tag("old", "again");
            inner.set_extra("old", "again".into());
            inner.set_tag("new", 1);
        });
    });
    let event = rig.event();
    assert_eq!(tags(&event), ["new=1"]);
    assert!(event.extra.is_empty());

    rig.hub.configure_scope(|outer| {
        outer.clear();
        outer.set_tag("after", "clear");
        rig.hub.configure_scope(|inner| {
            inner.set_tag("inner", 1);
            inner.set_transaction(Some("inner"));
        });
    });
    let event = rig.event();
    assert_eq!((tags(&event), event.transaction), (vec!["after=clear".to_owned()], None));

    let file = |name: &str| Attachment { filename: name.to_owned(), ..Attachment::default() };
    rig.hub.configure_scope(|outer| {
        outer.add_attachment(file("outer"));
        outer.add_event_processor(|mut event| {
            event.tags.insert("processors".into(), format!("{} outer", event.tags["processors"]));
            Some(event)
        });
        rig.hub.configure_scope(|inner| {
            inner.add_attachment(file("inner"));
            inner.add_event_processor(|mut event| {
                event.tags.insert("processors".into(), "inner".to_owned());
                Some(event)
            });
        });
    });
    drop(rig.events());
    rig.hub.capture_event(Event::default());
    let envelope = rig.transport.take_envelopes().remove(0);
    assert_eq!(envelope.event().unwrap().tags["processors"], "inner outer");
    let attached: Vec<_> = envelope
        .items()
        .filter_map(|item| match item {
            vidette::wire::EnvelopeItem::Attachment(attachment) => Some(attachment.filename.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(attached, ["inner", "outer"]);
}

#[test]
fn another_scope_put_in_the_drafts_place_replaces_everything() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_tag("saved", 1));
    rig.hub.add_breadcrumb(crumb("saved"));
    let saved = rig.hub.configure_scope(|scope| Some(scope.clone())).unwrap();
    rig.hub.configure_scope(|scope| scope.set_tag("later", 1));
    rig.hub.add_breadcrumb(crumb("later"));

    rig.hub.configure_scope(|scope| {
        scope.set_tag("outer", 1);
        rig.hub.configure_scope(|inner| inner.set_tag("inner", 1));
        *scope = saved.clone();
        scope.set_tag("on top", 1);
    });
    let event = rig.event();
    assert_eq!(tags(&event), ["on top=1", "saved=1"]);
    assert_eq!(crumbs(&event), ["saved"]);

    let mut other = Scope::default();
    other.set_tag("other", 1);
    rig.hub.configure_scope(|scope| std::mem::swap(scope, &mut other));
    assert_eq!(tags(&rig.event()), ["other=1"]);
    assert_eq!(rig.crumbs(), Vec::<String>::new());
    rig.hub.configure_scope(|scope| std::mem::swap(scope, &mut other));
    assert_eq!(tags(&rig.event()), ["on top=1", "saved=1"]);
}

#[test]
fn a_change_lands_in_the_scope_in_which_it_began() {
    let rig = Rig::new();
    let mut pushed = None;
    rig.hub.configure_scope(|scope| {
        scope.set_tag("below", 1);
        pushed = Some(rig.hub.push_scope());
    });
    rig.hub.configure_scope(|scope| scope.set_tag("above", 1));
    assert_eq!(tags(&rig.event()), ["above=1"]);
    drop(pushed);
    assert_eq!(tags(&rig.event()), ["below=1"]);

    let popped = rig.hub.push_scope();
    rig.hub.configure_scope(|scope| {
        scope.set_tag("gone", 1);
        drop(popped);
    });
    assert_eq!(tags(&rig.event()), ["below=1"], "a scope that was popped takes the change along");
}

#[test]
fn what_eight_threads_set_at_once_is_all_there() {
    let rig = Rig::new();
    let start = std::sync::Barrier::new(8);
    thread::scope(|scope| {
        for thread in 0..8 {
            let (hub, start) = (&rig.hub, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..500 {
                    hub.configure_scope(|scope| scope.set_tag(&format!("{thread}.{n}"), n));
                }
            });
        }
    });
    assert_eq!(rig.event().tags.len(), 4_000);
}

#[test]
fn what_eight_threads_append_extend_and_remove_at_once_is_all_done() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| (0..400).for_each(|n| scope.set_extra(&format!("old.{n}"), n.into())));
    let ran = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..8 {
            let (hub, ran) = (&rig.hub, &ran);
            scope.spawn(move || {
                for n in 0..50 {
                    let ran = Arc::clone(ran);
                    hub.configure_scope(|scope| {
                        scope.remove_extra(&format!("old.{}", thread * 50 + n));
                        scope.set_extra(&format!("new.{thread}.{n}"), n.into());
                        scope.add_event_processor(move |event| {
                            ran.fetch_add(1, Ordering::Relaxed);
                            Some(event)
                        });
                    });
                }
            });
        }
    });
    let event = rig.event();
    assert_eq!(event.extra.len(), 400);
    assert!(event.extra.keys().all(|key| key.starts_with("new.")));
    assert_eq!(ran.load(Ordering::Relaxed), 400);
}

#[test]
fn scopes_pushed_and_popped_by_many_threads_at_once_all_go() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_tag("base", 1));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..200 {
                    let guards = [rig.hub.push_scope(), rig.hub.push_scope()];
                    rig.hub.configure_scope(|scope| scope.set_tag("inside", n));
                    rig.hub.add_breadcrumb(crumb("inside"));
                    drop(guards);
                }
            });
        }
    });
    let event = rig.event();
    assert_eq!(event.tags["base"], "1");
    // Which scope is on top while others push is open, but for one thing: all that was pushed is popped.
    let layers = format!("{:?}", rig.hub).matches("parent: Some").count();
    assert_eq!(layers, 0);
}

#[test]
fn a_fork_sees_what_its_parent_had_and_neither_sees_what_comes_later() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_tag("before", 1));
    (0..40).for_each(|n| rig.hub.add_breadcrumb(crumb(&n.to_string())));
    let fork = Hub::new_from_top(&*rig.hub);
    rig.hub.configure_scope(|scope| scope.set_tag("parent", 1));
    rig.hub.add_breadcrumb(crumb("parent"));
    fork.configure_scope(|scope| scope.set_tag("child", 1));
    fork.add_breadcrumb(crumb("child"));

    let before: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let with = |last: &str| [&before[..], &[last.to_owned()]].concat();
    let (parent, child) = (rig.event(), rig.event_of(&fork));
    assert_eq!((tags(&parent), crumbs(&parent)), (vec!["before=1".into(), "parent=1".into()], with("parent")));
    assert_eq!((tags(&child), crumbs(&child)), (vec!["before=1".into(), "child=1".into()], with("child")));
}

#[test]
fn a_fork_made_while_others_write_sees_a_whole_past_of_each_writer() {
    let rig = Rig::with(vidette::ClientOptions::new().max_breadcrumbs(10_000));
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let hub = &rig.hub;
                scope.spawn(move || {
                    Hub::run(Arc::clone(hub), || (0..1_000).for_each(|n| breadcrumb!("{writer} {n}")));
                })
            })
            .collect();
        let mut last = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let fork = Hub::new_from_top(&*rig.hub);
            let first = crumbs(&rig.event_of(&fork));
            thread::yield_now();
            assert_eq!(first, crumbs(&rig.event_of(&fork)), "a fork changed by itself");
            for writer in 0..3 {
                let mine = first.iter().filter_map(|text| text.strip_prefix(&format!("{writer} ")));
                let mine: Vec<usize> = mine.map(|n| n.parse().unwrap()).collect();
                assert!(mine.iter().copied().eq(0..mine.len()), "gaps in what {writer} had published: {mine:?}");
            }
            assert!(first.len() >= last, "the parent lost some");
            last = first.len();
        }
    });
    assert_eq!(rig.event().breadcrumbs.len(), 3_000);
}

#[test]
fn clear_keeps_the_event_processors_alone() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| {
        scope.add_event_processor(|mut event| {
            event.logger = Some("processed".into());
            Some(event)
        });
        scope.set_tag("tag", 1);
        scope.set_extra("extra", 1.into());
        scope.set_level(Some(Level::Fatal));
        scope.set_user(Some(User::default()));
        scope.set_transaction(Some("transaction"));
        scope.set_fingerprint(Some(&["print"]));
        scope.set_context("own", vidette::protocol::Context::Other(Default::default()));
        scope.add_attachment(Attachment::default());
    });
    rig.hub.add_breadcrumb(crumb("crumb"));
    rig.hub.configure_scope(Scope::clear);
    drop(rig.events());
    rig.hub.capture_event(Event::default());
    let envelope = rig.transport.take_envelopes().remove(0);
    assert_eq!(envelope.items().count(), 1, "the attachment is gone");
    let event = envelope.event().unwrap();
    assert_eq!(event.logger.as_deref(), Some("processed"));
    assert!(event.tags.is_empty() && event.extra.is_empty() && event.breadcrumbs.is_empty());
    assert!(event.user.is_none() && event.transaction.is_none() && !event.contexts.contains_key("own"));
    assert_eq!(event.level, Event::default().level);
    assert_eq!(event.fingerprint, Event::default().fingerprint);
}

#[test]
fn what_the_event_says_wins_over_the_scope_but_for_the_level() {
    let user = |id: &str| Some(User { id: Some(id.to_owned()), ..User::default() });
    // Once filled by the sender's side, once before a callback sees it.
    let looked_at = vidette::ClientOptions::new().before_send(Some);
    for rig in [Rig::new(), Rig::with(looked_at)] {
        rig.hub.configure_scope(|scope| {
            scope.set_tag("shared", "scope");
            scope.set_tag("own", "scope");
            scope.set_extra("shared", "scope".into());
            scope.set_user(user("scope"));
            scope.set_transaction(Some("scope"));
            scope.set_fingerprint(Some(&["scope"]));
            scope.set_level(Some(Level::Warning));
        });
        rig.hub.capture_event(Event {
            tags: [("shared".to_owned(), "event".to_owned())].into_iter().collect(),
            extra: [("shared".to_owned(), "event".into())].into_iter().collect(),
            user: user("event"),
            transaction: Some("event".to_owned()),
            fingerprint: vec!["event".into()].into(),
            level: Level::Fatal,
            ..Event::default()
        });
        let event = rig.events().remove(0);
        assert_eq!(tags(&event), ["own=scope", "shared=event"]);
        assert_eq!(event.extra["shared"], "event");
        assert_eq!((&event.user, event.transaction.as_deref()), (&user("event"), Some("event")));
        assert_eq!(event.fingerprint[..], ["event"]);
        assert_eq!(event.level, Level::Warning);
    }
}

#[test]
fn with_scope_keeps_to_itself_and_runs_without_a_client() {
    let rig = Rig::new();
    let inside = rig.hub.with_scope(|scope| scope.set_tag("inside", 1), || rig.event());
    assert_eq!(tags(&inside), ["inside=1"]);
    assert!(tags(&rig.event()).is_empty());

    let unbound = Arc::new(Hub::new(None, Arc::default()));
    let mut configured = false;
    let answer = Hub::run(unbound, || vidette::with_scope(|_| configured = true, || 42));
    assert_eq!((answer, configured), (42, false));
}

#[test]
fn the_scope_of_a_hub_without_a_client_is_there_once_it_has_one() {
    let rig = Rig::new();
    let hub = Hub::new(None, Arc::default());
    hub.configure_scope(|scope| scope.set_tag("early", 1));
    let _guard = hub.push_scope();
    hub.bind_client(Some(Arc::clone(&rig.client)));
    assert_eq!(tags(&rig.event_of(&hub)), ["early=1"]);
}

#[test]
fn a_panic_in_a_closure_changes_nothing_and_harms_nothing() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_tag("before", 1));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        rig.hub.configure_scope(|scope| {
            scope.set_tag("half", 1);
            assert!(scope.user().is_some(), "on purpose");
        });
    }));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| rig.hub.with_scope(|_| (), || panic!("in a scope"))));
    assert!(panicked.is_err());
    assert_eq!(tags(&rig.event()), ["before=1"]);
    assert!(capture(&rig.hub, "still"));
}

#[test]
fn a_scope_shows_what_the_one_below_had_when_it_was_pushed() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_tag("early", 1));
    rig.hub.add_breadcrumb(crumb("early"));
    let mut guard = None;
    rig.hub.configure_scope(|below| {
        guard = Some(rig.hub.push_scope());
        below.set_tag("late", 1);
        below.clear_breadcrumbs();
    });
    let event = rig.event();
    assert_eq!((tags(&event), crumbs(&event)), (vec!["early=1".to_owned()], vec!["early".to_owned()]));
    rig.hub.add_breadcrumb(crumb("inside"));
    assert_eq!(crumbs(&rig.event()), ["early", "inside"]);
    drop(guard);
    let event = rig.event();
    assert_eq!((tags(&event), crumbs(&event)), (vec!["early=1".to_owned(), "late=1".to_owned()], vec![]));
}

#[test]
fn a_scope_keeps_what_it_inherited_from_one_that_is_popped_before_it() {
    // Of the three scopes each sets some of what there is to set, or nothing.
    for sets in 0..64 {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let rig = Rig::new();
            let mut shown = vec![(Vec::new(), Vec::new())];
            let mut guards: Vec<_> = (0..3)
                .map(|level| {
                    let guard = rig.hub.push_scope();
                    let (mut tags, mut crumbs) = shown.last().cloned().unwrap();
                    if sets >> (2 * level) & 1 != 0 {
                        rig.hub.configure_scope(|scope| scope.set_tag(&format!("level{level}"), level));
                        tags.push(format!("level{level}={level}"));
                    }
                    if sets >> (2 * level) & 2 != 0 {
                        rig.hub.add_breadcrumb(crumb(&format!("level{level}")));
                        crumbs.push(format!("level{level}"));
                    }
                    shown.push((tags, crumbs));
                    Some(guard)
                })
                .collect();
            for popped in order {
                drop(guards[popped].take());
                let highest = guards.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
                let event = rig.event();
                assert_eq!((tags(&event), crumbs(&event)), shown[highest], "{sets:b}, {order:?} after {popped}");
            }
        }
    }
}

#[test]
fn scopes_nested_deeply_show_what_is_set_far_below_them() {
    for from_below in [false, true] {
        let rig = Rig::new();
        rig.hub.add_breadcrumb(crumb("lowest"));
        let mut shown = vec![Vec::new()];
        let mut guards: Vec<_> = (0..40)
            .map(|level| {
                let guard = rig.hub.push_scope();
                let mut tags: Vec<String> = shown.last().cloned().unwrap();
                if level % 11 == 0 {
                    rig.hub.configure_scope(|scope| scope.set_tag(&format!("level{level:02}"), level));
                    tags.push(format!("level{level:02}={level}"));
                }
                shown.push(tags);
                guard
            })
            .collect();
        while !guards.is_empty() {
            let event = rig.event();
            assert_eq!(
                (&tags(&event), crumbs(&event)),
                (&shown[if from_below { 40 } else { guards.len() }], vec!["lowest".into()])
            );
            drop(if from_below { guards.remove(0) } else { guards.pop().unwrap() });
        }
        assert!(tags(&rig.event()).is_empty());
    }
}

#[test]
fn a_client_bound_in_a_scope_goes_with_it() {
    let rig = Rig::new();
    let outer = rig.hub.push_scope();
    let inner = rig.hub.push_scope();
    rig.hub.bind_client(None);
    assert!(rig.hub.client().is_none() && !capture(&rig.hub, "nobody"));
    let innermost = rig.hub.push_scope();
    assert!(rig.hub.client().is_none());
    drop(inner);
    assert!(rig.hub.client().is_none(), "it was pushed when there was none");
    drop(innermost);
    assert!(rig.hub.client().is_some());
    drop(outer);
    assert!(capture(&rig.hub, "all"));
}
