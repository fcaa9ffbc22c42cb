//! Every callback that a host can give a hub or a client, and how to make it run.

use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use vidette::protocol::Event;
use vidette::{Breadcrumb, ClientOptions, Hub, Integration, Level, Scope, TransactionContext, breadcrumb};

use crate::rig::capture;

/// What a callback does when it runs.
pub(crate) type Deed = Arc<dyn Fn() + Send + Sync>;

/// A client and a hub with a deed in one of its callbacks, and how to make that callback run.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) set_up: fn(ClientOptions, Deed) -> ClientOptions,
    pub(crate) trigger: fn(&Arc<Hub>, &Deed),
}

/// Every callback that a host can give us, but for those that run while a client is made.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "before_send",
        set_up: |options, deed| {
            options.before_send(move |event| {
                deed();
                Some(event)
            })
        },
        trigger: |hub, _| _ = capture(hub, "event"),
    },
    Case {
        name: "before_breadcrumb, by a breadcrumb",
        set_up: before_breadcrumb,
        trigger: |hub, _| hub.add_breadcrumb(Breadcrumb::default()),
    },
    Case {
        name: "before_breadcrumb, by the macro",
        set_up: before_breadcrumb,
        trigger: |hub, _| Hub::run(Arc::clone(hub), || breadcrumb!("macro")),
    },
    Case {
        name: "event processor",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            let _guard = hub.push_scope();
            hub.configure_scope(|scope| {
                let deed = UnwindSafe(Arc::clone(deed));
                scope.add_event_processor(move |event| {
                    deed.run();
                    Some(event)
                });
            });
            capture(hub, "event");
        },
    },
    Case {
        name: "integration",
        set_up: |options, deed| options.add_integration(Doing(deed)),
        trigger: |hub, _| _ = capture(hub, "event"),
    },
    Case {
        name: "diagnostics",
        set_up: |options, deed| options.debug(true).before_send(|_| None).diagnostics(move |_, _| deed()),
        trigger: |hub, _| _ = capture(hub, "dropped"),
    },
    #[cfg(feature = "logs")]
    Case {
        name: "before_send_log",
        set_up: |options, deed| {
            options.before_send_log(move |log| {
                deed();
                Some(log)
            })
        },
        trigger: |hub, _| Hub::run(Arc::clone(hub), || vidette::logger_info!("log")),
    },
    #[cfg(feature = "logs")]
    Case {
        name: "arguments of a log",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            Hub::run(Arc::clone(hub), || {
                let value = || {
                    deed();
                    1
                };
                vidette::logger_info!(attribute = value(), "{}", value());
            });
        },
    },
    #[cfg(feature = "metrics")]
    Case {
        name: "before_send_metric",
        set_up: |options, deed| {
            options.before_send_metric(move |metric| {
                deed();
                Some(metric)
            })
        },
        trigger: |hub, _| hub.capture_metric(vidette::metrics::counter("metric", 1)),
    },
    Case {
        name: "a job under a monitor",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            let job = || {
                deed();
                Ok::<_, ()>(())
            };
            assert!(Hub::run(Arc::clone(hub), || vidette::Monitor::new("job").run(job)).is_ok());
        },
    },
    Case {
        name: "configure_scope",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            hub.configure_scope(|scope| {
                scope.set_tag("before", 1);
                deed();
                scope.set_tag("after", 1);
            });
        },
    },
    Case {
        name: "with_scope",
        set_up: |options, _| options,
        trigger: |hub, deed| hub.with_scope(|_| deed(), || deed()),
    },
    Case {
        name: "free functions",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            Hub::run(Arc::clone(hub), || {
                vidette::configure_scope(|_| deed());
                vidette::with_scope(|_| deed(), || deed());
                vidette::add_breadcrumb(|| {
                    deed();
                    Breadcrumb::default()
                });
                #[expect(deprecated, reason = "it is there, so it is tried")]
                Hub::with(|_| deed());
                Hub::with_active(|_| deed());
            });
        },
    },
    Case {
        name: "arguments of a breadcrumb",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            Hub::run(Arc::clone(hub), || {
                let level = || {
                    deed();
                    Level::Info
                };
                let field = || {
                    deed();
                    1
                };
                breadcrumb!(level: level(), field = field(), "{}", Displayed(deed));
            });
        },
    },
    Case {
        name: "closure and iterator of add_breadcrumb",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            hub.add_breadcrumb(|| {
                deed();
                vec![Breadcrumb::default()]
            });
            hub.add_breadcrumb(Iterating(Arc::clone(deed)));
        },
    },
    Case {
        name: "a value that becomes a tag",
        set_up: |options, _| options,
        trigger: |hub, deed| hub.configure_scope(|scope| scope.set_tag("tag", Displayed(deed))),
    },
    Case {
        name: "traces_sampler",
        set_up: |options, deed| {
            options.traces_sampler(move |_| {
                deed();
                1.0
            })
        },
        trigger: |hub, _| hub.start_transaction(TransactionContext::new("name", "op")).finish(),
    },
    Case {
        name: "a value that becomes a tag of a span, and the headers of a caller",
        set_up: |options, _| options.traces_sample_rate(1.0),
        trigger: |hub, deed| {
            let headers = std::iter::from_fn(|| {
                deed();
                None
            });
            let transaction = hub.start_transaction(TransactionContext::continue_from_headers("name", "op", headers));
            hub.configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
            let span = transaction.start_child("op", "");
            span.set_tag("tag", Displayed(deed));
            span.finish();
            transaction.set_tag("tag", Displayed(deed));
            transaction.finish();
        },
    },
    Case {
        name: "an error that is captured",
        set_up: |options, _| options,
        trigger: |hub, deed| _ = hub.capture_error(&Failing(UnwindSafe(Arc::clone(deed)))),
    },
    Case {
        name: "drop of a closure in a scope that is popped",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            let guard = hub.push_scope();
            hub.configure_scope(|scope| scope.add_event_processor(dropping(deed)));
            drop(guard);
        },
    },
    Case {
        name: "drop of a closure in a scope that is replaced",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            hub.configure_scope(|scope| scope.add_event_processor(dropping(deed)));
            hub.configure_scope(|scope| *scope = Scope::default());
        },
    },
    Case {
        name: "drop of a closure in a hub that is dropped while it is current",
        set_up: |options, _| options,
        trigger: |hub, deed| {
            let own = Arc::new(Hub::new_from_top(hub));
            own.configure_scope(|scope| scope.add_event_processor(dropping(deed)));
            Hub::run(own, || breadcrumb!("soon gone"));
        },
    },
    Case {
        name: "with_integration",
        set_up: |options, _| options.add_integration(Doing(Arc::new(|| ()))),
        trigger: |hub, deed| hub.with_integration(|_: &Doing| deed()),
    },
];

