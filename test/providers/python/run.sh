#!/usr/bin/env bash
# The Python half of the provider suite: run.sh OUTFILE BRIDGE_BINARY appends a JSON
# line for each case to OUTFILE. The libraries are kept in .venv until their versions
# change. Needs Python 3.10 with venv; without it it skips, and under CI=true that fails.
set -euo pipefail
[ $# -eq 2 ] || { echo 'usage: run.sh OUTFILE BRIDGE_BINARY' >&2; exit 2; }
out=$(realpath "$1")
bridge=$(realpath "$2")
cd "$(dirname "$0")"
if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then
  echo 'SKIPPED: the Python half of the provider suite needs python3 (3.10 or newer) with venv'
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

wanted=$(cat requirements.txt requirements-alone.txt; python3 --version)
if [ "$(cat .venv/installed 2> /dev/null)" != "$wanted" ]; then
  rm -rf .venv
  python3 -m venv .venv
  pip=(.venv/bin/pip install -q --disable-pip-version-check)
  "${pip[@]}" -r requirements.txt
  "${pip[@]}" --no-deps -r requirements-alone.txt
  echo "$wanted" > .venv/installed
fi
exec .venv/bin/python run.py "$out" "$bridge"
