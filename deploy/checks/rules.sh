#!/usr/bin/env bash
# Alerts and dashboards: every query is PromQL, every alert is tested for firing and
# for silence, and every runbook is a heading of docs/OPERATIONS.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

promtool check rules deploy/helm/alerts/*.yaml
promtool test rules deploy/checks/alerts/*.test.yaml
python3 deploy/checks/queries.py dashboards >"$work/dashboards.yaml"
promtool check rules "$work/dashboards.yaml"
python3 deploy/checks/queries.py alerts
promtool check config --syntax-only deploy/compose/prometheus.yaml
