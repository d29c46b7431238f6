#!/usr/bin/env bash
# Makes the virtual environment and installs the locked packages into it: with uv where it is installed, else with plain pip.
# Usage: tools/setup.sh VENV PYTHON LOCK     (PYTHON may be empty: then the first Python 3.11 to 3.13 that works)
set -euo pipefail

venv=$1
python=$2
lock=$3

works() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3 python; do
        if command -v "$name" >/dev/null && works "$name"; then
            command -v "$name"
            return
        fi
    done
}

if [ -n "$python" ] && ! works "$python"; then
    echo "setup: $python does not work for Sordino: it must be Python 3.11, 3.12 or 3.13 with the venv and ensurepip modules." >&2
    echo "       Name another one, for example: make PYTHON=python3.12" >&2
    exit 2
fi
python=${python:-$(find_python)}
if [ -z "$python" ]; then
    echo "setup: no Python 3.11, 3.12 or 3.13 with the venv module was found on PATH." >&2
    if command -v python3 >/dev/null; then
        echo "       What is there: $(python3 --version 2>&1) at $(command -v python3)" >&2
    fi
    echo "       Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13)," >&2
    echo "       or name it: make PYTHON=/path/to/python3.12" >&2
    exit 2
fi

# A virtual environment whose Python is gone or too old is of no use to anybody.
if [ -d "$venv" ] && ! "$venv/bin/python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    echo "setup: $venv does not work any more; making it anew"
    rm -rf "$venv"
fi

# pip says a line for each package it fetches: count them for whoever waits.
progress() {
    awk -v total="$(grep -cE '^[A-Za-z0-9]' "$lock")" -v tty="$([ -t 1 ] && echo 1 || echo 0)" '
        /^Collecting / { n++
            if (tty) { printf "\r\033[K  %d of about %d  %s", n, total, $2; fflush() }
            else if (n % 25 == 1) { printf "  %d of about %d  %s\n", n, total, $2; fflush() } }
        /^Installing collected packages/ { printf "%s  unpacking\n", tty ? "\r\033[K" : ""; fflush() }
        /^ERROR/ { print }'
}

started=$SECONDS
if command -v uv >/dev/null; then
    echo "setup: $("$python" --version), packages of $lock with uv"
    [ -d "$venv" ] || uv venv --quiet --python "$python" "$venv"
    uv pip install --python "$venv/bin/python" --require-hashes -r "$lock"
    uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e .
else
    echo "setup: $("$python" --version), packages of $lock with pip (uv, where installed, is faster)"
    [ -d "$venv" ] || "$python" -m venv "$venv"
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    "$venv/bin/python" -m pip install --require-hashes -r "$lock" | progress
    "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e .
fi
echo "setup: done in $((SECONDS - started)) s"
