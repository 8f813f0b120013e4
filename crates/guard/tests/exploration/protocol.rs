//! The world the guard lives in, as a state machine.
//!
//! Every attempt runs on a node of its own, which is the strongest form of several nodes: nothing is shared but the
//! database, and the crash of a node with many attempts is their crash one after the other.
//! An attempt reads its rows, computes, and writes them guarded by their revisions: two steps, between which
//! everything else may happen. A write whose row has moved is bound to fail and to run again, so the model takes
//! such an attempt back to before its read at once. A write may be committed without its node ever hearing of it.
//! Time passes in ticks of a reservation's life or half of it; a node's clock may be one tick late where the
//! scenario says so.
//!
//! What is true of the outside world (who settled, who was told) is kept in a ledger that the guard never sees.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::Duration;

use guard::{
    Account, Allowlist, Attempt, BruteForce, Bucket, CountMode, Outcome, Plan, Policy,
    RESERVATION_LIFE, Reservation, Row, SameUser, Shield, Source, Standing, SuspiciousIp, Verdict,
};
use jiff::Timestamp;
use stateright::{Model, Property};

pub(crate) const BOUND: &str = "told wrong outcomes between two successes are within the budget";
pub(crate) const FLIGHT: &str = "nobody is refused because of attempts in flight";
pub(crate) const NOTHING_STUCK: &str = "no reservation is lost for ever";
pub(crate) const TOLD_IS_SETTLED: &str = "nobody is told an outcome that is not in the database";
pub(crate) const EXACT: &str = "a row has exactly the failures that were settled";

/// A mechanism that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Nothing,
    /// Writes do not look whether their rows have moved.
    RevisionCheck,
    /// Settles do not look at the epoch.
    EpochCheck,
    /// Reservations that ran out are freed, but the epoch stays.
    NewEpoch,
    /// Reservations never run out.
    Lapse,
    /// Attempts are judged before they are verified, but counted only afterwards.
    Charge,
    /// The outcome is told before it is settled.
    SettleBeforeAnswer,
    /// A budget full of attempts in flight refuses.
    Wait,
    /// A settle whose commit nobody confirmed is not dropped but done again.
    SettleOnce,
}

/// How long time passes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    Life,
    /// Then one row of an attempt may have run out while another is held open by somebody else.
    HalfALife,
}

/// What happens in the world.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Wrong and right attempts on each account.
    pub(crate) attempts: Vec<(usize, usize)>,
    /// Failures of one account.
    pub(crate) budget: u32,
    /// Failures of the source that all share; not counted where none.
    pub(crate) capacity: Option<u32>,
    /// How often time may pass.
    pub(crate) ticks: u8,
    pub(crate) tick: Tick,
    pub(crate) late_clocks: bool,
    /// How many times an administrator may unblock the first account.
    pub(crate) lifts: u8,
    pub(crate) missing: Missing,
}

pub(crate) struct World {
    scenario: Scenario,
    plans: Vec<Plan>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub(crate) struct State {
    /// The pair of each account, then the source.
    rows: Vec<Option<Row>>,
    /// Equal ones are interchangeable, so they are kept sorted.
    runs: Vec<Run>,
    ticks: u8,
    lifts: u8,
    ledger: Ledger,
}

/// An attempt, and how far it has come.
#[derive(Clone, Debug, PartialEq, Hash)]
struct Run {
    account: usize,
    right: bool,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Hash)]
enum Step {
    Waiting,
    /// Permitted, and about to write.
    Charging {
        rows: Vec<Row>,
        reservation: Reservation,
    },
    /// Charged; the password is being verified. `settled` only where a settle is done again.
    Verifying {
        reservation: Reservation,
        settled: Option<usize>,
    },
    /// Verified, and about to write.
    Settling {
        rows: Vec<Row>,
        reservation: Reservation,
        settled: Option<usize>,
    },
    /// A wrong outcome is settled, in the so many-th interval between successes.
    Settled {
        interval: usize,
    },
    /// Answered, refused, crashed, or a 503.
    Over,
}

/// Of each account and each interval between its successes and unblocks.
#[derive(Clone, Debug, PartialEq, Hash)]
struct Ledger {
    /// Wrong outcomes in the database.
    settled: Vec<Vec<u32>>,
    /// Wrong outcomes that somebody was told.
    told: Vec<Vec<u32>>,
    refused_without_failures: bool,
}

impl Ledger {
    fn interval(&self, account: usize) -> usize {
        self.settled[account].len() - 1
    }

    fn begin_interval(&mut self, account: usize) {
        self.settled[account].push(0);
        self.told[account].push(0);
    }

