//! What is loaded into the process, for those who symbolicate.

use sentry::integrations::debug_images::{DebugImagesIntegration, debug_images};
use sentry::{ClientOptions, Level};

#[test]
fn an_event_names_the_images_of_its_process() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        assert!(!debug_images().is_empty());
        sentry::capture_message("here", Level::Info);
    });
    let Some(run) = run else { return };
    let event = run.event();
    let images = event["debug_meta"]["images"].as_array().unwrap();
    assert!(!images.is_empty());
    for image in images {
        assert_eq!(image["type"], "symbolic", "{image}");
        assert!(image["debug_id"].as_str().or(image["id"].as_str()).is_some_and(|id| id.len() >= 36), "{image}");
        assert!(image["image_addr"].as_str().is_some_and(|address| address.starts_with("0x")), "{image}");
        assert!(image["image_size"].as_u64().is_some_and(|size| size > 0), "{image}");
    }
    let files: Vec<&str> =
        images.iter().filter_map(|image| image["code_file"].as_str().or(image["name"].as_str())).collect();
    assert!(files.iter().any(|file| file.contains("libc.so") || file.contains("/programs-")), "{files:?}");
}

#[test]
fn a_filter_keeps_images_off_events() {
    let run = program!().run(|| {
        let filtered = DebugImagesIntegration::new().filter(|event| event.level >= Level::Warning);
        let options = ClientOptions::new().default_integrations(false).add_integration(filtered);
        let _sentry = sentry::init(options);
        sentry::capture_message("without", Level::Info);
        sentry::capture_message("with", Level::Error);
    });
    let Some(run) = run else { return };
    let events = run.events();
    assert!(events[0]["debug_meta"]["images"].is_null(), "{}", events[0]["debug_meta"]);
    assert!(events[1]["debug_meta"]["images"].is_array());
}
