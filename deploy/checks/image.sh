#!/usr/bin/env bash
# The image: its files within bounds, no shell in it, and each binary starts in it as nobody's user
# on a read-only file system. Where podman or Docker can build, by that; else its files
# are put together and entered by chroot.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
engine=
name=feedbackpro-check-$$
clean() {
    if [ -n "$engine" ]; then
        for binary in producer dispatcher dlq-consumer console; do $engine rm -f "$name-$binary"; done
        $engine rmi "localhost/$name"
    fi
    # Last: the engine's settings are there.
    rm -rf "$work"
}
trap 'clean >/dev/null 2>&1 || true' EXIT
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

# Where this runs in a container itself, podman may not raise limits.
if [ -z "${CONTAINERS_CONF:-}" ]; then
    export CONTAINERS_CONF=$work/containers.conf
    printf '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n' >"$CONTAINERS_CONF"
fi
for candidate in podman docker; do
    if $candidate info >/dev/null 2>&1; then engine=$candidate; fi
done
if [ -z "$engine" ]; then
    echo "deploy: no container engine answers: the image's files were started by chroot, its Dockerfile was not built"
    cat >"$work/start" <<START
#!/bin/bash
while IFS= read -r line; do export "\$line"; done <"\$1"
root() { if [ "\$(id -u)" = 0 ]; then exec "\$@"; else exec sudo -n -E "\$@"; fi; }
root chroot --userspec=65532:65532 "$work/image" "/usr/local/bin/\$2"
START
else
    # The stage that compiles is left out: the binaries are there.
    $engine build -q >/dev/null -f deploy/Dockerfile --build-context build="$work" -t "localhost/$name" .
    cat >"$work/start" <<START
#!/bin/bash
exec $engine run --rm --name "$name-\$2" --network host --read-only --cap-drop ALL --security-opt no-new-privileges \\
    --volume /var/lib/feedbackpro --env-file "\$1" --entrypoint "/usr/local/bin/\$2" "localhost/$name"
START
fi
chmod +x "$work/start"
deploy/checks/image.py "$work/start"
