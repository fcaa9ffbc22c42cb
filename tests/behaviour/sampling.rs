//! Sampling: the share of events that is kept.

use vidette::protocol::client_report::{Category, Reason};
use vidette::{ClientOptions, EventSamplingStrategy};

use crate::rig::{Rig, capture, discarded};

#[test]
fn a_rate_keeps_about_that_share_and_counts_the_rest() {
    let rig = Rig::with(ClientOptions::new().sample_rate(0.25));
    let kept = (0..4_000).filter(|_| capture(&rig.hub, "perhaps")).count();
    // Ten standard deviations wide.
    assert!((700..1_300).contains(&kept), "{kept}");
    let stats = rig.client.stats();
    assert_eq!(rig.events().len(), kept);
    assert_eq!(discarded(&stats, Reason::SampleRate), 4_000 - kept as u64);
    assert_eq!(stats.captured(Category::Error), 4_000);
}

#[test]
fn none_and_all_are_exact() {
    for (rate, kept) in [(0.0, 0), (1.0, 100)] {
        let rig = Rig::with(ClientOptions::new().sample_rate(rate));
        (0..100).for_each(|_| _ = capture(&rig.hub, "event"));
        assert_eq!(rig.events().len(), kept);
    }
}

#[test]
fn a_rate_that_is_none_is_clamped_and_nan_keeps_all() {
    for (rate, kept) in [(-1.0, false), (7.0, true), (f32::NAN, true)] {
        let mut options = ClientOptions::new();
        options.event_sampling_strategy = EventSamplingStrategy::FixedRate(rate);
        assert_eq!(capture(&Rig::with(options).hub, "event"), kept, "{rate}");
    }
}
