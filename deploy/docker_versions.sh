#!/bin/sh
# Says what is wrong with the versions of Docker's engine and of compose, and fails if the tracker doesn't run with them.
# Arguments: the versions, by default those of this machine.
set -eu

oldest_engine=25.0 # it checks health more often while a container starts
oldest_compose=2.24
ipv6_engine=27.0 # it passes on the addresses of IPv6 clients

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

engine=${1:-$(docker version --format '{{.Server.Version}}' 2>/dev/null)} || fail "the Docker engine doesn't answer."
compose=${2:-$(docker compose version --short 2>/dev/null)} || fail "Docker Compose isn't installed."

! older "$engine" "$oldest_engine" || fail "Docker Engine $engine is too old: install $oldest_engine or newer."
! older "$compose" "$oldest_compose" || fail "Docker Compose $compose is too old: install $oldest_compose or newer."
! older "$engine" "$ipv6_engine" || say "with Docker Engine $engine every IPv6 client appears with the address of \
the containers' network, where no other client can reach it: install $ipv6_engine or newer if clients use IPv6."
