#!/usr/bin/env bash
# image-files.sh BINARIES FOLDER: puts the files of the image into FOLDER: the binaries
# without symbols, the four libraries that they load, the public authorities for
# Kafka's TLS, and how names are looked up.
set -euo pipefail
binaries=$1
image=$2
mkdir -p "$image/usr/local/bin" "$image/etc/ssl/certs" "$image/usr/share/sbom" "$image/lib64"

for name in producer dispatcher dlq-consumer console; do
    strip -o "$image/usr/local/bin/$name" "$binaries/$name"
    if [ -e "$name/sbom.json" ]; then cp "$name/sbom.json" "$image/usr/share/sbom/$name.cdx.json"; fi
    for library in $(ldd "$binaries/$name" | grep -o '/[^ ]*'); do
        install -D "$library" "$image$library"
    done
done
cp /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
echo 'hosts: files dns' >"$image/etc/nsswitch.conf"
# The index of dlq-consumer, where nothing is mounted over it.
install -d -o 65532 -g 65532 "$image/var/lib/feedbackpro"
