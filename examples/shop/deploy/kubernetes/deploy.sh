#!/bin/sh
# Bring a release to the cluster that kubectl points at, and wait until it serves.
#
#   deploy/kubernetes/deploy.sh staging registry.example.com/shop:1.4.0
#   deploy/kubernetes/deploy.sh production registry.example.com/shop@sha256:…
#
# The first argument is a folder in overlays/. The release before serves until pods of this one are
# ready; when they do not get ready, it is put back.
# TIMEOUT_S is how long migrations and rollout may take each, in seconds (600).
# Exit status: 0 the release serves; 1 it does not, the one before does; 2 something given is wrong.
set -eu

say() { printf '%s\n' "$*" >&2; }

if [ $# -ne 2 ]; then
    say 'Usage: deploy/kubernetes/deploy.sh ENVIRONMENT IMAGE'
    exit 2
fi
environment=$1
image=$2
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
timeout_s=${TIMEOUT_S:-600}

case $environment in
    '' | *[!a-z0-9-]*) known= ;;
    *) known=$folder/overlays/$environment/kustomization.yaml ;;
esac
if [ ! -f "$known" ]; then
    say "There is no environment '$environment'. Choose from: $(cd "$folder/overlays" && echo *)"
    exit 2
fi

# What an image is called before its tag or digest; the colon of a port comes before a slash.
version=
case ${image##*/} in
    ?*@sha256:?*)
        place=${image%@*} version="digest: ${image##*@}"
        case ${place##*/} in *:*) place=${place%:*} ;; esac
        ;;
    ?*:latest) ;;
    ?*:?*) place=${image%:*} version="newTag: '${image##*:}'" ;;
esac
case $image in *[!a-zA-Z0-9./:@_-]*) version= ;; esac
if [ -z "$version" ]; then
    say "'$image' can mean another image tomorrow. Give its version or digest:"
    say 'registry.example.com/shop:1.4.0 or registry.example.com/shop@sha256:…'
    exit 2
fi

release=$(mktemp -d "$folder/.release.XXXXXX")
trap 'rm -rf "$release"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cat >"$release/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../overlays/$environment
images:
  - name: image.invalid/shop
    newName: $place
    $version
END
objects=$release/objects.yaml
kubectl kustomize "$release" >"$objects"

namespaced() { kubectl --namespace "shop-$environment" "$@"; }
part=app.kubernetes.io/component

# Waits for the job's verdict. `kubectl wait` knows one condition: told to wait for success, it
# would sit out a failure.
migrated() {
    until=$(($(date +%s) + timeout_s))
    while [ "$(date +%s)" -lt "$until" ]; do
        case " $(namespaced get job 'shop-migration' \
            --output "jsonpath={.status.conditions[?(@.status=='True')].type}") " in
            *' Complete '*) return 0 ;;
            *' Failed '*) return 1 ;;
        esac
        sleep 2
    done
    return 1
}

say 'Settings, account, network policy'
namespaced apply --filename "$objects" --selector "$part notin (web, migration)"

say 'Migrations'
# A job cannot be changed, only replaced.
namespaced delete job 'shop-migration' --ignore-not-found
namespaced apply --filename "$objects" --selector "$part=migration"
if ! migrated; then
    say 'The database was not migrated. Nothing was released. The log of the migration:'
    namespaced logs 'job/shop-migration' --tail=50 >&2 || true
    exit 1
fi

say 'Rollout'
namespaced apply --filename "$objects" --selector "$part=web"
if ! namespaced rollout status 'deployment/shop' --timeout="${timeout_s}s"; then
    say 'The pods do not get ready:'
    namespaced get pods --selector "$part=web" >&2 || true
    namespaced logs 'deployment/shop' --tail=20 --prefix >&2 || true
    say 'The release before is put back.'
    if ! namespaced rollout undo 'deployment/shop' ||
        ! namespaced rollout status 'deployment/shop' --timeout="${timeout_s}s"; then
        say 'There is none, or it does not get ready either.'
    fi
    exit 1
fi
say "$image serves in $environment."
