//! Every property fails when its mechanism is taken out: the exploration would see it.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use crate::protocol::{
    BOUND, EXACT, FLIGHT, Missing, NOTHING_STUCK, Scenario, TOLD_IS_SETTLED, Tick, World,
};

/// Without the mechanism the property has a counterexample; with it, the same scenario has none.
fn breaks(missing: Missing, property: &'static str) {
    let scenario = |missing| Scenario {
        attempts: vec![(3, 1)],
        budget: 2,
        capacity: None,
        ticks: 1,
        tick: Tick::Life,
        late_clocks: false,
        lifts: 0,
        missing,
    };
    let found = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let explore = |missing| {
        let world = World::new(scenario(missing)).checker().threads(2);
        world.finish_when(found.clone()).spawn_bfs().join()
    };
    let broken = explore(missing);
    let path = broken.discovery(property);
    let steps = path.map(|path| path.into_actions().len());
    println!(
        "without {missing:?}: {property:?} fails after {steps:?} steps, {} states",
        broken.unique_state_count()
    );
    assert!(steps.is_some());
    assert!(explore(Missing::Nothing).discovery(property).is_none());
}

#[test]
fn without_the_revision_check_the_bound_breaks() {
    breaks(Missing::RevisionCheck, BOUND);
}

#[test]
fn without_the_epoch_check_the_bound_breaks() {
    breaks(Missing::EpochCheck, BOUND);
}

#[test]
fn without_a_new_epoch_the_bound_breaks() {
    breaks(Missing::NewEpoch, BOUND);
}

#[test]
fn without_a_charge_the_bound_breaks() {
    breaks(Missing::Charge, BOUND);
}

#[test]
fn with_an_answer_before_the_settle_the_bound_breaks() {
    breaks(Missing::SettleBeforeAnswer, BOUND);
}

#[test]
fn with_a_settle_done_twice_the_bound_breaks() {
    breaks(Missing::SettleOnce, BOUND);
}

#[test]
fn with_an_answer_before_the_settle_the_told_is_not_settled() {
    breaks(Missing::SettleBeforeAnswer, TOLD_IS_SETTLED);
}

#[test]
fn without_a_lapse_reservations_are_lost_for_ever() {
    breaks(Missing::Lapse, NOTHING_STUCK);
}

#[test]
fn without_waiting_attempts_in_flight_refuse() {
    breaks(Missing::Wait, FLIGHT);
}

#[test]
fn without_the_revision_check_failures_go_uncounted() {
    breaks(Missing::RevisionCheck, EXACT);
}
