# The only door: `make` prints what is behind it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo run test check fix bench profile setup

stage := .ci/stage
# A lock file that does not fit is an error here, never a silent change.
cargo := cargo --locked
ARGS ?=

help: ## what each target does
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

# The dev profile: a release build takes several times as long, and hashing and cryptography are optimised in both.
demo: ## builds, starts a throw-away server and plays the main story once
	@echo "Building; the first time takes some minutes."
	@$(cargo) build --package cli
	@$(cargo) --quiet run --package cli -- demo $(ARGS)

run: ## a server on the persistent data directory, release build
	@$(cargo) build --release --package cli
	@$(cargo) --quiet run --release --package cli -- serve --tls-dev $(ARGS)

setup: ## installs what the tests need
	@$(stage) "setup" .ci/setup

test: setup ## everything CI runs: Rust tests on both engines, official SDKs
	@$(stage) "Rust tests" $(cargo) test --workspace --features cli/failpoints
	@$(stage) "build" $(cargo) build --package cli
	@$(stage) "official SDKs" e2e/run

# The rules come first: they want a lock file that fits, and `cargo fmt` would repair it in silence.
check: ## formatter, clippy, documentation, rules of the tree
	@$(stage) "rules of the tree" .ci/rules
	@$(stage) "format" cargo fmt --all --check
	@$(stage) "clippy" $(cargo) clippy --workspace --all-targets --features cli/failpoints -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(stage) "documentation" $(cargo) doc --workspace --no-deps --document-private-items

fix: ## formats and applies what clippy knows to repair
	@cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	@cargo fmt --all

bench: ## the load scenarios in one table (ONLY=3,7 SHORT=1 LARGE=1); a whole run goes to bench/reports
	@$(cargo) build --release --package cli --package bench
	@target/release/bench $(if $(ONLY),--only $(ONLY)) $(if $(SHORT),--short) $(if $(LARGE),--large) $(ARGS)

profile: ## where the processor time of a login goes (needs perf)
	@bench/profile
