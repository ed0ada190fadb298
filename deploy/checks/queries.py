#!/usr/bin/env python3
"""Every query of dashboards and alerts.

queries.py dashboards   checks the dashboards' form; prints their queries as rules for
                        promtool
queries.py alerts       checks that each alert is tested and has its runbook
"""
import json
import re
import sys
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parents[1]
# What Grafana puts in the place of its own variables.
GRAFANA = {"__rate_interval": "5m"}


def alerts():
    for file in sorted((DEPLOY / "helm/alerts").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def dashboard_queries():
    """(dashboard, panel, query) with all variables replaced."""
    for file in sorted((DEPLOY / "helm/dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        names = {variable["name"] for variable in board["templating"]["list"]}
        ids = [panel["id"] for panel in board["panels"]]
        if len(ids) != len(set(ids)):
            sys.exit(f"{file.name}: two panels have the same id")

        def value(match):
            name = match.group(1)
            if name not in GRAFANA and name not in names:
                sys.exit(f"{file.name}: there is no variable {name}")
            return GRAFANA.get(name, ".*")

        for panel in board["panels"]:
            for target in panel["targets"]:
                yield file.stem, panel, re.sub(r"\$(\w+)", value, target["expr"])
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield file.stem, {"id": "namespace"}, variable["query"]["query"].split("(")[1].split(",")[0]


def headings():
    text = (DEPLOY.parent / "docs/OPERATIONS.md").read_text()
    titles = re.findall(r"^#+ (.+)$", text, flags=re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def check_alerts():
    faults = []
    fires, silent = set(), set()
    for file in (DEPLOY / "checks/alerts").glob("*.test.yaml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                (fires if case.get("exp_alerts") else silent).add(case["alertname"])
    known = headings()
    for alert in alerts():
        name = alert["alert"]
        document, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        if document != "docs/OPERATIONS.md" or anchor not in known:
            faults.append(f"{name}: no heading #{anchor} in docs/OPERATIONS.md")
        for tested, what in ((fires, "fire"), (silent, "be silent")):
            if name not in tested:
                faults.append(f"{name}: no test shows it {what}")
    return faults


if __name__ == "__main__":
    if sys.argv[1] == "dashboards":
        rules = [
            {"record": f"{board}:{panel['id']}:{number}".replace("-", "_"), "expr": query}
            for number, (board, panel, query) in enumerate(dashboard_queries())
        ]
        json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, sys.stdout)
    else:
        faults = check_alerts()
        print(*faults, sep="\n", end="\n" if faults else "")
        sys.exit(bool(faults))