    fn since_success(&self, account: usize) -> u32 {
        self.settled[account][self.interval(account)]
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    ReadForCharge { run: usize, late: bool },
    ReadForSettle { run: usize, late: bool },
    Write { run: usize, heard: bool },
    Answer { run: usize },
    Crash { run: usize },
    Unblock,
    Tick,
}

impl World {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let policy = Policy {
            brute_force: BruteForce {
                shield: Shield::Enforce,
                mode: CountMode::PerIdentifierAndIp,
                allowlist: Allowlist::default(),
                max_attempts: scenario.budget,
            },
            suspicious_ip: SuspiciousIp {
                shield: scenario.capacity.map_or(Shield::Off, |_| Shield::Enforce),
                allowlist: Allowlist::default(),
                pre_login: Bucket {
                    max_attempts: scenario.capacity.unwrap_or(1),
                    rate: Duration::from_secs(24 * 3600),
                },
                pre_user_registration: Bucket {
                    max_attempts: 50,
                    rate: Duration::from_millis(1_200),
                },
            },
            same_user: SameUser {
                shield: Shield::Off,
                max_attempts: 1,
                rate: Duration::from_secs(1),
            },
            confirmations: Bucket {
                max_attempts: 20,
                rate: Duration::from_secs(3_600),
            },
        };
        let plan = |account: usize| {
            policy.plan(&Attempt {
                connection: "con".to_owned(),
                account: Account::Known(account.to_string()),
                source: Source::new([198, 51, 100, 7].into()),
                standing: Standing::Own,
            })
        };
        let plans = (0..scenario.attempts.len()).map(plan).collect();
        Self { scenario, plans }
    }

    fn missing(&self, mechanism: Missing) -> bool {
        self.scenario.missing == mechanism
    }

    /// Where the rows of an account's plan are.
    fn places(&self, account: usize) -> Vec<usize> {
        let source = self.scenario.attempts.len();
        let places = [Some(account), self.scenario.capacity.map(|_| source)];
        places.into_iter().flatten().collect()
    }

    fn read(&self, state: &State, account: usize) -> Vec<Option<Row>> {
        let places = self.places(account).into_iter();
        places.map(|place| state.rows[place].clone()).collect()
    }

    /// Charges, with the mechanisms of a charge in place or taken out.
    fn charge(&self, state: &State, account: usize, now: Timestamp) -> Verdict {
        let mut rows = self.read(state, account);
        for row in rows.iter_mut().flatten().filter(|row| row.in_flight() > 0) {
            if self.missing(Missing::NewEpoch) && row.open_until <= now {
                row.charged = row.failed;
            }
            if self.missing(Missing::Lapse) {
                row.open_until = Timestamp::MAX;
            }
        }
        self.plans[account].charge(&rows, now)
    }

    /// Settles: the rows to write, or nothing where the reservation is lost.
    fn settle(
        &self,
        state: &State,
        run: &Run,
        reservation: &Reservation,
        now: Timestamp,
    ) -> Option<Vec<Row>> {
        let mut rows = self.read(state, run.account);
        if self.missing(Missing::Charge) {
            for (row, epoch) in rows.iter_mut().zip(reservation.epochs()) {
                let row = row.get_or_insert_with(|| Row::fresh(now));
                row.charged += 1;
                row.epoch = *epoch;
            }
        }
        let epochs: Vec<u32> = rows.iter().flatten().map(|row| row.epoch).collect();
        if self.missing(Missing::EpochCheck) {
            for (row, epoch) in rows.iter_mut().flatten().zip(reservation.epochs()) {
                row.epoch = *epoch;
            }
        }
        let outcome = if run.right {
            Outcome::Right
        } else {
            Outcome::Wrong
        };
        let settlement = self.plans[run.account].settle(reservation, &rows, outcome, now);
        let mut rows = settlement.ok()?.rows;
        for (row, epoch) in rows.iter_mut().zip(epochs) {
            row.epoch = epoch;
        }
        Some(rows)
    }

    /// Writes the rows of an account; what others computed from them is void.
    fn write(&self, state: &mut State, account: usize, rows: Vec<Row>) {
        let places = self.places(account);
        for (&place, row) in places.iter().zip(rows) {
            state.rows[place] = Some(row);
        }
        if self.missing(Missing::RevisionCheck) {
            return;
        }
        for run in &mut state.runs {
            if self
                .places(run.account)
                .iter()
                .any(|place| places.contains(place))
            {
                run.step = match std::mem::replace(&mut run.step, Step::Over) {
                    Step::Charging { .. } => Step::Waiting,
                    Step::Settling {
                        reservation,
                        settled,
                        ..
                    } => Step::Verifying {
                        reservation,
                        settled,
                    },
                    other => other,
                };
            }
        }
    }

