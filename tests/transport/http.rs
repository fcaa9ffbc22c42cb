//! Requests and answers.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use vidette::transport::{HttpTransport, SendBytes, SendError, Transport};
use vidette::wire::Envelope;

use crate::receiver::{Answer, Receiver};
use crate::{LONG, event, options, send, transport};

#[test]
fn the_request_says_what_the_protocol_asks_and_nothing_else() {
    let receiver = Receiver::start().unwrap();
    let reply = send(&transport(receiver.dsn()), &event(10)).unwrap();
    assert_eq!((reply.status, reply.rate_limits, reply.retry_after), (200, None, None));

    let received = receiver.take().pop().unwrap();
    assert_eq!(received.request.method, "POST");
    assert_eq!(received.request.path, "/api/1/envelope/");
    let mut headers = received.request.headers;
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    headers.sort();
    let agent = concat!("vidette/", env!("CARGO_PKG_VERSION"));
    let expected = [
        ("accept", "*/*".to_owned()),
        ("content-length", event(10).len().to_string()),
        ("content-type", "application/x-sentry-envelope".to_owned()),
        ("host", receiver.address().to_string()),
        ("user-agent", agent.to_owned()),
        ("x-sentry-auth", format!("Sentry sentry_key=public, sentry_version=7, sentry_client={agent}")),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(headers, expected);
}

#[test]
fn a_secret_key_is_sent_in_the_header_only() {
    let receiver = Receiver::start().unwrap();
    let mut options = options(receiver.dsn_with_key("public:secret"));
    options.user_agent = "me/2".into();
    send(&HttpTransport::new(&options).unwrap(), &event(10)).unwrap();
    let request = receiver.take().pop().unwrap().request;
    let auth = request.header("X-Sentry-Auth").unwrap();
    assert_eq!(auth, "Sentry sentry_key=public, sentry_version=7, sentry_client=me/2, sentry_secret=secret");
    assert_eq!(request.path, "/api/1/envelope/");
}

#[test]
fn a_large_envelope_is_zipped_and_arrives_whole() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    for length in [1_000, 1_000_000, 2_000] {
        let envelope = event(length);
        assert_eq!(send(&transport, &envelope).unwrap().status, 200);
        let received = receiver.take().pop().unwrap();
        assert_eq!(received.bytes, envelope);
        assert_eq!(received.request.header("Content-Encoding"), Some("gzip"));
        assert!(received.request.body.len() < envelope.len() / 2);
    }
}

#[test]
fn requests_share_one_connection_whatever_was_answered() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    receiver.answer(2, Answer::rate_limited("60:error:key"));
    receiver.answer(2, Answer::status(500).with_body(&"sorry ".repeat(1_000)));
    for _ in 0..20 {
        send(&transport, &event(400)).unwrap();
    }
    let counts = receiver.counts();
    assert_eq!((counts.connections, counts.requests, counts.accepted), (1, 20, 16));
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    receiver.answer(1, Answer::status(200).with_body(&"x".repeat(4 << 20)));
    assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
    assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
    assert_eq!(receiver.counts().connections, 2);
}

#[test]
fn a_shortened_time_limit_keeps_the_connection() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    for limit in [None, Some(LONG), None, Some(LONG / 2), Some(2 * LONG)] {
        assert_eq!(transport.send_bytes(&event(10), limit).unwrap().status, 200);
    }
    assert_eq!(receiver.counts().connections, 1);
}

#[test]
fn a_wrong_key_is_an_answer() {
    let receiver = Receiver::start().unwrap();
    let reply = send(&transport(receiver.dsn_with_key("stranger")), &event(10)).unwrap();
    assert_eq!(reply.status, 403);
    assert_eq!(receiver.counts().accepted, 0);
}

#[test]
fn rate_limits_are_handed_on_with_every_status() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    let limits = "60:error;transaction:key, 2700::organization";
    receiver.answer(1, Answer::rate_limited(limits).with_header("Retry-After", "60"));
    receiver.answer(1, Answer::status(200).with_header("x-sentry-rate-limits", "1:log_item:key"));

    let reply = send(&transport, &event(10)).unwrap();
    assert_eq!(reply.status, 429);
    assert_eq!(reply.rate_limits.as_deref(), Some(limits));
    assert_eq!(reply.retry_after.as_deref(), Some("60"));
    let reply = send(&transport, &event(10)).unwrap();
    assert_eq!((reply.status, reply.rate_limits.as_deref()), (200, Some("1:log_item:key")));
}

#[test]
fn every_status_is_an_answer_and_no_redirect_is_followed() {
    let elsewhere = Receiver::start().unwrap();
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    let address = format!("http://{}/api/1/envelope/", elsewhere.address());
    for status in [202, 301, 302, 307, 308, 400, 404, 413, 500, 503] {
        receiver.answer(1, Answer::status(status).with_header("Location", &address));
        assert_eq!(send(&transport, &event(10)).unwrap().status, status);
    }
    assert_eq!(elsewhere.counts().connections, 0);
}

#[test]
fn a_server_that_is_down_gives_no_connection() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    send(&transport, &event(10)).unwrap();
    receiver.stop();
    let error = send(&transport, &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
}

