//! Whether a transaction is recorded, and with which odds.

use super::context::{Ancestry, TransactionContext};
use crate::callback::{self, Panicked};
use crate::diag;
use crate::options::{ClientOptions, TracesSamplingStrategy};
use crate::protocol::{Level, SampleRand, TraceId};

/// What was decided about a transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) fate: Fate,
    /// What other services are told.
    pub(super) sampled: Option<bool>,
    /// The odds, if they were decided on here.
    pub(super) rate: Option<f32>,
}

/// What becomes of a transaction that ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It is sent.
    Sent,
    /// It is counted as sampled out.
    Counted,
    /// Nothing: tracing is off, and what the caller decided is passed on.
    Ignored,
}

impl Decision {
    /// Decides in this order: what the code said, a sampler, the caller, the rate. Where tracing is off, nothing is.
    pub(super) fn make(options: &ClientOptions, context: &TransactionContext) -> Self {
        let rand = || sample_rand(context);
        let forced = context.sampled.filter(|_| context.is_forced);
        let inherited = || context.sampled.map(|sampled| Self::enabled(sampled, None));
        match (&options.traces_sampling_strategy, forced) {
            (TracesSamplingStrategy::Disabled, _) => Self::pass_on(context.sampled),
            (_, Some(sampled)) => Self::enabled(sampled, Some(f32::from(u8::from(sampled)))),
            (TracesSamplingStrategy::Function(sampler), None) => {
                // In a sampler that starts transactions, and in a panic hook that does, it is not asked again.
                let asked = callback::may_capture().then(|| callback::guarded("traces_sampler", || sampler(context)));
                match asked {
                    Some(Ok(rate)) => Self::draw(rate, rand),
                    Some(Err(Panicked(name))) => {
                        diag::say(options, Level::Error, format_args!("{name} panicked and is passed over"));
                        inherited().unwrap_or_else(|| Self::pass_on(None))
                    }
                    None => inherited().unwrap_or_else(|| Self::pass_on(None)),
                }
            }
            (TracesSamplingStrategy::FixedRate(rate), None) => inherited().unwrap_or_else(|| Self::draw(*rate, rand)),
        }
    }

    /// Records nothing, and tells other services what the caller decided.
    pub(super) fn pass_on(sampled: Option<bool>) -> Self {
        Self { fate: Fate::Ignored, sampled, rate: None }
    }

    fn enabled(sampled: bool, rate: Option<f32>) -> Self {
        Self { fate: if sampled { Fate::Sent } else { Fate::Counted }, sampled: Some(sampled), rate }
    }

    fn draw(rate: f32, rand: impl FnOnce() -> SampleRand) -> Self {
        let rate = if rate.is_nan() { 0.0 } else { rate.clamp(0.0, 1.0) };
        // No number is below zero, and all are below one. As the decimals that travel: two that differ differ as floats too, and
        // two that are equal are equal.
        let is_below = rate > 0.0 && (rate >= 1.0 || (rand().value() as f32) < rate);
        Self::enabled(is_below, Some(rate))
    }
}

/// The number that the rate is compared with: the caller's, or one that the trace's id gives everywhere.
pub(super) fn sample_rand(context: &TransactionContext) -> SampleRand {
    let agreed = context.agreed().map(|baggage| baggage.context());
    if let Some(rand) = agreed.and_then(|agreed| agreed.sample_rand) {
        return rand;
    }
    let drawn = micros_of(context.trace_id);
    let incoming = matches!(context.ancestry, Ancestry::Remote { .. });
    // A caller that decided and did not say with which number: one with which it would have decided the same.
    let micros = match (agreed.and_then(|agreed| agreed.sample_rate), context.sampled) {
        (Some(rate), Some(sampled)) if incoming && !context.is_forced => consistent(drawn, rate, sampled),
        _ => drawn,
    };
    rand_of(micros)
}

/// The number that goes with a trace that starts here.
pub(super) fn sample_rand_of(trace_id: TraceId) -> SampleRand {
    rand_of(micros_of(trace_id))
}

/// Squeezes `drawn`, in millionths, below the rate or to it and above, as the decision was.
fn consistent(drawn: u32, rate: f32, sampled: bool) -> u32 {
    // The decimals that travel, not those that a float stands for.
    let rate = rate.to_string().parse().unwrap_or(f64::from(rate)) * f64::from(MILLION);
    let (low, high) = if sampled { (0, rate.ceil() as u32) } else { (rate.ceil() as u32, MILLION) };
    // No number is below a rate of 0, and none at or above 1: then the caller's words do not fit together.
    let width = u64::from(high.saturating_sub(low));
    if width == 0 { drawn } else { low + (u64::from(drawn) * width / u64::from(MILLION)) as u32 }
}

/// Millionths that depend on all bits of the id, so that ids with fixed bits are spread as well.
fn micros_of(trace_id: TraceId) -> u32 {
    let (high, low) = trace_id.halves();
    let mut mixed = high.rotate_left(32) ^ low;
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        mixed ^= mixed >> 33;
        mixed = mixed.wrapping_mul(factor);
    }
    mixed ^= mixed >> 33;
    // Below a million: it is a remainder.
    (mixed % u64::from(MILLION)) as u32
}

fn rand_of(micros: u32) -> SampleRand {
    SampleRand::from_millionths(micros)
}

