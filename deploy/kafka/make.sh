#!/usr/bin/env bash
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
    kafka-topics.sh --bootstrap-server "$brokers" $admin --create --if-not-exists --topic "$prefix$name" \
        --partitions "$partitions" --replication-factor 3 "${settings[@]}"
}

allow() { # user, operations with commas, what
    local user=$1 operations=()
    for operation in ${2//,/ }; do operations+=(--operation "$operation"); done
    shift 2
    # shellcheck disable=SC2086
    kafka-acls.sh --bootstrap-server "$brokers" $admin --add --allow-principal "User:feedbackpro-$user" \
        "${operations[@]}" "$@"
}

case $what in
topics)
    topic webhooks.attempts 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=1048588 min.insync.replicas=2
    topic webhooks.audit 6 cleanup.policy=delete retention.ms=31536000000 max.message.bytes=1048588 min.insync.replicas=2
    topic webhooks.dead-letter 1 cleanup.policy=compact delete.retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.endpoints 1 cleanup.policy=compact max.message.bytes=1048588 min.insync.replicas=2
    topic feedback.events 6 cleanup.policy=delete retention.ms=2592000000 max.message.bytes=1048588 min.insync.replicas=2
    topic webhooks.jobs 1 cleanup.policy=compact max.message.bytes=1048588 min.insync.replicas=2
    topic webhooks.ready 24 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.resend 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.retry.10m 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.retry.15s 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.retry.1h 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.retry.2m 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    topic webhooks.retry.6h 6 cleanup.policy=delete retention.ms=604800000 max.message.bytes=2097176 min.insync.replicas=2
    ;;
rights)
    allow analytics Read --topic "${prefix}feedback.events"
    allow analytics Read --group "${prefix}analytics" --resource-pattern-type prefixed
    allow console DescribeConfigs,Read --topic "${prefix}webhooks.attempts"
    allow console DescribeConfigs,Read,Write --topic "${prefix}webhooks.audit" \
        --topic "${prefix}webhooks.endpoints"
    allow console Read --topic "${prefix}feedback.events"
    allow console Describe --group "${prefix}console." --resource-pattern-type prefixed
    allow dispatcher DescribeConfigs,Write --topic "${prefix}webhooks.attempts" \
        --topic "${prefix}webhooks.audit" \
        --topic "${prefix}webhooks.dead-letter"
    allow dispatcher DescribeConfigs,Read,Write --topic "${prefix}webhooks.endpoints" \
        --topic "${prefix}webhooks.ready"
    allow dispatcher DescribeConfigs,Read --topic "${prefix}feedback.events" \
        --topic "${prefix}webhooks.resend"
    allow dispatcher DescribeConfigs,Read,Write --topic "${prefix}webhooks.retry." --resource-pattern-type prefixed
    allow dispatcher Read --group "${prefix}dispatcher"
    allow dispatcher Describe --group "${prefix}dispatcher." --resource-pattern-type prefixed
    allow dlq-consumer DescribeConfigs,Write --topic "${prefix}webhooks.audit" \
        --topic "${prefix}webhooks.resend"
    allow dlq-consumer DescribeConfigs,Read,Write --topic "${prefix}webhooks.dead-letter" \
        --topic "${prefix}webhooks.jobs"
    allow dlq-consumer Read --topic "${prefix}feedback.events"
    allow dlq-consumer Describe --group "${prefix}dlq-consumer." --resource-pattern-type prefixed
    allow dlq-consumer Write --transactional-id "${prefix}dlq-consumer"
    allow producer DescribeConfigs,Write --topic "${prefix}feedback.events"
    ;;
esac