#[test]
fn a_name_that_does_not_resolve_gives_no_connection() {
    let mut options = options("http://public@nowhere.invalid/1".parse().unwrap());
    options.connect_timeout = Duration::from_secs(2);
    let error = send(&HttpTransport::new(&options).unwrap(), &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
}

#[test]
fn a_silent_server_costs_the_time_limit_and_no_more() {
    let receiver = Receiver::start().unwrap();
    receiver.answer(3, Answer::silence());
    let mut options = options(receiver.dsn());
    let patient = HttpTransport::new(&options).unwrap();
    options.transfer_timeout = Duration::from_millis(200);
    let impatient = HttpTransport::new(&options).unwrap();
    let short = Duration::from_millis(200);
    for (transport, limit) in [(&patient, Some(short)), (&impatient, None), (&impatient, Some(LONG))] {
        let start = Instant::now();
        let error = transport.send_bytes(&event(10), limit).unwrap_err();
        assert!(matches!(error, SendError::Timeout(_)), "{error:?}");
        assert!(start.elapsed() >= short);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn limits_longer_than_a_clock_can_tell_are_no_limits() {
    let receiver = Receiver::start().unwrap();
    let mut options = options(receiver.dsn());
    options.connect_timeout = Duration::MAX;
    options.transfer_timeout = Duration::MAX;
    let transport = HttpTransport::new(&options).unwrap();
    for limit in [None, Some(Duration::MAX), Some(Duration::MAX / 2)] {
        assert_eq!(transport.send_bytes(&event(10), limit).unwrap().status, 200);
    }
}

#[test]
fn no_time_left_means_no_request() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    let error = transport.send_bytes(&event(10), Some(Duration::ZERO)).unwrap_err();
    assert!(matches!(error, SendError::Timeout(_)), "{error:?}");
    assert_eq!(receiver.counts().requests, 0);
}

#[test]
fn a_server_that_hangs_up_is_an_error_and_the_next_envelope_gets_a_connection() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    for cut in [0, 5, 20] {
        let answer = Answer { cut: Some(cut), ..Answer::status(200) };
        receiver.answer(1, answer);
        let error = send(&transport, &event(10)).unwrap_err();
        assert!(matches!(error, SendError::Io(_) | SendError::Protocol(_)), "{cut}: {error:?}");
        assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
    }
}

#[test]
fn an_answer_that_is_not_http_is_an_error() {
    let receiver = Receiver::start_with("http", |mut stream| {
        use std::io::Write;

        stream.write_all(b"220 mail.example ESMTP\r\n\r\n")?;
        Ok(Box::new(stream))
    })
    .unwrap();
    let error = send(&transport(receiver.dsn()), &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Protocol(_)), "{error:?}");
}

#[test]
fn an_answer_whose_body_breaks_off_is_still_an_answer() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    let long = Answer::status(503).with_body(&"x".repeat(500));
    receiver.answer(1, Answer { cut: Some(200), ..long });
    assert_eq!(send(&transport, &event(10)).unwrap().status, 503);
    assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
}

#[test]
fn a_connection_that_the_server_closed_quietly_is_not_used_again() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    for _ in 0..5 {
        receiver.answer(1, Answer { cut: Some(usize::MAX), ..Answer::status(200) });
        assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(receiver.counts().connections, 5);
}

#[test]
fn threads_may_share_a_transport() {
    let receiver = Receiver::start().unwrap();
    let transport = Arc::new(transport(receiver.dsn()));
    thread::scope(|scope| {
        for size in [300, 3_000, 30_000, 300_000] {
            let transport = &transport;
            scope.spawn(move || {
                for _ in 0..10 {
                    assert_eq!(send(transport, &event(size)).unwrap().status, 200);
                }
            });
        }
    });
    assert!(receiver.wait_for(40, LONG));
    assert!(receiver.counts().connections <= 40);
}

#[test]
fn an_envelope_can_be_sent_without_a_client() {
    let receiver = Receiver::start().unwrap();
    let transport: Arc<dyn Transport> = Arc::new(transport(receiver.dsn()));
    let envelope = Envelope::from_slice(&event(10)).unwrap();
    transport.send_envelope(envelope);
    assert!(transport.shutdown(LONG));
    assert_eq!(receiver.take().pop().unwrap().bytes, event(10));
}

#[test]
#[ignore = "a measurement: run it alone, in a release build"]
fn the_receiver_takes_5000_small_envelopes_a_second() {
    let receiver = Receiver::start().unwrap();
    let transport = transport(receiver.dsn());
    let start = Instant::now();
    for _ in 0..20_000 {
        send(&transport, &event(100)).unwrap();
    }
    let rate = 20_000.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} envelopes a second over one connection");
    assert!(receiver.wait_for(20_000, LONG));
    assert!(rate > 5_000.0);
}

#[test]
fn a_server_may_have_a_name() {
    let receiver = Receiver::start().unwrap();
    let dsn = receiver.dsn().to_string().replace("127.0.0.1", "localhost");
    let transport = transport(dsn.parse().unwrap());
    for _ in 0..3 {
        assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
    }
    assert_eq!(receiver.counts().connections, 1);
}
