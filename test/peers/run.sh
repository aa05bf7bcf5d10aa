#!/usr/bin/env bash
# Real servers, read by a running stack: localstripe, Kinto, json-server and Isso.
# Needs Python 3 with venv and Node 20; without them it skips, and under CI=true that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in python3 node npm; do
  command -v $tool > /dev/null && continue
  echo "SKIPPED: the peers need $tool"
  [ "${CI:-}" != true ] || exit 1
  exit 0
done
if ! python3 -c 'import venv, ensurepip' 2> /dev/null; then
  echo 'SKIPPED: the peers need python3 with venv'
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check -r test/peers/requirements.txt
cp test/peers/package.json test/peers/package-lock.json "$dir"
npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$dir"
go run ./test/peers "$dir"
