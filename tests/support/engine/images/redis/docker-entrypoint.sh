#!/bin/sh
# As root, the server becomes the account that owns its data; every other program stays root.
set -e
if [ "$1" = "$SERVER-server" ] && [ "$(id -u)" = 0 ]; then
    chown -R "$SERVER" .
    exec gosu "$SERVER" "$@"
fi
exec "$@"
