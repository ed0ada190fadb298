#!/usr/bin/env python3
"""deploy/kafka/make.sh says the same as the KafkaTopics and KafkaUsers of the chart, as
plain commands. With --update it is written anew."""
import sys
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parents[1]
PREFIX = "production."
HEAD = """#!/usr/bin/env bash
# Makes the topics, and gives each user its rights: what the chart's KafkaTopics and
# KafkaUsers say, for clusters without Strimzi. Written by deploy/check.sh --update.
#   make.sh topics|rights HOST:PORT [PREFIX] [ADMIN.PROPERTIES]
# Kafka's own tools must be on the PATH. The users are made by other means, as
# feedbackpro-NAME; with certificates the principals are others: change them here.
set -euo pipefail
what=$1
brokers=$2
prefix=${3:-}
admin=${4:+--command-config $4}

topic() { # name, partitions, settings
    local name=$1 partitions=$2 settings=()
    shift 2
    for setting in "$@"; do settings+=(--config "$setting"); done
    # shellcheck disable=SC2086
    kafka-topics.sh --bootstrap-server "$brokers" $admin --create --if-not-exists --topic "$prefix$name" \\
        --partitions "$partitions" --replication-factor 3 "${settings[@]}"
}

allow() { # user, operations with commas, what
    local user=$1 operations=()
    for operation in ${2//,/ }; do operations+=(--operation "$operation"); done
    shift 2
    # shellcheck disable=SC2086
    kafka-acls.sh --bootstrap-server "$brokers" $admin --add --allow-principal "User:feedbackpro-$user" \\
        "${operations[@]}" "$@"
}

"""
KINDS = {"topic": "--topic", "group": "--group", "transactionalId": "--transactional-id"}


def text():
    golden = (DEPLOY / "checks/golden/strimzi.yaml").read_text()
    topics, rights = [], []
    for document in yaml.safe_load_all(golden):
        if not document:
            continue
        spec = document["spec"] if document["kind"].startswith("Kafka") else None
        if document["kind"] == "KafkaTopic":
            config = " ".join(f"{key}={value}" for key, value in spec["config"].items())
            topics.append(f"    topic {bare(spec['topicName'])} {spec['partitions']} {config}")
        elif document["kind"] == "KafkaUser":
            rights += allowed(document["metadata"]["name"].removeprefix("feedbackpro-"), spec["authorization"]["acls"])
    return HEAD + "case $what in\ntopics)\n{}\n    ;;\nrights)\n{}\n    ;;\nesac\n".format(
        "\n".join(topics), "\n".join(rights)
    )


def allowed(user, acls):
    """One command for all resources with the same operations: each starts a JVM."""
    together = {}
    for acl in acls:
        resource = acl["resource"]
        key = (",".join(acl["operations"]), resource["patternType"])
        together.setdefault(key, []).append(f'{KINDS[resource["type"]]} "${{prefix}}{bare(resource["name"])}"')
    for (operations, pattern), resources in together.items():
        pattern = "" if pattern == "literal" else " --resource-pattern-type prefixed"
        yield f"    allow {user} {operations} " + " \\\n        ".join(resources) + pattern


def bare(name):
    assert name.startswith(PREFIX), name
    return name.removeprefix(PREFIX)


file = DEPLOY / "kafka/make.sh"
if "--update" in sys.argv:
    file.write_text(text())
    file.chmod(0o755)
elif file.read_text() != text():
    sys.exit("deploy/kafka/make.sh differs from the chart; if that is meant, run deploy/check.sh --update")
