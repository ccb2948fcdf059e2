#!/bin/sh
# Make .venv with a Python that is new enough, unless a working one is there. PYTHON=… chooses which.
set -eu
venv=$1

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

can_make_one() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

# The system's own goes first: distributions optimise theirs by profile, version managers mostly do not, and with one
# that is not the tests take a seventh longer. One that can make no virtual environment is taken where no other can.
python=
for candidate in ${PYTHON:-/usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
        python=${python:-$candidate}
        if can_make_one "$candidate"; then
            python=$candidate
            break
        fi
    fi
done
if [ -z "$python" ]; then
    echo "Till needs Python 3.11 or newer, and ${PYTHON:-python3} is $(${PYTHON:-python3} --version 2>&1 || true)." >&2
    echo "Install a newer one, or say where it is: PYTHON=/path/to/python3 make run" >&2
    exit 1
fi

# Debian and Ubuntu keep the part of Python that makes virtual environments in a package of its own.
if ! can_make_one "$python"; then
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing $package, which this Python needs to make virtual environments."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    else
        echo "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install $package" >&2
        exit 1
    fi
fi

echo "Making $venv with $("$python" --version)."
rm -rf "$venv"
"$python" -m venv "$venv"
