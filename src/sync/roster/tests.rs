//! Models of the roster; stress tests when not under the model checker.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Member, Roster, Subject, locate};
use crate::sync::{UnsafeCell, model, spawn};

/// A value whose reads the model checker watches.
struct Watched {
    cell: UnsafeCell<u64>,
    drops: Option<std::sync::Arc<AtomicUsize>>,
}

// SAFETY: as in `read`; the model checker reports every access that is not ordered.
unsafe impl Sync for Watched {}

impl Watched {
    fn tell(&mut self, value: u64, drops: &std::sync::Arc<AtomicUsize>) {
        self.drops = Some(std::sync::Arc::clone(drops));
        // SAFETY: not shared yet; a write, so that the model checker sees who is not ordered after it.
        self.cell.with_mut(|cell| unsafe { *cell = value });
    }

    fn read(&self) -> u64 {
        // SAFETY: written only before the value is shared: what is tested here.
        self.cell.with(|value| unsafe { *value })
    }
}

impl Subject<()> for Watched {
    fn blank() -> Self {
        Self { cell: UnsafeCell::new(0), drops: None }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.drops.iter().for_each(|drops| _ = drops.fetch_add(1, Ordering::Relaxed));
    }
}

type Watching = Roster<(), Watched, ()>;

fn roster() -> (std::sync::Arc<Watching>, std::sync::Arc<AtomicUsize>) {
    (std::sync::Arc::new(Roster::new(())), std::sync::Arc::new(AtomicUsize::new(0)))
}

fn begin(
    roster: &std::sync::Arc<Watching>,
    value: u64,
    drops: &std::sync::Arc<AtomicUsize>,
) -> Member<(), Watched, ()> {
    Member::new(std::sync::Arc::clone(roster), |watched| watched.tell(value, drops))
}

