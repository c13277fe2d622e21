#!/bin/sh
# Replaces the running web processes by a new release, one replica at a time, without losing a
# request.
#
#   deploy/release.sh           build from the sources here
#   deploy/release.sh --pull    take what $IMAGE names from its registry
#   deploy/release.sh --back    return to the release before
#
# The new image is tried first, in a container that gets no requests. If it does not become
# healthy, or a replica later on does not, the old ones go on and the exit status is 1.
# Migrations run before that, so the release before must be able to work with the new tables: add
# first, remove with the release after.
set -eu
cd "$(dirname "$0")/.."
patience_s=180

say() {
    printf '%s\n' "$*" >&2
}

image_id() {
    docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true
}

replicas() {
    docker compose ps --all --quiet web
}

# healthy CONTAINER: wait until it is; if it ends, fails its checks or takes too long, show what it
# said and give up.
healthy() {
    waited_s=0
    while [ "$waited_s" -lt "$patience_s" ]; do
        case $(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$1") in
            'running healthy') return ;;
            'running starting' | created*) ;;
            *) break ;;
        esac
        sleep 1
        waited_s=$((waited_s + 1))
    done
    say "The new release did not become healthy. It said:"
    docker logs --tail 40 "$1" >&2 || true
    exit 1
}

# Whatever ends this script early: what is not healthy goes, and its image is forgotten.
added=
released=
leave() {
    status=$?
    trap - EXIT
    if [ -n "$added" ]; then
        docker rm --force --volumes "$added" >/dev/null 2>&1 || true
    fi
    if [ -z "$released" ]; then
        if [ -n "$before" ]; then
            docker tag "$before" "$image"
        fi
        say "The release before goes on."
        [ "$status" -gt 1 ] || status=1
    fi
    exit "$status"
}

how=${1:-}
image=$(docker compose config | awk '/^  [a-z]+:$/ { service = $1 } service == "web:" && $1 == "image:" { print $2 }')
before=$(image_id "$image")
previous=$(image_id shop:previous)
case $how in
    '' | --pull) ;;
    --back)
        if [ -z "$previous" ]; then
            say "There is no release before this one on this machine."
            exit 2
        fi
        ;;
    *)
        say "Usage: deploy/release.sh [--pull | --back]"
        exit 2
        ;;
esac
if docker inspect shop-trial >/dev/null 2>&1; then
    say "Another release is under way, or was killed. In the latter case: docker rm --force shop-trial"
    exit 2
fi

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
case $how in
    '') docker compose build web || exit 1 ;;
    --pull) docker compose pull web || exit 1 ;;
    --back) docker tag "$previous" "$image" ;;
esac
old=$(replicas)
if [ -z "$old" ]; then
    docker compose up --detach --no-build --wait
    released=yes
    exit 0
fi
if [ "$how" != --back ]; then
    docker compose run --rm --no-deps -T migrate
fi

added=shop-trial
docker compose run --detach --no-deps --name "$added" web >/dev/null
healthy "$added"
docker rm --force --volumes "$added" >/dev/null
added=

count=$(printf '%s\n' "$old" | wc -l)
for replaced in $old; do
    known=$(replicas)
    docker compose up --detach --no-build --no-deps --no-recreate --scale "web=$((count + 1))" web
    for replica in $(replicas); do
        case $known in
            *"$replica"*) ;;
            *) added=$replica ;;
        esac
    done
    healthy "$added"
    added=
    # Until nginx has asked Docker's name server again.
    sleep 2
    # It says that it is not ready, serves until nginx has let go of it, finishes, and ends.
    docker stop "$replaced" >/dev/null
    docker rm "$replaced" >/dev/null
    say "One of $count replicas is replaced."
done
released=yes
if [ -n "$before" ] && [ "$before" != "$(image_id "$image")" ]; then
    docker tag "$before" shop:previous
fi
# Also its configuration may be another.
docker compose exec -T nginx nginx -c /etc/nginx/site/nginx.conf -s reload
# Images before the previous one have no name any more.
docker image prune --force --filter 'label=com.docker.compose.project=shop' >/dev/null