    /// Whether enough wrong outcomes were settled to refuse this account.
    fn has_failures(&self, state: &State, account: usize) -> bool {
        // No unblock clears the source here, and nothing drains within the time of a scenario.
        let in_all = state.ledger.settled.iter().flatten().sum::<u32>();
        state.ledger.since_success(account) >= self.scenario.budget
            || self
                .scenario
                .capacity
                .is_some_and(|capacity| in_all >= capacity)
    }

    fn start_charge(&self, state: &mut State, run: usize, now: Timestamp) -> bool {
        let account = state.runs[run].account;
        match self.charge(state, account, now) {
            Verdict::Permit { rows, reservation } => {
                state.runs[run].step = Step::Charging { rows, reservation };
            }
            Verdict::Wait if !self.missing(Missing::Wait) => return false,
            Verdict::Wait | Verdict::Refuse { .. } => {
                state.ledger.refused_without_failures |= !self.has_failures(state, account);
                state.runs[run].step = Step::Over;
            }
        }
        true
    }

    fn start_settle(&self, state: &mut State, run: usize, now: Timestamp) {
        let Step::Verifying {
            reservation,
            settled,
        } = state.runs[run].step.clone()
        else {
            return;
        };
        state.runs[run].step = match self.settle(state, &state.runs[run], &reservation, now) {
            Some(rows) => Step::Settling {
                rows,
                reservation,
                settled,
            },
            None => Step::Over,
        };
    }

    fn finish_write(&self, state: &mut State, run: usize, heard: bool) {
        let Run {
            account,
            right,
            step,
        } = state.runs[run].clone();
        // The writer's own step is put aside: its rows are not void but written.
        state.runs[run].step = Step::Over;
        state.runs[run].step = match step {
            Step::Charging { rows, reservation } => {
                if !self.missing(Missing::Charge) {
                    self.write(state, account, rows);
                }
                if heard {
                    Step::Verifying {
                        reservation,
                        settled: None,
                    }
                } else {
                    Step::Waiting
                }
            }
            Step::Settling {
                rows,
                reservation,
                settled,
            } => {
                self.write(state, account, rows);
                let interval = settled.unwrap_or_else(|| {
                    let interval = state.ledger.interval(account);
                    if right {
                        state.ledger.begin_interval(account);
                    } else {
                        state.ledger.settled[account][interval] += 1;
                    }
                    interval
                });
                match heard {
                    true if right => Step::Over,
                    true => Step::Settled { interval },
                    false if self.missing(Missing::SettleOnce) => Step::Verifying {
                        reservation,
                        settled: Some(interval),
                    },
                    false => Step::Over,
                }
            }
            other => other,
        };
    }

    fn answer(&self, state: &mut State, run: usize) {
        let Run {
            account,
            right,
            step,
        } = state.runs[run].clone();
        let interval = match step {
            Step::Settled { interval } => interval,
            _ => state.ledger.interval(account),
        };
        if !right {
            state.ledger.told[account][interval] += 1;
        }
        state.runs[run].step = Step::Over;
    }

    fn tick(&self) -> Duration {
        match self.scenario.tick {
            Tick::Life => RESERVATION_LIFE,
            Tick::HalfALife => RESERVATION_LIFE / 2,
        }
    }

    fn now(&self, state: &State) -> Timestamp {
        let start = Timestamp::from_second(1_700_000_000).unwrap();
        start + self.tick() * u32::from(state.ticks)
    }

