#!/bin/sh
# Installs one service into the Python on the PATH: its locked dependencies, shared, and itself.
# Argument: the service's directory. The Dockerfile and the test of the services' independence run it.
set -eu

python -m pip install --disable-pip-version-check --require-hashes --requirement "$1/requirements.txt"
python -m pip install --disable-pip-version-check --no-deps --no-build-isolation ./shared "./$1"