pub(crate) fn before_breadcrumb(options: ClientOptions, deed: Deed) -> ClientOptions {
    options.before_breadcrumb(move |crumb| {
        deed();
        Some(crumb)
    })
}

/// An event processor that does nothing until it is dropped.
pub(crate) fn dropping(
    deed: &Deed,
) -> impl Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync + RefUnwindSafe + 'static {
    struct AtDrop(UnwindSafe);
    impl Drop for AtDrop {
        fn drop(&mut self) {
            self.0.run();
        }
    }
    let at_drop = AtDrop(UnwindSafe(Arc::clone(deed)));
    move |event| {
        let _ = &at_drop;
        Some(event)
    }
}

pub(crate) struct UnwindSafe(Deed);

impl RefUnwindSafe for UnwindSafe {}

impl UnwindSafe {
    fn run(&self) {
        (self.0)();
    }
}

pub(crate) struct Doing(pub(crate) Deed);

impl Integration for Doing {
    fn process_event(&self, event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        (self.0)();
        Some(event)
    }
}

pub(crate) struct Displayed<'a>(&'a Deed);

impl fmt::Display for Displayed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        f.write_str("displayed")
    }
}

pub(crate) struct Failing(UnwindSafe);

impl fmt::Debug for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.run();
        f.write_str("Failing")
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.run();
        f.write_str("failing")
    }
}

impl std::error::Error for Failing {}

pub(crate) struct Iterating(Deed);

impl vidette::IntoBreadcrumbs for Iterating {
    type Output = Box<dyn Iterator<Item = Breadcrumb>>;

    fn into_breadcrumbs(self) -> Self::Output {
        Box::new((0..3).map(move |_| {
            (self.0)();
            Breadcrumb::default()
        }))
    }
}
