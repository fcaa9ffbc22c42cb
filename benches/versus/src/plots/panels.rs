//! Small pictures side by side: calls over threads, and how long single calls take.

use std::path::Path;

use super::canvas::{Canvas, Drawn, FAINT, GRID, INK, OURS, PEER, Point, Stand, WIDTH, plain, span};
use crate::contention::{Outcome, PERCENTILES, Pace};
use crate::run::Measured;

/// Calls of all threads in a second, over the number of threads.
pub fn draw_threads(measured: &Measured, path: &Path) -> Drawn {
    let groups: Vec<&[Outcome]> = measured.outcomes.chunk_by(|one, next| one.name == next.name).collect();
    let note = "calls of all threads in a second, over the number of threads; more is better";
    let canvas = Canvas::new(path, height(groups.len()), "Several threads at once", note)?;
    for (number, group) in groups.iter().enumerate() {
        let paces = group.iter().flat_map(|outcome| [outcome.peer.calls, outcome.ours.calls]);
        let (step, steps) = steps(paces.fold(0.0, f64::max));
        let panel = Panel::at(number, group.len());
        panel.frame(&canvas, &group[0].name, group.iter().map(|outcome| outcome.threads.to_string()))?;
        for at in 0..=steps {
            panel.level(&canvas, f64::from(at) / f64::from(steps), &rate(step * f64::from(at)))?;
        }
        let share = |pace: &Pace| pace.calls / (step * f64::from(steps));
        panel.curve(&canvas, group.iter().map(|outcome| share(&outcome.peer)), PEER)?;
        panel.curve(&canvas, group.iter().map(|outcome| share(&outcome.ours)), OURS)?;
    }
    canvas.finish()
}

/// What single calls take while each processor is busy with them.
pub fn draw_latency(measured: &Measured, path: &Path) -> Drawn {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let groups = measured.outcomes.chunk_by(|one, next| one.name == next.name);
    let busy: Vec<&Outcome> = groups
        .filter_map(|group| group.iter().rev().find(|outcome| outcome.threads <= cores).or(group.first()))
        .collect();
    let note = "what single calls take at most, by percentile, with as many threads as processors; logarithmic, less is better";
    let canvas = Canvas::new(path, height(busy.len()), "How long a call takes when all are busy", note)?;
    for (number, outcome) in busy.iter().enumerate() {
        let all = || outcome.peer.nanos.iter().chain(&outcome.ours.nanos);
        let low = all().copied().fold(f64::INFINITY, f64::min).max(1.0).log10().floor();
        let high = all().copied().fold(0.0, f64::max).max(10.0).log10().ceil().max(low + 1.0);
        let panel = Panel::at(number, PERCENTILES.len());
        panel.frame(&canvas, &outcome.name, PERCENTILES.iter().map(|percentile| format!("p{percentile}")))?;
        for power in low as i32..=high as i32 {
            panel.level(&canvas, (f64::from(power) - low) / (high - low), &span(10f64.powi(power)))?;
        }
        let share = |nanos: &f64| (nanos.max(1.0).log10() - low) / (high - low);
        panel.curve(&canvas, outcome.peer.nanos.iter().map(share), PEER)?;
        panel.curve(&canvas, outcome.ours.nanos.iter().map(share), OURS)?;
    }
    canvas.finish()
}

/// One of the small pictures: where its curves are drawn.
struct Panel {
    left: i32,
    top: i32,
    columns: usize,
}

impl Panel {
    fn at(number: usize, columns: usize) -> Self {
        let (column, row) = ((number % 2) as i32, (number / 2) as i32);
        Self { left: 74 + column * (WIDTH / 2 - 4), top: TOP + row * PITCH + 34, columns }
    }

    fn point(&self, column: usize, share: f64) -> Point {
        let step = ACROSS / self.columns as i32;
        let up = (share.clamp(0.0, 1.0) * f64::from(DOWN)) as i32;
        (self.left + step / 2 + column as i32 * step, self.top + DOWN - up)
    }

    fn frame(&self, canvas: &Canvas<'_>, name: &str, columns: impl Iterator<Item = String>) -> Drawn {
        canvas.bold(&plain(name), (self.left, self.top - 18), 13, Stand::Left, INK)?;
        for (number, column) in columns.enumerate() {
            let (x, _) = self.point(number, 0.0);
            canvas.text(&column, (x, self.top + DOWN + 14), 11, Stand::Middle, FAINT)?;
        }
        Ok(())
    }

    fn level(&self, canvas: &Canvas<'_>, share: f64, label: &str) -> Drawn {
        let (_, y) = self.point(0, share);
        canvas.line(vec![(self.left, y), (self.left + ACROSS, y)], 1, GRID)?;
        canvas.text(label, (self.left - 8, y), 11, Stand::Right, FAINT)
    }

    fn curve(&self, canvas: &Canvas<'_>, shares: impl Iterator<Item = f64>, color: plotters::style::RGBColor) -> Drawn {
        let points: Vec<Point> = shares.enumerate().map(|(column, share)| self.point(column, share)).collect();
        canvas.line(points.clone(), 2, color)?;
        points.into_iter().try_for_each(|point| canvas.dot(point, color))
    }
}

/// A round step, and how many of them reach as far as `most`.
fn steps(most: f64) -> (f64, u32) {
    let power = 10f64.powf((most.max(1.0) / 4.0).log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| step * 4.0 >= most);
    let step = step.unwrap_or(10.0 * power);
    (step, (most / step).ceil().max(1.0) as u32)
}

fn rate(calls: f64) -> String {
    match calls {
        ..1e3 => format!("{calls:.0}"),
        1e3..1e6 => format!("{} k", calls / 1e3),
        _ => format!("{} M", calls / 1e6),
    }
}

fn height(panels: usize) -> i32 {
    TOP + panels.div_ceil(2) as i32 * PITCH + 10
}

const TOP: i32 = 66;
const PITCH: i32 = 214;
const ACROSS: i32 = 354;
const DOWN: i32 = 140;
