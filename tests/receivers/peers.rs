//! The receivers themselves, tried with handwritten input: what the other tests lean on holds.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bugsink::{Bugsink, Quota};
use crate::http::post_envelope;
use crate::relay;

#[test]
fn bugsink_gives_back_a_handwritten_event_and_the_envelope_it_came_in() {
    let Some(server) = Bugsink::start(Quota::Unlimited) else {
        return;
    };
    let sent = event("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let envelope = envelope(&sent);
    let answer = post_envelope(server.dsn(), &envelope);
    assert_eq!(answer.status, 200, "{answer:?}");

    let issues = server.issues();
    assert_eq!(issues.len(), 1);
    let events = server.events(&issues[0]);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event_id"], "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    let id = events[0]["id"].as_str().unwrap();
    assert_eq!(server.event(id)["data"], sent);
    assert_eq!(server.all_events(), [sent]);
    assert!(server.stacktrace(id).contains("patrol.rs"), "{}", server.stacktrace(id));
    assert_eq!(server.envelopes(), [envelope]);
}

#[test]
fn bugsink_refuses_a_foreign_key_and_events_over_its_quota() {
    let Some(server) = Bugsink::start(Quota::Events(2)) else {
        return;
    };
    let foreign = format!("http://{}@{}/1", "0".repeat(32), server.url().strip_prefix("http://").unwrap());
    assert_eq!(post_envelope(&foreign, &envelope(&event(&"9".repeat(32)))).status, 403);

    let ids = ["1", "2", "3"].map(|digit| digit.repeat(32));
    let answers = ids.map(|id| post_envelope(server.dsn(), &envelope(&event(&id))));
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 200, 429]);
    assert!(answers[2].header("x-sentry-rate-limits").unwrap().contains("::key"), "{answers:?}");
    assert_eq!(answers[2].body, "");
    assert_eq!(server.all_events().len(), 2);
}

#[test]
fn bugsink_answers_over_https_and_hands_out_the_certificate_to_trust() {
    let Some(server) = Bugsink::start_https() else {
        return;
    };
    assert!(server.dsn().starts_with("https://"), "{}", server.dsn());
    let ca = std::fs::read_to_string(server.ca().unwrap()).unwrap();
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"), "{ca}");
    assert_eq!(server.issues(), [Value::Null; 0]);

    let folder = server.ca().unwrap().parent().unwrap();
    let given = Bugsink::start_https_with(&folder.join("server.pem"), &folder.join("server.key")).unwrap();
    assert_eq!(given.ca().unwrap(), folder.join("server.pem"));
    assert_eq!(given.issues(), [Value::Null; 0]);
}

#[test]
fn a_dropped_bugsink_stops_listening_and_leaves_no_files() {
    let Some(server) = Bugsink::start_https() else {
        return;
    };
    let address = server.url().strip_prefix("https://").unwrap().to_owned();
    let folder = server.ca().unwrap().parent().unwrap().to_owned();
    assert!(folder.join("db.sqlite3").exists());
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
    assert!(!folder.exists());
}

#[test]
fn relay_accepts_a_good_event() {
    let Some(verdicts) = relay::check(&[event(&"a".repeat(32))]) else {
        return;
    };
    assert_eq!(verdicts, [relay::Verdict { errors: vec![], dropped: vec![] }]);
}

#[test]
fn relay_tells_a_planted_key_and_a_planted_value_apart() {
    let mut unknown = event(&"a".repeat(32));
    unknown["exception"]["values"][0]["stacktrace"]["frames"][0]["planted"] = json!(1);
    let mut invalid = event(&"b".repeat(32));
    invalid["level"] = json!("planted");
    let Some(verdicts) = relay::check(&[unknown, invalid]) else {
        return;
    };
    assert_eq!(verdicts[0].errors, [""; 0]);
    assert_eq!(verdicts[0].dropped, ["exception.0.stacktrace.frames.0.planted"]);
    assert_eq!(verdicts[1].errors, [r#"level: invalid_data (invalid level, value "planted")"#]);
    assert_eq!(verdicts[1].dropped, [""; 0]);
}

#[test]
fn relay_is_never_asked_to_repair_what_is_not_strict_json() {
    let lines = [r#"{"extra":{"a":NaN}}"#, r#"{"release":"a","release":"b"}"#, "{"].map(str::to_owned);
    let Some(verdicts) = relay::check_lines(&lines) else {
        return;
    };
    let errors: Vec<&str> = verdicts.iter().map(|verdict| verdict.errors[0].as_str()).collect();
    assert_eq!(errors[0], "not strict JSON: NaN is no JSON number");
    assert_eq!(errors[1], "not strict JSON: duplicate key 'release'");
    assert!(errors[2].starts_with("not strict JSON: "), "{errors:?}");
}

/// An event with one exception, as of now: receivers refuse old ones.
fn event(id: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "event_id": id,
        "timestamp": now,
        "platform": "native",
        "level": "error",
        "server_name": "outpost",
        "message": "nobody answers the password",
        "tags": { "gate": "north" },
        "exception": { "values": [{
            "type": "Alarm",
            "value": "nobody answers",
            "stacktrace": { "frames": [{ "function": "patrol", "filename": "patrol.rs", "lineno": 7, "in_app": true }] },
        }] },
    })
}

fn envelope(event: &Value) -> String {
    let payload = event.to_string();
    let (id, length) = (&event["event_id"], payload.len());
    format!("{{\"event_id\":{id}}}\n{{\"type\":\"event\",\"length\":{length}}}\n{payload}\n")
}
