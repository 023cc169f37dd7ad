#!/bin/sh
# Upgrades the containers to what is checked out: sh deploy/upgrade.sh
#
# It builds the images, migrates the database while the old containers serve, and then replaces one service after
# another. If building or migrating fails, nothing has been replaced and the old containers go on serving.
set -eu
cd "$(dirname "$0")/.."

oldest_compose=2.24
oldest_engine=25.0
ipv6_engine=27.0

say() { echo "etracker: $1" >&2; }
fail() {
    say "$1"
    exit 1
}

# Whether version $1 is older than $2, by their first two numbers.
older() {
    awk -v one="$1" -v other="$2" 'BEGIN {
        sub(/^v/, "", one)
        split(one, a, /[^0-9]+/)
        split(other, b, /[^0-9]+/)
        exit !(a[1] + 0 < b[1] + 0 || (a[1] + 0 == b[1] + 0 && a[2] + 0 < b[2] + 0))
    }'
}

# The label of the images says which commit they are of.
ETRACKER_REVISION=$(git rev-parse HEAD 2>/dev/null || true)
export ETRACKER_REVISION

compose=$(docker compose version --short 2>/dev/null) || fail "docker compose isn't installed."
engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null) || fail "the Docker engine doesn't answer."
! older "$compose" "$oldest_compose" || fail "Docker Compose $compose is too old: install $oldest_compose or newer."
! older "$engine" "$oldest_engine" || fail "Docker Engine $engine is too old: install $oldest_engine or newer."
! older "$engine" "$ipv6_engine" || say "with Docker Engine $engine every IPv6 client appears with the address of \
the containers' network: install $ipv6_engine or newer if clients use IPv6."

say "building the images"
docker compose build || fail "the images can't be built. Nothing has been replaced; the old containers go on serving."

if [ -n "$(docker compose ps --quiet --status running postgres)" ]; then
    say "migrating the database"
    docker compose run --rm --no-deps -T migrate ||
        fail "the migration failed, so nothing has been replaced; the old containers go on serving. The lines above say why."

    # Workers first: they must be able to read what a newer announce writes. The gateway before those whose trusted proxy
    # it is.
    for service in scoring scoring_worker etracker admin_api announce announce_public; do
        say "replacing $service"
        docker compose up -d --wait --no-deps "$service" || fail "$service doesn't become healthy: read its log with \
docker compose logs $service. The services before it have been replaced; 'Upgrading' in docs/operations.md tells how to go back."
    done
fi

# What is left, such as another version of Postgres or of Redis, and everything at a first start.
docker compose up -d --wait etracker || fail "not every service becomes healthy: docker compose ps names it."
say "upgraded"
