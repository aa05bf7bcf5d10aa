#!/usr/bin/env bash
# Fuzzes every Fuzz function of the module for a time each: test/fuzz.sh 20s
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-20s}
found=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
fuzz() { go test -run='^$' -fuzz="^$name\$" -fuzztime="$each" -fuzzminimizetime=5x "$package" > "$log" 2>&1; }
while IFS=: read -r file name; do
  found=$((found + 1))
  package=./$(dirname "$file")
  printf '%-34s %s\n' "$package" "$name"
  # The go command now and then reports its own deadline as a failure: what counts is an input that fails.
  fuzz || { ! grep -q 'Failing input written' "$log" && fuzz; } || { cat "$log"; exit 1; }
done < <(grep -rnoE --include='*_test.go' 'func Fuzz[A-Za-z0-9_]+' . | sed -E 's/^\.\/([^:]+):[0-9]+:func (.*)$/\1:\2/')
[ "$found" -gt 0 ] || { echo 'no Fuzz function found: is this the whole repository?'; exit 1; }
echo "$found parsers fuzzed, $each each"
