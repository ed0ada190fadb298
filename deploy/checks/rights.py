#!/usr/bin/env python3
"""On a real Apache Kafka with TLS, SCRAM-SHA-512 and nothing allowed but what
deploy/kafka/make.sh allows, the whole pipeline works: an event is delivered, another
fails, is sent again by itself and by a job. Where one right is missing, the error names
it."""
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from binary import Binary, stop_all
from broker import PREFIX, USERS, Kafka, password
from system import get, until


class Receiver(ThreadingHTTPServer):
    """Remembers the paths, and answers by them."""

    STATUS = {"/broken": 500, "/gone": 410}

    def __init__(self):
        self.got = []
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(self.path)
        self.send_response(Receiver.STATUS.get(self.path, 204))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


RATING = {"event": "rating_submitted", "data": {"score": 1, "product_sku": "a", "session_page": "/"}}
NPS = {"event": "nps_calculated", "data": {"segment": "Passive", "response_id": "a", "session_page": "/"}}
DISMISSED = {"event": "widget_dismissed", "data": {"session_page": "/"}}


def the_pipeline_works(kafka):
    """Each topic is written and read at least once."""
    receiver = Receiver()
    running = {user: Binary(kafka, user) for user in USERS}
    producer, failed, console = running["producer"], running["dlq-consumer"], running["console"]

    def endpoint(path, event):
        body = {"url": receiver.url(path), "events": [event]}
        return console.ask("POST", "/api/v1/endpoints", body)["id"]

    def arrive(path, count):
        until(lambda: sum(got == path for got in receiver.got) >= count, f"{count} arrive at {path}")

    try:
        for binary in running.values():
            binary.wait_ready()
        good = endpoint("/good", "rating_submitted")
        endpoint("/broken", "rating_submitted")
        gone = endpoint("/gone", "nps_calculated")
        # An event for more than 32 endpoints goes by webhooks.ready.
        for _ in range(33):
            endpoint("/many", "widget_dismissed")
        for body in (RATING, RATING, NPS, DISMISSED):
            producer.ask("POST", "/v1/events", body)
        arrive("/good", 2)
        arrive("/many", 33)
        # A 410 disables: the dispatcher writes it into the endpoint table.
        until(lambda: console.ask("GET", f"/api/v1/endpoints/{gone}")["state"] == "disabled", "one is disabled")
        entries = until(
            lambda: len(found := failed.ask("GET", "/webhooks/failed?reason=attempts_exhausted")["items"]) == 2 and found,
            "two are on the failed list",
        )
        before = receiver.got.count("/broken")
        failed.ask("POST", f"/webhooks/failed/{entries[0]['id']}/resend")
        arrive("/broken", before + 1)
        # One that arrived: the console knows it from webhooks.attempts, and both read
        # its event where it stands.
        delivery = f"{entries[1]['event_id']}.{good}"
        records = until(lambda: console.ask("GET", f"/api/v1/deliveries/{delivery}").get("records"), "it was indexed")
        payload = console.ask("GET", f"/api/v1/deliveries/{delivery}/payload")
        if payload.get("id") != entries[1]["event_id"]:
            sys.exit(f"the console does not read the event: {payload}")
        place = {key: records[0][key] for key in ("topic", "partition", "offset")}
        failed.ask("POST", f"/webhooks/deliveries/{delivery}/resend", place)
        arrive("/good", 3)
        job = failed.ask("POST", "/webhooks/resends", {"action": "discard", "filter": {}})
        until(lambda: failed.ask("GET", f"/webhooks/resends/{job['id']}")["state"] == "done", "a job is done")
        until(lambda: len(console.ask("GET", "/api/v1/audit?limit=100")["items"]) >= 36 + 3 + 1, "the audit tells of all")
        history = re.search(r"attempt_records_dropped_total (\d+)", get(running["dispatcher"].admin, "/metrics"))
        if history.group(1) != "0":
            sys.exit("the dispatcher could not write webhooks.attempts")
    except BaseException:
        for binary in running.values():
            sys.stderr.write(f"--- {binary.name}\n{binary.log()[-3000:]}\n")
        raise
    finally:
        stop_all(running.values())
        receiver.shutdown()
    for binary in running.values():
        if found := re.search(r".*authorization ?failed.*", binary.log(), flags=re.I):
            sys.exit(f"{binary.name} was refused something: {found.group()}")


