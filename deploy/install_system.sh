#!/bin/sh
# Installs the programs that end-to-end tests, tests of containers and the benchmark need and that no Python package brings.
# With --if-missing it does nothing if all are installed, and says what is missing if it may not install them.
set -eu

programs="transmission-daemon qbittorrent-nox aria2c rtorrent deluged opentracker wrk ip redis-server chromium nginx haproxy debootstrap iptables prometheus promtool"
packages="transmission-daemon qbittorrent-nox aria2 rtorrent deluged opentracker wrk iproute2 redis-server chromium nginx-light haproxy debootstrap iptables prometheus"

missing=""
for program in $programs; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing="$missing $program"
done

if [ "${1:-}" = --if-missing ]; then
    [ -n "$missing" ] || exit 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "Missing, and only root on Debian can install them:$missing. Run 'make install-system' as root;" \
            "until then the tests that need them fail." >&2
        exit 0
    fi
fi

# Debian starts a daemon when it installs one; this file prevents that while it exists.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update
if apt-cache show valkey-server >/dev/null 2>&1; then
    packages="$packages valkey-server" # some Debian releases don't have it
fi
# shellcheck disable=SC2086 # a list of words
apt-get install --yes --no-install-recommends $packages
