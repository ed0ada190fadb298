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

for check in chart.sh commands.py settings.py rules.sh image.sh live.py cluster.sh rights.py; do
    start=$SECONDS
    deploy/checks/$check "$@" || { echo "deploy: $check failed" >&2; exit 1; }
    echo "deploy: $check: good ($((SECONDS - start)) s)"
done
