//! Charge, verify, settle: explored exhaustively on the guard's own code (`stateright`).
//!
//! `protocol` is the world: a database, attempts in parallel, each on a node of its own, and everything that may
//! go wrong between two of their steps. `holds` shows that the properties hold in every reachable state, `breaks`
//! that each of them fails when its mechanism is taken out.

#![expect(
    clippy::unwrap_used,
    reason = "instants and addresses of tests are in range"
)]

mod breaks;
mod holds;
mod protocol;
