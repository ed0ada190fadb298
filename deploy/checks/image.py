#!/usr/bin/env python3
"""image.py COMMAND...: the four binaries of the image get ready on the broker of a
quickstart, take an event, and stop. COMMAND... FILE NAME starts NAME in the image, with
the environment of FILE."""
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from binary import TOKEN
from live import broker_port
from system import ask, free_ports, get, until

BINARIES = Path(os.environ["BINARIES"]).resolve()
NAMES = ("dispatcher", "dlq-consumer", "console", "producer")


def environment(name, brokers, admin, http):
    settings = {
        "KAFKA__BROKERS": brokers,
        "TOPICS__CREATE": "false",
        "ADMIN__LISTEN": f"127.0.0.1:{admin}",
    }
    if name != "dispatcher":
        settings["HTTP__LISTEN"] = f"127.0.0.1:{http}"
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        settings["AUTH__TOKENS"] = f'[{{ id = "a", account = "a", role = "account", sha256 = "{digest}" }}]'
    if name in ("dispatcher", "console"):
        settings["SECRETS__KEYS"] = '[{ id = "a", key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" }]'
    if name in ("dlq-consumer", "console"):
        settings["INDEX__PATH"] = f"/var/lib/feedbackpro/{name}.sqlite"
    return "".join(f"FEEDBACKPRO__{key}={value}\n" for key, value in settings.items())


def main(command, folder):
    ports = free_ports(4)
    options = zip(("--console-port", "--producer-port", "--failed-port", "--receiver-port"), ports)
    log = open(folder / "log", "wb")
    words = [BINARIES / "quickstart"] + [str(word) for option in options for word in option]
    quickstart = subprocess.Popen(words, stdout=log, stderr=log)
    running = {}
    try:
        until(lambda: get(ports[0], "/readyz").startswith("ok"), "the quickstart is ready")
        brokers = f"127.0.0.1:{broker_port(quickstart.pid, ports)}"
        admin, http = {}, {}
        for name in NAMES:
            admin[name], http[name] = free_ports(2)
            file = folder / f"{name}.env"
            file.write_text(environment(name, brokers, admin[name], http[name]))
            running[name] = subprocess.Popen([*command, file, name], stdout=log, stderr=log)
        for name in NAMES:
            until(lambda: get(admin[name], "/readyz").startswith("ok"), f"{name} of the image is ready")
        event = {"event": "nps_calculated", "data": {"segment": "Passive", "response_id": "a", "session_page": "/"}}
        answer = ask(http["producer"], TOKEN, "POST", "/v1/events", event)
        if not answer.get("id"):
            sys.exit(f"the producer of the image answers {answer}")
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for name, process in running.items():
            if code := process.wait(30):
                sys.exit(f"{name} of the image ends with {code}")
    except BaseException:
        sys.stderr.write((folder / "log").read_text(errors="replace")[-3000:])
        raise
    finally:
        for process in (quickstart, *running.values()):
            process.kill()
            process.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1:], Path(folder))
