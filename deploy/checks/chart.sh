#!/usr/bin/env bash
# The chart: lint, the golden files, and values that must be refused.
set -euo pipefail
cd "$(dirname "$0")/../.."
chart=deploy/helm
golden=deploy/checks/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A helm that was built from its module takes itself to be of an old Kubernetes.
template() { helm template webhooks $chart --namespace shop --kube-version 1.34 "$@"; }

for values in deploy/checks/values/*.yaml; do
    name=$(basename "$values")
    helm lint --strict --quiet --kube-version 1.34 $chart --values "$values"
    template --values "$values" >"$work/$name"
    if [ "${1:-}" = --update ]; then
        cp "$work/$name" $golden/
    elif ! diff -u "$golden/$name" "$work/$name"; then
        echo "deploy: the chart renders other things than $golden/$name;" \
            "if that is meant, run deploy/check.sh --update" >&2
        exit 1
    fi
done

# Values, and what the refusal must name.
refused=0
while IFS='|' read -r set named; do
    if text=$(template --values deploy/checks/values/minimal.yaml --set "$set" 2>&1); then
        echo "deploy: not refused: $set" >&2
        refused=1
    elif [[ $text != *"$named"* ]]; then
        printf 'deploy: %s is refused without naming %s:\n%s\n' "$set" "$named" "$text" >&2
        refused=1
    fi
done <<'CASES'
settings.all.kafka.brokers=|brokers
settings.all.kafka.properties.sasl\.password=x|sasl.password
settings.dispatcher.limits.globl=1|globl
settings.sending.retry.schedule={1 day}|schedule
settings.producer.auth.tokens={x}|auth
settings.console.secrets.keys={x}|secrets
settings.all.topics.replication=0|replication
settings.dlqConsumer.index.path=failed.sqlite|path
dlqConsumer.replicas=2|replicas
dispatcher.autoscaling.kind=keada|kind
secrets.tokens.name=|secrets.tokens.name
secrets.sealingKeys.name=|secrets.sealingKeys.name
ingress.enabled=true|ingress.host
strimzi.enabled=true|strimzi.cluster
strimzi.partitions.jobs=2|jobs
producer.kafkaUser.name=x|passwordSecret
image.digest=latest|digest
CASES
exit $refused
