//! What the services in a trace have agreed on, as data and as the text of a `baggage` header.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::sampling::sample_rand_of;
use crate::options::ClientOptions;
use crate::protocol::{DynamicSamplingContext, OrganizationId, TraceId};
use crate::sync::chain::Chain;

/// What is agreed on, once and for all services in the trace.
///
/// The text is written when somebody asks for it: most transactions are sent without having passed their trace on.
#[derive(Debug)]
pub(crate) struct Baggage {
    context: DynamicSamplingContext,
    /// The members of a `baggage` header, without those of others. Empty, or one text.
    text: Chain<String>,
}

/// What a client says about itself to all services in a trace.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    pub(crate) public_key: Option<String>,
    pub(crate) release: Option<Cow<'static, str>>,
    pub(crate) environment: Option<Cow<'static, str>>,
    pub(crate) org_id: Option<OrganizationId>,
}

impl Origin {
    pub(crate) fn of(options: &ClientOptions) -> Self {
        Self {
            public_key: options.dsn.as_ref().map(|dsn| dsn.public_key().to_owned()),
            release: options.release.clone(),
            environment: options.environment.clone(),
            org_id: options.org_id.or_else(|| options.dsn.as_ref()?.org_id()),
        }
    }

    /// What a trace that starts here says while nothing is decided about it.
    pub(crate) fn undecided(&self, trace_id: TraceId) -> DynamicSamplingContext {
        let mut context = self.context(trace_id);
        Self::decide_nothing_about(trace_id, &mut context);
        context
    }

    /// Makes an [`undecided`](Self::undecided) context that of another trace, without allocating.
    pub(crate) fn decide_nothing_about(trace_id: TraceId, context: &mut DynamicSamplingContext) {
        context.trace_id = Some(trace_id);
        context.sample_rand = Some(sample_rand_of(trace_id));
    }

    pub(super) fn context(&self, trace_id: TraceId) -> DynamicSamplingContext {
        DynamicSamplingContext {
            trace_id: Some(trace_id),
            public_key: self.public_key.clone(),
            release: self.release.as_deref().map(str::to_owned),
            environment: self.environment.as_deref().map(str::to_owned),
            org_id: self.org_id,
            ..DynamicSamplingContext::default()
        }
    }
}

impl Baggage {
    /// Agrees on `context`. What does not fit a header is left out there.
    pub(crate) fn of(context: DynamicSamplingContext) -> Self {
        Self { context, text: Chain::new() }
    }

    /// The same, in the words of another service.
    fn quoted(context: DynamicSamplingContext, text: String) -> Self {
        let baggage = Self::of(context);
        // Never refused: nobody else has it.
        _ = baggage.text.push(text);
        baggage
    }

    pub(crate) fn context(&self) -> &DynamicSamplingContext {
        &self.context
    }

    /// The value of a `baggage` header. Empty only if there is nothing to say. Allocates the first time.
    pub(crate) fn text(&self) -> &str {
        if self.text.newest().is_none() {
            // Refused: another thread was first, and wrote the same.
            _ = self.text.push_up_to(1, self.write());
        }
        self.text.newest().map_or("", String::as_str)
    }

    fn write(&self) -> String {
        let context = &self.context;
        let mut text = Members { text: String::with_capacity(USUAL), count: 0 };
        // Numbers and names of the server first: a long name must not push them out.
        text.push_plain("trace_id", context.trace_id);
        text.push("public_key", context.public_key.as_deref());
        text.push_plain("sample_rand", context.sample_rand);
        text.push_plain("sample_rate", context.sample_rate);
        text.push_plain("sampled", context.sampled);
        text.push_plain("org_id", context.org_id);
        text.push("environment", context.environment.as_deref());
        text.push("release", context.release.as_deref());
        text.push("transaction", context.transaction.as_deref());
        for (name, value) in &context.other {
            text.push(name, value.as_str());
        }
        text.text
    }
}

impl PartialEq for Baggage {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context && self.text() == other.text()
    }
}

/// Reads the members of `baggage` headers, one header after the other.
#[derive(Debug, Default)]
pub(super) struct BaggageReader {
    context: DynamicSamplingContext,
    text: Members,
}

impl BaggageReader {
    /// Takes in one header. Members of others and those that make no sense are passed over.
    pub(super) fn read(&mut self, header: &str) {
        for member in header.split(',').take(MOST_READ) {
            let Some((name, value)) = member.split_once('=') else { continue };
            let Some(name) = name.trim().strip_prefix(PREFIX) else { continue };
            // What follows a semicolon describes the member.
            let value = value.split(';').next().unwrap_or_default().trim();
            if let Ok(value) = percent_decode_str(value).decode_utf8() {
                self.member(name, &value);
            }
        }
    }

    /// What was read. `None`: no member of ours.
    pub(super) fn finish(self, trace_id: TraceId) -> Option<Baggage> {
        let Self { mut context, text } = self;
        // Members that speak of another trace say nothing about this one.
        let is_of_trace = *context.trace_id.get_or_insert(trace_id) == trace_id;
        (text.count > 0 && is_of_trace).then(|| Baggage::quoted(context, text.text))
    }

    pub(super) fn org_id(&self) -> Option<OrganizationId> {
        self.context.org_id
    }

