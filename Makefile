SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: run test compile tools deploy tests
# What runs side by side speaks one after the other.
BESIDE := $(MAKE) --no-print-directory --output-sync=recurse -j2

# The whole system in one process: see README.md.
run:
	testcontainers/setup.sh build
	cargo run --release

# Formatting, lints, what is below deploy/, and all tests, on a real Apache Kafka and
# in a real browser. Most tests wait more than they compute: four at once, however
# few the cores.
test:
	testcontainers/setup.sh test
	cargo fmt --all --check
	$(BESIDE) compile tools
	$(MAKE) --no-print-directory -j2 deploy tests

compile:
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo build --release --workspace --bins --tests
# Much of it waits, for downloads and for what it starts: beside a compiler.
tools:
	deploy/checks/tools.sh
deploy:
	deploy/check.sh
tests:
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test --release --workspace
