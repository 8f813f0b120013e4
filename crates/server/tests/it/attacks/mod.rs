//! Attacks by their names in `docs/attacks.md`.

mod enumeration;
