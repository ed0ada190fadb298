#!/usr/bin/env python3
"""The binaries take the settings that the chart renders, and each of their settings
can be reached: everything.yaml gives each another value than its default. They take
those of compose.yaml, too."""
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ["BINARIES"])
# Given by Secrets, which are files of the same form.
BY_SECRET = {"auth.tokens", "secrets.keys"}
SECRETS = """
[[auth.tokens]]
id = "shop"
account = "shop"
role = "account"
sha256 = "{:064d}"
""".format(1), """
[[secrets.keys]]
id = "2026-11"
key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
"""


def printed(binary, *texts, env=None):
    """The settings in force with these files, by dotted key."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [BINARIES / binary, "--print-config"]
        for number, text in enumerate(texts):
            file = Path(folder, f"{number}.toml")
            file.write_text(text)
            arguments += ["--config", file]
        ended = subprocess.run(arguments, capture_output=True, text=True, env=env or {})
        if ended.returncode:
            sys.exit(f"{binary} refuses the settings:\n{ended.stderr}\n{''.join(texts)}")
        return flat(tomllib.loads(ended.stdout))


def flat(table, path=""):
    keys = {}
    for key, value in table.items():
        if isinstance(value, dict) and value:
            keys |= flat(value, f"{path}{key}.")
        elif value != {}:
            keys[path + key] = value
    return keys


def documents(name):
    golden = ROOT / "deploy/checks/golden" / name
    return [document for document in yaml.safe_load_all(golden.read_text()) if document]


faults = []
for name in ("minimal.yaml", "strimzi.yaml", "everything.yaml"):
    for document in documents(name):
        if document["kind"] != "Deployment":
            continue
        pod = document["spec"]["template"]["spec"]
        container = pod["containers"][0]
        binary = container["name"]
        config = next(
            other["data"]["settings.toml"]
            for other in documents(name)
            if other["kind"] == "ConfigMap" and other["metadata"]["name"] == document["metadata"]["name"]
        )
        env = {
            variable["name"]: variable.get("value", "from a Secret")
            for variable in container.get("env", [])
        }
        files = [argument for argument in container["args"] if argument.startswith("--config=")]
        texts = [config]
        if any("/tokens/" in file for file in files):
            texts.append(SECRETS[0])
        if any("/sealing-keys/" in file for file in files):
            texts.append(SECRETS[1])
        settings = printed(binary, *texts, env=env)
        for port in container["ports"]:
            listen = settings[f"{port['name']}.listen"]
            if not listen.endswith(f":{port['containerPort']}"):
                faults.append(f"{name}: {binary} listens on {listen}, its port is {port}")
        if name != "everything.yaml":
            continue
        # Commented keys of the default file are keys, too.
        default = (ROOT / binary / "src/settings.default.toml").read_text()
        default = re.sub(r'^# (\w+ = "(?:feedback|webhooks)\.)', r"\1", default, flags=re.M)
        before = flat(tomllib.loads(default))
        for key, value in before.items():
            if key not in BY_SECRET and settings.get(key) == value:
                faults.append(f"{binary}: {key} is {value!r} as by default: can the chart set it?")
# compose.yaml gives all by the environment; the user gives these.
GIVEN = {"SEALING_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "TOKEN_SHA256": f"{1:064d}"}
services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
for name, service in services.items():
    if service.get("image") == "feedbackpro/webhooks":
        environment = {
            key: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: GIVEN[match.group(1)], value)
            for key, value in service["environment"].items()
        }
        binary = Path(service["entrypoint"][0]).name
        settings = printed(binary, env=environment)
        targets = yaml.safe_load((ROOT / "deploy/compose/prometheus.yaml").read_text())["scrape_configs"][0]
        scraped = f"{name}:{settings['admin.listen'].rsplit(':')[-1]}"
        if scraped not in targets["static_configs"][0]["targets"]:
            faults.append(f"compose: nobody scrapes {scraped}")

print(*faults, sep="\n", end="\n" if faults else "")
sys.exit(bool(faults))
