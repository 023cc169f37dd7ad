#!/bin/sh
# Writes Prometheus' configuration with a port for each process in announce's public container, and starts a program.
# Arguments: the configuration, where to write the result, and the program with its arguments.
set -eu

template="$1"
result="$2"
shift 2

while IFS= read -r line; do
    printf '%s\n' "$line"
    case "$line" in
        *"# The other processes of announce_public."*)
            number=1
            while [ "$number" -lt "${ETRACKER_ANNOUNCE_REPLICAS:-1}" ]; do
                echo "      - {names: [announce_public], type: A, port: $((8090 + number)), refresh_interval: 15s}"
                number=$((number + 1))
            done
            ;;
    esac
done <"$template" >"$result"
exec "$@"
