#!/bin/sh
# Waits until everything that announce has written to Redis is counted in Postgres: sh deploy/settle.sh
#
# Stop announce first (docker compose stop announce announce_public), or there is always more. Exits with 1 after a minute.
set -eu
cd "$(dirname "$0")/.."

# Lines of a shard and the last entry of its stream, or the last one that has been counted.
written='local lines = {}
for shard = 0, 15 do
    local last = redis.call("XREVRANGE", "facts:{" .. shard .. "}", "+", "-", "COUNT", 1)[1]
    if last then lines[#lines + 1] = shard .. " " .. last[1] end
end
return lines'
counted="SELECT shard || ' ' || last_id FROM stream_positions"

uncounted() {
    docker compose exec -T redis sh -c '$(command -v valkey-cli || command -v redis-cli) --raw eval "$1" 0' sh "$written" >"$files/written"
    docker compose exec -T postgres sh -c 'psql -qAtX -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$1"' sh "$counted" >"$files/counted"
    sed '/^$/d' "$files/written" | grep -Fxv -f "$files/counted"
}

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
for _ in $(seq 60); do
    uncounted >"$files/left" || exit 0
    sleep 1
done
echo "etracker: not counted yet, by shard and last entry:" >&2
cat "$files/left" >&2
exit 1
