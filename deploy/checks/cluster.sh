#!/usr/bin/env bash
# A real kube-apiserver, with the CRDs of Strimzi, KEDA and prometheus-operator and
# with restricted Pod Security, takes everything that the chart renders: without a
# warning, pods included. Then helm installs, upgrades and rolls back.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
golden=$here/deploy/checks/golden
crds=$here/.cache/deploy/crds
work=$(mktemp -d)
children=()
stop() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap stop EXIT
cd "$work"

fail() {
    echo "deploy: $1" >&2
    exit 1
}

read -r api client peer <<<"$(python3 -c 'import socket
sockets = [socket.socket() for _ in range(3)]
[one.bind(("127.0.0.1", 0)) for one in sockets]
print(*[one.getsockname()[1] for one in sockets])')"

start() {
    openssl ecparam -name prime256v1 -genkey -noout -out account.key
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=kube-apiserver -addext subjectAltName=IP:127.0.0.1 \
        -keyout tls.key -out tls.crt 2>/dev/null
    local token
    token=$(openssl rand -hex 16)
    echo "$token,admin,admin,\"system:masters\"" >tokens.csv
    etcd --name check --data-dir etcd --unsafe-no-fsync \
        --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
        --initial-cluster "check=http://127.0.0.1:$peer" >etcd.log 2>&1 &
    children+=($!)
    # Pods are never run here, so that their ServiceAccounts need not be made first.
    kube-apiserver --etcd-servers="http://127.0.0.1:$client" \
        --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$api" \
        --endpoint-reconciler-type=none --tls-cert-file=tls.crt --tls-private-key-file=tls.key \
        --token-auth-file=tokens.csv --service-account-issuer=https://kubernetes.default.svc \
        --service-account-key-file=account.key --service-account-signing-key-file=account.key \
        --service-cluster-ip-range=10.0.0.0/24 --authorization-mode=AlwaysAllow \
        --anonymous-auth=false --disable-admission-plugins=ServiceAccount --profiling=false \
        >api.log 2>&1 &
    children+=($!)
    cat >kubeconfig <<CONFIG
apiVersion: v1
kind: Config
current-context: check
clusters: [{name: check, cluster: {server: "https://127.0.0.1:$api", certificate-authority: "$work/tls.crt"}}]
users: [{name: check, user: {token: "$token"}}]
contexts: [{name: check, context: {cluster: check, user: check, namespace: default}}]
CONFIG
    export KUBECONFIG=$work/kubeconfig
    local end=$((SECONDS + 60))
    until [ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] && kubectl get namespace default >/dev/null 2>&1; do
        kill -0 "${children[1]}" 2>/dev/null || fail "kube-apiserver ended: $(tail -n 5 api.log)"
        [ $SECONDS -lt $end ] || fail "kube-apiserver is not ready: $(tail -n 5 api.log)"
        sleep 0.2
    done
}

# Pod Security refuses pods, and only warns of what makes them.
apply() { # namespace, file
    if ! kubectl apply --server-side --field-manager=check -n "$1" -f "$2" >applied 2>warnings; then
        fail "the API server refuses $2: $(head -n 20 warnings)"
    fi
    if [ -s warnings ]; then fail "the API server warns of $2: $(head -n 20 warnings)"; fi
}

start
kubectl apply --server-side -f "$crds" >/dev/null
kubectl wait --for=condition=Established --timeout=30s crd --all >/dev/null
kubectl create namespace kafka >/dev/null
restricted() {
    kubectl create namespace "$1" >/dev/null
    kubectl label namespace "$1" pod-security.kubernetes.io/enforce=restricted \
        pod-security.kubernetes.io/warn=restricted >/dev/null
}

for file in "$golden"/*.yaml; do
    namespace=$(basename "$file" .yaml)
    restricted "$namespace"
    python3 "$here/deploy/checks/pods.py" "$file" >pods.yaml
    apply "$namespace" pods.yaml
    # What names another namespace itself.
    python3 "$here/deploy/checks/pods.py" --others "$file" >others.yaml
    if [ -s others.yaml ]; then apply kafka others.yaml; fi
done

# It does refuse.
refused() { # file, what the refusal names
    if kubectl apply --server-side -n refused -f "$1" >refusal 2>&1 || ! grep -q "$2" refusal; then
        fail "$1 was not refused for $2: $(head -n 20 refusal)"
    fi
}
restricted refused
sed 's/replicas: 2/replicsa: 2/' "$golden/minimal.yaml" >misspelt.yaml
refused misspelt.yaml replicsa
sed 's/runAsNonRoot: true/runAsNonRoot: false/' pods.yaml >root.yaml
refused root.yaml 'violates PodSecurity'

values=$here/deploy/checks/values
chart=$here/deploy/helm
restricted installed
kubectl create namespace topics >/dev/null
release() { # command, values
    helm "$1" webhooks "$chart" -n installed -f "$values/$2.yaml" --set strimzi.namespace=topics >/dev/null
}
release install minimal
release upgrade strimzi
release upgrade everything
helm rollback webhooks 1 -n installed >/dev/null
helm uninstall webhooks -n installed >helm.log
# Events outlive the chart.
[ "$(kubectl get kafkatopics -n topics -o name | wc -l)" = 13 ] || fail "the topics went with the chart"
