#!/usr/bin/env bash
# Checks everything below deploy/ by the tools that read it. Nothing is skipped: a
# tool that is missing and cannot be installed is a failure.
#   deploy/check.sh            with the binaries in target/release
#   deploy/check.sh --update   writes the golden files anew
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/checks/tools.sh
PATH=$PWD/.cache/deploy/bin:$PATH
export BINARIES=${BINARIES:-${CARGO_TARGET_DIR:-target}/release}

# This one waits for Kafka most of the time: beside the others.
log=$(mktemp)
deploy/checks/rights.py >"$log" 2>&1 &
rights=$!
# Its broker ends with it.
trap 'kill $rights 2>/dev/null || true; wait; rm -f "$log"' EXIT

good() { echo "deploy: $1: good ($SECONDS s)"; }
bad() {
    echo "deploy: $1 failed" >&2
    exit 1
}
for check in chart.sh commands.py nets.py settings.py rules.sh image.sh live.py cluster.sh; do
    deploy/checks/$check "$@" || bad $check
    good $check
done
wait $rights || {
    cat "$log" >&2
    bad rights.py
}
good rights.py
