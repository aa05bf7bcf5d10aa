#!/usr/bin/env bash
# The aws command line and boto3 against the queues and tables of a running stack.
# Needs Python 3 with venv; without it it skips, and under CI=true that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! python3 -c 'import venv, ensurepip' 2> /dev/null; then
  echo 'SKIPPED: the aws command line needs python3 with venv'
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

dir=$(mktemp -d)
dev=
cleanup() {
  [ -z "$dev" ] || { kill -TERM "$dev" 2> /dev/null; wait "$dev" 2> /dev/null; } || true
  rm -rf "$dir"
}
trap cleanup EXIT

python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check -r test/aws-cli/requirements.txt
go build -o "$dir/pushpull" ./cmd/pushpull
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$dir/pushpull" dev --addr "127.0.0.1:$port" --data "$dir/data" > "$dir/dev.log" 2>&1 &
dev=$!
end=$((SECONDS + 240))
until curl -fs "http://127.0.0.1:$port/healthz" > /dev/null; do
  kill -0 "$dev" 2> /dev/null && [ $SECONDS -lt $end ] || { cat "$dir/dev.log"; exit 1; }
  sleep 0.2
done
PATH="$dir/venv/bin:$PATH" AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null \
  "$dir/venv/bin/python" test/aws-cli/check.py "$dir/data/stack.json" || { tail -40 "$dir/dev.log"; exit 1; }
