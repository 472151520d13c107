//! Runs what is lock-free under every interleaving of its threads, by loom.
//!
//! The files are those of the crates themselves. They take their atomics from `crate::sync`, which here is loom's.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub, reason = "tests, and files of other crates")]

mod sync {
    pub(crate) use loom::sync::atomic;
}

#[path = "../../../src/layers/budget.rs"]
mod budget;
#[path = "../../../../postcode-service/edge/src/phase.rs"]
mod phase;

use loom::sync::Arc;
use loom::thread::spawn;

use budget::Budget;
use phase::Phase;

/// A budget pays for no more than it holds, whatever the order.
///
/// # Panics
/// If it does.
pub fn budget_pays_for_no_more_than_it_holds() {
    loom::model(|| {
        // One token is saved, and each call saves half of another.
        let budget = Arc::new(Budget::new(0.5, 1));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let budget = budget.clone();
                spawn(move || {
                    budget.deposit();
                    u32::from(budget.withdraw())
                })
            })
            .collect();
        let paid: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        let left = u32::from(budget.withdraw());
        assert!(paid >= 1 && paid + left <= 2, "{paid} and {left}");
    });
}

/// The phase of a connection is never seen with a time before it began, so a request that has just begun never looks
/// old.
///
/// # Panics
/// If one does.
pub fn phase_is_never_seen_with_a_time_before_it_began() {
    loom::model(|| {
        let phase = Arc::new(Phase::new(0, 0));
        let writer = phase.clone();
        let connection = spawn(move || {
            writer.enter(1, 10);
            writer.enter(3, 20);
        });
        let (seen, since) = phase.get();
        let began = match seen {
            1 => 10,
            3 => 20,
            _ => 0,
        };
        assert!(since >= began, "phase {seen} since {since}");
        connection.join().unwrap();
        assert_eq!(phase.get(), (3, 20));
    });
}
