//! An event of about 23 KB: an error with 40 frames, and 100 breadcrumbs.

use std::time::{Duration, SystemTime};

use vidette::protocol::{Breadcrumb, Event, Exception, Frame, Stacktrace};

pub(crate) fn event() -> Event<'static> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_296);
    let breadcrumb = |number: usize| Breadcrumb {
        timestamp: time + Duration::from_millis(number as u64),
        category: Some("http.client".into()),
        message: Some(format!("GET https://example.com/items/{number} answered 200 OK")),
        data: [("status".into(), 200.into()), ("attempt".into(), number.into())].into(),
        ..Breadcrumb::default()
    };
    let frame = |number: u64| Frame {
        function: Some(format!("service::handler::step_{number}::{{{{closure}}}}")),
        module: Some("service::handler".into()),
        filename: Some("handler.rs".into()),
        lineno: Some(number),
        in_app: Some(true),
        ..Frame::default()
    };
    let stacktrace = Stacktrace { frames: (0..40).map(frame).collect(), ..Stacktrace::default() };
    Event {
        timestamp: time,
        breadcrumbs: (0..100).map(breadcrumb).collect::<Vec<_>>().into(),
        exception: vec![Exception {
            ty: "Error".into(),
            value: Some("it broke".into()),
            stacktrace: Some(stacktrace),
            ..Exception::default()
        }]
        .into(),
        release: Some("service@1.2.3".into()),
        environment: Some("production".into()),
        tags: (0..10).map(|number| (format!("tag-{number}"), format!("value-{number}"))).collect(),
        ..Event::default()
    }
}
