#!/bin/sh
# Starts the gateway: decides from ETRACKER_FRONTEND_HOSTNAME whether Caddy gets a certificate for it.
# Arguments: the Caddy program and the Caddyfile; without any, prints the sites it would serve.
set -eu

sites="http://:${ETRACKER_BACKEND_PORT:-3000}"

hostname="${ETRACKER_FRONTEND_HOSTNAME:-localhost}"
hostname="${hostname#*://}"
case "$hostname" in
    \[*) ;;                              # an IPv6 address
    *) hostname="${hostname%%[:/]*}" ;; # without a port
esac
case "${ETRACKER_FRONTEND_HOSTNAME:-}/$hostname" in
    http://*) ;; # the operator wants it plain
    *.local | *.localhost | *.localdomain | *.lan | *.home | *.internal | *.test | *.example | *.invalid | *.onion | *.i2p) ;;
    *[!0-9.]*) case "$hostname" in [!\[]*.*) sites="$sites, https://$hostname" ;; esac ;; # a name with a dot, no address
esac

if [ $# -eq 0 ]; then
    echo "$sites"
    exit
fi
export ETRACKER_GATEWAY_SITES="$sites"
exec "$1" run --config "$2" --adapter caddyfile
