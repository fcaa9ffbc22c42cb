//! One event as a tree that a person can read.

use std::fmt::Display;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use vidette::protocol::{Breadcrumb, Context, Event, Frame, Value};

/// Prints an event: what went wrong, where, and what came before.
pub fn print(event: &Event<'_>) {
    println!("\nThe last event that was received");
    let when = OffsetDateTime::from(event.timestamp).format(&Rfc3339).unwrap_or_default();
    let (release, environment) = (event.release.as_deref(), event.environment.as_deref());
    let (release, environment) = (release.unwrap_or("no release"), environment.unwrap_or("no environment"));
    println!("event {}, {}, {when}, {release}, {environment}", event.event_id.simple(), event.level);

    let exceptions: Vec<_> = event.exception.iter().collect();
    branch(
        "exceptions, oldest first",
        exceptions
            .iter()
            .map(|exception| format!("{}: {}", exception.ty, exception.value.as_deref().unwrap_or("no message"))),
    );

    let stacktraces = exceptions.iter().filter_map(|exception| exception.stacktrace.as_ref());
    let frames: Vec<&Frame> = stacktraces.flat_map(|stacktrace| &stacktrace.frames).rev().collect();
    let own: Vec<&Frame> = frames.iter().copied().filter(|frame| frame.in_app == Some(true)).collect();
    let width = own.iter().map(|frame| function(frame).chars().count()).max().unwrap_or_default();
    branch(
        format_args!("in the application, innermost first ({} of {} frames)", own.len(), frames.len()),
        own.iter().map(|frame| format!("{:width$}  {}", function(frame), place(frame))),
    );

    let crumbs: Vec<_> = event.breadcrumbs.iter().collect();
    let last = &crumbs[crumbs.len().saturating_sub(BREADCRUMBS)..];
    branch(
        format_args!("breadcrumbs (the last {} of {})", last.len(), crumbs.len()),
        last.iter().map(|crumb| breadcrumb(crumb, event.timestamp)),
    );
    let tags: Vec<_> = event.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    println!("├─ tags  {}", tags.join("  "));
    branch("contexts", event.contexts.iter().map(|(key, context)| format!("{key}: {}", short(context))));
    println!("└─ sdk {}", event.sdk.as_ref().map_or_else(String::new, |sdk| format!("{} {}", sdk.name, sdk.version)));
}

fn branch(name: impl Display, leaves: impl Iterator<Item = String>) {
    println!("├─ {name}");
    let mut leaves = leaves.peekable();
    while let Some(leaf) = leaves.next() {
        println!("│  {} {leaf}", if leaves.peek().is_some() { "├─" } else { "└─" });
    }
}

fn function(frame: &Frame) -> &str {
    frame.function.as_deref().unwrap_or("unknown function")
}

fn place(frame: &Frame) -> String {
    let file = frame.abs_path.as_deref().or(frame.filename.as_deref()).unwrap_or("unknown file");
    // The part that tells the files of this program apart.
    let file = file.rsplit_once("examples/").map_or(file, |(_, file)| file);
    frame.lineno.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

fn breadcrumb(crumb: &Breadcrumb, event: SystemTime) -> String {
    let before = event.duration_since(crumb.timestamp).unwrap_or_default();
    let data: Vec<_> = crumb.data.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
    let (category, message) = (crumb.category.as_deref().unwrap_or("-"), crumb.message.as_deref().unwrap_or(""));
    let level = crumb.level.to_string();
    let before = format!("−{:.1} ms", before.as_secs_f64() * 1e3);
    format!("{before:>8}  {level:<7}  {category:<11}  {message}  {}", data.join(" ")).trim_end().to_owned()
}

/// What one wants to know of a context first, or its first few fields.
fn short(context: &Context) -> String {
    let words = |words: [&Option<String>; 2]| words.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    match context {
        Context::Os(os) => words([&os.name, os.kernel_version.as_ref().map_or(&os.version, |_| &os.kernel_version)]),
        Context::Runtime(runtime) => words([&runtime.name, &runtime.version]),
        Context::Device(device) => words([&device.model, &device.arch]),
        Context::Trace(trace) => format!("{} in {}", trace.span_id, trace.trace_id),
        other => {
            let Ok(Value::Object(fields)) = serde_json::to_value(other) else { return String::new() };
            let fields = fields.iter().filter(|(key, value)| *key != "type" && !value.is_object() && !value.is_array());
            fields.take(FIELDS).map(|(key, value)| format!("{key} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How many breadcrumbs are shown.
const BREADCRUMBS: usize = 6;
/// How many fields of a context are shown.
const FIELDS: usize = 4;
