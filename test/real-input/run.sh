#!/usr/bin/env bash
# Real GitHub and Stripe events, signed by the providers' own libraries, through a
# stack of its own. Needs Node 20; without it it skips, and under CI=true that fails.
set -euo pipefail
cd "$(dirname "$0")"
for tool in node npm; do
  command -v $tool > /dev/null && continue
  echo "SKIPPED: real input needs $tool"
  [ "${CI:-}" != true ] || exit 1
  exit 0
done
npm ci --silent --no-audit --no-fund
exec node run.mjs
