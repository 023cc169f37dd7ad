#!/bin/sh
# Runs the whole tracker, with a frontend served from its sources, so that changes to it are visible at once.
set -eu
cd "$(dirname "$0")/.."

.venv/bin/python -m etracker_stack &
stack=$!
trap 'kill -INT "$stack" 2>/dev/null; wait "$stack"' EXIT
trap 'exit 130' INT TERM

ETRACKER_GATEWAY="http://127.0.0.1:${ETRACKER_BACKEND_PORT:-3000}" sh deploy/npm.sh run dev
