#!/bin/sh
# Install the packages of a file of requirements, and the sandbox, into a virtual environment:
#     tools/install.sh .venv uv==1.2.3 requirements.txt
# uv needs a quarter of pip's time. pip does it where uv is not to be had, or where its index does not answer: uv does
# not read pip's settings, in which a company may name its own. Python compiles a module when it is first imported: two of
# three never are.
set -eu
venv=$1 uv=$2 requirements=$3

with_pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input -qq install "$@"; }
with_uv() { VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet "$@"; }

if with_pip "$uv" && with_uv --requirement "$requirements" && with_uv --no-deps --editable sandbox; then
    exit 0
fi
echo "uv could not install them (see above); pip tries." >&2
with_pip --requirement "$requirements"
with_pip --no-deps --editable sandbox
