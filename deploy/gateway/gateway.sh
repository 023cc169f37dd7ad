#!/bin/sh
# Starts the gateway: decides from ETRACKER_FRONTEND_HOSTNAME whether Caddy gets a certificate for it.
# Arguments: the Caddy program and the Caddyfile; without any, it prints the sites it would serve.
set -eu

given="${ETRACKER_FRONTEND_HOSTNAME:-localhost}"
hostname="${given#*://}"
hostname="${hostname%%[:/]*}" # without a port; only a bracket remains of an IPv6 address

case "$hostname" in
    *.local | *.localhost | *.localdomain | *.lan | *.home | *.internal | *.test | *.example | *.invalid | *.onion | *.i2p)
        public=no ;; # names that no certificate authority vouches for
    *[!0-9.]*.* | *.*[!0-9.]*) public=yes ;; # a name with a dot, but no IPv4 address
    *) public=no ;;
esac
case "$given" in
    http://*) public=no ;; # the operator wants plain HTTP
esac

# The networks of ETRACKER_GATEWAY_TRUSTED_PROXIES, separated by spaces; a bare address is a network of one.
trusted=""
for network in $(echo "${ETRACKER_GATEWAY_TRUSTED_PROXIES:-127.0.0.0/8 ::1}" | tr ',' ' '); do
    case "$network" in
        */*) ;;
        *:*) network="$network/128" ;;
        *) network="$network/32" ;;
    esac
    trusted="$trusted $network"
done

sites="http://:${ETRACKER_BACKEND_PORT:-3000}"
if [ "$public" = yes ]; then
    sites="$sites, https://$hostname"
fi
if [ $# -eq 0 ]; then
    echo "$sites"
    exit
fi
if [ -n "${ETRACKER_GATEWAY_OBSERVATION_PORT:-}" ]; then
    export ETRACKER_GATEWAY_OBSERVATION=on
fi
export ETRACKER_GATEWAY_SITES="$sites" ETRACKER_GATEWAY_TRUSTED="${trusted# }"
exec "$1" run --config "$2" --adapter caddyfile
