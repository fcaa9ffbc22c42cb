//! One whole run, in this process: every row that is wanted, in order.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contention::{Bout, Outcome};
use crate::measure::{Compared, Crowd, compare};
use crate::operations::{ours, peer};
use crate::rows::{BOUTS, CLOSED, HUBS, Row, TABLES};

/// What was measured.
#[derive(Deserialize, Serialize)]
pub struct Measured {
    /// Those of [`TABLES`].
    pub tables: Vec<Vec<Compared>>,
    /// The table of hubs again, with other threads alive.
    pub crowded: Vec<Compared>,
    pub outcomes: Vec<Outcome>,
    /// How many threads a client starts: the peer's, and ours.
    pub threads: [usize; 2],
}

/// Which rows to measure: those with one of these parts in their names, or all if there are none.
pub struct Wanted(pub Vec<String>);

impl Wanted {
    pub fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|part| name.contains(part.as_str()))
    }

    fn compare(&self, rows: &[Row]) -> Vec<Compared> {
        rows.iter().filter(|row| self.has(row.name)).map(compare).collect()
    }
}

/// Measures all that is wanted.
pub fn once(wanted: &Wanted) -> Measured {
    let tables = TABLES.iter().map(|table| wanted.compare(table.rows)).collect();
    let hubs = TABLES.iter().find(|table| table.key == HUBS).map_or(&[][..], |table| table.rows);
    let bouts = BOUTS.iter().filter(|bout| wanted.has(bout.name));
    let outcomes = bouts.flat_map(|bout| bout.fight(WINDOW)).collect();
    let threads = [peer::threads_of_a_client(), ours::threads_of_a_client()];
    let crowd = Crowd::gather(OTHER_THREADS, || {
        peer::touch();
        ours::touch();
    });
    let crowded = wanted.compare(hubs);
    drop(crowd);
    Measured { tables, crowded, outcomes, threads }
}

/// Does each row a few times, and checks that it did something.
pub fn smoke() {
    for table in TABLES {
        for row in table.rows {
            println!("{}: {}", table.key, row.name);
            (row.peer)().prove(FEW);
            (row.ours)().prove(FEW);
        }
    }
    for bout in BOUTS {
        println!("contention: {}", bout.name);
        let few = Bout { threads: &[2], ..*bout };
        for Outcome { peer, ours, .. } in few.fight(Duration::from_millis(2)) {
            assert!([peer, ours].iter().all(|pace| pace.calls > 0.0 && pace.nanos.iter().all(|nanos| *nanos > 0.0)));
        }
    }
    assert_eq!(ours::threads_of_a_client(), 1);
    assert_eq!(CLOSED.map(|key| TABLES.iter().filter(|table| table.key == key).count()), [1, 1]);
}

impl Measured {
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, serde_json::to_vec(self)?)
    }

    pub fn read(path: &Path) -> std::io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }

    /// Joins several runs: the median of each number.
    pub fn joined(runs: &[Self]) -> Self {
        let rows = |of: &dyn Fn(&Self) -> &[Compared]| -> Vec<Compared> {
            let row = |at: usize| Compared::joined(&runs.iter().map(|run| of(run)[at].clone()).collect::<Vec<_>>());
            (0..of(&runs[0]).len()).map(row).collect()
        };
        let outcome =
            |at: usize| Outcome::joined(&runs.iter().map(|run: &Self| run.outcomes[at].clone()).collect::<Vec<_>>());
        Self {
            tables: (0..TABLES.len()).map(|table| rows(&|run| &run.tables[table])).collect(),
            crowded: rows(&|run| &run.crowded),
            outcomes: (0..runs[0].outcomes.len()).map(outcome).collect(),
            threads: runs[0].threads,
        }
    }
}

/// How many other threads are alive when hubs are measured again.
pub const OTHER_THREADS: usize = 256;
/// How long each race lasts.
const WINDOW: Duration = Duration::from_millis(30);
/// Calls of a smoke test.
const FEW: u64 = 3;
