"""One of the binaries as a process."""
import base64
import hashlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from broker import PREFIX, password
from system import ask, free_ports, get, until

BINARIES = Path(os.environ["BINARIES"]).resolve()
TOKEN = "token-of-the-check"
SCHEDULE = ["1s"] * 5


class Binary:
    """One binary, as the user of its name over SASL_SSL, or plainly as the super user."""

    def __init__(self, kafka, name, plain=False):
        self.name = name
        self.folder = Path(tempfile.mkdtemp(dir=kafka.folder))
        self.admin, self.http = free_ports(2)
        settings = {
            "kafka.brokers": f"127.0.0.1:{kafka.plain if plain else kafka.sasl}",
            "kafka.prefix": PREFIX,
            "topics.create": plain,
            "topics.replication": 1,
            "admin.listen": f"127.0.0.1:{self.admin}",
            "log.format": "human",
        }
        if name != "dispatcher":
            settings["http.listen"] = f"127.0.0.1:{self.http}"
            digest = hashlib.sha256(TOKEN.encode()).hexdigest()
            settings["auth.tokens"] = f'[{{ id = "a", account = "shop", role = "account", sha256 = "{digest}" }}]'
        if name in ("dispatcher", "console"):
            key = base64.b64encode(bytes(32)).decode()
            settings["secrets.keys"] = f'[{{ id = "a", key = "{key}" }}]'
            settings["guard.allow_plain_http_to_loopback"] = True
            settings["retry.schedule"] = ",".join(SCHEDULE)
        if not plain:
            properties = {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_username": f"feedbackpro-{name}",
                "sasl_password": password(name),
                "ssl_ca_location": kafka.folder / "broker.pem",
            }
            settings |= {f"kafka.properties.{key}": value for key, value in properties.items()}
        env = {
            "FEEDBACKPRO__" + key.replace(".", "__").upper(): str(value).lower() if value in (True, False) else str(value)
            for key, value in settings.items()
        }
        self.out = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            [BINARIES / name], env=env, cwd=self.folder, stdout=self.out, stderr=self.out
        )

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
        return get(self.admin, "/readyz").startswith("ok")

    def wait_ready(self):
        try:
            until(self.ready, f"{self.name} is ready")
        except TimeoutError:
            raise RuntimeError(f"{self.name} does not get ready:\n{self.log()}") from None

    def ask(self, method, path, body=None):
        return ask(self.http, TOKEN, method, path, body)

    def ask_to_stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self):
        if self.process.poll() is None:
            self.ask_to_stop()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def stop_all(binaries):
    """At once: some answer on for seconds."""
    for binary in binaries:
        binary.ask_to_stop()
    for binary in binaries:
        binary.stop()
