#!/bin/sh
# Install the packages of a file of requirements into a virtual environment, and the sandbox: `tools/install.sh .venv
# uv==… requirements.txt`. uv needs a quarter of pip's time. Where it is not to be had or its index does not answer (it
# does not read pip's settings, in which a company names its own), pip does it.
set -eu
venv=$1 uv=$2 requirements=$3

with_pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input -qq install "$@"; }
with_uv() { VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --compile-bytecode "$@"; }

if with_pip "$uv" && with_uv --requirement "$requirements" && with_uv --no-deps --editable sandbox; then
    exit 0
fi
echo "uv could not install them (see above); pip tries." >&2
with_pip --requirement "$requirements"
with_pip --no-deps --editable sandbox