    /// Takes in a member; one that stands twice counts the first time.
    fn member(&mut self, name: &str, value: &str) {
        let context = &mut self.context;
        let is_read = match name {
            "trace_id" => set(&mut context.trace_id, value.parse().ok()),
            "public_key" => set(&mut context.public_key, text(value)),
            "sample_rate" => {
                set(&mut context.sample_rate, value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate)))
            }
            "sample_rand" => set(&mut context.sample_rand, value.parse().ok()),
            "sampled" => set(&mut context.sampled, value.parse().ok()),
            "release" => set(&mut context.release, text(value)),
            "environment" => set(&mut context.environment, text(value)),
            "transaction" => set(&mut context.transaction, text(value)),
            "org_id" => set(&mut context.org_id, value.parse().ok()),
            "" => false,
            _ if is_token(name) && !context.other.contains_key(name) => {
                context.other.insert(name.to_owned(), value.into());
                true
            }
            _ => false,
        };
        if is_read {
            // As it came, not as we would write it: a rate keeps all its digits.
            self.text.push(name, Some(value));
        }
    }
}

/// Members of a header, as its text.
#[derive(Debug, Default)]
struct Members {
    text: String,
    count: usize,
}

impl Members {
    fn push(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.member(name, |text| text.extend(utf8_percent_encode(value, ENCODED)));
        }
    }

    /// For what stands in a header as it is: numbers and the like.
    fn push_plain(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            // Writing to memory does not fail.
            self.member(name, |text| _ = write!(text, "{value}"));
        }
    }

    fn member(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        if self.count >= MOST_MEMBERS {
            return;
        }
        let before = self.text.len();
        if before != 0 {
            self.text.push(',');
        }
        self.text.push_str(PREFIX);
        self.text.push_str(name);
        self.text.push('=');
        write(&mut self.text);
        if self.text.len() > MOST_BYTES {
            self.text.truncate(before);
        } else {
            self.count += 1;
        }
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_set = place.is_none() && value.is_some();
    if is_set {
        *place = value;
    }
    is_set
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// True if a name can stand in a header as it is.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

const PREFIX: &str = "sentry-";
/// What stands in a header as it is: the unreserved characters of a URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Limits of the W3C for a header that all have to pass on.
const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 8_192;
/// Bytes of most texts.
const USUAL: usize = 256;
/// Members that are looked at in one header.
const MOST_READ: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Option<Baggage> {
        let mut reader = BaggageReader::default();
        headers.iter().for_each(|header| reader.read(header));
        reader.finish(TraceId::from([7; 16]))
    }

    #[test]
    fn members_of_ours_are_kept_and_those_of_others_are_not() {
        let baggage = read(&[
            "other=1, sentry-release=shop%401.0;property=x , sentry-sample_rate=0.3333333333333333",
            "sentry-replay_id=abc,sentry-sampled=true,sentry-sample_rand=0.25,sentry-org_id=7",
        ]);
        let baggage = baggage.unwrap();
        let context = baggage.context();
        assert_eq!(context.release.as_deref(), Some("shop@1.0"));
        assert_eq!(
            (context.sample_rate, context.sampled, context.org_id),
            (Some(1.0 / 3.0), Some(true), Some(7.into()))
        );
        assert_eq!(context.other["replay_id"], "abc");
        assert_eq!(
            baggage.text(),
            "sentry-release=shop%401.0,sentry-sample_rate=0.3333333333333333,sentry-replay_id=abc,sentry-sampled=true,\
             sentry-sample_rand=0.25,sentry-org_id=7"
        );
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        let nonsense = [
            "",
            ",,=,;",
            "sentry-=1",
            "sentry-sampled=maybe,sentry-sample_rate=2,sentry-sample_rand=1,sentry-org_id=x,sentry-trace_id=7",
            "sentry-release=%ff",
            "sentry-a\u{e9}=1",
            "Sentry-release=1",
            "sentry-release",
        ];
        for header in nonsense {
            assert_eq!(read(&[header]), None, "{header}");
        }
        let of_another_trace = format!("sentry-trace_id={},sentry-release=1", TraceId::from([8; 16]));
        assert_eq!(read(&[&of_another_trace]), None);
    }

    #[test]
    fn a_member_that_stands_twice_counts_the_first_time() {
        let baggage = read(&["sentry-release=1,sentry-release=2,sentry-x=1,sentry-x=2"]).unwrap();
        assert_eq!(baggage.text(), "sentry-release=1,sentry-x=1");
    }

    #[test]
    fn what_is_written_can_be_read_and_fits_a_header() {
        let odd = "men\u{fc}, \"=;\\ %2C\u{1f600}\n".to_owned();
        let mut context = DynamicSamplingContext::new()
            .with_trace_id(TraceId::from([7; 16]))
            .with_public_key("public".to_owned())
            .with_sample_rate(0.25)
            .with_sample_rand(0.125.try_into().unwrap())
            .with_sampled(true)
            .with_release(odd.clone())
            .with_environment(odd.clone())
            .with_transaction(odd)
            .with_org_id(7.into());
        let baggage = Baggage::of(context.clone());
        assert!(baggage.text().bytes().all(|byte| byte.is_ascii_graphic()), "{}", baggage.text());
        assert_eq!(read(&[baggage.text()]).as_ref(), Some(&baggage));

        context.release = Some("\u{e9}".repeat(2_000));
        (0..100).for_each(|n| drop(context.other.insert(format!("n{n}"), n.to_string().into())));
        let baggage = Baggage::of(context);
        let text = baggage.text();
        assert_eq!(text.split(',').count(), MOST_MEMBERS);
        assert!(text.len() <= MOST_BYTES && !text.contains("sentry-release") && text.contains("sentry-transaction"));
    }
}
