#!/usr/bin/env bash
# The image: its files within bounds, no shell in it, and each binary starts in it as nobody's user
# on a read-only file system. Where podman or Docker can build, by that; else its files
# are put together and entered by chroot.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# MiB. The image is to be below 80: the Dockerfile optimises when it links, which these
# binaries are not, so that its image is smaller than this one.
most=88

deploy/image-files.sh "$BINARIES" "$work/image"
size=$(du -sm "$work/image" | cut -f1)
if [ "$size" -ge $most ]; then
    echo "deploy: the image has $size MiB, allowed are less than $most" >&2
    exit 1
fi
if shells=$(find "$work/image" -name '*sh' -type f -perm /111 | grep .); then
    echo "deploy: a shell in the image: $shells" >&2
    exit 1
fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
for name in producer dispatcher dlq-consumer console; do
    as_root chroot --userspec=65532:65532 "$work/image" "/usr/local/bin/$name" --print-config >"$work/printed"
    grep -q '^\[kafka\]' "$work/printed"
done

# Where this runs in a container itself, podman may not raise limits.
if [ -z "${CONTAINERS_CONF:-}" ]; then
    export CONTAINERS_CONF=$work/containers.conf
    printf '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n' >"$CONTAINERS_CONF"
fi
engine=
for candidate in podman docker; do
    if $candidate info >/dev/null 2>&1; then engine=$candidate; fi
done
if [ -z "$engine" ]; then
    echo "deploy: no container engine answers: the image's files were checked, its Dockerfile was not built"
    exit
fi
# The stage that compiles is left out: the binaries are there.
$engine build -q >/dev/null -f deploy/Dockerfile --build-context build="$work" -t localhost/feedbackpro-check .
for name in producer dispatcher dlq-consumer console; do
    $engine run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
        --entrypoint "/usr/local/bin/$name" localhost/feedbackpro-check --print-config >"$work/printed"
    grep -q '^\[kafka\]' "$work/printed"
done
$engine rmi localhost/feedbackpro-check >/dev/null
