#!/usr/bin/env python3
"""What can be asked of the running system (the quickstart, on a Kafka in memory):
that the metrics in dashboards and alerts are there with their labels and no other is
missing there, and that the KafkaTopics are what the binaries need."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import queries
from system import DEADLINE, ask, free_ports, get, until

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ["BINARIES"]).resolve()
TOKEN = "token-of-the-check"
# Only there after a fault that is not made here: their labels.
AFTER_A_FAULT = {"feedbackpro_dispatcher_offset_gaps_total": {"kind"}}
# These come with the scraping.
SCRAPED = {"namespace", "pod"}


def main():
    ports = free_ports(4)
    console, producer, failed, receiver = ports
    names = ("--console-port", "--producer-port", "--failed-port", "--receiver-port")
    with tempfile.TemporaryFile() as log:
        system = subprocess.Popen(
            [BINARIES / "quickstart", "--token", TOKEN, "--schedule", "1s,1s,1s,1s,1s"]
            + [str(word) for pair in zip(names, ports) for word in pair],
            stdout=log,
            stderr=log,
        )
        try:
            until(lambda: get(console, "/readyz").startswith("ok"), "the quickstart is ready")
            faults = topics(f"127.0.0.1:{broker_port(system.pid, ports)}")
            helm_test({"console": console, "producer": producer, "dlq-consumer": failed})
            use(console, producer, failed, receiver)
            faults += metrics(get(console, "/metrics"))
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-3000:])
            raise
        finally:
            system.kill()
            system.wait()
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(bool(faults))


def use(console, producer, failed, receiver):
    """Makes the system show what it counts: a delivery, one that fails for good, a
    re-send, a job, refusals, a repeated key, a test event."""
    event = {"event": "rating_submitted", "data": {"score": 5, "product_sku": "a", "session_page": "/"}}
    broken = {"url": f"http://127.0.0.1:{receiver}/broken", "events": ["rating_submitted"]}
    ask(console, TOKEN, "POST", "/api/v1/endpoints", broken)
    count = len(ask(console, TOKEN, "GET", "/api/v1/endpoints")["items"])
    known = f"feedbackpro_dispatcher_endpoints {count}\n"
    until(lambda: known in get(console, "/metrics"), "the dispatcher knows the endpoint")
    for _ in range(2):
        ask(producer, TOKEN, "POST", "/v1/events", event, {"Idempotency-Key": "a"})
    ask(producer, TOKEN, "POST", "/v1/events", {"event": "none"})
    ask(console, TOKEN, "POST", "/api/v1/test-events", {"url": broken["url"], "event": "rating_submitted"})
    entry = until(lambda: (ask(failed, TOKEN, "GET", "/webhooks/failed").get("items") or [None])[0], "a delivery failed for good")
    ask(failed, TOKEN, "POST", f"/webhooks/failed/{entry['id']}/resend")
    until(lambda: "outcome=\"delivered\"" in get(console, "/metrics"), "a delivery arrived")
    until(lambda: re.search(r"late_seconds_count\S* [1-9]", get(console, "/metrics")), "a retry was sent")


def helm_test(ports):
    """What the pod of `helm test` does, as no pod runs here."""
    golden = (ROOT / "deploy/checks/golden/strimzi.yaml").read_text()
    (pod,) = [it for it in yaml.safe_load_all(golden) if it and it["kind"] == "Pod"]
    shell, options, script = pod["spec"]["containers"][0]["command"]
    for binary, port in ports.items():
        script = script.replace(f"http://webhooks-feedbackpro-{binary}/", f"http://127.0.0.1:{port}/")
    for token, works in ((TOKEN, True), ("another", False)):
        ended = subprocess.run([shell, options, script], env=os.environ | {"TOKEN": token}, capture_output=True, text=True)
        if (ended.returncode == 0) != works:
            sys.exit(f"helm test with the token {token} ends with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def metrics(page):
    live = {}
    values = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page, flags=re.M):
        pairs = re.findall(r'(\w+)="([^"]*)"', labels)
        live.setdefault(name, set()).update(key for key, _ in pairs)
        for pair in pairs:
            values.setdefault(name, set()).add(pair)
    live |= {name: labels for name, labels in AFTER_A_FAULT.items() if name not in live}
    faults = []
    asked = [(f"dashboard {board}", query) for board, _, query in queries.dashboard_queries()]
    asked += [(alert["alert"], alert["expr"]) for alert in queries.alerts()]
    shown = {name for _, query in asked for name in re.findall(r"feedbackpro_\w+", query)}
    for name in live:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if name.startswith("feedbackpro_") and not shown & {name, f"{base}_bucket"}:
            faults.append(f"no dashboard and no alert shows {name}")
    for where, query in asked:
        labels = set(SCRAPED)
        for name, matchers in re.findall(r"(feedbackpro_\w+)(?:\{([^}]*)\})?", query):
            if name not in live:
                faults.append(f"{where}: there is no metric {name}")
                continue
            labels |= live[name]
            for key, operator, value in re.findall(r'(\w+)\s*(=~|!=|=)\s*"([^"]*)"', matchers):
                if key not in live[name] | SCRAPED:
                    faults.append(f"{where}: {name} has no label {key}")
                elif operator == "=" and name in values and (key, value) not in values[name]:
                    faults.append(f"{where}: {name} has no {key}={value}")
        for grouped in re.findall(r"(?:by|on) \(([^)]*)\)", query):
            for key in grouped.split(","):
                if key.strip() not in labels:
                    faults.append(f"{where}: nothing has the label {key.strip()}")
    return faults


def topics(brokers):
    """With topics.create=false the binaries print commands that make what is missing:
    under another prefix, everything. The KafkaTopics must say the same."""
    golden = (ROOT / "deploy/checks/golden/strimzi.yaml").read_text()
    made = {}
    for document in yaml.safe_load_all(golden):
        if document and document["kind"] == "KafkaTopic":
            spec = document["spec"]
            config = {key: str(value) for key, value in spec["config"].items()}
            # Said by the commands where they are given a number of copies.
            config.pop("min.insync.replicas")
            made[spec["topicName"]] = (spec["partitions"], config)
    needed = {}
    for binary in ("producer", "dispatcher", "dlq-consumer", "console"):
        needed |= commands(binary, brokers)
    differ = {name for name in made | needed if made.get(name) != needed.get(name)}
    return [f"{name}: the chart makes {made.get(name)}, needed is {needed.get(name)}" for name in sorted(differ)]


def commands(binary, brokers):
    env = {
        "FEEDBACKPRO__KAFKA__BROKERS": brokers,
        "FEEDBACKPRO__KAFKA__PREFIX": "production.",
        "FEEDBACKPRO__TOPICS__CREATE": "false",
        "FEEDBACKPRO__ADMIN__LISTEN": "127.0.0.1:0",
    }
    if binary != "dispatcher":
        env["FEEDBACKPRO__HTTP__LISTEN"] = "127.0.0.1:0"
    if binary in ("dispatcher", "console"):
        env["FEEDBACKPRO__SECRETS__KEYS"] = '[{ id = "a", key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" }]'
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [BINARIES / binary], env=env, cwd=folder, capture_output=True, text=True, timeout=DEADLINE
        )
    found = re.findall(r"--create --topic (\S+) --partitions (\d+)((?: --config [\w.]+=\w+)*)", ended.stderr)
    if ended.returncode != 64 or not found:
        sys.exit(f"{binary} does not say which topics are missing:\n{ended.stderr}")
    return {name: (int(partitions), dict(re.findall(r"([\w.]+)=(\w+)", config))) for name, partitions, config in found}


def broker_port(process, others):
    """The only other port on which the process listens."""
    inodes = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            inodes |= set(re.findall(r"^socket:\[(\d+)\]$", os.readlink(file)))
        except FileNotFoundError:
            pass  # closed meanwhile
    listening = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            listening.add(int(fields[1].split(":")[1], 16))
    (port,) = listening - set(others)
    return port


if __name__ == "__main__":
    main()
