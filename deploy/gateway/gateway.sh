#!/bin/sh
# Starts the gateway: decides from ETRACKER_FRONTEND_HOSTNAME whether Caddy gets a certificate for it.
# Arguments: the Caddy program, the Caddyfile.
set -eu

port="${ETRACKER_BACKEND_PORT:-3000}"
hostname="${ETRACKER_FRONTEND_HOSTNAME:-localhost}"
sites="http://:$port"

case "$hostname" in
    *[!0-9.]*.*[!0-9.]*) public=yes ;; # a name with a dot; an IPv4 address gets no certificate
    *) public=no ;;
esac
case "$hostname" in
    *:* | *.local | *.localhost | *.localdomain | *.lan | *.home | *.internal | *.test | *.example | *.invalid | *.onion | *.i2p)
        public=no ;;
esac
if [ "$public" = yes ]; then
    sites="$sites, https://$hostname"
fi

export ETRACKER_GATEWAY_SITES="$sites"
exec "$1" run --config "$2" --adapter caddyfile
