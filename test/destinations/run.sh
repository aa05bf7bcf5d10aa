#!/usr/bin/env bash
# The destinations in AWS against a stand-in for its services, moto, through the
# whole of a running stack: webhook, queue, processor, destination. Needs Python 3
# with venv; without it it skips, and under CI=true that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! python3 -c 'import venv, ensurepip' 2> /dev/null; then
  echo 'SKIPPED: the stand-in for AWS needs python3 with venv'
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

dir=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2> /dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2> /dev/null || true; done
  rm -rf "$dir"
}
trap cleanup EXIT
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
answers() { # answers PID LOG URL: waits until it does
  local end=$((SECONDS + 240))
  until curl -fs -o "$dir/answer" "$3"; do
    kill -0 "$1" 2> /dev/null && [ $SECONDS -lt $end ] || { cat "$2"; exit 1; }
    sleep 0.2
  done
}

python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check -r test/destinations/requirements.txt
moto=$(free)
"$dir/venv/bin/moto_server" -H 127.0.0.1 -p "$moto" > "$dir/moto.log" 2>&1 &
pids+=($!)
answers $! "$dir/moto.log" "http://127.0.0.1:$moto/moto-api/"

go build -o "$dir/pushpull" ./cmd/pushpull
for service in EVENTBRIDGE FIREHOSE KINESIS LAMBDA S3 SNS; do
  export "AWS_ENDPOINT_URL_$service=http://127.0.0.1:$moto"
done
export WEBHOOK_TOKEN=a-token-of-the-test
port=$(free)
"$dir/pushpull" dev --addr "127.0.0.1:$port" --data "$dir/data" --config test/destinations/config --sandbox=false > "$dir/dev.log" 2>&1 &
pids+=($!)
answers $! "$dir/dev.log" "http://127.0.0.1:$port/healthz"
PUSHPULL="$dir/pushpull" "$dir/venv/bin/python" test/destinations/check.py \
  "$dir/data" "http://127.0.0.1:$port" "http://127.0.0.1:$moto" || { tail -60 "$dir/dev.log"; exit 1; }
