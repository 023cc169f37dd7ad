#!/bin/sh
# Start Redis in its container, with at most half of the container's memory for data: rewriting the append-only file,
# fragmentation and buffers need the rest. ETRACKER_REDIS_MAXMEMORY sets another amount, in bytes or as 512mb or 2gb.
# The password is passed in a file, since a process list shows arguments.
set -eu

data=${REDIS_DATA:-/data}
groups=${CGROUPS:-/sys/fs/cgroup}
least=33554432

refuse() {
  echo "etracker: the setting ETRACKER_REDIS_MAXMEMORY is wrong: $1." >&2
  exit 78
}

# The container's limit, or the machine's memory if it has none.
available() {
  machine=$(awk '/^MemTotal:/ {printf "%.0f", $2 * 1024}' "${MEMINFO:-/proc/meminfo}")
  limit=$(cat "$groups/memory.max" 2>/dev/null || cat "$groups/memory/memory.limit_in_bytes" 2>/dev/null || echo max)
  echo "$limit $machine" | awk '{printf "%.0f", ($1 == "max" || $1 + 0 > $2 + 0 ? $2 : $1)}'
}

in_bytes() {
  echo "$1" | tr 'A-Z' 'a-z' | awk '
    /^[0-9]+[kmg]?b?$/ {
      base = /b$/ ? 1024 : 1000
      unit = /g/ ? base * base * base : (/m/ ? base * base : (/k/ ? base : 1))
      printf "%.0f", ($0 + 0) * unit
    }'
}

has=$(available)
if [ -n "${ETRACKER_REDIS_MAXMEMORY:-}" ]; then
  bytes=$(in_bytes "$ETRACKER_REDIS_MAXMEMORY")
  [ -n "$bytes" ] || refuse "it must be a number of bytes, or one like 512mb or 2gb"
  awk "BEGIN {exit !($bytes >= $least)}" || refuse "it must be at least 32mb"
  awk "BEGIN {exit !($bytes < $has)}" || refuse "it must be less than the container's memory, $has bytes"
else
  bytes=$(awk "BEGIN {half = int($has / 2); printf \"%.0f\", (half > $least ? half : $least)}")
fi

# Every byte as \xHH: quotes, spaces, # and backslashes mean something in this file.
password=$(printf %s "$REDISCLI_AUTH" | od -An -v -tx1 | tr -d ' \n' | sed 's/../\\x&/g')

umask 077
cat > "$data/redis.conf" <<END
requirepass "$password"
save ""
appendonly yes
appendfsync everysec
maxmemory $bytes
maxmemory-policy noeviction
client-query-buffer-limit 64mb
client-output-buffer-limit normal 256mb 128mb 60
tcp-keepalive 60
END
server=$(command -v valkey-server || command -v redis-server || echo redis-server) # its entrypoint drops root's rights for this name only
exec ${REDIS_START:-docker-entrypoint.sh "${server##*/}"} "$data/redis.conf" "$@"
