//! Attacks by their names in `docs/attacks.md`; what other stories already show is named there and not repeated here.

mod counting;
mod log;
mod oracles;
mod password_vectors;
mod tokens;
