//! Two bars for each operation, on a logarithmic axis.

use std::path::Path;

use super::canvas::{Canvas, Drawn, FAINT, GRID, INK, LOST, OURS, PEER, Stand, WIDTH, plain, span};
use crate::measure::Compared;
use crate::report::times_if_any;
use crate::rows::{CLOSED, PEER as RIVAL, TABLES, Table};
use crate::run::Measured;

pub fn draw(measured: &Measured, path: &Path) -> Drawn {
    let shown = |(table, rows): (&'static Table, &'_ Vec<Compared>)| {
        table.rival == RIVAL && table.key != CLOSED[1] && !rows.is_empty()
    };
    let tables: Vec<_> = TABLES.iter().zip(&measured.tables).filter(|(table, rows)| shown((table, rows))).collect();
    let lines: usize = tables.iter().map(|(_, rows)| rows.len()).sum();
    let height = TOP + lines as i32 * LINE + tables.len() as i32 * HEADING + 30;
    let note = "time of the calling thread for each call, logarithmic; on the right, the peer's time divided by ours";
    let canvas = Canvas::new(path, height, "What a call costs", note)?;
    for power in LOW..=HIGH {
        let x = across(10f64.powi(power));
        canvas.line(vec![(x, TOP), (x, height - 30)], 1, GRID)?;
        canvas.text(&span(10f64.powi(power)), (x, height - 16), 11, Stand::Middle, FAINT)?;
        canvas.text(&span(10f64.powi(power)), (x, TOP - 12), 11, Stand::Middle, FAINT)?;
    }
    let mut y = TOP;
    for (table, rows) in tables {
        canvas.bold(table.heading, (20, y + HEADING / 2 + 4), 13, Stand::Left, INK)?;
        y += HEADING;
        for row in rows {
            line(&canvas, y, row)?;
            y += LINE;
        }
    }
    canvas.finish()
}

fn line(canvas: &Canvas<'_>, y: i32, row: &Compared) -> Drawn {
    let middle = y + LINE / 2;
    canvas.text(&plain(&row.name), (LEFT - 10, middle), 12, Stand::Right, INK)?;
    canvas.bar((LEFT, middle - 8), (across(row.peer.nanos.median), middle - 1), PEER)?;
    canvas.bar((LEFT, middle), (across(row.ours.nanos.median), middle + 7), OURS)?;
    let color = if row.is_lost() { LOST } else { OURS };
    canvas.bold(&times_if_any(row.ratio), (WIDTH - 20, middle), 12, Stand::Right, color)
}

/// Where a time ends on the axis.
fn across(nanos: f64) -> i32 {
    let share = (nanos.max(10f64.powi(LOW)).log10() - f64::from(LOW)) / f64::from(HIGH - LOW);
    LEFT + (share.min(1.0) * f64::from(RIGHT - LEFT)).max(1.0) as i32
}

/// Powers of ten: 0.1 ns and 1 ms.
const LOW: i32 = -1;
const HIGH: i32 = 6;
const LEFT: i32 = 350;
const RIGHT: i32 = 815;
const TOP: i32 = 84;
const LINE: i32 = 22;
const HEADING: i32 = 28;