    /// Whether some account would get this verdict now.
    fn meets(&self, state: &State, verdict: fn(&Verdict) -> bool) -> bool {
        let accounts = 0..self.plans.len();
        let mut verdicts = accounts.map(|account| self.charge(state, account, self.now(state)));
        verdicts.any(|found| verdict(&found))
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let accounts = self.scenario.attempts.len();
        let mut runs = Vec::new();
        for (account, &(wrong, right)) in self.scenario.attempts.iter().enumerate() {
            let run = |right| Run {
                account,
                right,
                step: Step::Waiting,
            };
            runs.extend(std::iter::repeat_n(run(false), wrong));
            runs.extend(std::iter::repeat_n(run(true), right));
        }
        vec![State {
            rows: vec![None; accounts + usize::from(self.scenario.capacity.is_some())],
            runs,
            ticks: 0,
            lifts: 0,
            ledger: Ledger {
                settled: vec![vec![0]; accounts],
                told: vec![vec![0]; accounts],
                refused_without_failures: false,
            },
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let late_clocks: &[bool] = if self.scenario.late_clocks && state.ticks > 0 {
            &[false, true]
        } else {
            &[false]
        };
        for (run, entry) in state.runs.iter().enumerate() {
            if run > 0 && state.runs[run - 1] == *entry {
                continue;
            }
            match entry.step {
                Step::Waiting => {
                    let reads = late_clocks
                        .iter()
                        .map(|&late| Action::ReadForCharge { run, late });
                    actions.extend(reads);
                    continue;
                }
                Step::Verifying { .. } => {
                    let reads = late_clocks
                        .iter()
                        .map(|&late| Action::ReadForSettle { run, late });
                    actions.extend(reads);
                    if self.missing(Missing::SettleBeforeAnswer) {
                        actions.push(Action::Answer { run });
                    }
                }
                Step::Charging { .. } | Step::Settling { .. } => {
                    actions.push(Action::Write { run, heard: true });
                    actions.push(Action::Write { run, heard: false });
                }
                Step::Settled { .. } => actions.push(Action::Answer { run }),
                Step::Over => continue,
            }
            actions.push(Action::Crash { run });
        }
        if state.ticks < self.scenario.ticks {
            actions.push(Action::Tick);
        }
        if state.lifts < self.scenario.lifts && state.rows[0].is_some() {
            actions.push(Action::Unblock);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let time = |late: bool| {
            let now = self.now(last);
            if late { now - self.tick() } else { now }
        };
        match action {
            Action::ReadForCharge { run, late } => {
                if !self.start_charge(&mut state, run, time(late)) {
                    return None;
                }
            }
            Action::ReadForSettle { run, late } => self.start_settle(&mut state, run, time(late)),
            Action::Write { run, heard } => self.finish_write(&mut state, run, heard),
            Action::Answer { run } => self.answer(&mut state, run),
            Action::Crash { run } => state.runs[run].step = Step::Over,
            Action::Unblock => {
                let mut rows: Vec<Row> = self.read(&state, 0).into_iter().flatten().collect();
                rows[0] = rows[0].lift(time(false));
                self.write(&mut state, 0, rows);
                state.ledger.begin_interval(0);
                state.lifts += 1;
            }
            Action::Tick => state.ticks += 1,
        }
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let order = |run: &Run| (run.account, run.right, hasher.hash_one(&run.step));
        state.runs.sort_by_cached_key(order);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(BOUND, |world: &Self, state: &State| {
                let told = &state.ledger.told;
                let in_all = told.iter().flatten().sum::<u32>();
                told.iter()
                    .flatten()
                    .all(|told| *told <= world.scenario.budget)
                    && world
                        .scenario
                        .capacity
                        .is_none_or(|capacity| in_all <= capacity)
            }),
            Property::always(FLIGHT, |_, state: &State| {
                !state.ledger.refused_without_failures
            }),
            Property::always(NOTHING_STUCK, |world: &Self, state: &State| {
                // Whatever is in flight, let it be gone for ever: a reservation's life later there is room again.
                let later = world.now(state) + RESERVATION_LIFE;
                let mut accounts = 0..world.plans.len();
                accounts.all(|account| match world.charge(state, account, later) {
                    Verdict::Permit { .. } => true,
                    Verdict::Wait => false,
                    Verdict::Refuse { .. } => world.has_failures(state, account),
                })
            }),
            Property::always(TOLD_IS_SETTLED, |_, state: &State| {
                let pairs = state.ledger.told.iter().flatten();
                pairs
                    .zip(state.ledger.settled.iter().flatten())
                    .all(|(told, settled)| told <= settled)
            }),
            Property::always(EXACT, |world: &Self, state: &State| {
                let mut accounts = 0..world.plans.len();
                accounts.all(|account| {
                    let failed = state.rows[account].as_ref().map_or(0, |row| row.failed);
                    failed == state.ledger.since_success(account)
                })
            }),
            // That the exploration comes to where it matters.
            Property::sometimes("an attempt waits", |world: &Self, state: &State| {
                world.meets(state, |verdict| *verdict == Verdict::Wait)
            }),
            Property::sometimes("failures block", |world: &Self, state: &State| {
                world.meets(state, |verdict| matches!(verdict, Verdict::Refuse { .. }))
            }),
            Property::sometimes("a settle is lost", |world: &Self, state: &State| {
                state.runs.iter().any(|run| match &run.step {
                    Step::Verifying { reservation, .. } => world
                        .settle(state, run, reservation, world.now(state))
                        .is_none(),
                    _ => false,
                })
            }),
            Property::sometimes("the whole budget is told", |world: &Self, state: &State| {
                state
                    .ledger
                    .told
                    .iter()
                    .flatten()
                    .any(|told| *told == world.scenario.budget)
            }),
            Property::sometimes(
                "all is told again after a success or unblock",
                |world: &Self, state: &State| {
                    let budget = world.scenario.budget;
                    state
                        .ledger
                        .told
                        .iter()
                        .any(|told| told.len() > 1 && told[1..].contains(&budget))
                },
            ),
        ]
    }
}
