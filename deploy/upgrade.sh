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

if [ -n "$(docker compose ps --quiet --status running postgres)" ]; then
    say "migrating the database"
    docker compose run --rm --no-deps -T migrate ||
        fail "the migration failed, and the lines above say why. Nothing has been replaced; the old containers go on serving."

    # The worker before announce, because it must be able to read what a newer announce writes. The gateway before those
    # that trust its address.
    for service in scoring scoring_worker etracker admin_api announce_public announce; do
        say "replacing $service"
        docker compose up -d --wait --no-deps "$service" || fail "$service doesn't become healthy: \
docker compose logs $service. 'Upgrading' in docs/operations.md says how to go back."
    done
fi

# What is left, such as another version of Postgres or of Redis, and everything at a first start.
docker compose up -d --wait etracker || fail "not every service becomes healthy: docker compose ps names it."
say "upgraded"