def analytics_read_events(kafka):
    """Kafka's own consumer, as that user: in a group of its own name only."""
    client = kafka.folder / "analytics.properties"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    login = f'{module} required username="feedbackpro-analytics" password="{password("analytics")}";'
    client.write_text(
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f"sasl.jaas.config={login}\nssl.truststore.type=PEM\nssl.truststore.location={kafka.folder}/broker.pem\n"
    )
    for group, allowed in (("analytics.daily", True), ("dispatcher", False)):
        ended = subprocess.run(
            [*kafka.java, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--from-beginning", "--max-messages", "4"]
            + ["--bootstrap-server", f"127.0.0.1:{kafka.sasl}", "--topic", f"{PREFIX}feedback.events"]
            + ["--group", PREFIX + group, "--timeout-ms", "30000", "--consumer.config", client],
            capture_output=True,
            text=True,
        )
        if (ended.stdout.count('"event":') == 4) != allowed:
            sys.exit(f"analytics in the group {group}: {ended.stdout}{ended.stderr}")


# user, the right that is taken away, what its log must say then, and its exit code.
# Kafka shows nobody a topic that he has no right on: it is as if it were missing.
MISSING = (
    ("producer", "DescribeConfigs", "topic", "feedback.events", r"DescribeConfigs.*production\.feedback\.events", None),
    ("producer", "Write", "topic", "feedback.events", r"topics are missing.*production\.feedback\.events", 64),
    ("dispatcher", "Read", "group", "dispatcher", r"GroupAuthorizationFailed", None),
    ("dispatcher", "Read", "topic", "webhooks.endpoints", r"webhooks\.endpoints.*TopicAuthorizationFailed", None),
    ("dlq-consumer", "Write", "transactional-id", "dlq-consumer", r"transactional id.*authorization failed", 1),
    ("console", "Read", "topic", "feedback.events", r"production\.feedback\.events.*TopicAuthorizationFailed", None),
    ("console", "Write", "topic", "webhooks.audit", r"webhooks\.audit.*TopicAuthorizationFailed", None),
)


def payload(console):
    delivery = until(lambda: console.ask("GET", "/api/v1/deliveries?state=delivered").get("items"), "one was indexed")[0]
    return console.ask("GET", f"/api/v1/deliveries/{delivery['id']}/payload")


def new_endpoint(console):
    return console.ask("POST", "/api/v1/endpoints", {"url": "http://127.0.0.1:9/", "events": ["rating_submitted"]})


# What the console does with a topic only when it is asked.
ASKED = {"feedback.events": payload, "webhooks.audit": new_endpoint}


def a_missing_right_is_named(kafka):
    for user, operation, kind, name, said, code in MISSING:
        kafka.forbid(user, operation, f"--{kind}", PREFIX + name)
        binary = Binary(kafka, user)
        lacks = f"{user} without {operation} on {name}"
        try:
            if user == "console":
                binary.wait_ready()
                answer = ASKED[name](binary)
                if answer.get("status") != 503:
                    sys.exit(f"{lacks} answers {answer}")
            until(lambda: re.search(said, binary.log(), flags=re.I), f"{lacks} says so")
            if code is not None and binary.process.wait(30) != code:
                sys.exit(f"{lacks} ends with {binary.process.returncode}")
            if user == "dispatcher" and get_status(binary) != 503:
                sys.exit(f"{lacks} says that it is ready")
        except TimeoutError as error:
            sys.exit(f"{error}:\n{binary.log()[-3000:]}")
        finally:
            binary.stop()


def get_status(binary):
    try:
        get(binary.admin, "/readyz")
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def main():
    # So that the broker and the binaries are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    folder = Path(tempfile.mkdtemp())
    kafka = Kafka(folder)
    try:
        until(lambda: socket.create_connection(("127.0.0.1", kafka.plain), 1).close() is None, "Kafka answers")
        # The super user makes the topics.
        makers = [Binary(kafka, user, plain=True) for user in USERS]
        for maker in makers:
            maker.wait_ready()
        stop_all(makers)
        kafka.allow_all()
        the_pipeline_works(kafka)
        analytics_read_events(kafka)
        a_missing_right_is_named(kafka)
    finally:
        kafka.process.kill()
        kafka.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
