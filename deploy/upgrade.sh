#!/bin/sh
# Upgrades the containers to what is checked out: sh deploy/upgrade.sh
#
# It builds the images, migrates the database while the old containers serve, and then replaces one service after
# another. If building or migrating fails, nothing has been replaced and the old containers go on serving.
set -eu
cd "$(dirname "$0")/.."

say() { echo "etracker: $1" >&2; }
fail() {
    say "$1"
    exit 1
}

sh deploy/docker_versions.sh

ETRACKER_REVISION=$(git rev-parse HEAD 2>/dev/null || true) # the commit that the images are labelled with
export ETRACKER_REVISION

say "building the images"
docker compose build || fail "the images can't be built. Nothing has been replaced; the old containers go on serving."

# Containers of releases that had a single network also join the other one, where the new ones look for them.
join_stores() {
    docker compose run --rm --no-deps -T --entrypoint true migrate || return 1 # compose creates the network for it
    for service in postgres redis scoring scoring_worker admin_api announce announce_public; do
        for container in $(docker compose ps --quiet "$service"); do
            project=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$container")
            networks=$(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$container")
            case " $networks" in
                *" ${project}_stores "*) ;;
                *) docker network connect --alias "$service" "${project}_stores" "$container" || return 1 ;;
            esac
        done
    done
}

# The worker before announce, because it must be able to read what a newer announce writes. The gateway before those that
# trust its address.
replace() {
    for service in "$@"; do
        say "replacing $service"
        docker compose up -d --wait --no-deps "$service" || fail "$service doesn't become healthy: \
docker compose logs $service. 'Upgrading' in docs/operations.md says how to go back."
    done
}

# Valkey can't read the files of the Redis that earlier releases ran, and starts empty.
leaves_redis() {
    docker compose config redis | grep -q 'source: valkey$' &&
        docker inspect --format '{{range .Mounts}}{{.Name}} {{end}}' "$(docker compose ps --quiet redis)" | grep -q '_redis '
}

settle() {
    say "waiting until everything that clients have reported is counted"
    docker compose stop announce announce_public
    sh deploy/settle.sh || {
        docker compose start announce announce_public
        fail "the facts in Redis aren't counted: docker compose logs scoring_worker. Redis and announce haven't been replaced."
    }
}

if [ -n "$(docker compose ps --quiet --status running postgres)" ]; then
    join_stores || fail "the old containers can't be connected to the new network. They go on serving."

    say "migrating the database"
    docker compose run --rm --no-deps -T migrate ||
        fail "the migration failed, and the lines above say why. Nothing has been replaced; the old containers go on serving."

    replace postgres scoring scoring_worker etracker admin_api
    if leaves_redis; then settle; fi
    replace redis announce_public announce
fi

# What is left, and everything at a first start.
docker compose up -d --wait etracker || fail "not every service becomes healthy: docker compose ps names it."
say "upgraded"
