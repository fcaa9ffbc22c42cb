//! A white sheet, and what all pictures are made of.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Drawn = Result<(), Box<dyn Error + Send + Sync>>;
pub type Point = (i32, i32);

pub const WIDTH: i32 = 900;
pub const PEER: RGBColor = RGBColor(170, 178, 189);
pub const OURS: RGBColor = RGBColor(31, 111, 235);
pub const LOST: RGBColor = RGBColor(207, 34, 46);
pub const INK: RGBColor = RGBColor(36, 41, 47);
pub const FAINT: RGBColor = RGBColor(110, 119, 129);
pub const GRID: RGBColor = RGBColor(229, 232, 236);

/// Where a text stands, as seen from its point.
#[derive(Clone, Copy)]
pub enum Stand {
    Left,
    Middle,
    Right,
}

pub struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

impl<'a> Canvas<'a> {
    /// A sheet of so many pixels in height, with a title and a legend.
    pub fn new(path: &'a Path, height: i32, title: &str, note: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let area = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
        let canvas = Self(area);
        canvas.0.fill(&WHITE).map_err(|error| error.to_string())?;
        canvas.bold(title, (20, 26), 18, Stand::Left, INK)?;
        canvas.text(note, (20, 48), 12, Stand::Left, FAINT)?;
        canvas.bar((WIDTH - 230, 20), (WIDTH - 218, 32), PEER)?;
        canvas.text("sentry-core", (WIDTH - 212, 26), 13, Stand::Left, INK)?;
        canvas.bar((WIDTH - 110, 20), (WIDTH - 98, 32), OURS)?;
        canvas.text("vidette", (WIDTH - 92, 26), 13, Stand::Left, INK)?;
        Ok(canvas)
    }

    pub fn text(&self, text: &str, at: Point, size: i32, stand: Stand, color: RGBColor) -> Drawn {
        self.write(text, at, size, stand, color, FontStyle::Normal)
    }

    pub fn bold(&self, text: &str, at: Point, size: i32, stand: Stand, color: RGBColor) -> Drawn {
        self.write(text, at, size, stand, color, FontStyle::Bold)
    }

    /// The size is what the picture shows; the backend divides by 1.24.
    fn write(&self, text: &str, at: Point, size: i32, stand: Stand, color: RGBColor, style: FontStyle) -> Drawn {
        let across = match stand {
            Stand::Left => HPos::Left,
            Stand::Middle => HPos::Center,
            Stand::Right => HPos::Right,
        };
        let font = FontDesc::new(FontFamily::SansSerif, f64::from(size) * 1.24, style);
        let style = TextStyle::from(font).color(&color).pos(Pos::new(across, VPos::Center));
        self.0.draw(&Text::new(text.to_owned(), at, style)).map_err(|error| error.to_string().into())
    }

    pub fn bar(&self, from: Point, to: Point, color: RGBColor) -> Drawn {
        self.0.draw(&Rectangle::new([from, to], color.filled())).map_err(|error| error.to_string().into())
    }

    pub fn line(&self, points: Vec<Point>, width: u32, color: RGBColor) -> Drawn {
        self.0.draw(&PathElement::new(points, color.stroke_width(width))).map_err(|error| error.to_string().into())
    }

    pub fn dot(&self, at: Point, color: RGBColor) -> Drawn {
        self.0.draw(&Circle::new(at, 4, color.filled())).map_err(|error| error.to_string().into())
    }

    pub fn finish(self) -> Drawn {
        self.0.present().map_err(|error| error.to_string().into())
    }
}

/// A duration as an axis shows it.
pub fn span(nanos: f64) -> String {
    match nanos {
        ..1.0 => format!("{nanos:.1} ns"),
        1.0..1e3 => format!("{nanos:.0} ns"),
        1e3..1e6 => format!("{:.0} µs", nanos / 1e3),
        _ => format!("{:.0} ms", nanos / 1e6),
    }
}

/// A name without the marks of Markdown.
pub fn plain(name: &str) -> String {
    name.replace('`', "")
}
