//! How many bytes the types take that users keep or move, beside those of `sentry-core` 0.49.5.
#![cfg(target_pointer_width = "64")]

use std::mem::size_of;

use vidette::protocol::{
    Attachment, Breadcrumb, ClientReport, Context, DebugImage, EnvelopeItem, Event, Exception, Frame, Level, Log,
    LogAttribute, Metric, MonitorCheckIn, Request, SessionAggregates, SessionUpdate, Span, Stacktrace, Thread,
    ThreadId, TraceContext, Transaction, User,
};
use vidette::types::Dsn;
use vidette::{ClientOptions, Envelope, Hub, Scope, ScopeGuard, TransactionContext};

/// A type, how many bytes it takes here, and how many there.
macro_rules! sizes {
    ($($ty:ty: $here:literal, $there:literal;)*) => {
        [$((stringify!($ty), size_of::<$ty>(), $here, $there)),*]
    };
}

#[test]
fn no_type_has_grown() {
    let sizes: [(&str, usize, usize, usize); _] = sizes! {
        Attachment: 96, 96;
        Breadcrumb: 120, 120;
        ClientOptions: 568, 528; // has more options: where certificates and diagnostics go, for one
        ClientReport: 40, 40;
        Context: 32, 32;
        DebugImage: 152, 152;
        Dsn: 128, 128;
        Envelope: 152, 456;
        EnvelopeItem: 216, 216;
        Event<'static>: 1232, 1232;
        Exception: 552, 552;
        Frame: 352, 352;
        Hub: 8, 40;
        Level: 1, 1;
        Log: 88, 88;
        LogAttribute: 32, 32;
        Metric: 128, 128;
        MonitorCheckIn: 200, 200;
        Request: 232, 232;
        Scope: 120, 160;
        ScopeGuard: 16, 16;
        SessionAggregates<'static>: 120, 120;
        SessionUpdate<'static>: 216, 216;
        Span: 168, 168;
        Stacktrace: 72, 72;
        Thread: 200, 200;
        ThreadId: 24, 24;
        TraceContext: 136, 136;
        Transaction<'static>: 712, 712;
        TransactionContext: 144, 136; // its names are stored in place, and it knows who decided on sampling
        User: 120, 120;
    };
    for (name, size, here, there) in sizes {
        assert_eq!(size, here, "{name}");
        let excused = ["ClientOptions", "TransactionContext"].contains(&name);
        assert!(size <= there || excused, "{name} takes {size} bytes, {there} there");
    }
}

#[cfg(feature = "client")]
#[test]
fn a_client_is_two_pointers() {
    assert_eq!(size_of::<vidette::Client>(), 16, "944 there");
}
