#!/usr/bin/env bash
# What a newcomer does: a clean clone, a fresh HOME, nothing but Go; the README's
# run command; an event through the front door, seen by `pushpull events`.
set -euo pipefail
cd "$(dirname "$0")/.."
origin=$PWD
home=$(mktemp -d)
dev=
cleanup() {
  [ -z "$dev" ] || { kill -TERM "$dev" 2>/dev/null; wait "$dev" 2>/dev/null; } || true
  chmod -R u+w "$home" 2>/dev/null || true
  rm -rf "$home"
}
trap cleanup EXIT

git clone -q "$origin" "$home/pushpull"
cd "$home/pushpull"
export HOME=$home GOMODCACHE=$home/modules GOCACHE=$home/cache
unset GOPATH GOFLAGS
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 18080)

from=$SECONDS
go build -o pushpull ./cmd/pushpull # the build apart, to know what it takes
echo "modules fetched and the command built: $((SECONDS - from)) s"
from=$SECONDS
go run ./cmd/pushpull dev --addr "127.0.0.1:$port" > dev.log 2>&1 &
dev=$!
until curl -fs "http://127.0.0.1:$port/healthz" > /dev/null; do
  kill -0 "$dev" 2>/dev/null || { echo 'dev ended:'; cat dev.log; exit 1; }
  [ $((SECONDS - from)) -lt 240 ] || { echo 'dev was not ready after 240 s:'; cat dev.log; exit 1; }
  sleep 0.2
done
echo "ready, the functions built: $((SECONDS - from)) s"

# A GitHub push, signed as GitHub signs.
secret=$(sed -n 's|^"\{0,1\}ssm:/pushpull/github/webhook"\{0,1\}: *"\{0,1\}\([^"]*\)"\{0,1\}$|\1|p' .pushpull/secrets.yaml)
body='{"ref":"refs/heads/main","after":"d6fde92930d4715a2b49857d24b940956b26d2d3","repository":{"full_name":"octocat/hello"}}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')
status=$(curl -s -o answer.json -w '%{http_code}' "http://127.0.0.1:$port/webhooks/github" \
  -H 'content-type: application/json' -H 'x-github-event: push' -H "x-github-delivery: run-command" \
  -H "x-hub-signature-256: sha256=$signature" --data-binary "$body")
[ "$status" = 202 ] || [ "$status" = 200 ] || { echo "the signed push was answered $status:"; cat answer.json dev.log; exit 1; }
forged=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/webhooks/github" \
  -H 'content-type: application/json' -H 'x-github-event: push' -H "x-hub-signature-256: sha256=${signature/[0-9]/f}" --data-binary "$body ")
[ "$forged" = 401 ] || { echo "a forged push was answered $forged, not 401"; exit 1; }

until_seen() { # until_seen WHAT COMMAND...: tries for 20 s
  local what=$1 end=$((SECONDS + 20)); shift
  until "$@" > seen.txt 2>&1; do
    [ $SECONDS -lt $end ] || { echo "not seen: $what"; cat seen.txt dev.log; exit 1; }
    sleep 0.2
  done
  echo "seen: $what"
}
delivered() { ./pushpull events --source github --json | grep -q '"status":"delivered"'; }
healed() { ./pushpull events --source sandbox --missed --status delivered --json | grep -q '"transport":"poll"'; }
pushed() { ./pushpull events --source sandbox --transport webhook --status delivered --json | grep -q delivered; }
until_seen 'the signed GitHub push, delivered' delivered
until_seen "the sandbox's webhooks, delivered" pushed
until_seen 'a lost webhook, healed by a poll' healed
grep -q refs/heads/main .pushpull/delivered.ndjson || { echo 'the push is not in the file'; exit 1; }
# Stopped as a script stops what it started: `go run` dies of it, and dev must not stay behind.
child=$(sed -n 's/^ *"pid": *\([0-9]*\).*/\1/p' .pushpull/stack.json)
kill -TERM "$dev"; wait "$dev" || true
dev=
gone() { ! kill -0 "$child" 2> /dev/null; }
until_seen 'dev ends with the go run that started it' gone
echo 'the run command works in a clean clone'
