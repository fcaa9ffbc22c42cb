//! Pictures of what was measured.

mod canvas;
mod operations;
mod panels;

use std::error::Error;
use std::path::Path;

use crate::run::Measured;

/// Draws all pictures into a directory.
pub fn draw(measured: &Measured, directory: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    std::fs::create_dir_all(directory)?;
    operations::draw(measured, &directory.join("operations.svg"))?;
    panels::draw_threads(measured, &directory.join("threads.svg"))?;
    panels::draw_latency(measured, &directory.join("latency.svg"))
}