#[test]
fn each_entry_has_a_place_of_its_own() {
    model(|| {
        let (roster, drops) = roster();
        let (other, there) = (roster.clone(), drops.clone());
        let beginner = spawn(move || {
            let member = begin(&other, 1, &there);
            assert_eq!(member.entry().value().read(), 1);
        });
        let member = begin(&roster, 2, &drops);
        assert_eq!(member.entry().value().read(), 2);
        beginner.join().unwrap();
        assert_eq!((member.entry().value().read(), roster.kept()), (2, 2));
        drop(roster);
        assert_eq!(drops.load(Ordering::Relaxed), 0, "a member keeps its roster");
        drop(member);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn what_has_ended_is_there_in_full() {
    model(|| {
        let (roster, drops) = roster();
        let (other, there) = (roster.clone(), drops.clone());
        let beginner = spawn(move || begin(&other, 1, &there).end(9, |_| ()).1.unwrap());
        let seen: Vec<u64> = roster.ended().iter().map(|entry| entry.value().read()).collect();
        assert!([&[][..], &[1]].contains(&&seen[..]), "{seen:?}");
        beginner.join().unwrap();
        assert_eq!(roster.ended().iter().map(|entry| entry.value().read()).collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn an_entry_ends_once() {
    model(|| {
        let (roster, drops) = roster();
        let member = begin(&roster, 1, &drops);
        let same = member.clone();
        assert!(member == same);
        let ender = spawn(move || same.end(9, |_| ()).1.is_ok());
        let here = member.end(9, |_| ()).1.is_ok();
        assert!(here != ender.join().unwrap());
        assert_eq!(roster.ended().len(), 1);
    });
}

#[test]
fn what_was_noted_before_a_lone_handle_ends_is_there() {
    model(|| {
        let (roster, drops) = roster();
        let member = begin(&roster, 1, &drops);
        let noter = spawn(move || {
            member.entry().notes().push(()).unwrap();
            member
        });
        let member = noter.join().unwrap();
        let other = roster.clone();
        let reader = spawn(move || other.ended().iter().map(|entry| entry.notes().len()).sum());
        member.end(9, |_| ()).1.unwrap();
        let seen: u32 = reader.join().unwrap();
        assert!(seen <= 1);
        assert_eq!(roster.ended().newest().map(|entry| entry.notes().len()), Some(1));
    });
}

#[cfg(not(vidette_loom))]
#[test]
fn a_roster_that_is_cleared_is_as_new_and_keeps_little() {
    let (roster, drops) = roster();
    let mut roster = std::sync::Arc::into_inner(roster).unwrap();
    roster.clear();
    let mut roster = std::sync::Arc::new(roster);
    for (round, count) in [(1, 9), (2, 40), (3, 1_100)] {
        let before = drops.load(Ordering::Relaxed);
        (0..count).for_each(|n| begin(&roster, n, &drops).end(u32::MAX, |_| ()).1.unwrap());
        let values: Vec<u64> = roster.ended().iter().map(|entry| entry.value().read()).collect();
        assert_eq!(values, (0..count).rev().collect::<Vec<_>>(), "round {round}");
        let unfinished = begin(&roster, 7, &drops);
        assert!(std::sync::Arc::get_mut(&mut roster).is_none(), "a member keeps it as it is");
        drop(unfinished);
        roster.ended().seal();
        std::sync::Arc::get_mut(&mut roster).unwrap().clear();
        assert_eq!(drops.load(Ordering::Relaxed) as u64, before as u64 + count + 1);
        assert_eq!((roster.kept(), roster.ended().is_sealed()), (0, false));
        let shelves = roster.shelves.iter().filter(|shelf| shelf.load(Ordering::Relaxed) != 0).count();
        assert_eq!(shelves, 2);
    }
    begin(&roster, 9, &drops).end(9, |_| ()).1.unwrap();
    assert_eq!(roster.ended().len(), 1);
}

#[cfg(not(vidette_loom))]
#[test]
fn entries_without_a_place_are_alone_and_end_as_the_others() {
    use super::PLACES;
    use crate::sync::chain::Refused;

    let (roster, drops) = roster();
    let count = u64::from(PLACES) + 100;
    let members: Vec<_> = (0..count).map(|n| begin(&roster, n, &drops)).collect();
    assert_eq!(members.iter().filter(|member| member.seat.is_alone()).count(), 100);
    assert!((0..count).zip(&members).all(|(n, member)| member.entry().value().read() == n));
    // The last first, and half of them never.
    for member in members.iter().rev().step_by(2) {
        member.clone().end(u32::MAX, |_| ()).1.unwrap();
    }
    let ended: Vec<u64> = roster.ended().iter().map(|entry| entry.value().read()).collect();
    assert_eq!(ended, (1..count).step_by(2).collect::<Vec<_>>());
    assert_eq!(begin(&roster, 0, &drops).end(7, |_| ()).1, Err(Refused::Full));
    drop(members);
    // One was begun that found no room; of those alone, half went with their handles.
    assert_eq!(drops.load(Ordering::Relaxed), 1 + 50);
    drop(roster);
    assert_eq!(drops.load(Ordering::Relaxed) as u64, count + 1);
}

#[cfg(not(vidette_loom))]
#[test]
fn many_threads_begin_and_end_at_once() {
    for _ in 0..20 {
        let (roster, drops) = roster();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (roster, drops) = (&roster, &drops);
                scope.spawn(move || {
                    for n in 0..400 {
                        let member = begin(roster, thread * 400 + n, drops);
                        assert_eq!(member.entry().value().read(), thread * 400 + n);
                        if n % 2 == 0 {
                            member.end(u32::MAX, |_| ()).1.unwrap();
                        }
                    }
                });
            }
        });
        let mut ended: Vec<u64> = roster.ended().iter().map(|entry| entry.value().read()).collect();
        ended.sort_unstable();
        assert_eq!(ended, (0..1_600).step_by(2).collect::<Vec<_>>());
        drop(roster);
        assert_eq!(drops.load(Ordering::Relaxed), 1_600);
    }
}

#[test]
fn places_fill_shelf_after_shelf() {
    assert_eq!([0, 7, 8, 15, 16, 31].map(locate), [(0, 0), (0, 7), (1, 0), (1, 7), (2, 0), (2, 15)]);
    assert_eq!([32, 1_023, 1_024].map(locate), [(3, 0), (7, 511), (8, 0)], "the last is on no shelf");
}
