//! The rules of attack protection: who may try a password, and what becomes of a meter when he has.
//!
//! Three pure steps surround a verification. Each takes the meter rows an attempt touches and gives back the rows
//! that shall replace them; the store writes those only if none has moved meanwhile, and else asks again:
//!
//! ```text
//!   charge ──▶ Permit ──▶ (verify) ──▶ settle Wrong   failed + 1                        told afterwards
//!     │                           ├──▶ settle Right   charged − (failed + 1), failed 0  told afterwards
//!     │                           ├──▶ settle Undone  charged − 1                       nothing to tell
//!     │                           └──▶ Lost           no row changes                    nobody is told
//!     ├────▶ Wait      attempts in flight fill the budget: their outcome decides
//!     └────▶ Refuse    failures fill the budget
//!
//!   one row:   0 ─ ─ failed ─ ─ charged ─ ─ budget
//!              └ told ┘└ in flight ┘└ free ┘
//! ```
//!
//! **The bound.** A guess is charged before it is verified, and its outcome is told only after it is settled, so
//! the wrong guesses whose outcome anybody was told between two successes never exceed the budget.
//! **The owner loses nothing.** When the last attempt in flight has run out unsettled (a crash), the next charge
//! frees what they held and begins a new *epoch*. A settle that finds its epoch gone is [`Lost`]: its outcome is
//! told to nobody, or freeing would be a free guess.
//!
//! A settle may be applied once. The epoch tells a late one from a valid one, not a second one from the first:
//! where it is unknown whether a settle was committed, nobody is told and it is not repeated.
//! A charge may be repeated; it can only over-charge.
//!
//! `tests/exploration` explores this protocol exhaustively on the code below.
//!
//! Nothing here waits, reads a clock, draws randomness, logs or knows of a database (`docs/attacks.md`).

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::arithmetic_side_effects
    )
)]

mod allowlist;
mod attempt;
mod explanation;
mod meter;
mod plan;
mod policy;
mod pool;
mod row;
mod rule;
mod source;
mod time;
mod verdict;

pub use allowlist::{Allowlist, AllowlistError, network};
pub use attempt::{Account, Attempt, Standing};
pub use explanation::{Explained, Says};
pub use meter::{MeterKind, MeterName, Width};
pub use plan::Plan;
pub use policy::{BruteForce, Bucket, CountMode, Policy, SameUser, Shield, SuspiciousIp};
pub use row::Row;
pub use rule::{
    BLOCK_LIFE, MANY_USERS, MANY_USERS_WINDOW, NOTICE_INTERVAL, RESERVATION_LIFE, Rule,
};
pub use source::Source;
pub use verdict::{Hold, Lost, Outcome, Raised, Reason, Reservation, Settlement, Strike, Verdict};
