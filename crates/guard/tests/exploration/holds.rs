//! Every property holds in every state that can be reached.

use stateright::{Checker, Model};

use crate::protocol::{Missing, Scenario, Tick, World};

fn explore(name: &str, scenario: &Scenario) {
    let world = World::new(scenario.clone());
    let checker = world.checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {scenario:?}",
        checker.unique_state_count()
    );
    checker.assert_properties();
}

#[test]
fn one_account() {
    let scenario = Scenario {
        attempts: vec![(6, 2)],
        budget: 3,
        capacity: None,
        ticks: 1,
        tick: Tick::Life,
        late_clocks: false,
        lifts: 0,
        missing: Missing::Nothing,
    };
    explore("one account", &scenario);
}

#[test]
fn clocks_that_differ() {
    let scenario = Scenario {
        attempts: vec![(5, 2)],
        budget: 3,
        capacity: None,
        ticks: 2,
        tick: Tick::Life,
        late_clocks: true,
        lifts: 0,
        missing: Missing::Nothing,
    };
    explore("clocks that differ", &scenario);
}

#[test]
fn an_administrator_unblocks() {
    let scenario = Scenario {
        attempts: vec![(5, 1)],
        budget: 3,
        capacity: None,
        ticks: 1,
        tick: Tick::Life,
        late_clocks: false,
        lifts: 1,
        missing: Missing::Nothing,
    };
    explore("an administrator unblocks", &scenario);
}

#[test]
fn two_accounts_of_one_source() {
    let scenario = Scenario {
        attempts: vec![(2, 1), (1, 1)],
        budget: 2,
        capacity: Some(2),
        ticks: 3,
        tick: Tick::HalfALife,
        late_clocks: false,
        lifts: 0,
        missing: Missing::Nothing,
    };
    explore("two accounts of one source", &scenario);
}