const MILLION: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ClientOptions;

    fn incoming(flag: &str, baggage: &str) -> TransactionContext {
        let trace = format!("{}-{}{flag}", TraceId::default(), crate::protocol::SpanId::default());
        let headers = [("sentry-trace", trace.as_str()), ("baggage", baggage)];
        TransactionContext::continue_from_headers("name", "op", headers)
    }

    fn decide(options: &ClientOptions, context: &TransactionContext) -> Decision {
        Decision::make(options, context)
    }

    fn fate(options: &ClientOptions, context: &TransactionContext) -> (Fate, Option<bool>) {
        let decision = decide(options, context);
        (decision.fate, decision.sampled)
    }

    #[test]
    fn the_order_is_code_sampler_caller_rate_and_off_is_off() {
        let forced = |sampled: bool, mut context: TransactionContext| {
            context.set_sampled(sampled);
            context
        };
        let (none, all) =
            (|| ClientOptions::new().traces_sample_rate(0.0), || ClientOptions::new().traces_sample_rate(1.0));
        let (sent, counted) = ((Fate::Sent, Some(true)), (Fate::Counted, Some(false)));
        let fresh = || TransactionContext::new("name", "op");
        assert_eq!(fate(&all(), &fresh()), sent);
        assert_eq!(fate(&none(), &fresh()), counted);
        assert_eq!(fate(&none(), &incoming("-1", "")), sent);
        assert_eq!(fate(&all(), &incoming("-0", "")), counted);
        assert_eq!(fate(&all(), &incoming("", "")), sent);
        assert_eq!(fate(&all(), &forced(false, incoming("-1", ""))), counted);
        let sampler = |rate: f32| ClientOptions::new().traces_sampler(move |_| rate);
        assert_eq!(fate(&sampler(1.0), &incoming("-0", "")), sent);
        assert_eq!(fate(&sampler(0.0), &incoming("-1", "")), counted);
        assert_eq!(fate(&sampler(1.0), &forced(false, fresh())), counted);
        assert_eq!(fate(&sampler(f32::NAN), &fresh()), counted);
        assert_eq!(fate(&sampler(9.0), &fresh()), sent);
        let off = ClientOptions::new();
        assert_eq!(fate(&off, &forced(true, fresh())), (Fate::Ignored, Some(true)));
        assert_eq!(fate(&off, &incoming("-1", "")), (Fate::Ignored, Some(true)));
        assert_eq!(fate(&off, &fresh()), (Fate::Ignored, None));
    }

    #[test]
    fn a_sampler_that_panics_is_passed_over() {
        let options = ClientOptions::new().traces_sampler(|_| panic!("on purpose"));
        assert_eq!(fate(&options, &incoming("-1", "")), (Fate::Sent, Some(true)));
        assert_eq!(fate(&options, &incoming("-0", "")), (Fate::Counted, Some(false)));
        assert_eq!(fate(&options, &TransactionContext::new("name", "op")), (Fate::Ignored, None));
    }

    #[test]
    fn the_number_is_the_same_for_a_trace_and_spread_evenly() {
        let id = TraceId::default();
        assert_eq!(sample_rand_of(id), sample_rand_of(id));
        let mut tenths = [0; 10];
        for n in 0..10_000_u128 {
            // Ids of which only few bits differ.
            tenths[(sample_rand_of(TraceId::from(n.to_be_bytes())).value() * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1_150).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_number_of_the_caller_counts() {
        let context = incoming("", "sentry-sample_rand=0.250000,sentry-sample_rate=0.5");
        assert_eq!(sample_rand(&context).to_string(), "0.250000");
        let rate = |rate| fate(&ClientOptions::new().traces_sample_rate(rate), &context).0;
        assert_eq!((rate(0.25), rate(0.250_001)), (Fate::Counted, Fate::Sent));
    }

    #[test]
    fn without_a_number_of_the_caller_one_is_drawn_that_fits_its_decision() {
        for _ in 0..2_000 {
            for rate in ["0.000001", "0.1", "0.3333333333333333", "0.5", "0.999999", "1"] {
                let baggage = format!("sentry-sample_rate={rate}");
                let parsed: f64 = rate.parse().unwrap();
                assert!(sample_rand(&incoming("-1", &baggage)).value() < parsed, "{rate}");
                if parsed < 1.0 {
                    assert!(sample_rand(&incoming("-0", &baggage)).value() >= parsed, "{rate}");
                }
            }
            for contradiction in [incoming("-1", "sentry-sample_rate=0"), incoming("-0", "sentry-sample_rate=1")] {
                assert_eq!(sample_rand(&contradiction), sample_rand_of(contradiction.trace_id));
            }
        }
    }

    #[test]
    fn a_number_below_the_rate_and_sampled_are_the_same_also_as_they_travel() {
        for micros in [0, 1, 99_999, 100_000, 100_001, 333_333, 500_000, 999_999] {
            for rate in [0.0, 0.000_001, 0.1, 0.100_001, 0.333_333, 1.0 / 3.0, 0.5, 0.999_999, 1.0_f32] {
                let rand = rand_of(micros);
                let below = rand.to_string().parse::<f64>().unwrap() < rate.to_string().parse::<f64>().unwrap();
                assert_eq!(Decision::draw(rate, || rand).sampled, Some(below), "{rand} {rate}");
            }
        }
    }
}
