//! Integrations: set up once, found by type, seen in the SDK's own words.

use std::sync::Arc;

use vidette::protocol::Event;
use vidette::{ClientOptions, Hub, Integration};

use crate::rig::Rig;

struct Shop(u32);

impl Integration for Shop {
    fn name(&self) -> &'static str {
        "shop"
    }

    fn setup(&self, options: &mut ClientOptions) {
        options.release = Some(format!("shop@{}", self.0).into());
    }
}

struct Stranger;

impl Integration for Stranger {}

#[test]
fn an_integration_may_change_the_options_before_the_client_starts() {
    let rig = Rig::with(ClientOptions::new().add_integration(Shop(7)));
    assert_eq!(rig.client.options().release.as_deref(), Some("shop@7"));
    let event = rig.event();
    assert_eq!(event.release.as_deref(), Some("shop@7"));
    assert!(event.sdk.unwrap().integrations.contains(&"shop".to_owned()));
}

#[test]
fn an_integration_learns_which_frames_are_the_sdks_own() {
    let rig = Rig::with(ClientOptions::new().in_app_exclude(["shop::vendor"]));
    assert_eq!(rig.client.options().in_app_exclude, ["shop::vendor", "vidette::"]);
    let again = Rig::with(rig.client.options().clone());
    assert_eq!(again.client.options().in_app_exclude, ["shop::vendor", "vidette::"]);
}

#[test]
fn an_integration_is_found_by_its_type() {
    let rig = Rig::with(ClientOptions::new().add_integration(Shop(7)));
    assert_eq!(rig.hub.with_integration(|shop: &Shop| shop.0), 7);
    assert!(!rig.hub.with_integration(|_: &Stranger| true));
    assert_eq!(Hub::new(None, Arc::default()).with_integration(|shop: &Shop| shop.0), 0);
}

#[test]
fn a_setup_that_panics_leaves_a_client_that_works() {
    struct Panicking;
    impl Integration for Panicking {
        fn setup(&self, _: &mut ClientOptions) {
            panic!("on purpose");
        }

        fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
            event.logger = Some("seen".to_owned());
            Some(event)
        }
    }
    let rig = Rig::with(ClientOptions::new().add_integration(Panicking).add_integration(Shop(1)));
    let event = rig.event();
    assert_eq!((event.logger.as_deref(), event.release.as_deref()), (Some("seen"), Some("shop@1")));
}
