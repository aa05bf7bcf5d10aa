#!/usr/bin/env bash
# The providers' own SDKs, in Node and in Python, against the webhook engine, and the
# engine against them. Needs Node 20 and Python 3.10; the half whose tool is not there
# is skipped, and under CI=true that fails.
#
#   run.sh          all of it; the outcome is written to results.jsonl
#   run.sh PART     the presets with PART in their name; nothing is written
set -euo pipefail
cd "$(dirname "$0")"
part=${1:-}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
touch "$dir/results"
go build -o "$dir/bridge" ./bridge
go build -o "$dir/report" ./report
complete=true

if command -v node > /dev/null && command -v npm > /dev/null; then
  # node_modules is kept until the versions change.
  wanted=$(cat node/package-lock.json; node --version)
  if [ "$(cat node/node_modules/.wanted 2> /dev/null)" != "$wanted" ]; then
    (cd node && npm ci --silent --no-audit --no-fund --ignore-scripts)
    echo "$wanted" > node/node_modules/.wanted
  fi
  BRIDGE="$dir/bridge" node node/run.mjs "$dir/results" "$part"
else
  echo 'SKIPPED: the Node half needs node and npm'
  [ "${CI:-}" != true ] || exit 1
  complete=false
fi

if [ -x python/run.sh ]; then
  before=$(wc -l < "$dir/results")
  # Its own status counts failed checks, which the report shows; without a line it has failed altogether.
  status=0
  python/run.sh "$dir/results" "$dir/bridge" 2> "$dir/python.log" || status=$?
  if [ "$(wc -l < "$dir/results")" = "$before" ]; then
    cat "$dir/python.log" >&2
    [ $status = 0 ] || exit 1
    complete=false
  fi
fi

if [ -n "$part" ]; then
  grep -E "\"preset\": ?\"[^\"]*$part" "$dir/results" > "$dir/some" || { echo "no case has $part in its preset's name"; exit 1; }
  "$dir/report" "$dir/some"
  exit
fi
status=0
"$dir/report" "$dir/results" || status=$?
if [ $complete = true ] && ! cmp -s "$dir/results" results.jsonl; then
  cp "$dir/results" results.jsonl
  echo 'results.jsonl has changed: run `go test ./test/providers/report -update` and commit both'
  [ "${CI:-}" != true ] || status=1
fi
exit $status
