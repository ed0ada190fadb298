#!/usr/bin/env bash
# Makes this machine ready, or names what is missing.
#   setup.sh build    to compile: a C and a C++ compiler, make, perl
#   setup.sh test     to test as well: rustfmt, clippy, an Apache Kafka (from
#                     KAFKA_BROKERS, Docker, or Maven Central on a local JDK),
#                     Node.js, a Chromium (from CHROMIUM, or Debian's), and the
#                     languages in which receivers verify deliveries
# Installs Debian and Ubuntu packages where it may (as root, or by sudo without
# a password), Rust components by rustup, and by npm what node/ and browser/ name: what
# lints the contracts and runs the Postman collection, and what the browser tests use.
set -euo pipefail
cd "$(dirname "$0")"

packages=()
missing=()
need() { # package, what for
    packages+=("$1")
    missing+=("$1: $2")
}

have() { command -v "$1" >/dev/null 2>&1; }

# `apt-cache show` also knows packages that others only mention.
available() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep 'Candidate: [0-9]' >/dev/null; }

java_version() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    have apt-get && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# Ubuntu 22.04's default is older than 17, the newest Debian has no 17.
jre() {
    # Fresh machines have no package lists.
    if may_install; then as_root apt-get update -q >&2; fi
    for version in 21 17 25; do
        if available "openjdk-$version-jre-headless"; then
            echo "openjdk-$version-jre-headless"
            return
        fi
    done
    echo default-jre-headless
}

check_rust() {
    if have cargo; then return; fi
    echo "setup: cargo is missing; install Rust from https://rustup.rs" >&2
    exit 1
}

check_build() {
    have cc || need gcc "C compiler, for librdkafka, OpenSSL and SQLite"
    echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1 || need libc6-dev "headers for C programs"
    have c++ || need g++ "librdkafka's configure asks for a C++ compiler"
    have make || need make "for librdkafka and OpenSSL"
    # perl-base, which every Debian has, lacks the modules.
    perl -MFindBin -MIPC::Cmd -MTime::Piece -e 1 2>/dev/null || need perl "for OpenSSL's configure"
}

check_kafka() {
    if [ -n "${KAFKA_BROKERS:-}" ] || docker version >/dev/null 2>&1; then return; fi
    local java
    java=$(java_version || true)
    [ "${java:-0}" -ge 17 ] || need "$(jre)" "Java 17 or newer, for Apache Kafka"
    have mvn || need maven "fetches Apache Kafka from Maven Central"
}

# Ubuntu has a browser as a snap only: there CHROMIUM must name one.
check_node() {
    have node || need nodejs "runs the browser tests, newman, and the contracts' linter"
    have npm || need npm "fetches what they use"
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || need chromium "the browser, or CHROMIUM with another one's path"
}

# What a receiver verifies a delivery with, beside Node.js.
check_languages() {
    have python3 || need python3 "runs what the pages show in Python"
    have php || need php-cli "runs what the pages show in PHP"
}

# From the lock files, unless they are there.
install_node_packages() {
    local node
    node=$(node --version)
    node=${node#v}
    if [ "${node%%.*}" -lt 18 ]; then
        echo "setup: Node.js is $node; the tests need 18 or newer" >&2
        exit 1
    fi
    for folder in browser node; do
        [ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ] && continue
        (cd $folder && npm ci --ignore-scripts --no-audit --no-fund)
    done
}

check_components() {
    local absent=()
    cargo fmt --version >/dev/null 2>&1 || absent+=(rustfmt)
    cargo clippy --version >/dev/null 2>&1 || absent+=(clippy)
    [ ${#absent[@]} = 0 ] && return
    if have rustup && rustup component add "${absent[@]}"; then return; fi
    echo "setup: the Rust components ${absent[*]} are missing;" \
        "run \`rustup component add ${absent[*]}\`, or install the packages of your distribution" >&2
    exit 1
}

case "${1:-}" in
build) check_rust ;;
test)
    check_rust
    check_components
    ;;
*)
    echo "usage: $0 build|test" >&2
    exit 64
    ;;
esac
check_build
if [ "$1" = test ]; then
    check_kafka
    check_node
    check_languages
fi

if [ ${#packages[@]} = 0 ]; then
    : # nothing is missing
elif may_install; then
    echo "setup: installing ${packages[*]}"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${packages[@]}"
else
    printf 'setup: missing: %s\n' "${missing[@]}" >&2
    echo "setup: install with: sudo apt-get install -y --no-install-recommends ${packages[*]}" >&2
    exit 1
fi
if [ "$1" = test ]; then install_node_packages; fi
